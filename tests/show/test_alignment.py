"""Two runs side by side: rows, the first divergence, and the twin."""

import xml.etree.ElementTree as ET

import pytest
from pictures import overlaps, words

from kvmlab.errors import BadInput
from kvmlab.show.alignment import MOST, alignment, alignment_svg, alignment_text, brief
from kvmlab.traces import Comparison, Event, Row, compare, load


def rows(*some: Row) -> Comparison:
    """Return a comparison of these rows."""
    return Comparison(some, next((i for i, row in enumerate(some) if not row.same), None))


def left(reason: str, rip: int = 0x40A8AF) -> Event:
    """Return a kvm_exit."""
    return Event.of("kvm_exit", 0, {"vcpu_id": 0, "exit_reason": reason, "guest_rip": rip})


ENTRY = Event.of("kvm_entry", 0, {"vcpu_id": 0, "rip": 0x40A8AF, "immediate_exit": True})
IPI = Event.of("reschedule_entry", 0, {"vector": 253})
DECISIVE = rows(
    *[Row(ENTRY, ENTRY, True)] * 20,
    Row(left("PREEMPTION_TIMER"), left("VMCALL", 0x40A8B9), False),
    Row(None, IPI, False),
    *[Row(ENTRY, ENTRY, True)] * 30,
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
    assert picture.count("first divergence") == twin.count("- first divergence -") == 1
    assert ET.fromstring(picture).get("aria-label") == seen.foot
    assert " ".join(twin.split("\n\n")[-1].split()) == seen.foot
    assert seen.foot.startswith(
        "The first 20 events agree; then timer 0 has kvm_exit PREEMPTION_TIMER rip 0x40a8af"
    )


def test_no_rule_where_the_first_difference_is_not_in_view() -> None:
    """The foot says it all the same."""
    seen = alignment(DECISIVE, rows=(30, 40))
    assert "first divergence" not in alignment_svg(seen) + alignment_text(seen)


def test_equal_runs_say_so() -> None:
    """There is no first divergence, and no rule."""
    seen = alignment(rows(*[Row(ENTRY, ENTRY, True)] * 3))
    assert seen.first is None
    assert seen.foot == "Both runs have the same 3 events in the same order."


def test_texts_neither_leave_the_picture_nor_run_into_each_other() -> None:
    """Measured with the widest font."""
    picture = alignment_svg(alignment(DECISIVE, ("a" * 200, "b" * 200)))
    assert all(0 <= w.left and w.right <= 960 for w in words(picture))
    assert overlaps(picture) == []


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
    assert "entry 0x40a8af [immediate exit]" in twin


def test_text_from_a_trace_is_never_markup() -> None:
    """Neither from an event nor from a name."""
    evil = Event(0, 0, "x", 1, "", "kvm_strange", "<script>alert(1)</script>\x1b")
    seen = alignment(rows(Row(evil, None, False)), ("<b>", "</svg>"))
    ET.fromstring(alignment_svg(seen))
    assert "<script" not in alignment_svg(seen)
    assert "\x1b" not in alignment_text(seen) + brief(evil)


def test_what_cannot_be_shown_is_refused() -> None:
    """No rows, or rows that there are not."""
    with pytest.raises(BadInput, match="empty"):
        alignment(rows())
    with pytest.raises(BadInput, match="rows 5 to 99"):
        alignment(DECISIVE, rows=(5, 99))


def test_a_picture_has_a_limit() -> None:
    """Thousands of rows would be no picture."""
    seen = alignment(rows(*[Row(ENTRY, ENTRY, True)] * 5000), rows=(0, 5000))
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


def test_the_decisive_stretch_of_the_packaged_traces_is_ruled_where_level_2_ran() -> None:
    """Behind the last forced entry one has PREEMPTION_TIMER at its own rip, the other VMCALL further on."""
    timer, ipi = (load(f"nested_{which}_ipidelay2000_preemption_timer") for which in ("pt1", "pt0"))
    seen = alignment(compare(_from_forced(timer), _from_forced(ipi)), ("timer", "IPI"))
    assert seen.foot.startswith(
        "The first event agrees; then timer has kvm_exit PREEMPTION_TIMER rip 0x40a8af,"
        " IPI has kvm_exit VMCALL rip 0x40a8b9."
    )


def _from_forced(events: list[Event]) -> list[Event]:
    """Return what follows the last forced entry, and it."""
    return events[max(i for i, event in enumerate(events) if event.fields.get("immediate_exit")) :]


NOTED = {20: "the exit that decides", 21: "the IPI, which comes too late"}


def test_rows_that_decide_are_numbered_and_explained() -> None:
    """A number beside the row, and below what it shows; in the twin the numbers of the events."""
    seen = alignment(DECISIVE, notes=NOTED)
    picture, twin = alignment_svg(seen), alignment_text(seen)
    assert [w.says for w in words(picture)].count("1") == [w.says for w in words(picture)].count("2") == 2
    assert all(says in [w.says for w in words(picture)] for says in NOTED.values())
    assert "(1) 21: the exit that decides" in twin and "(2) 22: the IPI" in twin
    assert overlaps(picture) == [] and " ".join(twin.split("\n\n")[-1].split()) == seen.foot


def test_a_note_on_a_row_out_of_view_is_not_shown() -> None:
    """The others keep their numbers."""
    seen = alignment(DECISIVE, rows=(21, 30), notes=NOTED)
    assert [number for number, _, _ in seen.noted] == [2]
    assert "the exit that decides" not in alignment_svg(seen) + alignment_text(seen)


def test_a_note_needs_a_row() -> None:
    """One clear error."""
    with pytest.raises(BadInput, match="rows 0 to 51"):
        alignment(DECISIVE, notes={52: "nowhere"})
