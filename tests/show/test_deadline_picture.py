"""Zero at the deadline as a picture: to scale, nothing clipped, one sentence with its twin; its controls."""

from functools import cache
from itertools import product
from xml.etree import ElementTree

import pytest

pytest.importorskip("ipywidgets")

from pictures import SVG, alternative, overlaps, size, words

from kvmlab.errors import BadInput
from kvmlab.schedulers.profiles.hsw16 import HSW16
from kvmlab.show.deadline import DeadlineView
from kvmlab.show.deadline_rows import rows
from kvmlab.show.deadline_svg import END, ZERO, deadline_svg
from kvmlab.show.deadline_text import deadline_text
from kvmlab.show.widgets.deadline import GUESTS, KERNELS, ZeroAtDeadline


@cache
def frames() -> list[tuple[DeadlineView, str]]:
    """Return every picture that the widget shows, one with a single row, and one of a thread that sleeps."""
    views = [rows(guest, "v4.7", name) for guest, name in product(GUESTS, KERNELS)]
    views += [rows("busy", "v4.7"), rows("halt", "v4.7", "64672c9", poll=False)]
    views += [rows("halt", "64672c9 - pre_block()", "64672c9 - SW.cancel_hv")]
    return [(view, deadline_svg(view)) for view in views]


def block(svg: str, parameter: str, row: int = 0) -> tuple[float, float, set[str]]:
    """Return x and width of a parameter's block, and the dashes of its edges."""
    titled = ((g, g.findtext(f"{SVG}title") or "") for g in ElementTree.fromstring(svg).iter(f"{SVG}g"))
    groups = [g for g, title in titled if title.partition(": ")[0] == parameter and title.partition(": ")[2]]
    box = groups[row].find(f"{SVG}rect")
    assert box is not None
    edges = [edge for edge in groups[row].iter(f"{SVG}line") if edge.get("stroke-width") == "2"]
    dashes = {edge.get("stroke-dasharray", "") for edge in edges}
    return float(box.get("x", "0")), float(box.get("width", "0")), dashes


def test_blocks_are_end_to_end_and_to_scale() -> None:
    """Five cycles a pixel from 0 on, in both rows: the rest slides left by what is missing."""
    view, svg = frames()[0]
    for number, row in enumerate(view.rows):
        at, seen = 0.0, dict[str, int]()
        for cost in row.costs:
            same = sum(c.parameter == cost.parameter for r in view.rows[:number] for c in r.costs)
            nth = same + seen.get(cost.parameter, 0)
            x, wide, _ = block(svg, cost.parameter, nth)
            assert x == pytest.approx(ZERO + at / 5, abs=0.1)
            assert wide == pytest.approx(float(cost.cycles) / 5, abs=0.1)
            at, seen[cost.parameter] = at + float(cost.cycles), seen.get(cost.parameter, 0) + 1


def test_the_edges_say_how_well_a_number_is_known() -> None:
    """Solid, dashed, dotted for measured, assumed, fitted, by what the machine says and by nothing else."""
    svg = frames()[0][1]
    known = {name: block(svg, name)[2] for name in ("HW_ENTRY", "HW_EXIT", "HRT_INT")}
    assert known == {"HW_ENTRY": {""}, "HW_EXIT": {"5 3"}, "HRT_INT": {"1.5 3"}}
    other = deadline_svg(rows("busy", "v4.7", profile=HSW16.derive(HRT_INT=361)))
    assert block(other, "HRT_INT")[2] == {"5 3"}


def test_every_number_stands_in_its_block_or_below_it() -> None:
    """No block is without its cycles, however narrow, where a pixel is five of them."""
    for view, svg in frames():
        if any(row.total > 5 * (END - ZERO) for row in view.rows):
            continue
        texts = [w.says for w in words(svg)]
        for row in view.rows:
            for cost in row.costs:
                assert str(round(cost.cycles)) in texts, cost.parameter


def test_picture_and_twin_end_in_the_same_sentence() -> None:
    """The foot, the alternative text and the end of the twin are one sentence."""
    for view, svg in frames():
        assert alternative(svg) == view.foot
        assert " ".join(deadline_text(view).split()).endswith(view.foot)
        last = sorted(words(svg), key=lambda w: w.y)
        assert " ".join(w.says for w in last if w.y > size(svg)[1] - 44) == view.foot


def test_nothing_is_clipped_and_no_texts_collide() -> None:
    """Every text lies inside the picture and clear of every other, in the widest font."""
    for view, svg in frames():
        assert size(svg) == (960, 340 if view.after else 228)
        assert all(0 <= w.left and w.right <= 960 and 0 < w.y < size(svg)[1] for w in words(svg))
        assert overlaps(svg) == []


def test_the_twin_is_at_most_80_columns_wide_and_adds_up() -> None:
    """It fits a terminal; its last number in a column is the sum of those above."""
    for view, _ in frames():
        lines = deadline_text(view).splitlines()
        assert max(map(len, lines)) <= 80
        for row in view.rows:
            if row.costs:
                numbers = [round(cycles) for cycles in row.by_parameter().values()]
                assert sum(numbers) == round(row.total)
                assert any(line.startswith("  in all") and str(round(row.total)) in line for line in lines)


def test_where_nothing_is_measured_there_is_no_scale() -> None:
    """Two stories have no cycles, so the picture has neither numbers of cycles nor kinds of edges."""
    for view, svg in frames():
        texts = [w.says for w in words(svg)]
        costed = any(row.costs for row in view.rows)
        assert ("cycles" in texts) == ("measured" in texts) == costed


def test_what_goes_wrong_is_a_word_and_a_reason() -> None:
    """In the picture and in the twin, with a cross; what holds has neither."""
    for view, svg in frames():
        texts = [w.says for w in words(svg)]
        for row in view.rows:
            assert bool(row.broken) == (not row.costs)
            if row.broken:
                assert row.broken in texts and row.why in texts
                assert f"{row.broken}: {row.why}" in deadline_text(view)


def test_setting_in_code_is_moving_a_control() -> None:
    """Guest and kernel can be set from either side, and the picture follows."""
    lab = ZeroAtDeadline()
    assert (lab.guest, lab.kernel) == ("busy", "64672c9")
    lab.guest = "halt"
    assert lab._guest.value == "halt" and lab.shown == rows("halt", "v4.7", "64672c9")
    lab._kernel.value = "64672c9 - SW.cancel_hv"
    assert lab.kernel == "64672c9 - SW.cancel_hv" and "TWICE" in lab.foot
    assert lab._picture.value == deadline_svg(lab.shown) and repr(lab) == deadline_text(lab.shown)


def test_what_the_controls_refuse_changes_nothing() -> None:
    """A guest or a kernel that is not offered."""
    lab = ZeroAtDeadline()
    before = repr(lab)
    with pytest.raises(BadInput, match="did you mean halt"):
        lab.guest = "halts"
    with pytest.raises(BadInput, match="did you mean 64672c9"):
        lab.kernel = "64672c"
    assert repr(lab) == before


def test_every_control_has_a_name() -> None:
    """No more than two, and both say what they are."""
    lab = ZeroAtDeadline()
    assert lab._kernel.description and lab.children[0].children[0].children[0].value == "Guest"
    bundle = lab._repr_mimebundle_()
    assert bundle is not None and bundle["text/plain"] == repr(lab)
