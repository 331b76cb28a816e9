"""The threshold: what each method makes of L2, the ruler, the picture, its twin and its controls."""

from dataclasses import replace
from itertools import pairwise, product

import pytest

pytest.importorskip("ipywidgets")

from pictures import alternative, overlaps, size, words

from kvmlab.errors import BadInput, ModelError
from kvmlab.kernels.kernel import Patch, swap
from kvmlab.kernels.names import kernel
from kvmlab.machine.step import Step
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.schedulers.explore import explore
from kvmlab.show.methods import METHODS, TOP_VECTOR, Row, heading, rows, sentence, threshold_text
from kvmlab.show.outcome import Outcome, outcome
from kvmlab.show.ruler import DECADE, STEP, Ruler
from kvmlab.show.threshold import ZERO, threshold_svg
from kvmlab.show.widgets.threshold import COUNTS, Threshold

ALL = METHODS | TOP_VECTOR
FRAMES = list(product(COUNTS, (True, False)))


def of(method: str, k: int = 1000, inject: bool = True) -> Outcome:
    """Return one row."""
    return dict(rows(k, inject, ALL))[method]


# --- the rows come out of the model -----------------------------------------------------------


@pytest.mark.parametrize("k", COUNTS)
def test_without_a_method_l2_runs_as_far_as_it_likes(k: int) -> None:
    """On v3.2 L2 executes all its k instructions, and 0x40 waits if there are any."""
    row = of("No tripwire", k)
    assert (row.reason, row.instructions, row.word) == ("VMCALL", k, "LATE" if k else "BY LUCK")


@pytest.mark.parametrize(("k", "inject"), FRAMES)
def test_a_self_ipi_is_exact(k: int, inject: bool) -> None:
    """L2 leaves before its first instruction, its injected event delivered, whatever it would have done."""
    row = of("Self-IPI", k, inject)
    assert (row.reason, row.instructions, row.word) == ("EXTERNAL_INTERRUPT", 0, "EXACT")
    assert (row.rip, row.delivered) == (("handler of 0x31", True) if inject else ("body", False))
    assert row.pending == "0xfd"


def test_a_top_vector_is_as_exact_as_a_self_ipi() -> None:
    """It differs in the vector that waits at the CPU, and in nothing that L1 or L2 can see."""
    other = replace(of("Top vector"), kernel=of("Self-IPI").kernel, pending="0xfd")
    assert other == of("Self-IPI")


def test_a_fake_exit_loses_what_l1_injected() -> None:
    """L2 is not entered, L1 is told of an exit, and the event is gone."""
    row = of("Fake the exit")
    assert (row.entered, row.delivered, row.told, row.word) == (False, False, "EXTERNAL_INTERRUPT", "LOST")
    assert of("Fake the exit", inject=False).word == "SKIPPED"


def test_the_trap_flag_stops_at_0_with_an_event_and_at_1_without() -> None:
    """The monitor trap flag counts the delivery as one instruction."""
    assert (of("MTF").instructions, of("MTF").word) == (0, "EXACT")
    assert (of("MTF", inject=False).instructions, of("MTF", inject=False).word) == (1, "LATE")


@pytest.mark.parametrize("inject", [True, False])
def test_the_slider_moves_only_the_first_row(inject: bool) -> None:
    """How far L2 would run decides nothing where a method makes it leave."""
    for method in ALL.keys() - {"No tripwire"}:
        assert len({replace(of(method, k, inject), k=0) for k in COUNTS[1:]}) == 1


@pytest.mark.parametrize("k", COUNTS[1:])
def test_the_checkbox_moves_only_the_trap_flag(k: int) -> None:
    """Of the places where L2 stops, only one depends on whether L1 injects."""
    stops = {
        m: {(of(m, k, inject).entered, of(m, k, inject).instructions) for inject in (True, False)}
        for m in ALL
    }
    assert [method for method, places in stops.items() if len(places) > 1] == ["MTF"]


def test_laps_of_vcpu_run_until_l1_runs() -> None:
    """A request bit costs patch 1 a lap: it is set behind its own test, and cancels the first entry."""
    laps = {method: of(method).laps for method in METHODS}
    assert laps == {"No tripwire": 2, "Fake the exit": 1, "Self-IPI": 3, "MTF": 3}
    assert outcome(kernel("v3.10"), True, 5).laps == 2


@pytest.mark.parametrize(("method", "inject"), list(product(ALL, (True, False))))
def test_no_row_contradicts_the_proof(method: str, inject: bool) -> None:
    """What the timed run breaks, the explorer finds broken; what the explorer clears, no run breaks."""
    row = of(method, 2, inject)
    scenario = immediate_exit(kernel(ALL[method]), inject=inject, after=2)
    broken = {violation.property.label for violation in explore(scenario).violations}
    assert ({"L2_RAN"} if row.late else set()) | ({"LOST"} if row.lost else set()) == broken


