"""How a halted guest waits in v6.1: common code switches the timer, and comes back only if it had left.

Source: v6.1 x86.c vcpu_block (98c25ead5eda); kvm_main.c kvm_vcpu_halt, kvm_vcpu_block, kvm_vcpu_check_block.
"""

from collections.abc import Sequence
from dataclasses import replace

from kvmlab.kvm import vcpu_block
from kvmlab.kvm.requests import KVM_REQ_PENDING_TIMER
from kvmlab.kvm.timer_records import TimedVcpu
from kvmlab.machine.call import call
from kvmlab.machine.step import Effect, Step, block

X86 = "v6.1 x86.c "


def _remember_hv(s: list[int], me: TimedVcpu) -> None:
    s[me.halt.hv] = s[me.timer.in_use]


def _came_from_hv(s: list[int], me: TimedVcpu) -> str | None:
    return None if s[me.halt.hv] else "switch_back"


def _runnable(s: list[int], me: TimedVcpu) -> str | None:
    return None if vcpu_block.is_runnable(s, me) else "vcpu_block"


VCPU_BLOCK = block(
    "vcpu_block",
    block(
        "unless_runnable",
        vcpu_block.BLOCK_RUNNABLE,
        Step("BLOCK.hv", _remember_hv, says="remember: is the hv timer in use?", source=X86 + "vcpu_block"),
        call("switch_to_sw_timer", X86 + "vcpu_block"),
        call("kvm_vcpu_block", X86 + "vcpu_block", "BLOCK.wait"),
        block(
            "switch_back",
            Step(
                "BLOCK.was_hv",
                _came_from_hv,
                says="was the hv timer in use? only then back to it",
                source=X86 + "vcpu_block",
                leaves=("switch_back",),
            ),
            call("switch_to_hv_timer", X86 + "vcpu_block"),
        ),
        Step(
            "BLOCK.unhalt",
            _runnable,
            says="is an interrupt there for the halted guest? if not, another lap, it stays halted",
            source=X86 + "vcpu_block",
            leaves=("vcpu_block",),
        ),
    ),
    vcpu_block.BLOCK_UP,
)


def _unblocked(s: Sequence[int], me: TimedVcpu) -> bool:
    return bool(s[me.requests] & KVM_REQ_PENDING_TIMER)


def _looks(leave: str) -> Effect:
    """Return kvm_vcpu_check_block: a callback that only asked for a look at a masked timer ends it too."""
    first = vcpu_block.looks(leave, False)

    def run(s: list[int], me: TimedVcpu) -> str | None:
        if done := first(s, me):
            return done
        asked = _unblocked(s, me)
        s[me.requests] &= ~KVM_REQ_PENDING_TIMER
        return leave if asked else None

    return run


def _woken(s: Sequence[int], me: TimedVcpu) -> bool:
    return vcpu_block.woken(s, me) or _unblocked(s, me)


CHECK = replace(
    vcpu_block.CHECK,
    fn=_looks("swait"),
    says="is an interrupt there for the guest, an expiry, or KVM_REQ_UNBLOCK? then do not sleep",
    source="v6.1 kvm_main.c kvm_vcpu_check_block",
)
POLL_END = replace(
    vcpu_block.POLL_END, fn=_looks("wait"), when=_woken, source="v6.1 kvm_main.c kvm_vcpu_halt"
)
ADAPT = replace(
    vcpu_block.ADAPT, fn=vcpu_block.adapt, source="v6.1 kvm_main.c kvm_vcpu_halt, grow_halt_poll_ns"
)
