"""The picture of a stepper: the path, what happened, the state, the foot. 960 by 440 pixels."""

from kvmlab.show.marks import check, cross
from kvmlab.show.measure import width, wrap
from kvmlab.show.stepper.frame import BOTTOM, FOOT, HEIGHT, LEFT, MIDDLE, RIGHT, TOP, WIDTH, Panel
from kvmlab.show.stepper.past_svg import past_svg
from kvmlab.show.stepper.path_svg import SIGNS, path_svg
from kvmlab.show.stepper.state_svg import state_svg
from kvmlab.show.stepper.view import StepperView
from kvmlab.show.svg import document, group, line, rect, text
from kvmlab.show.theme import BIG


def stepper_svg(view: StepperView) -> str:
    """Return the moment as a picture; its alternative text is the foot."""
    body = group(
        _head(view),
        path_svg(view, LEFT),
        past_svg(view, MIDDLE),
        state_svg(view, RIGHT),
        _foot(view),
    )
    return document(WIDTH, HEIGHT, f"{view.title}; kernel {view.kernel}", view.foot, body)


def _head(view: StepperView) -> str:
    """Name the three panels, and rule them off."""
    heads = (
        (LEFT, *_path_title(view)),
        (MIDDLE, "What happened", f"step {view.at} of {view.length}"),
        (RIGHT, "State", ""),
    )
    rules = (_rule(panel.x - 5.5, 8, panel.x - 5.5, BOTTOM) for panel in (MIDDLE, RIGHT))
    return "".join((*rules, *(_title(*head) for head in heads)))


def _path_title(view: StepperView) -> tuple[str, str]:
    """Return title and aside of the path, as much of them as there is room for."""
    titles = (f"{view.path}, {view.dated}", f"{view.path}, {view.kernel}", view.kernel)
    signs = " ".join(SIGNS[mark] for mark in SIGNS if mark in {row.mark for row in view.rows})
    asides = (f"{signs} differs from {view.rival}", f"{signs} unlike {view.rival}") if signs else ("",)
    wordings = ((title, aside) for title in titles for aside in asides)
    return next((each for each in wordings if _fits(*each)), (view.kernel, ""))


def _fits(title: str, aside: str) -> bool:
    return width(title, size=BIG, bold=True) + width(aside) <= LEFT.w - 24


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return line(x1, y1, x2, y2, tone="quiet", thickness=0.5)


def _title(panel: Panel, title: str, aside: str) -> str:
    room = panel.w - width(aside) - 20
    return text(panel.x + 8, TOP, title, big=True, bold=True, room=room) + text(
        panel.right - 8, TOP, aside, quiet=True, anchor="end"
    )


def _foot(view: StepperView) -> str:
    """Say the sentence: big if it fits on one line, else on two."""
    stands = view.verdict is not None and view.verdict.at == view.at
    held = not view.possible and view.verdict is None
    left, top = (34.0 if stands or held else 12.0), HEIGHT - FOOT
    role = "wrong" if stands else "paper"
    ground = rect(0, top, WIDTH, FOOT, role, outline=0) + _rule(0, top + 0.5, WIDTH, top + 0.5)
    sign = cross(18, top + FOOT / 2) if stands else check(18, top + FOOT / 2) if held else ""
    room = WIDTH - left - 10
    if width(view.foot, size=BIG) <= room:
        return group(ground, sign, text(left, HEIGHT - 11, view.foot, big=True))
    rows = wrap(view.foot, room)
    first = HEIGHT - 19 if len(rows) > 1 else HEIGHT - 11
    return group(ground, sign, *(text(left, first + 14 * i, row) for i, row in enumerate(rows)))
