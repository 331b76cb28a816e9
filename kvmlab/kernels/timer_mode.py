"""A change of the timer's mode: since 2017 only one to or from deadline mode stops the timer.

Until then any change took the hrtimer away. The hv timer keeps running in v4.19 still, so a deadline that is
none any more makes an interrupt; v6.1 cancels it, and forgets an expiry that nobody has delivered.
Source: v4.10, v4.19, v6.1 lapic.c apic_update_lvtt, cancel_apic_timer; 4427593258 (thoroughly disarm LAPIC
timer around TSC deadline switch), 619f51da0979 (pending).
"""

from dataclasses import replace

from kvmlab.kernels.kernel import PathEdit
from kvmlab.kvm import timer_msrs
from kvmlab.kvm.hv_timer import cancel_if_in_use
from kvmlab.kvm.lapic_timer import mode
from kvmlab.kvm.timer_msrs import limit_period, written
from kvmlab.kvm.timer_records import TimedVcpu
from kvmlab.machine.edit import After, Swap
from kvmlab.machine.step import Step
from kvmlab.processor.apic_timer import Mode


def _lvtt(s: list[int], me: TimedVcpu) -> str | None:
    t, was = me.timer, mode(s, me)
    s[t.lvtt] = written(s, me)
    limit_period(s, me)
    if (was == Mode.TSC_DEADLINE) == (mode(s, me) == Mode.TSC_DEADLINE):
        return "update_lvtt"
    s[t.tmict], s[t.period], s[t.tscdeadline], s[t.target] = 0, 0, 0, -1
    return None


LVTT_WRITE = replace(
    timer_msrs.LVTT_WRITE,
    fn=_lvtt,
    says="vector, mask and mode of the timer; to or from deadline mode? then nothing is armed any more",
    source="4427593258 lapic.c apic_update_lvtt",
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
CHANGE = PathEdit("write_lvtt", Swap("LVTT.write", (LVTT_WRITE,)))
COUNT = PathEdit("write_tmict", Swap("TMICT.write", (timer_msrs.TMICT_WRITE,)))
"""A count of 0 leaves no deadline behind, in v4.19 and later."""
CANCEL_APIC_TIMER = (
    CHANGE,
    COUNT,
    PathEdit("write_lvtt", After("HRT.cancel", (CANCEL_HV,))),
    PathEdit("write_tmict", After("HRT.cancel", (CANCEL_HV,))),
)
"""Both timers, and for a new count too."""
