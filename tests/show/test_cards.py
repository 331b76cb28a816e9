"""The card in the slot: its moments are read off a run, and agree with what every schedule says."""

from itertools import product

import pytest

from kvmlab.errors import BadInput, ModelError
from kvmlab.kernels.names import kernel
from kvmlab.scenarios.levels import levels
from kvmlab.schedulers.explore import explore
from kvmlab.show.cards import ENTRY, LOOKS, TURN, WISH, Mix, Story
from kvmlab.show.cards_story import NAMES, snapshots, story
from kvmlab.show.tower import Tower

METHODS = ("ipi", "timer0")


def mixes(depth: int) -> list[tuple[str, ...]]:
    """Return every mix of methods for 1 to ``depth`` levels."""
    return [methods for n in range(1, depth + 1) for methods in product(METHODS, repeat=n)]


def at_entry(told: Story) -> Tower:
    """Return the levels as the entry finds them."""
    return told.moment(ENTRY).tower


def promised(methods: tuple[str, ...], a1: bool) -> bool:
    """The rule: timer 0 at every level but 0, and at level 0 too, or A1."""
    return "ipi" not in methods[1:] and (a1 or methods[0] == "timer0")


@pytest.mark.parametrize("a1", [True, False])
@pytest.mark.parametrize("methods", mixes(4))
def test_a_story_is_exact_as_the_rule_says(methods: tuple[str, ...], a1: bool) -> None:
    """Every mix to depth four: EXACT with 0 instructions, or LATE by all that the guest had to do."""
    told = story(Mix(methods, 3, a1))
    assert told.exact == promised(methods, a1)
    assert (told.instructions, told.word) == ((0, "EXACT") if told.exact else (3, "LATE"))
    assert told.told == ("PREEMPTION_TIMER" if told.exact else "VMCALL")


@pytest.mark.parametrize(("methods", "a1"), list(product(mixes(2), (True, False))))
def test_no_story_contradicts_the_proof(methods: tuple[str, ...], a1: bool) -> None:
    """What one run breaks, trying every schedule finds broken; what that clears, no run breaks."""
    named = ",".join(f"L{level}={way}" for level, way in enumerate(methods))
    tried = explore(levels(kernel("d264ee0"), levels=len(methods), methods=named, no_a1=not a1, after=3))
    assert (tried.verdict == "ok") == story(Mix(methods, 3, a1)).exact


@pytest.mark.parametrize("methods", mixes(4))
def test_the_moments_are_what_they_are_called(methods: tuple[str, ...]) -> None:
    """The level under test sets out, the guest is entered and left, and who asked for it runs in the end."""
    told = story(Mix(methods, 3))
    task, _, entry, out, news = (moment.tower for moment in told.moments if moment.name != TURN)
    assert tuple(moment.name for moment in told.moments if moment.name != TURN) == NAMES
    assert task.running.level == told.mix.tested and entry.running.level == told.mix.guest
    assert (out.running.level, news.running.level) == (0, told.mix.asks)


@pytest.mark.parametrize("methods", mixes(4))
def test_each_level_in_between_that_is_asked_has_its_turn(methods: tuple[str, ...]) -> None:
    """Behind the wish and before the entry, from the top down to level 1 or to the first IPI."""
    told = story(Mix(methods, 3))
    turns = [moment for moment in told.moments if moment.name == TURN]
    ipis = [level for level, way in enumerate(methods) if way == "ipi" and level]
    assert [turn.level for turn in turns] == [*range(told.mix.tested - 1, max([1, *ipis]) - 1, -1)]
    for turn in turns:
        letter = methods[turn.level] == "ipi"
        card = (turn.level - 1, turn.level) if letter else (turn.level, told.mix.guest)
        assert turn.tower.card(*card).wish == ("window" if letter else "timer 0")
        assert turn.title == f"L{turn.level}'s turn"
    assert told.number("the entry") == told.number("the wish") + len(turns) + 1


@pytest.mark.parametrize("methods", mixes(4))
def test_the_cpu_has_one_slot(methods: tuple[str, ...]) -> None:
    """In every moment each level has one card loaded, and a guest runs on the card in the CPU's slot."""
    for moment in story(Mix(methods, 3)).moments:
        *owners, _ = moment.tower.floors
        assert all(sum(card.loaded for card in floor.cards) == 1 for floor in owners)
        running, slot = moment.tower.running.level, moment.tower.floors[0].slot
        assert slot is not None and running in (0, slot.guest)


@pytest.mark.parametrize(("methods", "a1"), list(product(mixes(4), (True, False))))
def test_the_chain_breaks_at_the_first_ipi_above_level_0(methods: tuple[str, ...], a1: bool) -> None:
    """From the top down: the first level that sends itself an IPI, or level 0 if A1 does not hold for it."""
    chain = story(Mix(methods, 3, a1)).moment(ENTRY).chain
    ipis = [level for level, way in enumerate(methods) if way == "ipi" and (level or not a1)]
    assert [link.level for link in chain if link.fate == "broken"] == ipis[-1:]
    assert [link.level for link in chain if link.fate == "kept"] == [
        level for level in range(len(methods) - 1, -1, -1) if level > max(ipis, default=-1)
    ]


