"""The text twin of a stepper: what the picture shows, in words, at most 80 columns wide."""

from collections.abc import Iterator
from textwrap import wrap

from kvmlab.show.places import spoken
from kvmlab.show.stepper.past import Happened
from kvmlab.show.stepper.view import StepperView

COLUMNS = 80


def stepper_text(view: StepperView) -> str:
    """Return the moment as text; its last paragraph is the foot, the same as in the picture."""
    return "\n".join((*_head(view), "", *_table(view), "", *_state(view), "", *_lines(view.foot)))


def _lines(text: str, indent: str = "") -> list[str]:
    return wrap(text, COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _head(view: StepperView) -> Iterator[str]:
    yield from _lines(f"{view.title}; kernel {view.dated}")
    if view.question:
        yield from _lines(f"question: {view.question}", "  ")
    differs = [f"{row.label} {row.mark}" for row in view.rows if row.mark]
    if differs:
        yield from _lines(f"{view.path}, against {view.rival}: {', '.join(differs)}", "  ")
    yield from _lines(f"schedule, at {view.at} of {view.length}: {view.schedule or 'empty'}", "  ")


def _table(view: StepperView) -> Iterator[str]:
    """Yield a line per step."""
    who = max([len(x.who) for x in view.happened] + [3])
    step = max([len(x.step) for x in view.happened] + [4])
    yield f"  # {'who':{who}}  {'step':{step}}  changed".rstrip()
    for x in view.happened:
        line = f"{x.n:3} {x.who:{who}}  {x.step:{step}}  "
        yield f"{line}{_changed(x, COLUMNS - len(line))}".rstrip()


def _changed(x: Happened, room: int) -> str:
    """Return as many changes as fit, the watched ones first, and how many do not."""
    number = f"({x.decisive}) " if x.decisive else ""
    changes = [str(change) for change in x.changes]
    if len(whole := number + ", ".join(changes)) <= room:
        return whole
    fitting: list[str] = []
    for change in changes:
        if len(number + ", ".join([*fitting, change, "and 99 more"])) <= room:
            fitting.append(change)
    return number + ", ".join([*fitting, f"and {len(changes) - len(fitting)} more"])


def _state(view: StepperView) -> Iterator[str]:
    """Yield a line per place, and who may move."""
    for shown in view.places:
        if shown:
            was = f" (was {spoken(shown.was)})" if shown.was is not None else ""
            yield from _lines(f"{shown.title}: {spoken(shown.value)}{was}", "  ")
    yield from _lines(f"next: {', or '.join(view.possible) or 'nobody'}", "  ")
