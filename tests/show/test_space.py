"""The design space: every cell from exploration, the real kernels at their place, one sentence for all."""

from itertools import permutations

import pytest

pytest.importorskip("ipywidgets")

from pictures import alternative, overlaps, size, words

from kvmlab.kernels.names import kernel
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.schedulers.explore import explore
from kvmlab.show.nets import nets
from kvmlab.show.space import TWO, Cell, space, space_text
from kvmlab.show.space_svg import space_svg
from kvmlab.show.tried import tried
from kvmlab.show.widgets.space import DesignSpace


def cells() -> tuple[Cell, ...]:
    """Return all of them, those with the EVENT check first."""
    return tuple(cell for group in space().groups for cell in group.cells)


def test_every_order_has_a_cell() -> None:
    """All 24 with the EVENT check and the recheck last, all 24 without it and the recheck anywhere."""
    with_event = {(*o, "recheck") for o in permutations(("event", "sync", "mode", "irq_off"))}
    without = set(permutations(("recheck", "sync", "mode", "irq_off")))
    event, recheck = space().groups
    assert {cell.order for cell in event.cells} == with_event and len(event.cells) == 24
    assert {cell.order for cell in recheck.cells} == without and len(recheck.cells) == 24


def test_a_cell_is_bad_if_and_only_if_its_nets_say_so() -> None:
    """A gap for one sender; for two the case that a place cannot show."""
    for cell in cells():
        mine = nets(cell.order, "CPU with EVENT" if "event" in cell.order else "CPU")
        assert cell.software.holds == (not mine.gaps)
        assert cell.vtd.holds == (not nets(cell.order, "VT-d").gaps)
        if "event" not in cell.order:
            assert cell.holds == (not mine.gaps and not mine.several)


@pytest.mark.parametrize(
    "order",
    [
        ("event", "sync", "mode", "irq_off", "recheck"),
        ("sync", "event", "mode", "irq_off", "recheck"),
        ("mode", "event", "sync", "irq_off", "recheck"),
    ],
)
def test_a_second_sender_changes_nothing_where_the_request_is_made(order: tuple[str, ...]) -> None:
    """With KVM_REQ_EVENT and the recheck last two senders lose where one does: tried for some."""
    assert tried(order, senders=2).holds == tried(order).holds


def test_exactly_two_orders_need_two_senders() -> None:
    """mode, irq_off, sync with the recheck before irq_off."""
    two = {cell.order for cell in cells() if cell.words[0] == "two"}
    assert two == {("recheck", "mode", "irq_off", "sync"), ("mode", "recheck", "irq_off", "sync")}


def test_vtd_cares_for_the_column_only() -> None:
    """Neither the EVENT check nor the recheck changes its verdict."""
    for n in range(6):
        assert len({row[n].vtd.holds for group in space().groups for row in group.rows}) == 1


def test_the_real_kernels_stand_at_their_order() -> None:
    """v4.10 and the patch, each once; the whole kernel has the verdicts of its cell."""
    named = {cell.kernel: cell for cell in cells() if cell.kernel}
    assert set(named) >= {"v4.10", "b95234c"} and "event" in named["v4.10"].order
    for name in ("v4.10", "b95234c"):
        for sender, found in (("kvm", named[name].software), ("vtd", named[name].vtd)):
            whole = explore(posted_interrupts(kernel(name), sender=sender))
            assert (whole.verdict == "ok") == found.holds


def test_the_foot_counts_what_the_cells_say() -> None:
    """The numbers of the sentence are those of the table."""
    lost = [sum(not cell.software.holds for cell in group.cells) for group in space().groups]
    assert f"With KVM_REQ_EVENT a software sender loses in {lost[0]} of 24" in space().foot
    assert f"without it a software sender loses in {lost[1]} of 24 orders (and in 2 more" in space().foot
    assert space().foot.count("VT-d in 12") == 2


def test_picture_and_twin_end_in_the_same_sentence() -> None:
    """The foot, the alternative text and the end of the twin are one sentence."""
    svg = space_svg(space())
    under = [w.says for w in sorted(words(svg), key=lambda w: w.y) if w.y > size(svg)[1] - 44]
    assert alternative(svg) == space().foot == " ".join(under)
    assert " ".join(space_text(space()).split()).endswith(space().foot)


def test_nothing_is_clipped_and_no_texts_collide() -> None:
    """Every text lies inside the picture and clear of every other, in the widest font."""
    svg = space_svg(space())
    wide, high = size(svg)
    assert wide == 960 and high <= 560
    assert all(0 <= w.left and w.right <= wide and 0 < w.y <= high - 4 for w in words(svg))
    assert overlaps(svg) == []


def test_every_verdict_is_a_word_in_picture_and_twin() -> None:
    """As many of each as there are cells that say so, and what "two" means."""
    says, twin = [w.says for w in words(space_svg(space()))], space_text(space())
    for word in ("ok", "LOST", "two"):
        count = sum(cell.words.count(word) for cell in cells())
        assert says.count(word) == count
    assert sum(twin.count("/".join(pair)) for pair in {cell.words for cell in cells()}) == len(cells())
    assert TWO in says and TWO in twin and max(map(len, twin.splitlines())) <= 80


def test_the_widget_shows_picture_and_twin() -> None:
    """Whole, as a notebook saves it."""
    lab = DesignSpace()
    bundle = lab._repr_mimebundle_()
    assert bundle is not None and bundle["text/plain"] == space_text(space())
    assert lab.children[0].value == space_svg(space()) and lab.foot == space().foot
