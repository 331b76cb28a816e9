"""Controls take turns: whatever threads their messages come in on, one handler runs at a time."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

pytest.importorskip("ipywidgets")

import ipywidgets as widgets

import kvmlab
from kvmlab.labs import histogram_bench
from kvmlab.labs.histogram_bench import LatencyHistogram
from kvmlab.show.widgets.turns import on_change, on_press

A_WHILE = 0.2
"""Seconds in which a handler that does not wait for its turn has begun."""

Control = tuple[widgets.Widget, Callable[[], object]]
"""A control that answers, and what makes it answer."""


def pressed(act: Callable[[], object]) -> Control:
    made = widgets.Button()
    on_press(made, act)
    return made, made.click


def changed(act: Callable[[], object]) -> Control:
    made = widgets.IntText(0)
    on_change(made, lambda _: act())
    return made, lambda: setattr(made, "value", made.value + 1)


class Slow:
    """A handler that is at work until it may go on."""

    def __init__(self) -> None:
        self.begun, self.go_on = Event(), Event()

    def __call__(self) -> None:
        self.begun.set()
        assert self.go_on.wait(60)


def in_thread(act: Callable[[], object]) -> Thread:
    started = Thread(target=act)
    started.start()
    return started


@pytest.mark.parametrize("first", [pressed, changed])
@pytest.mark.parametrize("second", [pressed, changed])
def test_a_handler_waits_for_the_one_at_work(
    first: Callable[[Callable[[], object]], Control], second: Callable[[Callable[[], object]], Control]
) -> None:
    """The second control's handler begins when the first one's has ended, and not before."""
    slow, begun = Slow(), Event()
    (_, answer), (_, then) = first(slow), second(begun.set)
    threads = [in_thread(answer)]
    assert slow.begun.wait(60)
    threads.append(in_thread(then))
    assert not begun.wait(A_WHILE)
    slow.go_on.set()
    for thread in threads:
        thread.join(60)
    assert begun.is_set()


def test_a_handler_may_set_a_control() -> None:
    """A control that a handler sets answers at once: nobody waits for himself."""
    seen: list[int] = []
    box = widgets.IntText(0)
    on_change(box, seen.append)
    _, click = pressed(lambda: setattr(box, "value", 7))
    click()
    assert seen == [7]


def test_a_knob_turned_while_another_is_answered_stays_turned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both knobs end where they were put, and the histogram is that of both."""
    shown, slow = LatencyHistogram(), Slow()
    drawn = histogram_bench.histogram
    monkeypatch.setattr(histogram_bench, "histogram", lambda *given: (slow(), drawn(*given))[1])
    threads = [in_thread(lambda: setattr(shown._window, "value", 400))]
    assert slow.begun.wait(60)
    threads.append(in_thread(lambda: setattr(shown._guest, "value", "halt")))
    while shown._guest.value != "halt":
        pass
    slow.go_on.set()
    for thread in threads:
        thread.join(60)
    assert (shown._window.value, shown._guest.value) == (400, "halt")
    setting = shown.shown.setting
    assert (setting.window, setting.guest) == (400, "halt")


def calls(of: str) -> Iterator[str]:
    """Yield the files that call a method by this name."""
    for file in Path(kvmlab.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr == of:
                yield file.name


@pytest.mark.parametrize("way", ["observe", "on_click"])
def test_no_control_answers_out_of_turn(way: str) -> None:
    """Handlers are attached in one place, which makes them wait."""
    assert set(calls(way)) == {"turns.py"}
