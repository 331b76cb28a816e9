"""The guest's accesses to its timer, as KVM emulates them: IA32_TSC_DEADLINE, and x2APIC's LVTT, TMICT, TDCR.

A write re-arms, and forgets an expiry that nobody has delivered yet. RDMSR gives 0 once the timer has fired.
Source: v4.10 lapic.c kvm_set_lapic_tscdeadline_msr, kvm_get_lapic_tscdeadline_msr, kvm_lapic_reg_write,
apic_update_lvtt, set_target_expiration, apic_get_tmcct.
"""

from collections.abc import Sequence
from dataclasses import replace

from kvmlab.kvm import hrtimer
from kvmlab.kvm import timer_tracepoints as trace
from kvmlab.kvm.lapic_timer import counts_periods, mode, scaled
from kvmlab.kvm.nested import current, nothing
from kvmlab.kvm.timer_records import TimedVcpu, guest_now, host_now
from kvmlab.machine.call import call
from kvmlab.machine.step import Guard, Step, block
from kvmlab.processor import apic_timer
from kvmlab.processor.apic_timer import (
    IA32_TSC_DEADLINE,
    MASKED,
    X2APIC_LVTT,
    X2APIC_TDCR,
    X2APIC_TMICT,
    Mode,
)
from kvmlab.processor.exits import Exit

LAPIC = "v4.10 lapic.c "


def written(s: Sequence[int], me: TimedVcpu) -> int:
    """Return what the guest's WRMSR wants to write."""
    cell = current(s, me).value
    assert cell is not None
    return s[cell]


def access(reason: Exit, msr: int) -> Guard:
    """Return the guard "the last exit was this access to ``msr``"."""

    def when(s: Sequence[int], me: TimedVcpu) -> bool:
        guest = current(s, me)
        return s[guest.vmcs.reason] == reason and guest.msr is not None and s[guest.msr] == msr

    return when


def handler(label: str, reason: Exit, msr: int, function: str, says: str) -> Step:
    """Return the alternative of HANDLE_EXIT that goes on with ``function``."""
    source = (
        "v4.10 x86.c kvm_set_msr_common" if reason == Exit.MSR_WRITE else "v4.10 x86.c kvm_get_msr_common"
    )
    return Step(label, lambda s, me: function, access(reason, msr), says, source, leaves=(function,))


WRMSR_DONE = Step(
    "WRMSR.done",
    nothing,
    says="the write is handled: step over the instruction",
    source="v4.10 vmx.c handle_wrmsr",
    emits=trace.msr("write"),
)


def _deadline(s: list[int], me: TimedVcpu) -> None:
    """Nobody else looks at the two while no hrtimer is queued: one step."""
    s[me.timer.tscdeadline], s[me.timer.pending] = written(s, me), 0


DEADLINE_WRITE = Step(
    "DEADLINE.write",
    _deadline,
    says="tscdeadline := what the guest wrote; pending := 0: an expiry not yet delivered is forgotten",
    source=LAPIC + "kvm_set_lapic_tscdeadline_msr, start_apic_timer",
)
SET_TSCDEADLINE = block(
    "set_tscdeadline",
    block(
        "in_deadline_mode",
        Step(
            "DEADLINE.mode",
            lambda s, me: None if mode(s, me) == Mode.TSC_DEADLINE else "in_deadline_mode",
            says="is the timer in deadline mode? in another one the write is ignored",
            source=LAPIC + "kvm_set_lapic_tscdeadline_msr",
            leaves=("in_deadline_mode",),
        ),
        hrtimer.CANCEL,
        DEADLINE_WRITE,
        call("start_apic_timer", LAPIC + "kvm_set_lapic_tscdeadline_msr"),
    ),
    WRMSR_DONE,
)


def _read(s: list[int], me: TimedVcpu) -> None:
    cell = current(s, me).value
    assert cell is not None
    s[cell] = s[me.timer.tscdeadline] if mode(s, me) == Mode.TSC_DEADLINE else 0


RDMSR = Step(
    "EXIT.rdmsr_tscdeadline",
    _read,
    access(Exit.MSR_READ, IA32_TSC_DEADLINE),
    "the guest reads its deadline: 0 once the timer has fired",
    LAPIC + "kvm_get_lapic_tscdeadline_msr",
    emits=trace.msr("read"),
)


def _divide(s: list[int], me: TimedVcpu) -> None:
    s[me.timer.tdcr] = written(s, me)


TDCR_WRITE = Step(
    "TDCR.write",
    _divide,
    says="the divide configuration: of the next count; one that runs ends when it would have",
    source=LAPIC + "kvm_lapic_reg_write",
    emits=trace.register("APIC_TDCR"),
)
WRITE_TDCR = block("write_tdcr", TDCR_WRITE, WRMSR_DONE)


