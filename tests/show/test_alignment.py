"""Two runs side by side: rows, the first difference, and the twin."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass

import pytest

from kvmlab.errors import BadInput
from kvmlab.show.alignment import MOST, alignment, alignment_svg, alignment_text, brief
from kvmlab.traces import Event


@dataclass(frozen=True)
class Row:
    """A row as `compare` gives it."""

    a: Event | None
    b: Event | None
    same: bool


@dataclass(frozen=True)
class Rows:
    """A comparison, as far as a picture needs it."""

    rows: list[Row]


def left(reason: str, rip: int = 0x40A8AF) -> Event:
    """Return a kvm_exit."""
    return Event.of("kvm_exit", 0, {"vcpu_id": 0, "exit_reason": reason, "guest_rip": rip})


ENTRY = Event.of("kvm_entry", 0, {"vcpu_id": 0, "rip": 0x40A8AF, "immediate_exit": True})
IPI = Event.of("reschedule_entry", 0, {"vector": 253})
DECISIVE = Rows(
    [
        *[Row(ENTRY, ENTRY, True)] * 20,
        Row(left("PREEMPTION_TIMER"), left("VMCALL", 0x40A8B9), False),
        Row(None, IPI, False),
        *[Row(ENTRY, ENTRY, True)] * 30,
    ]
)


def test_the_rows_around_the_first_difference_are_shown_first() -> None:
    """Others on demand."""
    seen = alignment(DECISIVE)
    assert seen.start <= seen.first == 20 < seen.end
    assert seen.end - seen.start < 20
    assert alignment(DECISIVE, rows=(0, 52)).end == 52


def test_the_first_difference_is_ruled_across_and_told_in_the_foot() -> None:
    """In the picture once, in the twin once, and in both the same sentence at the end."""
    seen = alignment(DECISIVE, ("timer 0", "self-IPI"))
    picture, twin = alignment_svg(seen), alignment_text(seen)
    assert picture.count("first difference") == twin.count("- first difference -") == 1
    assert ET.fromstring(picture).get("aria-label") == seen.foot
    assert " ".join(twin.split("\n\n")[-1].split()) == seen.foot
    assert seen.foot.startswith(
        "The first 20 events agree; then timer 0 has kvm_exit PREEMPTION_TIMER rip 0x40a8af"
    )


def test_no_rule_where_the_first_difference_is_not_in_view() -> None:
    """The foot says it all the same."""
    seen = alignment(DECISIVE, rows=(30, 40))
    assert "first difference" not in alignment_svg(seen) + alignment_text(seen)


def test_equal_runs_say_so() -> None:
    """There is no first difference, and no rule."""
    seen = alignment(Rows([Row(ENTRY, ENTRY, True)] * 3))
    assert seen.first is None
    assert seen.foot == "Both runs have the same 3 events in the same order."


def test_events_keep_the_number_they_have_in_their_own_run() -> None:
    """A row without an event does not count."""
    seen = alignment(DECISIVE)
    after = seen.steps[22]
    assert (after.a.number, after.b.number) == (22, 23)


def test_the_twin_fits_and_keeps_what_decides() -> None:
    """Reason, place and "immediate exit" are not cut off."""
    twin = alignment_text(alignment(DECISIVE))
    assert max(map(len, twin.splitlines())) <= 80
    assert "exit PREEMPTION_TIMER 0x40a8af" in twin
    assert "entry 0x40a8af[immediate exit]" in twin


def test_text_from_a_trace_is_never_markup() -> None:
    """Neither from an event nor from a name."""
    evil = Event(0, 0, "x", 1, "", "kvm_strange", "<script>alert(1)</script>\x1b")
    seen = alignment(Rows([Row(evil, None, False)]), ("<b>", "</svg>"))
    ET.fromstring(alignment_svg(seen))
    assert "<script" not in alignment_svg(seen)
    assert "\x1b" not in alignment_text(seen) + brief(evil)


def test_what_cannot_be_shown_is_refused() -> None:
    """No rows, or rows that there are not."""
    with pytest.raises(BadInput, match="empty"):
        alignment(Rows([]))
    with pytest.raises(BadInput, match="rows 5 to 99"):
        alignment(DECISIVE, rows=(5, 99))


def test_a_picture_has_a_limit() -> None:
    """Thousands of rows would be no picture."""
    seen = alignment(Rows([Row(ENTRY, ENTRY, True)] * 5000), rows=(0, 5000))
    assert seen.end == MOST


def test_the_widget_shows_all_and_comes_back() -> None:
    """Its repr is the twin of what is in view."""
    pytest.importorskip("ipywidgets")
    from kvmlab.show.widgets.alignment import Compare

    shown = Compare(DECISIVE)
    around = shown.rows
    shown._all.click()
    assert shown.rows == (0, 52)
    shown._first.click()
    assert shown.rows == around
    assert repr(shown) == alignment_text(alignment(DECISIVE))
