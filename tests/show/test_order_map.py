"""The map: six orders, verdicts from exploration, cuts that part the good from the bad."""

from functools import cache
from itertools import permutations

import pytest

pytest.importorskip("ipywidgets")

from pictures import alternative, overlaps, size, words

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.kernels.orders import order_of
from kvmlab.show.nets import nets
from kvmlab.show.order_map import CORNERS, OrderMap, corner, order_map, order_map_text
from kvmlab.show.order_map_svg import PLACES, at, order_map_svg
from kvmlab.show.tried import tried
from kvmlab.show.widgets.nets import Nets
from kvmlab.show.widgets.order_map import OrderMap as Map

EACH = pytest.mark.parametrize("n", range(6))


@cache
def shown(n: int) -> OrderMap:
    """Return the map with a corner chosen."""
    return order_map(CORNERS[n])


# --- the hexagon --------------------------------------------------------------------------------


def test_the_corners_are_the_six_orders() -> None:
    """Each once."""
    assert set(CORNERS) == set(permutations(("sync", "mode", "irq_off")))


@EACH
def test_neighbours_differ_by_one_swap_of_neighbours(n: int) -> None:
    """Two steps that stand side by side change places, all the way round."""
    here, there = CORNERS[n], CORNERS[(n + 1) % 6]
    moved = [i for i in range(3) if here[i] != there[i]]
    assert moved in ([0, 1], [1, 2]) and sorted(here) == sorted(there)


def test_v4_10_and_the_patch_are_opposite_corners() -> None:
    """The patch reverses the order; one is at the bottom, the other at the top."""
    names = {c.kernel: c for c in shown(0).corners}
    assert names["v4.10"].order == names["b95234c"].order[::-1]
    assert shown(0).corners[0].kernel == "v4.10" and shown(0).corners[3].kernel == "b95234c"
    (x, low), (same, high) = at(0), at(3)
    assert x == same and high == min(y for _, y in map(at, range(6))) and low > high


def test_a_corner_is_the_order_of_its_kernel() -> None:
    """The names beside the orders are true."""
    for here in shown(0).corners:
        if here.kernel:
            order = [step for step in order_of(kernel(here.kernel)) if step in here.order]
            assert tuple(order) == here.order


# --- verdicts and cuts --------------------------------------------------------------------------


def test_above_the_horizontal_cut_vtd_loses_nothing() -> None:
    """VT-d is safe exactly where the sync comes after irq_off: the three upper corners."""
    for n, here in enumerate(shown(0).corners):
        vtd = next(found for found in here.verdicts if found.sender == "vtd")
        assert vtd.holds == here.after("irq_off") == (PLACES[n][1] < 0)
    assert sum(here.after("irq_off") for here in shown(0).corners) == 3


def test_above_both_cuts_software_loses_nothing() -> None:
    """Software is safe exactly where the sync comes last: two corners."""
    safe = [here for here in shown(0).corners if next(f for f in here.verdicts if f.sender == "kvm").holds]
    assert safe == [here for here in shown(0).corners if here.after("irq_off") and here.after("mode")]
    assert len(safe) == 2


@EACH
def test_the_diagonal_parts_sync_and_mode(n: int) -> None:
    """It runs from upper left to lower right: right of it the sync comes after MODE_IN."""
    x, y = PLACES[n]
    (x1, y1), (x2, y2) = [
        ((PLACES[a][0] + PLACES[b][0]) / 2, (PLACES[a][1] + PLACES[b][1]) / 2) for a, b in ((2, 3), (5, 0))
    ]
    right = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1) < 0
    assert right == shown(0).corners[n].after("mode")


@EACH
def test_the_map_and_the_nets_agree(n: int) -> None:
    """A corner is bad for a sender if and only if its nets have a gap."""
    here = shown(n).chosen
    whole = (*here.order, "recheck")
    gaps = [bool(nets(whole, sender).gaps) for sender in ("CPU", "VT-d")]
    assert gaps == [not found.holds for found in here.verdicts]


def test_the_published_shortest_losses() -> None:
    """Eleven steps with the check for software on v4.10's order, twelve for the other race, ten for VT-d."""
    assert tried(("sync", "mode", "irq_off", "recheck")).loss == 11 - 1
    assert tried(("mode", "sync", "irq_off", "recheck")).loss == 12 - 1
    assert tried(("sync", "mode", "irq_off", "recheck"), "vtd").loss == 10 - 1
    assert tried(("irq_off", "mode", "sync", "recheck")).says == "ok"


# --- picture and twin ---------------------------------------------------------------------------


@EACH
def test_picture_and_twin_end_in_the_same_sentence(n: int) -> None:
    """The foot, the alternative text and the end of the twin are one sentence."""
    svg = order_map_svg(shown(n))
    under = [w.says for w in sorted(words(svg), key=lambda w: w.y) if w.y > size(svg)[1] - 44]
    assert alternative(svg) == shown(n).foot == " ".join(under)
    assert " ".join(order_map_text(shown(n)).split()).endswith(shown(n).foot)


@EACH
def test_nothing_is_clipped_and_no_texts_collide(n: int) -> None:
    """Every text lies inside the picture and clear of every other, in the widest font."""
    svg = order_map_svg(shown(n))
    wide, high = size(svg)
    assert wide == 960 and high <= 448
    assert all(0 <= w.left and w.right <= wide and 0 < w.y <= high - 4 for w in words(svg))
    assert overlaps(svg) == []


@EACH
def test_picture_and_twin_tell_every_verdict(n: int) -> None:
    """Each corner's order, kernel and verdicts are in both; wrong is a word."""
    says, twin = [w.says for w in words(order_map_svg(shown(n)))], order_map_text(shown(n))
    for here in shown(n).corners:
        assert here.name in says and f"{here.name}: {here.says}" in twin
        assert not here.kernel or (here.kernel in says and here.kernel in twin)
    found = [f for here in shown(n).corners for f in here.verdicts]
    assert sum(word.endswith(" LOST") for word in says) == sum(not f.holds for f in found)
    assert max(map(len, twin.splitlines())) <= 80


# --- the widget ---------------------------------------------------------------------------------


def test_a_button_or_code_chooses_a_corner() -> None:
    """Both draw the same; what is no corner changes nothing."""
    lab = Map("irq_off,mode,sync")
    lab._corners.value = 5
    assert lab.order == CORNERS[5] and lab.foot == shown(5).foot
    with pytest.raises(BadInput, match="irq_off, mode and sync once each"):
        lab.order = "sync,mode"
    with pytest.raises(BadInput, match="recheck last"):
        lab.order = "recheck,sync,mode,irq_off"
    lab.order = CORNERS[2]
    assert lab._corners.value == 2 == corner("irq_off,sync,mode")
    assert lab.children[-1].value == order_map_svg(shown(2))
    assert repr(lab) == order_map_text(shown(2))


def test_the_nets_can_follow_the_map() -> None:
    """A callback is called at once and with every choice; a corner and its nets stay together."""
    lab, beside = Map(), Nets("b95234c", sender="VT-d")
    lab.on_choose(lambda order: setattr(beside, "order", order))
    for n, order in enumerate(CORNERS):
        lab._corners.value = n
        core = tuple(step for step in beside.order if step in order)
        assert core == order
        assert bool(beside.shown.gaps) == (not lab._shown.chosen.verdicts[1].holds)


def test_every_button_says_which_corner() -> None:
    """Its text is the order."""
    assert [name for name, _ in Map()._corners.options] == [", ".join(order) for order in CORNERS]
