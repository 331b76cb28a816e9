"""Patch 1 (2011): the wish to leave at once is a request bit, the means a self-IPI sent with IF=0."""

from kvmlab.kernels.kernel import Patch, after, before, swap
from kvmlab.kvm import nested
from kvmlab.kvm.ipi import smp_send_reschedule
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.requests import KVM_REQ_IMMEDIATE_EXIT
from kvmlab.machine.step import Step

COMMIT = "d6185f20a0ef"
X86 = COMMIT + " x86.c vcpu_enter_guest"


def _request_immediate_exit(s: list[int], me: Vcpu) -> None:
    s[me.requests] |= KVM_REQ_IMMEDIATE_EXIT


def _take_request(s: list[int], me: Vcpu) -> None:
    s[me.immediate] = int(bool(s[me.requests] & KVM_REQ_IMMEDIATE_EXIT))
    s[me.requests] &= ~KVM_REQ_IMMEDIATE_EXIT


def _self_ipi(s: list[int], me: Vcpu) -> None:
    if s[me.immediate]:
        smp_send_reschedule(s, me)


REQ_IMMEDIATE = Step(
    "REQ.immediate",
    _take_request,
    says="req_immediate_exit := test and clear KVM_REQ_IMMEDIATE_EXIT",
    source=X86,
)
WINDOW_NESTED = Step(
    "WINDOW.nested",
    _request_immediate_exit,
    nested.in_l2_for_l1,
    "enable_irq_window: L2 must run first, so set KVM_REQ_IMMEDIATE_EXIT",
    COMMIT + " vmx.c enable_irq_window",
)
CHECK_IMMEDIATE = Step(
    "CHECK_IMMEDIATE",
    _self_ipi,
    says="if req_immediate_exit: a reschedule IPI to this very CPU, while IF=0",
    source=X86,
)

PATCH_1 = Patch(
    "d6185f2",
    "patch 1 (2011): L2 is entered and left at once, by a self-IPI; the wish is a request bit",
    f"{COMMIT} KVM: nVMX: Add KVM_REQ_IMMEDIATE_EXIT",
    (
        after("REQ.other", REQ_IMMEDIATE),
        swap("WINDOW.nested", WINDOW_NESTED),
        before("ENTER", CHECK_IMMEDIATE),
    ),
)
