"""The visual language: what is written can be read, in light and dark, alone or beside others."""

import re
from itertools import product

import pytest

from kvmlab.show.theme import DARK, HUES, LIGHT, SCOPE, Palette, level, rgb, style, tint


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2."""
    r, g, b = ((c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4) for c in rgb(colour))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a: str, b: str) -> float:
    """Return the contrast of WCAG 2."""
    dark, bright = sorted((luminance(a), luminance(b)))
    return (bright + 0.05) / (dark + 0.05)


def test_contrast_is_that_of_wcag() -> None:
    """Black on white is 21, a colour on itself is 1."""
    assert (round(contrast("#000000", "#FFFFFF"), 2), contrast("#0072B2", "#0072B2")) == (21, 1)


@pytest.mark.parametrize(("palette", "role"), list(product((LIGHT, DARK), HUES)))
def test_ink_is_readable_on_every_tint(palette: Palette, role: str) -> None:
    """Text on a tint has a contrast of at least 4.5:1."""
    assert contrast(palette.ink, tint(role, palette)) >= 4.5


@pytest.mark.parametrize("palette", (LIGHT, DARK))
def test_ink_and_quiet_ink_are_readable_on_paper(palette: Palette) -> None:
    """So has text on paper, quiet or not."""
    assert min(contrast(tone, palette.paper) for tone in (palette.ink, palette.quiet)) >= 4.5


def test_jupyterlabs_dark_theme_swaps_every_colour_that_text_stands_on() -> None:
    """The sheet gives each custom property twice: for light, and below a dark ancestor."""
    light, dark = re.findall(r"svg\.kvmlab\{(--[^}]*)\}", style())
    names = [dict(pair.split(":") for pair in sheet.split(";")).keys() for sheet in (light, dark)]
    assert names[0] == names[1] == {f"--{SCOPE}-{role}" for role in ("paper", "ink", "quiet", *HUES)}
    assert '[data-jp-theme-light="false"] svg.kvmlab{' in style()


def test_pictures_leave_the_rest_of_the_page_alone() -> None:
    """Every rule is about something inside a picture of ours."""
    assert all("svg.kvmlab" in rule for rule in re.findall(r"[^{}]+(?=\{)", style()))


def test_levels_beyond_the_third_have_no_colour() -> None:
    """L0 is paper; beyond L3 the label alone tells, and nobody takes L5 for L3."""
    assert [level(n) for n in range(6)] == ["paper", "l1", "l2", "l3", "paper", "paper"]
