"""Two nets: a gap is there if and only if some schedule loses, and the picture says the same as its twin."""

from functools import cache
from itertools import permutations, product

import pytest

pytest.importorskip("ipywidgets")

from pictures import alternative, overlaps, size, words

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.kernels.orders import order_of, reordered
from kvmlab.kernels.step_table import step_table as bare
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.scenarios.scenario import Scenario
from kvmlab.scenarios.table import step_table
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.mechanism import mechanisms
from kvmlab.show.nets import SENDERS, SEVERAL, NetsView, Sender, nets, place
from kvmlab.show.nets_svg import nets_svg, y_of
from kvmlab.show.nets_text import nets_text
from kvmlab.show.widgets.nets import Nets

SIX = [(*order, "recheck") for order in permutations(("sync", "mode", "irq_off"))]
"""The orders of the map: senders make no request, the recheck is last."""
EVENT = [(*order, "recheck") for order in permutations(("event", "sync", "mode", "irq_off"))]
MOVING = list(permutations(("sync", "mode", "irq_off", "recheck")))
WORDS: dict[str, Sender] = {"kvm": "CPU", "vtd": "VT-d"}
V4_10, FIXED = order_of(kernel("v4.10")), order_of(kernel("b95234c"))


def lost(scenario: Scenario) -> bool:
    """Whether some schedule loses a post."""
    return any(violation.property.label == "LOST" for violation in explore(scenario).violations)


def ways(scenario: Scenario) -> set[str]:
    """Return the mechanisms by which schedules lose."""
    assert scenario.monitor is not None
    return {found.name for found in mechanisms(scenario, scenario.monitor)}


def named(shown: NetsView) -> set[str]:
    """Return the mechanisms that the gaps have."""
    return {name for gap in shown.gaps for name in gap.mechanisms}


# --- a gap is there if and only if some schedule loses ------------------------------------------


@pytest.mark.parametrize(("order", "sender"), list(product(SIX, WORDS)))
def test_a_gap_is_a_loss_and_has_its_name(order: tuple[str, ...], sender: str) -> None:
    """One sender: exploration finds a loss exactly if there is a gap, by exactly its mechanisms."""
    assert ways(step_table(bare(order), sender=sender)) == named(nets(order, WORDS[sender]))


@pytest.mark.parametrize(("order", "sender"), list(product(SIX, (*WORDS, "both"))))
def test_a_gap_is_a_loss_with_two_senders(order: tuple[str, ...], sender: str) -> None:
    """Two senders lose exactly if one of them has a gap."""
    kinds = [WORDS[sender]] if sender in WORDS else list(WORDS.values())
    gap = any(nets(order, kind).gaps for kind in kinds)
    assert lost(step_table(bare(order), senders=2, sender=sender)) == gap


@pytest.mark.parametrize("order", EVENT)
def test_a_gap_is_a_loss_if_senders_make_the_request(order: tuple[str, ...]) -> None:
    """With KVM_REQ_EVENT, wherever the path looks at it: the third net changes the gap and its name."""
    assert ways(step_table(bare(order))) == named(nets(order, "CPU with EVENT"))


@pytest.mark.parametrize("order", SIX)
def test_a_gap_is_a_loss_without_the_barrier(order: tuple[str, ...]) -> None:
    """Under TSO with the barrier off every order has a gap, by exactly the mechanisms of its loss."""
    found = ways(step_table(bare(order), memory="tso", barrier=False))
    assert found == named(nets(order, barrier=False)) != set()


@pytest.mark.parametrize(("order", "sender"), list(product(SIX, WORDS)))
def test_with_the_barrier_tso_adds_no_gap(order: tuple[str, ...], sender: str) -> None:
    """The nets do not ask which memory model it is as long as the barrier is there."""
    tso = step_table(bare(order), sender=sender, memory="tso")
    assert lost(tso) == bool(nets(order, WORDS[sender]).gaps)


@pytest.mark.parametrize(("order", "sender"), list(product(MOVING, WORDS)))
def test_a_gap_is_a_loss_wherever_the_recheck_is(order: tuple[str, ...], sender: str) -> None:
    """For one sender, and without a request, the recheck plays no part."""
    assert lost(step_table(bare(order), sender=sender)) == bool(nets(order, WORDS[sender]).gaps)


