"""A new divisor while a count runs: since 2017 what is left of it goes on at the new rate, as in hardware.

Until then the count ended when it would have, and the current count, which is computed from what is left,
jumped. Now the hrtimer alone is cancelled; whoever restarts the timer sets the hv timer anew, or gives it up.
Whether a count runs is asked of its period, which a single shot leaves behind: by reading, a new divisor
makes one that is over expire once more, which no hardware does; no report is known.
5.10 and 6.1 store val & 0xb, this all of it: no divisor hangs on the other bits, and nobody reads them back.
Source: c301b909e4b9; v4.10, v4.18, v4.19, v6.1 lapic.c kvm_lapic_reg_write, update_target_expiration.
"""

from dataclasses import replace

from kvmlab.kernels.kernel import PathEdit
from kvmlab.kvm import hrtimer
from kvmlab.kvm.lapic_timer import scaled
from kvmlab.kvm.timer_msrs import TDCR_WRITE, limit_period, written
from kvmlab.kvm.timer_records import TimedVcpu, host_now
from kvmlab.machine.call import call
from kvmlab.machine.edit import Swap
from kvmlab.machine.step import Step, block
from kvmlab.processor.apic_timer import divide_by

LAPIC = "v4.19 lapic.c "


def _divide(s: list[int], me: TimedVcpu) -> str | None:
    """While the hrtimer is cancelled the old divisor is needed; nobody else looks at the register."""
    t = me.timer
    if s[t.period] and divide_by(written(s, me)) != divide_by(s[t.tdcr]):
        return None
    s[t.tdcr] = written(s, me)
    return "new_divisor"


def _stretch(s: list[int], me: TimedVcpu) -> None:
    """Both clocks get the new rest; the period is the whole count at the new rate."""
    t, now = me.timer, host_now(s, me)
    old, new = divide_by(s[t.tdcr]), divide_by(written(s, me))
    s[t.tdcr], s[t.period] = written(s, me), t.clock.cycles(s[t.tmict], new)
    limit_period(s, me)
    left = max(s[t.target] - now, 0)
    s[t.target] = now + left * new // old
    s[t.tscdeadline] += scaled(left * new // old, me) - scaled(left, me)


NEW_DIVISOR = block(
    "new_divisor",
    replace(
        TDCR_WRITE,
        fn=_divide,
        says="the divide configuration: is the divisor another one, and does a count run?",
        source=LAPIC + "kvm_lapic_reg_write",
        leaves=("new_divisor",),
    ),
    hrtimer.CANCEL,
    Step(
        "TDCR.stretch",
        _stretch,
        says="what is left of the count, and its period, at the new rate; in both clocks",
        source=LAPIC + "update_target_expiration",
    ),
    call("restart_apic_timer", LAPIC + "kvm_lapic_reg_write"),
)
DIVIDE = PathEdit("write_tdcr", Swap("TDCR.write", (NEW_DIVISOR,)))
