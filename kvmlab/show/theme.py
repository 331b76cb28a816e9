"""The visual language: colours, tints, type. Every picture takes them from here and from nowhere else.

Theory of operation
-------------------
Colour supports and never carries: shape, place and words do. Hues are Okabe-Ito's. Text is ink and
never coloured; it stands on paper or on a *tint* (a hue mixed into the paper), quiet text on paper
only. A *solid* hue is for marks and lines, which have an ink outline.

A picture names roles (classes such as ``kvmlab-l2``), the style sheet in each SVG gives them values
as CSS custom properties, and JupyterLab's dark theme swaps the values. Several pictures on a page
carry the same sheet, so they cannot disturb each other; there are no ids.
"""

from collections.abc import Iterator
from dataclasses import dataclass

SCOPE = "kvmlab"
"""The class of every picture, and the prefix of every class in one."""

SANS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
MONO = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace'
"""Mono is for whatever can be grepped."""

SIZE, BIG = 13, 15
"""The two text sizes."""
REGULAR, BOLD = 400, 600
"""The two weights."""
OUTLINE = 1.5
"""Every fill has an ink outline this wide: sky, orange and yellow are below 3:1 on white."""


@dataclass(frozen=True, slots=True)
class Palette:
    """One theme: paper, ink, quiet ink, how much of a hue a tint has, and what has just changed."""

    paper: str
    ink: str
    quiet: str
    share: float
    highlight: float


LIGHT = Palette("#FFFFFF", "#1A1A1A", "#595959", 0.25, 0.7)
DARK = Palette("#1E1E1E", "#F2F2F2", "#A6A6A6", 0.35, 0.35)

HUES = {
    "l1": "#56B4E9",
    "l2": "#009E73",
    "l3": "#CC79A7",
    "other": "#E69F00",
    "interrupt": "#0072B2",
    "changed": "#F0E442",
    "wrong": "#D55E00",
}
"""Role -> hue. ``l1`` to ``l3``: whose code runs; ``other``: senders, devices, host timers."""

LEVELS = ("paper", "l1", "l2", "l3")
"""The role of the code at level 0, 1, 2, 3; L0 is paper."""


def level(n: int) -> str:
    """Return the role of code at level ``n``; deeper than 3 has no colour, its label says which."""
    return LEVELS[n] if n < len(LEVELS) else "paper"


def rgb(colour: str) -> tuple[int, int, int]:
    """Return ``#RRGGBB`` as three numbers."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def tint(role: str, palette: Palette) -> str:
    """Return the hue of ``role`` mixed into the paper of ``palette``, as ``#RRGGBB``."""
    hue, share = HUES[role], palette.highlight if role == "changed" else palette.share
    mixed = (round(a * share + b * (1 - share)) for a, b in zip(rgb(hue), rgb(palette.paper), strict=True))
    return "#" + "".join(f"{part:02X}" for part in mixed)


def properties(palette: Palette) -> dict[str, str]:
    """Return the custom properties of one theme: name -> value."""
    plain = {"paper": palette.paper, "ink": palette.ink, "quiet": palette.quiet}
    tints = {role: tint(role, palette) for role in HUES}
    return {f"--{SCOPE}-{role}": value for role, value in (plain | tints).items()}


def _rules() -> Iterator[str]:
    """Yield the rules that do not depend on the theme."""
    var = f"var(--{SCOPE}-"
    yield f"svg.{SCOPE} text{{fill:{var}ink);font:{REGULAR} {SIZE}px {SANS};white-space:pre}}"
    yield f"svg.{SCOPE} text{{font-variant-numeric:tabular-nums}}"
    yield f"svg.{SCOPE} .{SCOPE}-mono{{font-family:{MONO}}}"
    yield f"svg.{SCOPE} .{SCOPE}-big{{font-size:{BIG}px}}"
    yield f"svg.{SCOPE} .{SCOPE}-bold{{font-weight:{BOLD}}}"
    yield f"svg.{SCOPE} .{SCOPE}-quiet-text{{fill:{var}quiet)}}"
    yield f"svg.{SCOPE} .{SCOPE}-line{{stroke:{var}ink);fill:none}}"
    yield f"svg.{SCOPE} .{SCOPE}-quiet-line{{stroke:{var}quiet);fill:none}}"
    for role in ("paper", "ink", "quiet", *HUES):
        yield f"svg.{SCOPE} .{SCOPE}-{role}{{fill:{var}{role})}}"
    for role, hue in HUES.items():
        yield f"svg.{SCOPE} .{SCOPE}-solid-{role}{{fill:{hue}}}"


def style() -> str:
    """Return the style sheet that every picture carries."""
    light, dark = (";".join(f"{k}:{v}" for k, v in properties(p).items()) for p in (LIGHT, DARK))
    themes = [f"svg.{SCOPE}{{{light}}}", f'[data-jp-theme-light="false"] svg.{SCOPE}{{{dark}}}']
    return "".join((*themes, *_rules()))
