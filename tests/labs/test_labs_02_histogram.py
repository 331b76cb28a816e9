"""Latencies drawn: the clock's means, with what is assumed to vary, and the bench that shows them."""

from statistics import mean, pstdev

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

pytest.importorskip("ipywidgets")
pytest.importorskip("matplotlib")

from matplotlib.figure import Figure

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.kvm.lapic_advance import ADVANCE_MAX
from kvmlab.labs import histogram_bench, plots
from kvmlab.labs.computing import COMPUTING, OLD
from kvmlab.labs.draws import LONGEST, MHZ, Setting, drawn
from kvmlab.labs.histogram import BINS, COLUMNS, Histogram, counts, histogram, histogram_text
from kvmlab.labs.histogram_bench import PAIRS, LatencyHistogram
from kvmlab.scenarios.latency import cyclictest
from kvmlab.schedulers.measure import measure
from kvmlab.schedulers.profiles.hsw16 import HSW16
from kvmlab.show.theme import LIGHT

PAIR = ("v4.7", "64672c9")


@pytest.mark.parametrize("name", PAIR)
def test_the_draws_are_around_the_clocks_mean(name: str) -> None:
    """Nothing but the spread is added: the mean stays the measurement's."""
    found = measure(cyclictest(kernel(name), samples=32), HSW16).mean
    draws = drawn(name, Setting(), 1000)
    assert abs(mean(draws) - found) < found / 200
    assert 0.01 < pstdev(draws) / found < 0.1


@pytest.mark.parametrize("advance", [250, 1000, 3000])
def test_an_advance_counts_until_the_kernel_waits(advance: int) -> None:
    """What is drawn is around what the clock says for this advance, however early the timer fires."""
    found = measure(cyclictest(kernel("v6.1"), samples=32, advance=advance), HSW16).mean
    draws = drawn("v6.1", Setting(advance=advance), 500)
    assert abs(mean(draws) - found) < found / 50


def test_no_draw_is_faster_than_what_comes_behind_the_wait() -> None:
    """Sample by sample: a greater advance is never slower, and the greatest one is the floor."""
    soon, sooner, floor = (
        drawn("v6.1", Setting(guest="halt", window=LONGEST, advance=advance), 500)
        for advance in (500, 1000, ADVANCE_MAX)
    )
    assert all(a >= b >= c for a, b, c in zip(soon, sooner, floor, strict=True))


def test_a_longer_window_polls_more_often() -> None:
    """As many draws sleep as halts outlast the window, and only they pay for the CPU's sleep."""
    for window in (0, 100, LONGEST):
        draws = drawn("v4.7", Setting(guest="halt", window=window, c_state=50), 500)
        slept = sum(cycles > 50 * MHZ for cycles in draws) / len(draws)
        assert abs(slept - (1 - window / LONGEST)) < 0.06
    assert max(drawn("v4.7", Setting(c_state=50), 100)) < 50 * MHZ  # A busy guest's CPU does not sleep.


def test_the_same_seed_draws_the_same() -> None:
    """Another seed does not."""
    assert (
        drawn("v4.7", Setting(), 20) == drawn("v4.7", Setting(), 20) != drawn("v4.7", Setting(), 20, seed=1)
    )


