"""v6.1 as released, as far as a guest without nesting needs it.

With the preemption timer it is completed by later lessons; until then a scenario refuses what is not
there, instead of running something else. Without APICv the hook sync_pir_to_irr is gone, and every write of
the guest's local APIC is KVM's to emulate.

The traces were recorded with a later 6.1.y of Debian. What differs there as far as it is modelled: since
6.1.149 the stable series has 0ec3d6d1f169 and the mark of an immediate exit in kvm_entry (read in 6.1.158).
"""

from kvmlab.kernels.kernel import NewPath, Patch, Setting, after, before, swap
from kvmlab.kernels.patch_3 import IRQ_OFF_FIRST
from kvmlab.kernels.patch_4 import HV_TIMER_EXIT, TIMER_STAYS_ON
from kvmlab.kernels.v3_10 import CANCEL_FIX, EVENT_WITH_IPI
from kvmlab.kernels.v4_10 import RUN_PENDING_ENDS, pending_ends_at_the_exit
from kvmlab.kvm.apic import WRMSR_EOI, WRMSR_ICR, WRMSR_ICR_POSTED, WRMSR_SELF_IPI
from kvmlab.kvm.host import POSTED, RESCHEDULE, host_irq
from kvmlab.kvm.posted import SYNC

V6_1 = Patch(
    "v6.1",
    "the release whose stable series made the recorded traces",
    "v6.1 x86.c vcpu_enter_guest, lapic.c, vmx.c",
    (
        *CANCEL_FIX.edits,
        IRQ_OFF_FIRST,
        after("MODE_IN", SYNC),
        *EVENT_WITH_IPI.edits,
        *pending_ends_at_the_exit(RUN_PENDING_ENDS),
        NewPath("host_irq", host_irq(RESCHEDULE, POSTED)),
        before("EXIT.unknown", WRMSR_ICR_POSTED),
        Setting("enable_apicv", 1, "APICv is used", "v6.1 vmx.c module parameter enable_apicv"),
        Setting("preemption_timer", 1, "the preemption timer is used", "v6.1 vmx.c module parameter"),
        HV_TIMER_EXIT,
        TIMER_STAYS_ON,
    ),
    scope=frozenset({"self-ipi", "levels"}),
)

NOAPICV = Patch(
    "noapicv",
    "v6.1 with enable_apicv=0: KVM's own local APIC does all the work",
    "v6.1 vmx.c module parameter enable_apicv",
    (
        Setting("enable_apicv", 0, "APICv is not used", "v6.1 vmx.c module parameter enable_apicv"),
        swap("sync_pir_to_irr"),
        swap("EXIT.wrmsr_icr", WRMSR_ICR, WRMSR_SELF_IPI, WRMSR_EOI),
    ),
    scope=frozenset({"kick", "self-ipi", "levels"}),
    needs="enable_apicv",
)


def _timer(value: int) -> Patch:
    """Return the module parameter preemption_timer as an edit; who uses it comes with patch 2."""
    says = f"the preemption timer is {'used' if value else 'not used'}"
    source = "v6.1 vmx.c module parameter preemption_timer"
    setting = Setting("preemption_timer", value, says, source)
    return Patch(f"preemption-timer={value}", says, source, (setting,), needs="preemption_timer")


PREEMPTION_TIMER_OFF, PREEMPTION_TIMER_ON = _timer(0), _timer(1)
