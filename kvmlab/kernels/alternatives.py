"""The roads not taken: two that the author of patch 1 names in its message, one that it rules out.

No kernel ever had these steps; they are here so that each idea can fail, or hold, before the
learner's eyes.
"""

from dataclasses import replace

from kvmlab.kernels.kernel import NewPath, Patch, swap
from kvmlab.kernels.v3_10 import ACK_ON_EXIT
from kvmlab.kvm import nested
from kvmlab.kvm.host import RESCHEDULE, TOP, host_irq
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.step import Step
from kvmlab.processor.controls import MONITOR_TRAP_FLAG
from kvmlab.processor.vectors import TOP_VECTOR, bit

NOBODY = "no kernel did this"


def _mtf(s: list[int], me: Vcpu) -> None:
    proc = nested.current(s, me).vmcs.proc
    s[proc] = s[proc] | MONITOR_TRAP_FLAG if s[me.immediate] else s[proc] & ~MONITOR_TRAP_FLAG


def _top_vector(s: list[int], me: Vcpu) -> None:
    if s[me.immediate]:
        s[me.cpu.irr] |= bit(TOP_VECTOR)


FAKE_EXIT = Patch(
    "fake-exit",
    "the tempting shortcut: report an exit to L1 without having entered L2",
    "ruled out in the message of d6185f20a0ef",
    (
        swap(
            "NESTED_VMEXIT",
            replace(
                nested.NESTED_VMEXIT,
                when=nested.in_l2_for_l1,
                says="L2 -> L1 exit is made up: L1 is told EXTERNAL_INTERRUPT, L2 never ran",
                source=NOBODY,
            ),
        ),
    ),
)

MTF = Patch(
    "mtf",
    "the exit is forced by the monitor trap flag",
    "named as an alternative in the message of d6185f20a0ef",
    (
        swap(
            "CHECK_IMMEDIATE",
            Step(
                "CHECK_IMMEDIATE",
                _mtf,
                says="the monitor trap flag is on if req_immediate_exit, else off",
                source=NOBODY,
            ),
        ),
    ),
)

ACK_TOP_VECTOR = Patch(
    "ack-top-vector",
    "the exit is forced by a vector of top priority, which that exit acknowledges: no handler runs",
    "named as an alternative in the message of d6185f20a0ef",
    (
        swap(
            "CHECK_IMMEDIATE",
            Step(
                "CHECK_IMMEDIATE",
                _top_vector,
                says="if req_immediate_exit: a top-priority vector to this very CPU, while IF=0",
                source=NOBODY,
            ),
        ),
        *ACK_ON_EXIT,
        NewPath("host_irq", host_irq(TOP, RESCHEDULE)),
    ),
)
