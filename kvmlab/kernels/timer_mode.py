"""A change of the timer's mode: since 2017 only one to or from deadline mode stops the timer.

Until then any change took the hrtimer away, and the mode was new before that; since then it is new behind it.
The hv timer keeps running in v4.19 still, so a deadline that is none any more makes an interrupt; v6.1
cancels it, and forgets an expiry that nobody has delivered.
Source: v4.10, v4.19, v6.1 lapic.c apic_update_lvtt, cancel_apic_timer; 4427593258 (thoroughly disarm LAPIC
timer around TSC deadline switch), 619f51da0979 (pending).
"""

from dataclasses import replace

from kvmlab.kernels.kernel import NewPath, PathEdit
from kvmlab.kvm import hrtimer, timer_msrs
from kvmlab.kvm.hv_timer import cancel_if_in_use
from kvmlab.kvm.lapic_timer import mode
from kvmlab.kvm.timer_msrs import limit_period, new_lvtt
from kvmlab.kvm.timer_records import TimedVcpu
from kvmlab.machine.edit import After, Swap
from kvmlab.machine.step import Step, block
from kvmlab.processor.apic_timer import Mode, mode_of

MODE_BITS = 3 << 17
"""Of an LVT timer register."""


def _lvtt(s: list[int], me: TimedVcpu) -> str | None:
    """The register is new at once; KVM's own copy of the mode, here its bits, is the old one still."""
    t, new = me.timer, new_lvtt(s, me)
    other = (mode(s, me) == Mode.TSC_DEADLINE) != (mode_of(new) == Mode.TSC_DEADLINE)
    s[t.lvtt] = s[t.lvtt] & MODE_BITS | new & ~MODE_BITS
    return None if other else "deadline_mode"


def _reset(s: list[int], me: TimedVcpu) -> None:
    t = me.timer
    s[t.tmict], s[t.period], s[t.tscdeadline], s[t.target] = 0, 0, 0, -1


def _mode(s: list[int], me: TimedVcpu) -> None:
    s[me.timer.lvtt] = new_lvtt(s, me)
    limit_period(s, me)


UPDATE_LVTT = "4427593258 lapic.c apic_update_lvtt"
WRITE_LVTT = block(
    "write_lvtt",
    block(
        "deadline_mode",
        replace(
            timer_msrs.LVTT_WRITE,
            fn=_lvtt,
            says="vector and mask of the timer; does the mode change to or from deadline mode?",
            source=UPDATE_LVTT,
            leaves=("deadline_mode",),
        ),
        hrtimer.CANCEL,
        Step("LVTT.reset", _reset, says="no count and no deadline is left", source=UPDATE_LVTT),
    ),
    Step(
        "LVTT.mode",
        _mode,
        says="the mode, only now: a callback that was waited for ran in the old one",
        source=UPDATE_LVTT,
    ),
    timer_msrs.WRMSR_DONE,
)


def _forget(s: list[int], me: TimedVcpu) -> None:
    cancel_if_in_use(s, me)
    s[me.timer.pending] = 0


CANCEL_HV = Step(
    "HV.off",
    _forget,
    says="cancel_apic_timer: the hv timer is off too; pending := 0",
    source="v6.1 lapic.c cancel_apic_timer",
)
CHANGE = NewPath("write_lvtt", WRITE_LVTT)
COUNT = PathEdit("write_tmict", Swap("TMICT.write", (timer_msrs.TMICT_WRITE,)))
"""A count of 0 leaves no deadline behind, in v4.19 and later."""
CANCEL_APIC_TIMER = (
    CHANGE,
    COUNT,
    PathEdit("write_lvtt", After("HRT.cancel", (CANCEL_HV,))),
    PathEdit("write_tmict", After("HRT.cancel", (CANCEL_HV,))),
)
"""Both timers, and for a new count too."""