@pytest.mark.parametrize("wrong", [{"window": -1}, {"c_state": -1}, {"advance": 6000}, {"advance": -1}])
def test_what_is_no_setting(wrong: dict[str, int]) -> None:
    """Numbers below 0, and an advance that KVM would not take."""
    with pytest.raises(BadInput, match="0 to 5000"):
        Setting(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("pair", PAIRS.values())
def test_every_draw_is_in_a_bin_and_the_twin_counts_them_all(pair: tuple[str, str]) -> None:
    """Bins are round numbers wide; picture and twin are made of the same draws."""
    shown = histogram(pair, Setting(guest="halt", c_state=2))
    for number in (10, 60):
        edges = shown.bins(number)
        assert edges[0] <= min(*shown.before, *shown.after) and max(*shown.before, *shown.after) < edges[-1]
        assert len({b - a for a, b in zip(edges, edges[1:], strict=False)}) == 1
    lines = histogram_text(shown).splitlines()
    counted = [line.split() for line in lines[3 : lines.index("")]]
    assert [sum(int(row[n]) for row in counted) for n in (1, 2)] == [len(shown.before), len(shown.after)]
    assert max(map(len, lines)) <= COLUMNS
    assert {len(line) for line in lines[2 : lines.index("")]} == {len(lines[2])}  # Each under its name.
    assert " ".join(histogram_text(shown).split()).endswith(shown.foot)


@given(st.lists(st.integers(0, 5_000), min_size=1), st.integers(1, BINS))
@example([600], BINS)
def test_there_are_no_more_bins_than_were_asked_for(draws: list[int], number: int) -> None:
    """Where the least draw is an edge: 0 to 599 are 60 bins of 10, 0 to 600 would be one more."""
    edges = Histogram(PAIR, Setting(), tuple(draws), (0,)).bins(number)
    assert edges[0] == 0 and max(draws) < edges[-1] and len(edges) - 1 <= number


@given(st.lists(st.integers(0, 99)), st.lists(st.integers(0, 100), min_size=2, unique=True).map(sorted))
def test_a_bin_has_what_lies_from_its_edge_up_to_the_next(draws: list[int], edges: list[int]) -> None:
    """Counted one by one; a draw on an edge is in the bin above it."""
    pairs = zip(edges, edges[1:], strict=False)
    assert counts(draws, edges) == [sum(low <= n < high for n in draws) for low, high in pairs]


def test_the_foot_has_the_mean_the_middle_and_what_99_percent_of_the_draws_lie_below() -> None:
    """Of 0 to 98 and 1050, in any order, 99 are below 1050; only the mean is moved by it."""
    shown = Histogram(PAIR, Setting(), (1050, *reversed(range(99))), (7,))
    assert shown.foot == (
        "v4.7: mean 59, median 50, 99 % below 1050 cycles. 64672c9: mean 7, median 7, 99 % below 7 cycles."
    )


@pytest.mark.parametrize("menu", PAIRS)
def test_the_menu_has_the_names_of_the_legend(menu: str) -> None:
    """Which are the kernels' own, and the sentence's."""
    names = histogram(PAIRS[menu], Setting()).kernels
    assert menu == " → ".join(names) and all(str(kernel(name).name) == name for name in names)


def test_a_plot_is_there_for_both_themes_and_is_reproducible() -> None:
    """Two pictures, one seen at a time, each with the sentence as its alternative text, escaped."""
    draw = plots.histogram([1, 2, 2], [3], PAIR, [0, 2, 4])
    html = plots.plot_html(draw, "a <b> & c")
    assert html.count("<img") == html.count("a &lt;b&gt; &amp; c") == 2
    assert "kvmlab-plot-light" in html and "kvmlab-plot-dark" in html
    assert html == plots.plot_html(draw, "a <b> & c")


@pytest.mark.parametrize("pair", PAIRS.values())
def test_the_legend_stands_above_whatever_is_drawn(pair: tuple[str, str]) -> None:
    """Measured on the figure, for a setting whose draws lie everywhere below it."""
    shown, figure = histogram(pair, Setting(guest="halt")), Figure((9.6, 3))
    axes = figure.add_axes((0.06, 0.17, 0.92, 0.8))
    plots.histogram(shown.before, shown.after, pair, shown.bins())(axes, LIGHT)
    figure.draw_without_rendering()
    legend = axes.get_legend()
    assert legend is not None
    bottom = axes.transData.inverted().transform(legend.get_window_extent().p0)[1]
    assert bottom > max(*counts(shown.before, shown.bins()), *counts(shown.after, shown.bins()))


def test_turning_a_knob_is_setting_it_in_code() -> None:
    """From either side; the picture, its sentence and the twin follow."""
    lab = LatencyHistogram()
    assert lab.shown.setting == Setting() and lab.shown.kernels == PAIR
    lab._guest.value = "halt"
    assert lab.shown.setting.guest == "halt"
    lab.set(window=70, isolated=False)
    assert (lab._window.value, lab._isolated.value, lab.shown.setting.window) == (70, False, 70)
    assert lab.foot in lab._foot.value and lab.foot in lab._picture.value
    assert repr(lab) == histogram_text(lab.shown)


def test_what_the_bench_refuses_changes_nothing() -> None:
    """A guest, a number or a pair that cannot be."""
    lab = LatencyHistogram()
    before, said = repr(lab), lab._foot.value
    for wrong in ({"guest": "sleepy"}, {"advance": 9000}, {"pair": "v3.2 → v3.10"}):
        with pytest.raises(BadInput):
            lab.set(**wrong)  # type: ignore[arg-type]
    assert repr(lab) == before and list(PAIRS)[0] == lab._pair.value
    assert lab._foot.value == said and OLD not in lab._picture._dom_classes


def test_it_says_that_it_computes_before_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the old picture in grey, from the turn of the knob until the new picture is there."""
    lab, seen = LatencyHistogram(), list[tuple[str, bool]]()

    def look(*_: object) -> None:
        seen.append((lab._foot.value, OLD in lab._picture._dom_classes))

    def drawn_now(kernels: tuple[str, str], setting: Setting) -> Histogram:
        look()
        return histogram(kernels, setting)

    monkeypatch.setattr(histogram_bench, "histogram", drawn_now)
    lab._picture.observe(look, "value")
    lab._guest.value = "halt"
    assert seen == 2 * [(COMPUTING, True)]
    look()
    assert lab.foot in seen[-1][0] and not seen[-1][1]


def test_a_knob_that_is_turned_back_draws_nothing() -> None:
    """What was drawn is kept; and a slider that is dragged is drawn where it is let go."""
    lab = LatencyHistogram()
    first = lab.shown
    lab.set(c_state=2)
    lab.set(c_state=0)
    assert lab.shown is first
    assert not any(slider.continuous_update for slider in (lab._window, lab._advance, lab._c_state))
