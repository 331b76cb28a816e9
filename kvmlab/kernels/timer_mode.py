"""A change of the timer's mode since 2017: only to or from deadline mode, and then nothing stays armed.

Until then any change took the hrtimer away, and left the hv timer alone.
Source: 4427593258 (thoroughly disarm LAPIC timer around TSC deadline switch), 619f51da0979 (pending).
"""

from dataclasses import replace

from kvmlab.kernels.kernel import PathEdit
from kvmlab.kvm import timer_msrs
from kvmlab.kvm.hv_timer import cancel_if_in_use
from kvmlab.kvm.lapic_timer import mode
from kvmlab.kvm.timer_msrs import written
from kvmlab.kvm.timer_records import TimedVcpu
from kvmlab.machine.edit import After, Swap
from kvmlab.machine.step import Step
from kvmlab.processor.apic_timer import Mode


def _lvtt(s: list[int], me: TimedVcpu) -> str | None:
    t, was = me.timer, mode(s, me)
    s[t.lvtt] = written(s, me)
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
HV_OFF = Step(
    "HV.off",
    cancel_if_in_use,
    says="the hv timer is off too",
    source="v6.1 lapic.c cancel_apic_timer",
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
MODE_2017 = (CHANGE, PathEdit("write_lvtt", After("HRT.cancel", (HV_OFF,))))
CANCEL_APIC_TIMER = (
    CHANGE,
    PathEdit("write_lvtt", After("HRT.cancel", (CANCEL_HV,))),
    PathEdit("write_tmict", After("HRT.cancel", (CANCEL_HV,))),
)
"""v5.10 made it a function, for a new count too; 619f51da0979 forgets an expiry that nobody has delivered."""
