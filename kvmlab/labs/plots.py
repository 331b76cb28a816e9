"""Matplotlib in the notebooks' colours: a plot is drawn for JupyterLab's light theme and for its dark one.

Nothing but a notebook imports this. Each plot comes with its sentence as alternative text; the numbers behind
it are printed beside it, for a picture is compared by nobody.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from html import escape
from io import BytesIO

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kvmlab.labs.histogram import counts
from kvmlab.show.theme import DARK, HUES, LIGHT, SIZE, Palette

WIDTH, HEIGHT, DPI = 960, 300, 100
POINTS = SIZE * 72 / DPI
"""The pictures' text size, in points."""

Draw = Callable[[Axes, Palette], None]

SWITCH = (
    "<style>.kvmlab-plot-dark{display:none}"
    '[data-jp-theme-light="false"] .kvmlab-plot-dark{display:block}'
    '[data-jp-theme-light="false"] .kvmlab-plot-light{display:none}</style>'
)
"""Which of the two pictures is seen."""


def plot_html(draw: Draw, alt: str, *beside: Draw) -> str:
    """Return a plot as HTML, for both themes, and others beside it; each is drawn once for each theme."""
    pictures = (
        f'<img class="kvmlab-plot-{name}" alt="{escape(alt)}" width="{WIDTH}" '
        f'style="max-width:100%;height:auto" src="data:image/png;base64,{_png((draw, *beside), palette)}">'
        for name, palette in (("light", LIGHT), ("dark", DARK))
    )
    return SWITCH + "".join(pictures)


def _png(draws: Sequence[Draw], palette: Palette) -> str:
    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=1.5 * DPI, facecolor=palette.paper)
    for n, draw in enumerate(draws):
        left, width = n / len(draws) + 0.06, 1 / len(draws) - 0.08
        axes = figure.add_axes((left, 0.17, width, 0.8), facecolor=palette.paper)
        _dress(axes, palette)
        draw(axes, palette)
    out = BytesIO()
    figure.savefig(out, format="png", facecolor=palette.paper, metadata={"Software": None})
    return b64encode(out.getvalue()).decode()


def _dress(axes: Axes, palette: Palette) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(palette.ink)
    axes.tick_params(colors=palette.ink, labelsize=POINTS)


def histogram(
    before: Sequence[int], after: Sequence[int], names: tuple[str, str], bins: Sequence[int]
) -> Draw:
    """Return what draws two histograms over the same bins: before dashed and hollow, after filled."""

    def draw(axes: Axes, palette: Palette) -> None:
        edges, filled, hollow = list(bins), counts(after, bins), counts(before, bins)
        axes.stairs(filled, edges, label=names[1], fill=True, facecolor=HUES["l1"], edgecolor=palette.ink)
        axes.stairs(hollow, edges, label=names[0], linestyle="--", color=palette.ink, linewidth=1.6)
        axes.set_ylim(0, 1.3 * max(*filled, *hollow))  # Room for the legend above the highest of them.
        label = {"color": palette.ink, "fontsize": POINTS}
        axes.set_xlabel("cycles from the deadline to the thread that it wakes", label)
        axes.set_ylabel("draws", label)
        axes.legend(frameon=False, labelcolor=palette.ink, fontsize=POINTS, loc="upper center", reverse=True)

    return draw
