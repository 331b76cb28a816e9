"""v4.7, the release before patch 2: every deadline of the guest is an hrtimer of the host.

What each function of a kernel's timer code is called here is what the kernel calls it, as far as it has one;
later kernels replace some of them and edit others.
"""

from kvmlab.kernels.kernel import NewPath, Patch
from kvmlab.kernels.v3_10 import EVENT_WITH_IPI
from kvmlab.kernels.v4_10 import V4_10
from kvmlab.kvm import vcpu_block, vcpu_load
from kvmlab.kvm.lapic_advance import WAIT_4_10
from kvmlab.kvm.lapic_timer import APIC_TIMER_EXPIRED, APIC_TIMER_FN, START_SW
from kvmlab.kvm.spiv import EXIT_SPIV, WRITE_SPIV
from kvmlab.kvm.timer_msrs import EXITS, SET_TSCDEADLINE, WRITE_LVTT, WRITE_TDCR, WRITE_TMICT
from kvmlab.kvm.timer_tail import TAIL_DELIVER_4_10, tail
from kvmlab.machine.call import call
from kvmlab.machine.step import Block, block, prioritised

LAPIC = "v4.7 lapic.c "
SCOPE = frozenset({"hv-timer", "tsc-deadline"})

TIMER_EXITS = Block(
    "timer_exits",
    (
        prioritised("TIMER_EXITS", *EXITS, EXIT_SPIV, vcpu_block.EXIT_HLT),
        call("set_tscdeadline", "v4.7 x86.c kvm_set_msr_common"),
        call("write_lvtt", LAPIC + "kvm_x2apic_msr_write"),
        call("write_tmict", LAPIC + "kvm_x2apic_msr_write"),
        call("write_tdcr", LAPIC + "kvm_x2apic_msr_write"),
        call("write_spiv", LAPIC + "kvm_x2apic_msr_write"),
    ),
    "cases",
)
START_APIC_TIMER = block("start_apic_timer", call("start_sw_timer", LAPIC + "start_apic_timer"))

FUNCTIONS = (
    TIMER_EXITS,
    SET_TSCDEADLINE,
    WRITE_LVTT,
    WRITE_TMICT,
    WRITE_TDCR,
    WRITE_SPIV,
    START_APIC_TIMER,
    block("start_sw_timer", START_SW),
    APIC_TIMER_EXPIRED,
    APIC_TIMER_FN,
    vcpu_block.VCPU_BLOCK,
    vcpu_block.KVM_VCPU_BLOCK,
    vcpu_load.VCPU_LOAD,
    tail(TAIL_DELIVER_4_10),
    WAIT_4_10,
)
HRTIMER = tuple(NewPath(function.name, function) for function in FUNCTIONS)
"""The timer code before patch 2."""

V4_7 = Patch(
    "v4.7",
    "before patch 2: every deadline of the guest is an hrtimer of the host",
    "v4.7, read in ce7a058a2117^ lapic.c, x86.c",
    (*(edit for edit in V4_10.edits if edit not in EVENT_WITH_IPI.edits), *HRTIMER),
    SCOPE,
)
