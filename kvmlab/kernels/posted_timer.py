"""Posted timers (0c5f81dad46c, v5.3): the hrtimer runs on a housekeeping CPU and posts into the guest.

KVM may do so for a guest with APICv whose HLT or MWAIT does not exit, on a host that keeps timers away from
the guests' CPUs (pi_inject_timer, by default housekeeping_enabled). Then it does not use the preemption
timer, so nothing takes the guest out at its deadline. A vCPU that is not IN_GUEST_MODE gets ``pending`` and
a kick, as always. What has been posted cannot be called back: a deadline that passes while the guest's next
write is on its way to KVM is delivered, as it might be in hardware.
Source: v6.1 lapic.c kvm_can_post_timer_interrupt, kvm_can_use_hv_timer, kvm_use_posted_timer_interrupt,
apic_timer_expired, __kvm_migrate_apic_timer; x86.c kvm_arch_init.
"""

from dataclasses import replace

from kvmlab.kernels.kernel import Patch, PathEdit, Setting
from kvmlab.kernels.v6_1_expiry import remember
from kvmlab.kvm import mode as vcpu_mode
from kvmlab.kvm import timer_tracepoints as trace
from kvmlab.kvm.lapic_advance import is_advanced, wait_lapic_expire
from kvmlab.kvm.lapic_timer import EXPIRED_WAKE
from kvmlab.kvm.posted import ON_OR_RETURN, POST_PIR, TRIGGER, Post
from kvmlab.kvm.timer_records import TimedVcpu
from kvmlab.kvm.timer_tail import disarm, injected
from kvmlab.machine.edit import After
from kvmlab.machine.step import Step, block
from kvmlab.processor.apic_timer import MASKED

EXPIRED = "v6.1 lapic.c apic_timer_expired"


def _use_posted(s: list[int], me: TimedVcpu) -> str | None:
    remember(s, me)
    return None if s[me.mode] == vcpu_mode.IN_GUEST_MODE else "posted_timer"


def _by_timer(step: Step) -> Step:
    """Return the step of a sender's for the callback, which sends the timer's vector."""

    def run(s: list[int], me: TimedVcpu) -> str | None:
        return step.fn(s, Post(vcpu=me, vector=s[me.timer.lvtt] & 0xFF))

    return replace(step, label=step.label.replace("POST.", "TIMER."), fn=run)


PIR = _by_timer(POST_PIR)


def _post(s: list[int], me: TimedVcpu) -> str | None:
    """kvm_apic_local_deliver: a masked timer makes no interrupt."""
    if s[me.timer.lvtt] & MASKED:
        return "post"
    injected(s, me)
    return PIR.fn(s, me)


def _leave(s: list[int], me: TimedVcpu) -> str:
    disarm(s, me)
    return "apic_timer_expired"


POSTED_TIMER = block(
    "posted_timer",
    Step(
        "EXPIRED.mode",
        _use_posted,
        says="is the vCPU IN_GUEST_MODE? then the interrupt is posted into it; else: pending, kick",
        source=EXPIRED + ", kvm_use_posted_timer_interrupt",
        leaves=("posted_timer",),
    ),
    wait_lapic_expire(EXPIRED + ", __kvm_wait_lapic_expire", is_advanced),
    block(
        "post",
        replace(PIR, fn=_post, says="the timer's vector into PIR", leaves=("post",), emits=trace.accept_irq),
        _by_timer(ON_OR_RETURN),
        block("trigger", *map(_by_timer, TRIGGER)),
        replace(EXPIRED_WAKE, label="TIMER.wake", source="v6.1 vmx.c kvm_vcpu_trigger_posted_interrupt"),
    ),
    Step(
        "TIMER.done",
        _leave,
        says="tscdeadline := 0: nothing is pending, nobody is kicked",
        source="v6.1 lapic.c kvm_apic_inject_pending_timer_irqs",
        leaves=("apic_timer_expired",),
    ),
)

POSTED_TIMERS = Patch(
    "pi-inject-timer=1",
    "posted timers: a housekeeping CPU's hrtimer posts into the running guest, which does not exit for it",
    "0c5f81dad46c, read in v6.1 lapic.c; x86.c module parameter pi_inject_timer",
    (
        Setting("pi_inject_timer", 1, "timers are posted", "v6.1 x86.c module parameter pi_inject_timer"),
        PathEdit("apic_timer_fn", After("EXPIRED.test", (POSTED_TIMER,))),
    ),
    scope=frozenset({"hv-timer", "tsc-deadline"}),
    needs="pi_inject_timer",
)