@pytest.mark.parametrize("order", MOVING)
def test_where_several_senders_lose_what_one_cannot(order: tuple[str, ...]) -> None:
    """A recheck before interrupts go off: exactly there two senders lose although there is no gap."""
    shown = nets(order)
    assert lost(step_table(bare(order), senders=2)) == bool(shown.gaps or shown.several)


@pytest.mark.parametrize(("order", "sender"), list(product(EVENT, WORDS)))
def test_the_whole_path_loses_where_the_bare_one_does(order: tuple[str, ...], sender: str) -> None:
    """The steps that the nets leave out change nothing: b95234c's own path, in this order."""
    whole = posted_interrupts(reordered(kernel("b95234c"), order), sender=sender)
    assert lost(whole) == bool(nets(order, WORDS[sender]).gaps)


@pytest.mark.parametrize(("order", "sender"), list(product(EVENT, SENDERS)))
def test_a_place_is_under_a_net_or_in_a_gap(order: tuple[str, ...], sender: Sender) -> None:
    """Never both, never neither, and every gap has a reason."""
    for post in range(len(order) + 2):
        shown = nets(order, sender, post)
        assert (shown.caught is None) == (shown.gap is not None)
        assert all(gap.names for gap in shown.gaps)


# --- what it refuses ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "sender", "post", "says"),
    [
        (("sync", "mode"), "CPU", 0, "name sync, mode, irq_off, recheck once each"),
        (("sync", "sync", "mode", "irq_off", "recheck"), "CPU", 0, "once each"),
        (SIX[0], "CPU with EVENT", 0, "needs the event check"),
        (SIX[0], "GPU", 0, "did you mean CPU"),
        (SIX[0], "CPU", 6, r"0 \(before the first row\) to 5"),
    ],
)
def test_what_is_no_order_no_sender_no_place(
    order: tuple[str, ...], sender: Sender, post: int, says: str
) -> None:
    """Each has its error, which says what there is."""
    with pytest.raises(BadInput, match=says):
        nets(order, sender, post)


# --- picture and twin ---------------------------------------------------------------------------

ORDERS = [V4_10, FIXED, *EVENT[2::7], SIX[4], ("event", *MOVING[11]), (*MOVING[9], "event"), MOVING[22]]
"""Kernels', some with and without the EVENT check, with the recheck last and elsewhere."""


@cache
def frames() -> list[tuple[NetsView, str]]:
    """Return every picture that can be shown of these orders."""
    able = [(o, s) for o in ORDERS for s in SENDERS if s != "CPU with EVENT" or "event" in o]
    some = [
        nets(order, sender, post, barrier=barrier)
        for (order, sender), barrier in product(able, (True, False))
        for post in range(0, len(order) + 2, 1 if barrier else 3)
    ]
    return [(shown, nets_svg(shown)) for shown in some]


def test_picture_and_twin_end_in_the_same_sentence() -> None:
    """The foot, the alternative text and the end of the twin are one sentence, and it is whole."""
    for shown, svg in frames():
        assert alternative(svg) == shown.foot == max(words(svg), key=lambda w: w.y).says
        assert " ".join(nets_text(shown).split()).endswith(shown.foot)


def test_nothing_is_clipped_and_no_texts_collide() -> None:
    """Every text lies inside the picture and clear of every other, in the widest font."""
    for _, svg in frames():
        assert size(svg) == (960, 420)
        assert all(0 <= w.left and w.right <= 960 and 0 < w.y <= 416 for w in words(svg))
        assert overlaps(svg) == []


def test_the_twin_is_at_most_80_columns_wide() -> None:
    """It fits a terminal."""
    assert max(len(line) for shown, _ in frames() for line in nets_text(shown).splitlines()) <= 80


