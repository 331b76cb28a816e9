"""The five moments, read off a run of the model: each is the first state that has what it is named for."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from kvmlab.errors import BadInput, ModelError, unknown
from kvmlab.kernels.names import kernel
from kvmlab.machine.state import State
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import frame
from kvmlab.scenarios.levels import levels
from kvmlab.scenarios.mixes import METHODS
from kvmlab.scenarios.scenario import Scenario
from kvmlab.scenarios.stack import Stack
from kvmlab.show.cards import ENTRY, LOOKS, SAYS, Link, Mix, Moment, Story
from kvmlab.show.tower import Tower, tower


@lru_cache(512)
def story(mix: Mix) -> Story:
    """Return the run of ``mix`` in five moments.

    Raises BadInput for a method that is none, and for a guest that would leave at once anyway.
    """
    scenario = _scenario(mix)
    parts: Stack = scenario.records["stack"]
    states = snapshots(scenario, _moments(mix, scenario))
    left, end, text = states[3], states[4], scenario.system.layout.text
    moments = [_moment(mix, scenario, n, s) for n, s in enumerate(states, 1)]
    instructions, told = left[parts.top.insns], text(parts.form.reason, end)
    exact = not instructions and told == Exit.PREEMPTION_TIMER.name
    return Story(mix, _settled(moments, exact), exact, instructions, text(parts.top.vmcs.reason, left), told)


def _scenario(mix: Mix) -> Scenario:
    if not mix.methods:
        raise BadInput("methods: one for each level, from level 0 up")
    for way in mix.methods:
        if way not in METHODS:
            raise unknown("method", way, METHODS)
    if mix.looks not in LOOKS:
        raise unknown("what is looked for", mix.looks, LOOKS)
    if mix.k < 1:
        raise BadInput(f"k={mix.k}: a guest that leaves at once on its own shows nothing; take 1 or more")
    kernels = ",".join(f"L{n}={METHODS[way]}{LOOKS[mix.looks]}" for n, way in enumerate(mix.methods))
    return levels(
        kernel(METHODS[mix.methods[0]]),
        levels=len(mix.methods),
        kernels=kernels,
        no_a1=not mix.a1,
        apicv=mix.apicv,
        after=mix.k,
    )


When = Callable[[Sequence[int]], object]


def snapshots(scenario: Scenario, moments: Sequence[When]) -> list[State]:
    """Carry the scenario out, and return the first state that has each of ``moments``, in this order.

    Who is on top of the core moves; what is under way arrives only when nobody else can move. Raises
    ModelError if a moment never comes.
    """
    system, s = scenario.system, list(scenario.system.start)
    found: list[State] = []
    for moment in moments:
        while not moment(s):
            moves = system.enabled(s)
            if not moves:
                raise ModelError(f"{scenario.sentence}: everything rests, and the next moment has not come")
            max(moves, key=lambda move: (move.actor.top is not None, move.actor.frame)).carry_out(s)
        found.append(tuple(s))
    return found


def _moments(mix: Mix, scenario: Scenario) -> Sequence[When]:
    parts: Stack = scenario.records["stack"]
    running, vcpu = parts.core.frame, parts.vcpus[mix.tested]
    inside = frame(mix.guest)

    def wished(s: Sequence[int]) -> bool:
        seen = tower(scenario, tuple(s))
        below = mix.tested and seen.card(mix.tested - 1, mix.tested).wish
        return bool(seen.card(mix.tested, mix.guest).wish or below or seen.ipi)

    return (
        lambda s: s[vcpu.immediate],
        wished,
        lambda s: s[running] == inside,
        lambda s: s[running] != inside,
        scenario.done,
    )


def _moment(mix: Mix, scenario: Scenario, number: int, s: State) -> Moment:
    notes = {level: SAYS[way] for level, way in enumerate(mix.methods)}
    seen = tower(scenario, s, notes)
    return Moment(number, seen, tuple(_chain(mix, seen, number >= ENTRY)))


def _chain(mix: Mix, seen: Tower, entered: bool) -> Iterator[Link]:
    """Yield what became of the promise, level by level; that it ended somewhere is known at the entry."""
    above = True
    for level in range(mix.tested, -1, -1):
        card = bool(seen.card(level, mix.guest).wish)
        here = card or (level == 0 and seen.ipi_state == "pending")
        if here:
            yield Link(level, "kept" if above else "found", not card)
        elif above and entered:
            yield Link(level, "broken")
        above = here


def _settled(moments: Sequence[Moment], exact: bool) -> tuple[Moment, ...]:
    """Return the moments with the chain as the entry found it; at the end a kept promise is marked so."""
    chain = moments[ENTRY - 1].chain
    *others, last = (replace(m, chain=chain) if m.number > ENTRY else m for m in moments)
    return (*others, replace(last, tower=_kept(last.tower)) if exact else last)


def _kept(seen: Tower) -> Tower:
    """Return the levels with every wish for the guest on top marked as kept."""
    guest = seen.floors[-1].level
    floors = (
        replace(floor, cards=tuple(replace(c, kept=bool(c.wish) and c.guest == guest) for c in floor.cards))
        for floor in seen.floors
    )
    return replace(seen, floors=tuple(floors))
