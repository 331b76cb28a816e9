"""Every property can fail: take one thing out of a correct kernel, and some schedule breaks it."""

from collections.abc import Callable

import pytest
from walks import nested

from kvmlab.kernels.kernel import Kernel, Patch, PathEdit, swap
from kvmlab.kernels.names import kernel
from kvmlab.kvm.nested import current
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.machine.edit import Relocate
from kvmlab.machine.step import Step
from kvmlab.processor.intr_info import is_valid
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.explore import explore


def without(name: str, *edits: PathEdit) -> Kernel:
    """Return a kernel with something taken out or moved."""
    return Patch("ablation", "", "", edits).on(kernel(name))


def broken(scenario: Scenario) -> set[str]:
    """Return the labels of the properties that some schedule breaks."""
    return {violation.property.label for violation in explore(scenario).violations}


def _keep_the_queue(s: list[int], me: Vcpu) -> None:
    """vmx_complete_interrupts without its first line: what was delivered stays queued."""
    half = s[current(s, me).vmcs.idt_vectoring]
    if is_valid(half):
        s[me.queued] = half
        s[me.requests] |= KVM_REQ_EVENT


KEPT = swap("VMEXIT", Step("VMEXIT", _keep_the_queue))
STAYS_ON = swap("SYNC.clear")
COPY_FIRST = PathEdit("vcpu_run", Relocate("SYNC.clear", after="SYNC.copy"))

Whole = Callable[[Kernel], Scenario]


def cancelled(base: Kernel) -> Scenario:
    """L1, L2, and a thread that cancels entries."""
    return immediate_exit(base, cancel=True)


def two_senders(base: Kernel) -> Scenario:
    """Two senders of one post each."""
    return posted_interrupts(base, senders=2)


ABLATIONS: dict[str, tuple[Whole, str, PathEdit, str]] = {
    "a delivered event stays queued": (cancelled, "v3.10+8081ad0", KEPT, "TWICE"),
    "no window is asked for": (immediate_exit, "d6185f2", swap("IRQ_WINDOW"), "FORGOTTEN"),
    "no window is asked for, 2013": (cancelled, "v3.10+8081ad0", swap("IRQ_WINDOW"), "FORGOTTEN"),
    "the sync leaves ON set": (posted_interrupts, "b95234c", STAYS_ON, "ON_STUCK"),
    "PIR is read before ON is cleared": (two_senders, "b95234c", COPY_FIRST, "LOST"),
}


@pytest.mark.parametrize("name", ABLATIONS)
def test_what_is_taken_out_was_needed(name: str) -> None:
    """The property that the missing part upholds is broken in some schedule."""
    whole, base, edit, label = ABLATIONS[name]
    assert label not in broken(whole(kernel(base)))
    assert label in broken(whole(without(base, edit)))


def test_one_sender_alone_does_not_see_the_order_of_the_sync() -> None:
    """Reading PIR before ON is cleared is harmless while nobody else posts."""
    swapped = without("b95234c", COPY_FIRST)
    assert not broken(posted_interrupts(swapped))


@pytest.mark.parametrize(
    ("name", "faults", "label"),
    [
        ("v3.10", 1, "L2_RAN"),
        ("v3.10+8081ad0", 1, "L2_RAN"),
        ("v3.10+c43203c", 1, None),
        ("v3.10+c43203c", 2, None),
    ],
)
def test_a_second_deferral_needs_the_event_of_2016(name: str, faults: int, label: str | None) -> None:
    """After a half-delivered injection the wish comes again with the entry no longer owed."""
    found = explore(immediate_exit(kernel(name), faults=faults))
    assert (found.shortest and found.shortest.property.label) == label


@pytest.mark.parametrize(("name", "cancel", "label"), [("v4.10", False, None), ("v4.10", True, "L2_RAN")])
def test_what_2016_raises_is_spent_where_an_entry_is_cancelled(
    name: str, cancel: bool, label: str | None
) -> None:
    """v4.10 includes c43203c, so faults do no harm; a cancelled entry still forgets the wish."""
    found = explore(immediate_exit(nested(name), cancel=cancel, faults=2))
    assert (found.shortest and found.shortest.property.label) == label


def test_2016_and_2020_together_forget_nothing() -> None:
    """v6.1's run loop, which has both commits, loses nothing to faults and cancelled entries."""
    found = explore(immediate_exit(nested("v6.1"), cancel=True, faults=2))
    assert (found.verdict, found.complete) == ("ok", True)


@pytest.mark.parametrize(("name", "verdict"), [("v4.10", "ok"), ("v4.10+no-event", "violated")])
def test_the_request_masks_both_races_if_it_is_tested_before_the_sync(name: str, verdict: str) -> None:
    """The same order, with and without the sender's KVM_REQ_EVENT."""
    moved = without(name, PathEdit("vcpu_run", Relocate("sync_pir_to_irr", before="MODE_IN")))
    assert explore(posted_interrupts(moved)).verdict == verdict