def test_every_gap_is_a_word_in_the_picture_and_in_the_twin() -> None:
    """The name of each gap stands beside its first place; a path without one says so."""
    for shown, svg in frames():
        texts, twin = words(svg), nets_text(shown)
        for gap in shown.gaps:
            for name in gap.names:
                assert any(w.says == name and abs(w.y - y_of(gap.first)) < 20 for w in texts)
                assert f"{place(shown.rows, gap.first)}: no net, " in twin
        assert ("every place is under a net" in [w.says for w in texts]) == (not shown.gaps)
        assert (SEVERAL in " ".join(twin.split())) == (shown.several and not shown.gaps)


def test_a_kernel_has_its_name_over_its_order() -> None:
    """The course's kernels are told by name, with their EVENT check or without; other orders are not."""
    assert nets(V4_10).title == "in the order of v4.10"
    assert nets(FIXED).title == "in the order of b95234c"
    assert nets(("irq_off", "mode", "sync", "recheck")).title == "in the order of b95234c"
    assert nets(("mode", "irq_off", "sync", "recheck")).title == "in an order of your own"


# --- the controls -------------------------------------------------------------------------------


def test_setting_in_code_is_moving_a_control() -> None:
    """Post, sender, EVENT check and barrier can be set from either side, and the picture follows."""
    lab = Nets("v4.10")
    lab.post, lab.sender = 1, "CPU with EVENT"
    assert (lab._post.value, lab._sender.value, lab._event.value) == (1, "CPU with EVENT", "sync-first")
    assert "EVENT already used up" in lab.foot
    lab._event.value = "check-first"
    assert lab.order == ("event", "sync", "mode", "irq_off", "recheck") and not lab.shown.gaps
    lab._sender.value, lab._post.value, lab._barrier.value = "CPU", 3, False
    assert lab.shown == nets(lab.order, "CPU", 3, barrier=False)
    assert lab.children[-1].value == nets_svg(lab.shown)
    assert repr(lab) == nets_text(lab.shown)


def test_steps_move_up_and_down_and_stay_selected() -> None:
    """From v4.10's order to the patch's; at an end nothing happens."""
    lab = Nets("v4.10", post=2)
    lab._steps.value = "irq_off"
    for _ in range(9):
        lab._up.click()
    assert (lab.order[0], lab._steps.value) == ("irq_off", "irq_off")
    lab.up("event")
    lab.up("event")
    lab.down("sync")
    assert lab.order == FIXED and lab.shown.title == "in the order of b95234c"
    assert [name for _, name in lab._steps.options] == list(FIXED)
    assert (lab.post, lab._post.value) == (2, 2)


def test_an_order_is_a_kernel_or_a_list() -> None:
    """A name, a text, the steps one by one; what is not named stands where it is by default."""
    assert Nets().order == V4_10
    assert Nets("b95234c").order == Nets("irq_off,mode,sync").order == FIXED
    assert Nets("sync,mode,irq_off", event="sync-first").order == V4_10
    lab = Nets("b95234c")
    lab.order = ("mode", "recheck", "irq_off", "sync")
    assert list(lab.order) == ["event", "mode", "recheck", "irq_off", "sync"]


def test_what_it_refuses_changes_nothing() -> None:
    """A step, a kernel, a place or an EVENT check that does not exist."""
    lab = Nets("v4.10", post=2)
    before = repr(lab)
    with pytest.raises(BadInput, match="did you mean sync"):
        lab.up("snc")
    with pytest.raises(BadInput, match="did you mean b95234c"):
        lab.order = "b95234d"
    with pytest.raises(BadInput, match="post at place 9"):
        lab.post = 9
    with pytest.raises(BadInput, match="check-first, sync-first"):
        lab.event = "none"
    assert repr(lab) == before


def test_every_control_has_a_name() -> None:
    """No button is an icon only, what takes a value has a label, and the rarer ones are closed."""
    lab = Nets()
    named_ones = (lab._up, lab._down, lab._steps, lab._post, lab._event, lab._barrier)
    assert all(control.description for control in named_ones)
    right = lab.children[0].children[1]
    assert right.children[1].children[0].value == "Sender"
    assert right.children[2].selected_index is None and right.children[2].titles == ("More",)


def test_a_notebook_gets_the_whole_twin() -> None:
    """ipywidgets would cut it after 110 characters."""
    lab = Nets()
    bundle = lab._repr_mimebundle_()
    assert bundle is not None and bundle["text/plain"] == repr(lab)
