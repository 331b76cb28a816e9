"""The timeline's controls: stepping, jumping, zooming, and what they show."""

import re

import pytest

from kvmlab.errors import BadInput
from kvmlab.traces import Event, load

pytest.importorskip("ipywidgets")
from kvmlab.show.widgets.timeline import Timeline

NAME = "nested_pt0_ipidelay2000_preemption_timer"


@pytest.fixture
def timeline() -> Timeline:
    return Timeline(load(NAME), "ticks", NAME)


def picture(shown: Timeline) -> str:
    """Return what is on screen."""
    return str(shown._picture.value)


def test_next_and_previous_walk_through_every_event(timeline: Timeline) -> None:
    """From the first to the last and back, each in view, its line shown; the ends hold."""
    events = load(NAME)
    assert [timeline.next() for _ in events] == events
    assert timeline.next() == events[-1]
    assert timeline._on.disabled
    assert [timeline.previous() for _ in events[1:]] == events[-2::-1]
    assert timeline.previous() == events[0] == timeline.current


def test_the_event_looked_at_is_always_in_the_window(timeline: Timeline) -> None:
    """The window follows with its width unchanged."""
    timeline.window = (0, 20_000)
    timeline.jump("VMCALL")
    start, end = timeline.window
    assert end - start == 20_000
    assert start <= timeline.current.time - timeline.run.zero <= end
    assert "kvmlab-changed" in re.sub("<style>.*</style>", "", picture(timeline))


def test_jump_goes_round_the_exits_of_one_reason(timeline: Timeline) -> None:
    """After the last comes the first; the dropdown shows the reason."""
    exits = [e for e in load(NAME) if e.fields.get("exit_reason") == "VMRESUME" and e.name == "kvm_exit"]
    assert [timeline.jump("VMRESUME") for _ in range(len(exits) + 1)] == [*exits, exits[0]]
    assert timeline._jump.value == "VMRESUME"


def test_choosing_a_reason_jumps_once_and_again_on_demand(timeline: Timeline) -> None:
    """The dropdown and the button do what `jump` does."""
    exits = [e for e in load(NAME) if e.name == "kvm_exit" and e.fields["exit_reason"] == "VMWRITE"]
    timeline._jump.value = "VMWRITE"
    assert timeline.current == exits[0]
    timeline._again.click()
    assert timeline.current == exits[1]


def test_an_unknown_reason_names_the_nearest_and_changes_nothing(timeline: Timeline) -> None:
    """A typing error is not an empty picture."""
    before = picture(timeline)
    with pytest.raises(BadInput, match="did you mean VMCALL"):
        timeline.jump("VMCAL")
    with pytest.raises(BadInput, match="window"):
        timeline.window = (10, 5)
    assert picture(timeline) == before


def test_zooming_keeps_the_event_looked_at_in_view(timeline: Timeline) -> None:
    """In to the closest and out to the whole run."""
    timeline.jump("VMCALL")
    for _ in range(40):
        timeline._in.click()
        assert timeline.window[0] <= timeline.current.time - timeline.run.zero <= timeline.window[1]
    assert timeline.window[1] - timeline.window[0] <= 100
    for _ in range(40):
        timeline._out.click()
    assert timeline.window == (0, timeline.run.length)


def test_the_trace_line_is_shown_word_for_word_and_as_text() -> None:
    """A comm may be markup."""
    evil = "<script>alert(1)"
    event = Event.of("kvm_exit", 70, {"vcpu_id": 0, "exit_reason": "HLT", "guest_rip": 1}, task=evil)
    shown = Timeline([event])
    shown.next()
    assert "<script" not in shown._line.value + picture(shown)
    assert "&lt;script&gt;alert(1)-1       [000] .....           70: kvm_exit: vcpu 0 reason HLT rip 0x1" in (
        shown._line.value
    )


def test_every_control_has_a_name(timeline: Timeline) -> None:
    """A screen reader can say what each is."""
    controls = [control for row in timeline.children[:2] for control in row.children]
    assert all(control.description for control in controls)


def test_the_repr_is_the_twin_of_the_picture(timeline: Timeline) -> None:
    """It ends in the sentence that the picture has as alternative text, in 80 columns."""
    timeline.window = (0, 30_000)
    timeline.next()
    foot = " ".join(repr(timeline).split("\n\n")[-1].split())
    assert f'aria-label="{foot}"' in picture(timeline)
    assert max(map(len, repr(timeline).splitlines())) <= 80


def test_the_picture_of_five_thousand_events_stays_small() -> None:
    """However long the run, what is drawn is what can be seen (make bench times the screen)."""
    once = load("nested_pt1_ipidelay2000_preemption_timer")
    length = once[-1].time - once[0].time + 1000
    many = [
        Event(e.time + i * length, e.cpu, e.task, e.pid, e.flags, e.name, e.text)
        for i in range(65)
        for e in once
    ]
    assert len(many) > 5000
    assert len(picture(Timeline(many))) < 150_000


@pytest.mark.parametrize("window", [(0, 20_000), (123, 20_123), (7, 11), (1000, 333_852_137)])
def test_the_browser_has_no_reason_to_move_a_window(timeline: Timeline, window: tuple[int, int]) -> None:
    """A slider shows only whole steps: both edges are some, or the run's end."""
    timeline.window = window
    assert timeline.window == window
    for _ in range(12):
        timeline.zoom(0.5)
        step = timeline._window.step
        assert all(edge % step == 0 or edge == timeline.run.length for edge in timeline.window)
