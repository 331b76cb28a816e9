"""HSW16: a Haswell-EP class server with KVM of 2016 and 2017: no Spectre mitigations, x2APIC guest, APICv.

Put together from figures that were published for different boxes: exits and handlers, the headlines of
patch 2 and cyclictest are three machines. In a fit only sums are identified, never how they divide among
neighbours: the host's timer interrupt as a whole, RESID and INJ together, POLL_DETECT and UNBLOCK together.

Six numbers are fitted, each to one published headline; that those headlines come out is no evidence. Evidence
is what was never fitted: the timer cases of vmexit.flat.
"""

from kvmlab.schedulers.profile import MachineProfile, Parameter, Status, by_name
from kvmlab.schedulers.profiles.steps import SPLITS, STEPS

MEASURED, ASSUMED, FITTED = Status.MEASURED, Status.ASSUMED, Status.FITTED

FLAT = "vmexit.flat in the message of b7ffc44d5b2e (2017), unnamed CPU"
MAIL = "list mail of 2019-06-12 on vmentry_advance: 267 cycles, a little software included"
GUESS = "assumed: plausible, nowhere published apart"
PATCH_2 = "fitted to ce7a058a2117: "
CHAIN = "assumed; as a sum the host's timer interrupt is fitted, with HRT_INT"


def _around(name: str, cycles: int, percent: int, status: Status, source: str, says: str) -> Parameter:
    """Return a parameter whose range is so many percent around it."""
    spread = cycles * percent // 100
    return Parameter(name, cycles, cycles - spread, cycles + spread, status, source, says)


EXITS = (
    Parameter("HW_EXIT", 330, 250, 450, ASSUMED, f"with HW_ENTRY 570; {GUESS}", "the CPU leaves the guest"),
    Parameter("HW_ENTRY", 240, 200, 300, MEASURED, MAIL, "the CPU enters the guest"),
    Parameter("SW_EXIT", 260, 150, 400, ASSUMED, f"split of vmcall 1195, {FLAT}", "KVM behind the exit"),
    Parameter("SW_ENTRY", 320, 200, 700, ASSUMED, f"split of vmcall 1195, {FLAT}", "KVM before the entry"),
    Parameter(
        "FAST_PATH",
        137,
        0,
        580,
        ASSUMED,
        "assumed: of SW_EXIT and SW_ENTRY together the same part as on the traced emulator",
        "what the fast path does instead of SW_EXIT and SW_ENTRY",
    ),
    _around("H_VMCALL", 45, 30, MEASURED, f"vmcall 1195 less 1150, {FLAT}", "handle VMCALL"),
    _around("H_CPUID", 163, 30, MEASURED, f"cpuid 1313 less 1150, {FLAT}", "handle CPUID"),
    _around("H_OUTK", 252, 30, MEASURED, f"outl_to_kernel 1402 less 1150, {FLAT}", "OUT to a device in KVM"),
    _around("H_EMUL", 1285, 30, MEASURED, f"inl_from_kernel 2435 less 1150, {FLAT}", "emulate IN"),
    Parameter("USER_RT", 4421, 3400, 4500, MEASURED, f"inl_from_qemu less _kernel, {FLAT}", "to QEMU, back"),
    Parameter("G_TPR", 17, 11, 23, MEASURED, f"mov_to_cr8 17, {FLAT}", "the guest sets TPR, no exit"),
    Parameter("H_WRMSR", 150, 80, 250, ASSUMED, GUESS, "find out which MSR is written"),
    Parameter("H_HLT", 45, 30, 250, ASSUMED, "assumed: as H_VMCALL", "handle HLT: the guest is halted"),
)
"""An exit and entry with nothing else cost 1150: vmcall less its handler."""

