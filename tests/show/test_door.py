"""The door: every line adds what it says, and what it says is read off the line."""

import pytest

pytest.importorskip("ipywidgets")

from pictures import alternative, overlaps, size, words

from kvmlab.errors import BadInput
from kvmlab.labs.day import four_lines
from kvmlab.show.door import LINES, Door, Form, door, door_text
from kvmlab.show.door_svg import door_svg
from kvmlab.traces import Event

EVENTS = four_lines()
STAGES = pytest.mark.parametrize("seen", range(len(LINES) + 1))


def at(seen: int) -> Door:
    """Return the door after so many lines."""
    return door(EVENTS, seen)


def test_the_form_follows_the_lines() -> None:
    """An entry and an exit say where the guest is, an exit says why; KVM's work leaves the form alone."""
    forms = [at(seen).form for seen in range(5)]
    assert forms == [
        None,
        Form(0x4002B8, ""),
        Form(0x4002DF, "MSR_WRITE"),
        Form(0x4002DF, "MSR_WRITE"),
        Form(0x4002E1, "MSR_WRITE"),
    ]


def test_the_guest_goes_on_behind_its_instruction() -> None:
    """WRMSR is two bytes long, and so far is rip moved; the foot says it, and how long the guest was out."""
    assert "2456 ticks" in at(4).foot and "2 bytes further on" in at(4).foot
    assert EVENTS[3].time - EVENTS[1].time == 2456


@STAGES
def test_each_line_is_shown_as_it_stands_in_the_trace(seen: int) -> None:
    """So many lines as were read, each with its event's own text."""
    lines = at(seen).lines()
    assert len(lines) == seen
    assert all(event.text in line for event, line in zip(EVENTS, lines, strict=False))


@STAGES
def test_picture_and_twin_end_in_the_same_sentence(seen: int) -> None:
    """The alternative text is the foot, the twin ends in it and has at most 80 columns."""
    shown = at(seen)
    twin = door_text(shown)
    assert alternative(door_svg(shown)) == shown.foot and " ".join(twin.split()).endswith(shown.foot)
    assert max(map(len, twin.splitlines())) <= 80


@STAGES
def test_the_picture_has_room_for_its_words(seen: int) -> None:
    """No text runs into another one or over the edge."""
    svg = door_svg(at(seen))
    assert overlaps(svg) == [] and all(0 <= w.left and w.right <= size(svg)[0] for w in words(svg))


def test_a_line_is_data_and_never_markup() -> None:
    """A comm that looks like a script is text in the picture."""
    name = "<script>alert"
    rogue = [Event(e.time, e.cpu, name, e.pid, e.flags, e.name, e.text) for e in EVENTS]
    svg = door_svg(door(rogue, 4))
    assert "<script" not in svg and any(name in w.says for w in words(svg))


@pytest.mark.parametrize("events", [EVENTS[:3], EVENTS[::-1], [*EVENTS, EVENTS[0]], []])
def test_other_lines_are_refused(events: list[Event]) -> None:
    """The door knows four lines, in one order."""
    with pytest.raises(BadInput, match="kvm_entry, kvm_exit, kvm_msr, kvm_entry"):
        door(events)


@pytest.mark.parametrize("seen", [-1, 5])
def test_there_are_no_other_lines_to_be_seen(seen: int) -> None:
    """None before the first, none behind the last."""
    with pytest.raises(BadInput, match="there are 4"):
        door(EVENTS, seen)


def test_the_buttons_stop_at_both_ends() -> None:
    """Next line four times and once more, Back four times and once more."""
    pytest.importorskip("ipywidgets")
    from kvmlab.show.widgets.door import Door as Widget

    shown = Widget(EVENTS)
    said = [shown.next() for _ in range(5)]
    assert said[3] == said[4] == at(4).foot == shown.foot and shown._on.disabled
    assert [shown.back() for _ in range(5)][3:] == [at(0).foot] * 2 and shown._back.disabled
    assert repr(shown) == door_text(at(0))
