"""Which parameters each step stands for, the same on every machine.

A plain exit and entry are known as sums: what KVM does behind the exit stands at IRQ_ON, what it does before
the entry at MODE_IN (the fast path of later kernels comes by neither), and the steps around them are free.
What is only known to be small is free too. HV_TIMER stands for HV.arm and HV.unarmed where nobody tells them
apart, and costs what the dearer one does.
"""


def _free(labels: str) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(labels.split(), ())


LAP = {
    "VMEXIT": ("HW_EXIT",),
    "IRQ_ON": ("SW_EXIT",),
    "MODE_IN": ("SW_ENTRY",),
    "VMENTRY": ("HW_ENTRY",),
    "FAST.recheck": ("FAST_PATH",),
    "GAP.cold": ("RESID",),
    "SYNC.copy": ("SYNC_PIR",),
    "EVENT.bits": ("REQ_EVENT",),
    "EVENT.checks": ("REQ_EVENT",),
    "EVENT.scan": ("REQ_EVENT",),
    "EVENT.tpr": ("REQ_EVENT",),
    "EVENT.sync": ("REQ_EVENT",),
    **_free(
        """
        REQ.other REQ.migrate_timer MP_STATE GAP.warm SYNC.test SYNC.clear SYNC.lap CHECK_EVENT
        REINJECT INJECT_IRQ INJECT.none IRQ_WINDOW WINDOW.none IRQ_OFF RECHK.mode RECHK.req
        CHECK_IMMEDIATE RUN_PENDING MODE_OUT CANCEL.mode CANCEL.irq_on CANCEL.inject CANCEL.event
        """
    ),
}
"""A cancelled entry costs what KVM does before it; what follows is charged again."""

SPLITS = {
    "REQ_EVENT": {"EVENT.bits": 40, "EVENT.checks": 80, "EVENT.scan": 60, "EVENT.tpr": 60, "EVENT.sync": 60}
}

EXITS = {
    "EXIT.cpuid": ("H_CPUID",),
    "EXIT.vmcall": ("H_VMCALL",),
    "EXIT.in_kernel": ("H_EMUL",),
    "EXIT.in_user": ("H_EMUL", "USER_RT"),
    "EXIT.out_kernel": ("H_OUTK",),
    "EXIT.wrmsr_icr": ("H_WRMSR", "ICR_ROUTE"),
    "EXIT.wrmsr_self_ipi": ("H_WRMSR",),
    "EXIT.wrmsr_eoi": ("H_WRMSR",),
    "EXIT.wrmsr_tscdeadline": ("H_WRMSR",),
    "EXIT.wrmsr_lvtt": ("H_WRMSR",),
    "EXIT.wrmsr_tmict": ("H_WRMSR",),
    "EXIT.wrmsr_tdcr": ("H_WRMSR",),
    "EXIT.wrmsr_spiv": ("H_WRMSR",),
    "EXIT.rdmsr_tscdeadline": ("H_WRMSR",),
    "EXIT.preemption_timer": ("H_PREEMPT",),
    "FAST.preemption_timer": ("H_PREEMPT",),
    "FAST.wrmsr_tscdeadline": ("H_WRMSR",),
    "EXIT.hlt": ("H_HLT",),
    **_free("EXIT.external_interrupt EXIT.interrupt_window EXIT.handled EXIT.io FAST.none WRMSR.done"),
}

POSTS = {
    "POST.pir": ("PIR_POST",),
    "KICK.mode": ("KICK",),
    "POST.icr": ("ICR_PHYS",),
    "WIRE.notify": ("IPI_FLIGHT",),
    "POSTED.notify": ("PI_PROC",),
    "IRQ.posted": ("ACK",),
    "IRQ.reschedule": ("ACK",),
    **_free("POST.notify POST.on POST.request POST.mode POSTED.copy KICK.wake KICK.ipi WAKE"),
}