INTERRUPTS = (
    Parameter("INJ", 150, 80, 300, ASSUMED, GUESS, "a timer that expired is posted: accept_irq, PIR"),
    Parameter(
        "REQ_EVENT",
        300,
        200,
        400,
        FITTED,
        "fitted to b95234c84004: about 300 cycles saved on self_ipi_*; its split is assumed",
        "the injection block that KVM_REQ_EVENT asks for",
    ),
    Parameter("SYNC_PIR", 80, 40, 120, ASSUMED, "ad3610919e6f: at least 20 for two atomics; RVI", "sync"),
    Parameter("VDELIV", 150, 80, 250, ASSUMED, GUESS, "virtual-interrupt delivery through the guest's IDT"),
    _around("G_ISR", 50, 50, ASSUMED, GUESS, "the guest's handler up to its RDTSC"),
    _around("G_ISR_REST", 90, 50, ASSUMED, GUESS, "the rest of the guest's handler"),
    _around("G_LOOP", 40, 50, ASSUMED, GUESS, "the guest's loop around it"),
    _around("ICR_ROUTE", 250, 50, ASSUMED, GUESS, "KVM decodes a virtual ICR and finds the target"),
    _around("PIR_POST", 60, 50, ASSUMED, GUESS, "a sender sets PIR and ON"),
    _around("KICK", 90, 50, ASSUMED, GUESS, "kvm_vcpu_kick: wake, and look at the mode"),
    _around("ICR_PHYS", 100, 50, ASSUMED, GUESS, "KVM writes the physical ICR"),
    _around("IPI_FLIGHT", 300, 50, ASSUMED, GUESS, "an IPI from CPU to CPU"),
    _around("PI_PROC", 200, 50, ASSUMED, GUESS, "posted-interrupt processing"),
    _around("ACK", 100, 50, ASSUMED, GUESS, "the host takes an IPI: acknowledge, EOI"),
    Parameter("RESID", 384, 0, 800, FITTED, PATCH_2 + "3200 cycles busy", "what all others leave over"),
)

TIMERS = (
    Parameter("H_PREEMPT", 30, 15, 60, ASSUMED, GUESS, "handle the preemption timer's exit"),
    Parameter("TIMER_EXPIRE", 90, 50, 150, ASSUMED, GUESS, "apic_timer_expired"),
    Parameter("LAPIC_FIRE", 60, 20, 150, ASSUMED, GUESS, "the local APIC's timer reaches its CPU"),
    _around("IRQ_ENTER", 160, 50, ASSUMED, CHAIN, "the host takes an interrupt"),
    _around("EOI_HOST", 60, 50, ASSUMED, CHAIN, "the host writes EOI"),
    Parameter(
        "HRT_INT", 360, 200, 600, FITTED, PATCH_2 + "800 cycles gained", "the host looks up its timers"
    ),
    _around("HRT_REPROG", 110, 50, ASSUMED, CHAIN, "the host programs its next timer event"),
    _around("IRQ_EXIT", 96, 50, ASSUMED, CHAIN, "the host returns from an interrupt"),
    Parameter("HRT_START", 620, 400, 1000, ASSUMED, GUESS, "hrtimer_cancel, hrtimer_start, program it"),
    Parameter("HV_SET", 90, 40, 150, ASSUMED, GUESS, "set_hv_timer"),
    Parameter("HV_ARM", 60, 40, 150, ASSUMED, GUESS, "compute and write the preemption timer's value"),
    Parameter("POLL_DETECT", 110, 50, 200, ASSUMED, GUESS, "half a round of halt-polling, and out of it"),
    Parameter(
        "UNBLOCK", 480, 200, 800, FITTED, PATCH_2 + "about 3200 cycles halting", "clear up behind a wait"
    ),
    Parameter("HV_POSTBLOCK", 14, 5, 30, FITTED, PATCH_2 + "20 lost, with HV_CHECK", "back to the hv timer?"),
    Parameter("HV_CHECK", 6, 5, 10, FITTED, PATCH_2 + "20 lost, with HV_POSTBLOCK", "is the hv timer armed?"),
    Parameter("WAKE", 500, 300, 1000, ASSUMED, "halt-polling.rst: a few microseconds", "wake the thread"),
    Parameter("SWITCH", 1400, 1000, 3000, ASSUMED, "halt-polling.rst: a few microseconds", "switch to it"),
    Parameter(
        "NOHZ_IRQ",
        1200,
        300,
        2500,
        FITTED,
        PATCH_2 + "30 % of cyclictest's average; without it 18 %",
        "what an isolated nohz_full CPU adds to a host interrupt",
    ),
    _around("G_HRT", 600, 50, ASSUMED, GUESS, "the guest's hrtimer interrupt wakes its thread"),
    _around("G_EOI", 30, 50, ASSUMED, GUESS, "the guest's EOI, virtualized"),
    _around("G_SWITCH", 1300, 50, ASSUMED, GUESS, "the guest switches to its thread, which reads the clock"),
)

HSW16 = MachineProfile(
    "HSW16",
    "a Haswell-EP class server, KVM of 2016 and 2017, no mitigations",
    "published figures of several boxes, see each entry",
    by_name((*EXITS, *INTERRUPTS, *TIMERS)),
    STEPS,
    SPLITS,
)
