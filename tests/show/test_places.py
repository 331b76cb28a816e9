"""The nine places: fixed spots, filled from the scenario's own cells."""

from kvmlab.kernels.names import kernel
from kvmlab.machine.state import Layout
from kvmlab.scenarios.levels import levels
from kvmlab.schedulers.clock import clocked
from kvmlab.schedulers.replay import replay
from kvmlab.show.places import NINE, Place, fill, spoken, watched
from tests.show.stories import LATE, scenario


def shown(schedule: str) -> dict[str, tuple[str, str | None]]:
    """Return title -> (value, was) after a schedule on v3.2."""
    system = scenario("v3.2").system
    last = replay(system, schedule).steps[-1]
    places = fill(system.layout, last.before, last.after)
    return {place.title: (place.value, place.was) for place in places if place}


def test_there_are_nine_places_and_each_has_a_title_of_its_own() -> None:
    """A scenario fills nine at most, and no title stands for two of them."""
    titles = [place.title for alternatives in NINE for place in alternatives]
    assert (len(NINE), len(set(titles))) == (9, len(titles))


def test_the_first_lesson_fills_all_nine() -> None:
    """Where it has no PIR and no timer, it shows its flags and where L2 is."""
    assert list(shown("m"))[6:] == ["flags", "IRR / ISR of L1", "L2 at"]


def test_only_what_has_just_changed_has_a_past() -> None:
    """The value before is there if the last step changed it, and only then."""
    assert {title: was for title, (_, was) in shown(LATE[:9]).items() if was} == {"vcpu->requests": "EVENT"}


def test_an_entry_event_says_in_whose_vmcs_it_is() -> None:
    """Of several cells only those that hold something are shown, by their record's name."""
    assert shown(LATE)["entry event"] == ("vmcs02 0x31", None)


def test_a_place_without_cells_stays_free() -> None:
    """A layout that lacks a place's cells gives None, at the same spot."""
    layout = Layout()
    layout.add("vcpu.mode")
    places = fill(layout, (0,), (0,))
    assert [bool(place) for place in places] == [True] + [False] * 8
    assert watched(layout) == {"vcpu.mode"}


def test_a_notebook_may_watch_other_places() -> None:
    """Places are data."""
    layout = Layout()
    layout.add("tsc.now", 7)
    (place,) = fill(layout, (7,), (7,), [(Place("TSC", ("tsc.now",)),)])
    assert place is not None and (place.title, place.value) == ("TSC", "7")


def test_what_is_empty_is_said_in_words() -> None:
    """A learner reads "none", once if all cells are empty; what is no value is left alone."""
    said = {value: spoken(value) for value in ("-", "- / -", "0x40 / -", "/", "0")}
    assert said == {"-": "none", "- / -": "none", "0x40 / -": "0x40 / none", "/": "/", "0": "0"}


def nested(many: int) -> dict[str, set[str]]:
    """Return title -> what is shown in any state of a run of v4.18 on ``many`` levels of itself."""
    scenario = levels(kernel("v4.18"), levels=many, after=1)
    seen: dict[str, set[str]] = {}
    for step in clocked(scenario.system).steps:
        for place in fill(scenario.system.layout, step.before, step.after):
            assert place is not None
            seen.setdefault(place.title, set()).add(place.value)
    return seen


def test_levels_fill_all_nine_and_say_whose_each_value_is() -> None:
    """Who runs, the requests and wishes of each KVM, a window on a card, how far the guest came."""
    two = nested(2)
    assert len(two) == len(nested(1)) == len(nested(4)) == 9
    assert two["the CPU runs"] == {"L0", "L1", "L2", "L3"}
    assert {"-", "L1 EVENT", "L0 EVENT, L1 EVENT"} <= two["requests of each KVM"]
    assert two["asked for on a card"] >= {"-", "V[0→1] window"}
    assert {"V[2→3] timer"} == two["preemption timer on"]
    assert two["flags of each KVM"] >= {"-", "L1 immediate"}
    assert two["instructions executed"] == {"L3 0", "L3 1"}


def test_of_a_value_only_the_words_count_that_are_asked_for() -> None:
    """A place may look at one control among several; what is left without a word is empty."""
    layout = Layout()
    layout.add("V0_1.proc", 0, lambda value: "window HLT" if value else "HLT")
    place = Place("asked", ("V?_?.proc",), names="record", only=("window",))
    shown = [fill(layout, (s,), (s,), [(place,)])[0] for s in (0, 1)]
    assert [each.value for each in shown if each] == ["-", "V[0→1] window"]