def new_lvtt(s: Sequence[int], me: TimedVcpu) -> int:
    """Return what the guest's write makes of LVTT: masked while the local APIC is disabled by software."""
    enabled = me.timer.enabled is None or s[me.timer.enabled]
    return written(s, me) if enabled else written(s, me) | MASKED


def _is_other_mode(s: Sequence[int], me: TimedVcpu) -> bool:
    return apic_timer.mode_of(written(s, me)) != mode(s, me)


def _lvtt(s: list[int], me: TimedVcpu) -> str | None:
    other = _is_other_mode(s, me)
    s[me.timer.lvtt] = new_lvtt(s, me)
    return None if other else "update_lvtt"


LVTT_WRITE = Step(
    "LVTT.write",
    _lvtt,
    says="vector, mask and mode of the timer; is the mode another one?",
    source=LAPIC + "kvm_lapic_reg_write, apic_update_lvtt",
    leaves=("update_lvtt",),
    emits=trace.register("APIC_LVTT"),
)
WRITE_LVTT = block("write_lvtt", block("update_lvtt", LVTT_WRITE, hrtimer.CANCEL), WRMSR_DONE)


def _count_4_10(s: list[int], me: TimedVcpu) -> str | None:
    """The period in cycles, its end in both clocks; 0 stops."""
    t = me.timer
    s[t.tmict], s[t.pending] = written(s, me), 0
    s[t.period] = t.clock.cycles(s[t.tmict], apic_timer.divide_by(s[t.tdcr]))
    if not s[t.period]:
        return "in_count_mode"
    limit_period(s, me)
    s[t.target] = host_now(s, me) + s[t.period]
    s[t.tscdeadline] = guest_now(s, me) + scaled(s[t.period], me)
    return None


def limit_period(s: list[int], me: TimedVcpu) -> None:
    """limit_periodic_timer_frequency: nobody may keep the host busy with very short periods."""
    if counts_periods(s, me):
        s[me.timer.period] = max(s[me.timer.period], me.timer.min_period)


def _count(s: list[int], me: TimedVcpu) -> str | None:
    done = _count_4_10(s, me)
    if done:
        s[me.timer.tscdeadline] = 0
    return done


TMICT_CALL = Step(
    "TMICT.begin",
    lambda s, me: "in_count_mode" if mode(s, me) == Mode.TSC_DEADLINE else None,
    says="the guest writes the initial count; is the timer in deadline mode? then the write is ignored",
    source=LAPIC + "kvm_lapic_reg_write",
    leaves=("in_count_mode",),
    emits=trace.register("APIC_TMICT"),
)
TMICT_WRITE_4_10 = Step(
    "TMICT.write",
    _count_4_10,
    says="pending := 0; the period, and when it ends; 0: nothing is started",
    source=LAPIC + "kvm_lapic_reg_write, set_target_expiration",
    leaves=("in_count_mode",),
)
TMICT_WRITE = replace(
    TMICT_WRITE_4_10,
    fn=_count,
    says="pending := 0; the period, and when it ends; 0: no deadline either",
    source="v4.19 lapic.c kvm_lapic_reg_write, set_target_expiration",
)
WRITE_TMICT = block(
    "write_tmict",
    block(
        "in_count_mode",
        TMICT_CALL,
        hrtimer.CANCEL,
        TMICT_WRITE_4_10,
        call("start_apic_timer", LAPIC + "kvm_lapic_reg_write"),
    ),
    WRMSR_DONE,
)


def current_count(s: Sequence[int], me: TimedVcpu) -> int:
    """Return what the guest reads as its current count (apic_get_tmcct)."""
    t = me.timer
    if mode(s, me) == Mode.TSC_DEADLINE or not s[t.period]:
        return 0
    left = max(s[t.target] - host_now(s, me), 0) % s[t.period]
    return t.clock.counts(left, apic_timer.divide_by(s[t.tdcr]))


EXITS = (
    handler(
        "EXIT.wrmsr_tscdeadline",
        Exit.MSR_WRITE,
        IA32_TSC_DEADLINE,
        "set_tscdeadline",
        "the guest arms its timer for a point in its own TSC, or disarms it by 0",
    ),
    handler("EXIT.wrmsr_lvtt", Exit.MSR_WRITE, X2APIC_LVTT, "write_lvtt", "the guest sets up its timer"),
    handler("EXIT.wrmsr_tmict", Exit.MSR_WRITE, X2APIC_TMICT, "write_tmict", "the guest starts a count"),
    handler("EXIT.wrmsr_tdcr", Exit.MSR_WRITE, X2APIC_TDCR, "write_tdcr", "the guest sets the divider"),
    RDMSR,
)