@pytest.mark.parametrize("methods", [m for m in mixes(4) if not promised(m, True)])
def test_a_late_wish_lies_in_a_drawer(methods: tuple[str, ...]) -> None:
    """When the guest is entered the sign of the IPI is on a card put away, and nothing is in sight."""
    entry = at_entry(story(Mix(methods, 3)))
    level = max(n for n, way in enumerate(methods) if way == "ipi")
    assert entry.card(level - 1, level).wish == "window" and not entry.card(level - 1, level).loaded
    assert entry.floors[0].slot is not None and not entry.floors[0].slot.wish and not entry.ipi


@pytest.mark.parametrize("k", [1, 2, 30, 1000])
def test_late_means_as_long_as_the_guest_likes(k: int) -> None:
    """The delay has no bound: it is whatever the guest does until it leaves on its own."""
    assert story(Mix(("timer0", "ipi"), k)).instructions == k
    assert story(Mix(("timer0", "timer0"), k)).instructions == 0


@pytest.mark.parametrize(
    ("looks", "apicv", "exact"),
    [
        ("", False, False),
        ("window", False, True),
        ("window and RVI", False, True),
        ("", True, False),
        ("window", True, False),
        ("window and RVI", True, True),
    ],
)
def test_who_looks_at_what_it_puts_away_finds_the_ipi(looks: str, apicv: bool, exact: bool) -> None:
    """b5861e5 finds a window, its companion RVI; the one that fits makes level 1 as good as level 0."""
    told = story(Mix(("timer0", "ipi"), 3, looks=looks, apicv=apicv))
    assert told.exact == exact
    wish = at_entry(told).card(0, 1).wish
    assert wish == ("RVI 0xfd" if apicv else "window")
    assert ("found" in [link.fate for link in told.moment(ENTRY).chain]) == exact


@pytest.mark.parametrize("looks", [*product(("", "window"), repeat=3)])
def test_only_the_level_below_an_ipi_finds_it(looks: tuple[str, ...]) -> None:
    """Each level may look for something else; who does not put the card away looks in vain."""
    for level in (1, 2):
        methods = tuple("ipi" if n == level else "timer0" for n in range(3))
        assert story(Mix(methods, 3, looks=looks)).exact == (looks[level - 1] == "window")


def test_what_an_old_level_finds_it_sends_on_by_ipi() -> None:
    """Two IPIs above each other: the upper one is found, and again becomes a letter that must be found."""
    methods = ("timer0", "ipi", "ipi", "timer0")
    one, both = (story(Mix(methods, 3, looks=looks)) for looks in (("", "window", "", ""), "window"))
    assert (one.exact, both.exact) == (False, True)
    fates = [(link.level, link.fate) for link in both.moment(ENTRY).chain]
    assert fates == [(3, "kept"), (2, "broken"), (1, "sent"), (0, "found")]
    assert [moment.level for moment in both.moments if moment.name in (WISH, TURN)] == [3, 2, 1]


def test_an_interrupt_at_the_cpu_is_seen_whichever_card_is_in_the_slot() -> None:
    """At level 0 the IPI is no card's: pending at the entry, taken by the exit, gone afterwards."""
    moments = story(Mix(("ipi", "timer0"), 3)).moments
    assert [moment.tower.ipi_state for moment in moments] == ["", "", "pending", "taken", ""]
    without = story(Mix(("ipi", "timer0"), 3, a1=False)).moments
    assert without[2].tower.ipi_state == "under way"


def test_what_was_promised_and_kept_is_marked_so_at_the_end() -> None:
    """Of an exact run no wish for the guest is open in the end; of a late one the first promise still is."""
    kept = story(Mix(("timer0", "timer0", "timer0"), 3)).moments[-1].tower
    assert all(card.kept for floor in kept.floors for card in floor.cards if card.guest == 4)
    late = story(Mix(("timer0", "ipi"), 3)).moments[-1].tower
    assert late.card(2, 3).wish == "timer 0" and not late.card(2, 3).kept


@pytest.mark.parametrize(
    ("mix", "why"),
    [
        (Mix(()), "one for each level"),
        (Mix(("timer1",)), "did you mean timer0"),
        (Mix(("ipi",), 0), "k=0"),
        (Mix(("ipi",), looks="windows"), "did you mean window"),
        (Mix(("ipi",), looks=("windows",)), "did you mean window"),
        (Mix(("ipi",), looks=("window", "")), "looks: one word for all, or 1,"),
    ],
)
def test_what_makes_no_story_is_refused(mix: Mix, why: str) -> None:
    """One clear error that says what to do."""
    with pytest.raises(BadInput, match=why):
        story(mix)


def test_a_moment_that_never_comes_is_an_error() -> None:
    """It is reported, not waited for."""
    scenario = levels(kernel("d264ee0"), levels=1, methods="L0=timer0", after=1)
    with pytest.raises(ModelError, match="the next moment has not come"):
        snapshots(scenario, [lambda s: False])


def test_every_edit_of_looks_is_a_kernel() -> None:
    """What a KVM may look for is an edit that fits both methods."""
    for edit, name in product(LOOKS.values(), ("v4.18", "d264ee0")):
        assert kernel(name + edit).name == name + edit