TIMERS = {
    "LAPIC.fire": ("LAPIC_FIRE",),
    "IRQ.timer": ("IRQ_ENTER", "EOI_HOST", "HRT_INT"),
    "IRQ.timer_called": ("IRQ_ENTER", "EOI_HOST", "HRT_INT"),
    "OTHER.timer": ("LAPIC_FIRE", "IRQ_ENTER", "EOI_HOST", "HRT_INT"),
    "EXPIRED.mode": ("TIMER_EXPIRE",),
    "TIMER.pir": ("INJ",),
    "TIMER.mode": ("ICR_PHYS", "IPI_FLIGHT"),
    "HRT.end": ("HRT_REPROG", "IRQ_EXIT"),
    "NOHZ.irq": ("NOHZ_IRQ",),
    "EXPIRED.pending": ("TIMER_EXPIRE",),
    "EXPIRED.deliver": ("TIMER_EXPIRE", "INJ"),
    "TAIL.deliver": ("INJ",),
    "SW.program": ("HRT_START",),
    "HV.try": ("HV_SET",),
    "HV.set": ("HV_SET",),
    "HV.arm": ("HV_ARM",),
    "HV_TIMER": ("HV_ARM",),
    "HV.unarmed": ("HV_CHECK",),
    "HV.post_block": ("HV_POSTBLOCK",),
    "POLL.end": ("POLL_DETECT",),
    "POLL.adapt": ("UNBLOCK",),
    "SCHEDULE.in": ("WAKE", "SWITCH"),
    **_free(
        """
        LOCAL_TIMER NOHZ.none RESTART.pending HV.in_use HV.unused HV.cancel HV.off WAIT.expire
        WAIT.spin TRACE.entry EXPIRED.kick EXPIRED.ipi BLOCK.hv BLOCK.was_hv EXPIRED.test
        EXPIRED.request EXPIRED.wake FN.again HRT.cancel TAIL.clear TAIL.pending TAIL.done
        DEADLINE.mode DEADLINE.write SW.start SW.again SW.none SW.cancel_hv SW.pending SW.in_use SW.state
        HV.hook HV.pending HV.deadline HV.recheck HV.expired HV.again HV.return PREEMPT.off PREEMPT.on
        BLOCK.runnable BLOCK.unhalt BLOCK.up POLL.start GAP.opens SWAIT.prepare SWAIT.check
        TIMER.on TIMER.notify TIMER.wake TIMER.done OTHER.end TDCR.stretch SPIV.write
        SPIV.mask SPIV.forget
        SWAIT.finish SCHEDULE.out LVTT.write LVTT.reset LVTT.mode TDCR.write TMICT.begin TMICT.write
        """
    ),
}

GUEST = {
    "VIRTUAL_INTERRUPT": ("VDELIV",),
    "ISR.enter": ("G_ISR",),
    "ISR.rest": ("G_ISR_REST",),
    "G.loop": ("G_LOOP",),
    "MOV.cr8": ("G_TPR",),
    "WRMSR.tpr_up": ("G_TPR",),
    "WRMSR.tpr_down": ("G_TPR",),
    "ISR.hrtimer": ("G_HRT",),
    "ISR.eoi": ("G_EOI",),
    "G.switch": ("G_SWITCH",),
    **_free(
        """
        CPUID VMCALL IN OUT HLT CLI STI NOP SPIN WAIT ROUND RDTSC PHASE.more PHASE IRET CLOCK
        WRMSR.icr WRMSR.ipi LATER.more LATER WIRE.arrives DONE WRMSR.self_ipi WRMSR.deadline
        WRMSR.tmict WRMSR.lvtt WRMSR.eoi WRMSR.tdcr WRMSR.tmict_0 WRMSR.lvtt_masked RDMSR.deadline
        COUNTED PAUSE EXIT.EXTERNAL_INTERRUPT EXIT.PREEMPTION_TIMER
        EXIT.INTERRUPT_WINDOW
        """
    ),
}
"""The guest's other steps are free, and so is what makes it leave: the exit's cycles stand at VMEXIT."""

STEPS: dict[str, tuple[str, ...]] = {**LAP, **EXITS, **POSTS, **TIMERS, **GUEST}
