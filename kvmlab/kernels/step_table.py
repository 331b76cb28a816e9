"""The bare entry path: nothing but the steps that two independent model checkers were given.

The steps are KVM's own, so this is no second model; what is left out changes no verdict. Conventions of
the published counts: a cancel is three transitions; the host takes its two vectors in any order; the sync
raises no KVM_REQ_EVENT.
"""

from collections.abc import Sequence
from dataclasses import replace

from kvmlab.kernels.kernel import RUN_LOOP, Kernel
from kvmlab.kernels.names import kernel
from kvmlab.kernels.orders import NODES
from kvmlab.kvm.host import POSTED, RESCHEDULE
from kvmlab.kvm.posted import SENDER, SENDER_4_10
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.edit import Swap, apply, find
from kvmlab.machine.step import Block, Node, Step, block, free, loop

WHOLE = kernel("v4.10+no-event").paths[RUN_LOOP]
"""Where the steps come from."""


def _step(label: str) -> Step:
    node = find(WHOLE, label)
    assert isinstance(node, Step)
    return node


def _cancelled(s: list[int], me: Vcpu) -> str:
    s[me.cpu.irq] = 1
    return "vcpu_enter_guest"


def _recheck() -> Node:
    """The kernel's recheck, with interrupts on and the way back to the top in one step."""
    whole = find(WHOLE, "recheck")
    assert isinstance(whole, Block)
    back = replace(_step("CANCEL.irq_on"), fn=_cancelled, leaves=("vcpu_enter_guest",))
    return apply(apply(whole, Swap("CANCEL.inject")), Swap("CANCEL.irq_on", (back,)))


STEPS: dict[str, Node] = {
    **{name: find(WHOLE, label) for name, label in NODES.items()},
    "event": block("event", _step("CHECK_EVENT")),
    "recheck": _recheck(),
}
"""Short name -> what stands in the table."""

REST = (_step("VMENTRY"), _step("MODE_OUT"), _step("IRQ_ON"))


def step_table(order: Sequence[str]) -> Kernel:
    """Return the bare path in a whole order; with "event" in it senders make KVM_REQ_EVENT."""
    lap = block("vcpu_enter_guest", *(STEPS[name] for name in order), *REST)
    paths = {
        RUN_LOOP: block(RUN_LOOP, loop("laps", lap)),
        "host_irq": loop("host_irq", free("HOST_IRQ", POSTED, RESCHEDULE)),
        "post": SENDER_4_10 if "event" in order else SENDER,
    }
    says = f"the bare entry path in the order {', '.join(order)}"
    return Kernel(",".join(order), says, WHOLE.name, paths, kernel("v4.10").settings)
