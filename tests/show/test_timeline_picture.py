"""What the picture of a timeline owes the learner, and what its text twin does."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from pictures import alternative, overlaps, size, words

from kvmlab.errors import BadInput
from kvmlab.show.timeline import timeline_svg
from kvmlab.show.timeline_band import Dense, parts
from kvmlab.show.timeline_labels import GAP, Wanted, place, width
from kvmlab.show.timeline_record import record
from kvmlab.show.timeline_scale import EDGE, LEFT, RIGHT, Scale, share
from kvmlab.show.timeline_text import timeline_text
from kvmlab.show.timeline_view import TimelineView, view
from kvmlab.traces import Event, load, names

EVIL = "<script>alert(1)"


def windows(name: str) -> list[TimelineView]:
    """Return several looks at a packaged trace."""
    run = record(load(name), title=name, note="recorded")
    third = run.length // 3
    return [view(run), view(run, (third, 2 * third), 5), view(run, (0, 20_000), 1), view(run, (7, 8))]


def evil() -> list[Event]:
    """Return events whose every text is an attack."""
    fields = {"vcpu_id": 0, "exit_reason": EVIL, "guest_rip": 0}
    return [
        Event.of("kvm_exit", 0, fields, task=EVIL),
        Event(5, 0, EVIL, 1, "", "kvm_strange", EVIL + "\u202e\x1b[2J"),
        Event.of("kvm_entry", 9, {"vcpu_id": 0, "rip": 0}, task=EVIL),
    ]


@pytest.mark.parametrize("name", names())
def test_a_picture_is_well_formed_and_says_its_foot(name: str) -> None:
    """The alternative text, the foot and the twin's last paragraph are one sentence."""
    for seen in windows(name):
        twin = timeline_text(seen)
        assert alternative(timeline_svg(seen)) == seen.foot
        assert " ".join(twin.split("\n\n")[-1].split()) == seen.foot
        assert max(map(len, twin.splitlines())) <= 80


@pytest.mark.parametrize("name", names())
def test_texts_neither_leave_the_picture_nor_run_into_each_other(name: str) -> None:
    """Measured with the widest font."""
    for seen in windows(name):
        picture = timeline_svg(seen)
        wide, high = size(picture)
        assert wide == 960
        assert all(0 <= w.left and w.right <= wide and 0 < w.y < high for w in words(picture))
        assert overlaps(picture) == []


def test_text_from_a_trace_is_never_markup() -> None:
    """A comm, a reason and an unknown event that are markup are shown as text, in picture and twin."""
    run = record(evil(), title=EVIL, note=EVIL)
    for current in (None, 0, 1):
        picture = timeline_svg(view(run, current=current))
        assert "<script" not in picture
        assert "\x1b" not in picture + timeline_text(view(run, current=current))
        assert "\u202e" not in picture + timeline_text(view(run, current=current))
        ET.fromstring(picture)


def test_the_same_view_gives_the_same_picture() -> None:
    """Nothing in it comes from a clock, an address or chance."""
    first, second = (timeline_svg(view(record(load(names()[0])), current=3)) for _ in range(2))
    assert first == second


def test_labels_of_one_row_never_overlap() -> None:
    """Each has room for its words, its line, and a gap."""
    wanted = [Wanted(LEFT + x, "EPT_VIOLATION", (x % 7, x)) for x in range(0, int(RIGHT - LEFT), 9)]
    placed = place(wanted, 3)
    assert len(placed) > 10
    for row in range(3):
        spans = sorted((p.start, p.start + width(p.words)) for p in placed if p.row == row)
        assert all(b[0] - a[1] >= GAP - 2 for a, b in pairwise(spans))
        assert all(LEFT <= start and end <= EDGE + 1 for start, end in spans)


def test_no_label_stands_on_the_line_of_another() -> None:
    """A line runs from the band through the rows between."""
    wanted = [Wanted(LEFT + x, "HLT", (x * 7 % 31, x)) for x in range(0, 800, 11)]
    placed = place(wanted, 3)
    assert {label.row for label in placed} == {0, 1, 2}
    for label in placed:
        between = [other for other in placed if other.row < label.row]
        assert not any(o.start <= label.x <= o.start + width(o.words) for o in between)


@pytest.mark.parametrize("name", names())
def test_wide_and_dense_parts_together_are_the_whole_window(name: str) -> None:
    """Nothing between them is left out, nothing is drawn twice."""
    for seen in windows(name):
        for lane in seen.run.lanes:
            shown = list(parts(lane.spans, seen.scale))
            assert shown[0].start <= seen.window[0] < seen.window[1] <= shown[-1].end
            assert all(a.end == b.start for a, b in pairwise(shown))


