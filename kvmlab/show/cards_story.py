"""The moments, read off a run of the model: each is the first state that has what it is named for."""

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
from kvmlab.show.cards import ENTRY, EXIT, LOOKS, NEWS, SAYS, TASK, TURN, WISH, Link, Mix, Moment, Name, Story
from kvmlab.show.tower import Tower, tower


@lru_cache(512)
def story(mix: Mix) -> Story:
    """Return the run of ``mix`` in its moments.

    Raises BadInput for a method that is none, and for a guest that would leave at once anyway.
    """
    scenario = _scenario(mix)
    parts: Stack = scenario.records["stack"]
    states = snapshots(scenario, _moments(mix, scenario))
    *_, left, end = states
    text = scenario.system.layout.text
    task, wish, *others = (_moment(mix, scenario, name, s) for name, s in zip(NAMES, states, strict=True))
    moments = [task, wish, *_turns(mix, scenario, others[0].chain), *others]
    instructions, told = left[parts.top.insns], text(parts.form.reason, end)
    exact = not instructions and told == Exit.PREEMPTION_TIMER.name
    return Story(mix, _settled(moments, exact), exact, instructions, text(parts.top.vmcs.reason, left), told)


def _scenario(mix: Mix) -> Scenario:
    if not mix.methods:
        raise BadInput("methods: one for each level, from level 0 up")
    for way in mix.methods:
        if way not in METHODS:
            raise unknown("method", way, METHODS)
    if len(mix.looking) != len(mix.methods):
        raise BadInput(f"looks: one word for all, or {len(mix.methods)}, one for each level from 0 up")
    for what in mix.looking:
        if what not in LOOKS:
            raise unknown("what is looked for", what, LOOKS)
    if mix.k < 1:
        raise BadInput(f"k={mix.k}: a guest that leaves at once on its own shows nothing; take 1 or more")
    both = zip(mix.methods, mix.looking, strict=True)
    kernels = ",".join(f"L{n}={METHODS[way]}{LOOKS[what]}" for n, (way, what) in enumerate(both))
    return levels(
        kernel(METHODS[mix.methods[0]]),
        levels=len(mix.methods),
        kernels=kernels,
        no_a1=not mix.a1,
        apicv=mix.apicv,
        after=mix.k,
    )


NAMES: tuple[Name, ...] = (TASK, WISH, ENTRY, EXIT, NEWS)
"""The moments of every run."""

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


def _turns(mix: Mix, scenario: Scenario, chain: Sequence[Link]) -> list[Moment]:
    """Return when each level between the one under test and level 0 did what the entry found done."""
    between = [link for link in chain if 0 < link.level < mix.tested]
    task, wish, *_ = _moments(mix, scenario)
    states = snapshots(scenario, [task, wish, *(_did(mix, scenario, link) for link in between)])[2:]
    return [_moment(mix, scenario, TURN, s, link.level) for link, s in zip(between, states, strict=True)]


def _did(mix: Mix, scenario: Scenario, link: Link) -> When:
    """Return a test for the wish of a level: on its card for the guest, or on that on which it runs."""
    level = link.level
    card = (level - 1, level) if link.fate in ("broken", "sent") else (level, mix.guest)
    return lambda s: tower(scenario, tuple(s)).card(*card).wish


def _moment(mix: Mix, scenario: Scenario, name: Name, s: State, level: int | None = None) -> Moment:
    notes = {level: SAYS[way] for level, way in enumerate(mix.methods)}
    seen = tower(scenario, s, notes)
    chain = tuple(_chain(mix, seen, name in (ENTRY, EXIT, NEWS)))
    return Moment(name, seen, chain, mix.tested if level is None else level)


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
        elif entered and level and seen.card(level - 1, level).wish:
            yield Link(level, "sent")
        above = here


def _settled(moments: Sequence[Moment], exact: bool) -> tuple[Moment, ...]:
    """Return the moments with the chain as the entry found it; at the end a kept promise is marked so."""
    chain = next(m.chain for m in moments if m.name == ENTRY)
    *others, last = (replace(m, chain=chain) if m.name in (EXIT, NEWS) else m for m in moments)
    return (*others, replace(last, tower=_kept(last.tower)) if exact else last)


def _kept(seen: Tower) -> Tower:
    """Return the levels with every wish for the guest on top marked as kept."""
    guest = seen.floors[-1].level
    floors = (
        replace(floor, cards=tuple(replace(c, kept=bool(c.wish) and c.guest == guest) for c in floor.cards))
        for floor in seen.floors
    )
    return replace(seen, floors=tuple(floors))