def test_a_kernel_that_never_comes_back_is_an_error() -> None:
    """A run loop that cancels every entry is reported, not waited for."""
    stuck = Step("RECHK.req", lambda s, me: None, says="always something new")
    loops = Patch("stuck", "never enters", "no kernel did this", (swap("RECHK.req", stuck),)).on(
        kernel("v3.2")
    )
    with pytest.raises(ModelError, match="L1 does not run again"):
        outcome(loops, True, 1)


# --- the ruler --------------------------------------------------------------------------------


def test_the_ruler_has_single_steps_and_then_decades() -> None:
    """0 to 3 are one step apart, 100 to 10k one decade; more instructions are always further right."""
    x = Ruler(100).x
    assert [x(n) - x(0) for n in range(4)] == [0, STEP, 2 * STEP, 3 * STEP]
    assert x(1000) - x(100) == pytest.approx(DECADE) == x(10000) - x(1000)
    assert all(x(a) < x(b) for a, b in pairwise([*range(20), 99, 100, 101, 5000, 10000]))
    assert x(10**9) == x(10000) == Ruler(100).end


# --- picture and twin -------------------------------------------------------------------------


@pytest.mark.parametrize(("k", "inject"), FRAMES)
def test_picture_and_twin_end_in_the_same_sentence(k: int, inject: bool) -> None:
    """The foot, the alternative text and the end of the twin are one sentence."""
    some = rows(k, inject)
    foot, svg = sentence(some), threshold_svg(some)
    assert alternative(svg) == foot
    assert max(words(svg), key=lambda w: w.y).says == foot
    assert " ".join(threshold_text(some).split()).endswith(foot)


@pytest.mark.parametrize(("k", "inject"), FRAMES)
def test_nothing_is_clipped_and_no_texts_collide(k: int, inject: bool) -> None:
    """Every text lies inside the picture and clear of every other, in the widest font."""
    svg = threshold_svg(rows(k, inject, ALL))
    wide, high = size(svg)
    assert all(0 <= w.left and w.right <= wide and 0 < w.y <= high - 4 for w in words(svg))
    assert overlaps(svg) == []
    assert "…" not in sentence(rows(k, inject, ALL))


@pytest.mark.parametrize(("k", "inject"), FRAMES)
def test_no_exit_is_told_in_the_band_of_delivery(k: int, inject: bool) -> None:
    """What is said of L2 stands right of tick 0, also where the bar ends in the middle of the ruler."""
    told = [
        w for w in words(threshold_svg(rows(k, inject, ALL))) if "RIP handler" in w.says or "body" in w.says
    ]
    assert told and all(w.left >= ZERO for w in told)


def test_four_methods_are_960_by_360() -> None:
    """The size that fits above its controls on a small laptop."""
    assert size(threshold_svg(rows(1000, True))) == (960, 360)


@pytest.mark.parametrize(("k", "inject"), FRAMES)
def test_the_twin_is_at_most_80_columns_wide(k: int, inject: bool) -> None:
    """It fits a terminal."""
    assert max(map(len, threshold_text(rows(k, inject, ALL)).splitlines())) <= 80


def test_the_twin_tells_what_the_picture_shows() -> None:
    """Reason, RIP and count of every exit are in both, and so is what was given."""
    some: list[Row] = rows(1000, True)
    svg, twin = [w.says for w in words(threshold_svg(some))], threshold_text(some)
    for _, row in some:
        if row.entered:
            assert any(row.reason in says and row.rip in says for says in svg)
            assert f"exit: {row.reason}, RIP {row.rip}" in twin
    for given in heading(some):
        assert given in svg
        assert given in twin


@pytest.mark.parametrize(("k", "inject"), FRAMES)
def test_wrong_is_a_word_in_the_picture(k: int, inject: bool) -> None:
    """Every row has its verdict, a late one 0x40 above its bar."""
    some = rows(k, inject)
    says = [w.says for w in words(threshold_svg(some))]
    for word in ("LATE", "LOST", "SKIPPED", "BY LUCK", "EXACT"):
        assert says.count(word) == sum(row.word == word for _, row in some)
    assert says.count("0x40 for L1 waits") == sum(row.late for _, row in some)
    assert says.count("no entry") == sum(not row.entered for _, row in some)


# --- the controls -----------------------------------------------------------------------------


def test_the_controls_redraw_the_picture() -> None:
    """Setting k or inject in code is the same as moving the slider or ticking the box."""
    lab = Threshold(k=3)
    assert repr(lab) == threshold_text(rows(3, True))
    lab.k, lab.inject = 10000, False
    assert (lab.k, lab.inject) == (10000, False)
    assert repr(lab) == threshold_text(rows(10000, False))
    assert lab.children[-1].value == threshold_svg(rows(10000, False))


def test_the_slider_refuses_what_it_does_not_have() -> None:
    """A k that is not on the slider changes nothing and says what there is."""
    lab = Threshold(k=3)
    with pytest.raises(BadInput, match="k=7: the slider has 0, 1, 2, 3, 10"):
        lab.k = 7
    assert lab.k == 3


def test_a_notebook_gets_the_whole_twin() -> None:
    """ipywidgets would cut it after 110 characters."""
    lab = Threshold()
    bundle = lab._repr_mimebundle_()
    assert bundle is not None
    assert bundle["text/plain"] == repr(lab)