def test_the_rarest_reason_gets_room_first() -> None:
    """What happens once is worth more words than what happens always."""
    run = record(load("nested_pt0_ipidelay2000_preemption_timer"))
    assert "immediate exit" in timeline_svg(view(run))


def test_a_round_names_every_exit_and_both_reports_of_the_timer() -> None:
    """Words are placed from right to left, so that no line runs into the words of an earlier event."""
    said = [
        w.says for w in words(timeline_svg(view(record(load("vmx_pt1_lab_tsc_hlt")), (195_000, 260_000))))
    ]
    assert {"MSR_WRITE", "HLT", "hv_timer 1", "hv_timer 0", "0xef"} <= set(said)


def test_the_legend_names_what_is_drawn_in_view() -> None:
    """An interrupt that is accepted and posted in one breath is one square, posted; zoomed in it is two."""
    run = record(load("vmx_pt1_lab_tsc_hlt"))
    whole, near = (
        [w.says for w in words(timeline_svg(view(run, window)))]
        for window in ((195_000, 260_000), (220_000, 223_000))
    )
    assert "posted (PIR)" in whole and "accepted (IRR)" not in whole
    assert {"posted (PIR)", "accepted (IRR)"} <= set(near)


def test_the_event_looked_at_is_marked_where_it_is() -> None:
    """A ground and a line stand at its time, and nowhere if it is not in the window."""
    run = record(load(names()[0]))
    there, elsewhere = view(run, (0, run.time(10) + 1), 10), view(run, (run.time(10) + 1, run.length), 10)
    assert "kvmlab-changed" in re.sub("<style>.*</style>", "", timeline_svg(there))
    assert 'class="kvmlab-changed"' not in timeline_svg(elsewhere)
    assert "(not in the window)" in elsewhere.foot


def test_dense_stretches_keep_every_exit_and_say_so() -> None:
    """Whatever is too narrow to see is counted in a bracket: no exit disappears."""
    events = []
    for i in range(3000):
        fields = {"vcpu_id": 0, "exit_reason": "HLT", "guest_rip": 0}
        events.append(Event.of("kvm_exit", 20 * i, fields))
        events.append(Event.of("kvm_entry", 20 * i + 13, {"vcpu_id": 0, "rip": 0}))
    seen = view(record(events))
    (stretch,) = parts(seen.run.lanes[0].spans, seen.scale)
    assert isinstance(stretch, Dense)
    assert stretch.exits == sum(span.kind == "guest" for span in seen.run.lanes[0].spans)
    assert f"{stretch.exits} exits, binned" in timeline_svg(seen)
    assert f"{stretch.exits} exits in 1 dense stretch" in timeline_text(seen)


def test_a_bar_is_as_wide_as_its_time_also_in_bins() -> None:
    """The tint of level 1 covers its share of the plot, whether drawn one by one or gathered."""
    events = []
    for i in range(800):
        fields = {"vcpu_id": 0, "exit_reason": "HLT", "guest_rip": 0}
        events.append(Event.of("kvm_exit", 1000 * i, fields))
        events.append(Event.of("kvm_entry", 1000 * i + 250, {"vcpu_id": 0, "rip": 0}))
    run = record(events)
    (tint,) = re.findall(r'<path class="kvmlab-l1" d="([^"]*)"', timeline_svg(view(run)))
    covered = sum(float(w) for w in re.findall(r"h([\d.]+)v", tint))
    assert covered / (RIGHT - LEFT) == pytest.approx(0.75, abs=0.02)


def test_the_axis_is_written_in_the_largest_unit_that_stays_whole() -> None:
    """Numbers are integers with a unit, apart from each other."""
    unit, ticks = Scale(0, 3_400_701, "ticks").ticks()
    assert (unit, [words for _, words in ticks][:3]) == ("thousand ticks", ["0", "500", "1000"])
    assert Scale(0, 900, "ns").ticks()[0] == "ns"
    assert Scale(10, 11, "ticks").ticks()[1]


def test_a_share_that_exists_is_not_zero() -> None:
    """Rounding must not hide what ran."""
    assert share(1, 10**9) == "under 0.1 %"
    assert (share(0, 7), share(1, 3), share(7, 7)) == ("0.0 %", "33.3 %", "100.0 %")


@pytest.mark.parametrize("window", [(5, 5), (9, 3), (-1, 4), (0, 10**12)])
def test_a_window_must_be_a_part_of_the_run(window: tuple[int, int]) -> None:
    """An empty or foreign one is refused."""
    with pytest.raises(BadInput, match="window"):
        view(record(load(names()[0])), window)
