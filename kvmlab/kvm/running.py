"""kvm_vcpu_running: before every entry of L2, is there something for which L1 should run instead?

4.11 asks at the top of each lap, and the question includes a sync: what was posted to L1 by then makes L2
leave. A busy answer is dropped. Source: v4.11 x86.c kvm_vcpu_running; vmx.c vmx_check_nested_events.
"""

from dataclasses import replace

from kvmlab.kvm.nested import NESTED_VMEXIT, nothing
from kvmlab.kvm.posted import SYNC
from kvmlab.machine.step import Block, Step, block, prioritised

SOURCE = "v4.11 x86.c kvm_vcpu_running"


SYNC_AT_TOP = "sync_at_top"


def _at_top(step: Step) -> Step:
    """Return a step of the sync as one of the question at the top, whose block has another name."""
    label = step.label.replace("SYNC", "RUNNING")
    leave = (SYNC_AT_TOP,) if step.leaves else ()
    return replace(
        step,
        label=label,
        fn=lambda s, me: SYNC_AT_TOP if step.fn(s, me) else None,
        leaves=leave,
        source=SOURCE,
    )


VCPU_RUNNING: Block = block(
    "vcpu_running",
    block(SYNC_AT_TOP, *(_at_top(node) for node in SYNC.items if isinstance(node, Step))),
    prioritised(
        "RUNNING",
        replace(NESTED_VMEXIT, label="RUNNING.vmexit", source=SOURCE),
        Step("RUNNING.none", nothing, says="nothing for L1: L2 may be entered", source=SOURCE),
    ),
)
