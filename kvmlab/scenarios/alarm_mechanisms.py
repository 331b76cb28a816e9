"""By which mechanism a deadline's alarm goes wrong: who fired that should not have, or who dropped it.

Every expiry is put down to its maker: the preemption timer by its exit, the hrtimer by its callback, or KVM
itself, which finds a deadline passed as it sets a timer. A second maker for one deadline is a mechanism; so
is a maker that had no deadline, or one that was overwritten. An alarm is dropped where the last timer that
had it is taken out and nobody takes over; an expiry, and a timer that is set, make good for that.

Each rule is one label and the bits behind it. The bits below NAMED are no mechanisms, only what was so far.
"""

from collections.abc import Callable, Mapping, Sequence

from kvmlab.kernels.kernel import RUN_LOOP
from kvmlab.kvm.lapic_timer import cycles_to_go
from kvmlab.kvm.timer_records import LapicTimer, TimedVcpu
from kvmlab.machine.monitor import Monitor
from kvmlab.machine.system import Move

BY_HV, BY_HRTIMER, BY_KVM, EXITED, NO_DEADLINE, OLD_DEADLINE, NOT_ASKED, WRITING = (1 << n for n in range(8))
"""So far: who has fired for this deadline; the timer's exit is being handled; what the timer stands for; a
write of the guest's has begun."""
NAMED = 1 << 8
ZERO, TO_COME, OVERWRITTEN, POSTED, STRAY, TWICE, BOTH, HV_TOO, HRTIMER_TOO = (NAMED << n for n in range(9))
ASLEEP, GIVEN_UP, NOT_SET, REFUSED, UNSET, NOT_TOLD, HRTIMER_STAYS, HV_STAYS = (
    NAMED << n for n in range(9, 17)
)

NAMES = {
    ZERO: "a deadline of 0, which is none, was taken for one that has passed",
    TO_COME: "a deadline to come was taken for one that has passed",
    OVERWRITTEN: "the preemption timer kept an overwritten deadline",
    POSTED: "the old deadline was posted while the write over it was on its way, and stays posted",
    STRAY: "the preemption timer's exit was taken for a deadline that it did not have",
    TWICE: "the preemption timer was not taken out when it fired, and fired again",
    BOTH: "the preemption timer and the hrtimer both fired",
    HV_TOO: "KVM found the deadline passed, and the preemption timer fired too",
    HRTIMER_TOO: "KVM found the deadline passed, and the hrtimer fired too",
    ASLEEP: "asleep with the preemption timer, which counts in the guest only",
    GIVEN_UP: "the preemption timer was given up, no hrtimer started",
    NOT_SET: "the hrtimer was cancelled, no preemption timer set",
    REFUSED: "the deadline did not fit the preemption timer, no hrtimer started",
    UNSET: "the deadline was written, no timer set",
    NOT_TOLD: "the timer had run out and was taken out, no expiry made",
    HRTIMER_STAYS: "the preemption timer was set, the hrtimer not cancelled",
    HV_STAYS: "the hrtimer was started, the preemption timer not given up",
}
"""Who fired too often explains more than who holds what."""

FIRED = BY_HV | BY_HRTIMER | BY_KVM
DROPPED = GIVEN_UP | NOT_SET | REFUSED | UNSET | NOT_TOLD
STANDS_FOR = NO_DEADLINE | OLD_DEADLINE
SECOND: Mapping[int, int] = {
    BY_HV: TWICE,
    BY_HV | BY_HRTIMER: BOTH,
    BY_HV | BY_KVM: HV_TOO,
    BY_HRTIMER | BY_KVM: HRTIMER_TOO,
}
"""Both makers of two expiries for one deadline -> what that is called."""
CALLBACK = ("host_irq", "other_cpu")
"""The paths that run the hrtimer's callback."""

Rule = Callable[[int, Move, Sequence[int], Sequence[int]], int]
"""(bits so far, move, state before, state after) -> bits."""


def _nobody(s: Sequence[int], t: LapicTimer) -> bool:
    """Whether a deadline stands, and no timer has it."""
    return bool(s[t.tscdeadline]) and s[t.hv_deadline] < 0 and s[t.hrtimer.expires] < 0


def _over(bits: int, move: Move) -> int:
    """The thread that sets a timer is done with an exit; one that is moved goes on with it behind."""
    return bits & ~EXITED if move.actor.path.name == RUN_LOOP else bits


def _written(bits: int, move: Move, before: Sequence[int], after: Sequence[int]) -> int:
    """A new deadline: nobody has fired for it; a timer that is set has the old one."""
    old = OLD_DEADLINE if after[move.me.timer.hv_deadline] >= 0 else 0
    none = UNSET if _nobody(after, move.me.timer) else 0
    return bits & ~(FIRED | STANDS_FOR | DROPPED | WRITING) | old | none


def _begun(bits: int, move: Move, before: Sequence[int], after: Sequence[int]) -> int:
    return bits | WRITING


def _set(bits: int, move: Move, before: Sequence[int], after: Sequence[int]) -> int:
    """The preemption timer is set; one that refuses is left as it was."""
    t, bits = move.me.timer, _over(bits, move)
    if after[t.hv_deadline] < 0:
        return bits | (REFUSED if _nobody(after, t) else 0)
    if after[t.tscdeadline] and before[t.hv_deadline] == after[t.hv_deadline]:
        return bits
    stands = 0 if after[t.tscdeadline] else NO_DEADLINE
    beside = HRTIMER_STAYS if after[t.hrtimer.expires] >= 0 else 0
    return bits & ~(STANDS_FOR | DROPPED) | stands | beside


def _tried(bits: int, move: Move, before: Sequence[int], after: Sequence[int]) -> int:
    """As merged, 0 was a deadline that does not fit either."""
    hv = move.me.timer.hv_deadline
    return bits if 0 <= before[hv] == after[hv] else _set(bits, move, before, after)


def _started(bits: int, move: Move, before: Sequence[int], after: Sequence[int]) -> int:
    t, bits = move.me.timer, _over(bits, move)
    if after[t.hrtimer.expires] < 0:
        return bits
    return bits & ~DROPPED | (HV_STAYS if after[t.hv_deadline] >= 0 else 0)


def _exited(bits: int, move: Move, before: Sequence[int], after: Sequence[int]) -> int:
    asked = before[move.me.timer.hv_deadline] >= 0
    return bits & ~NOT_ASKED | EXITED | (0 if asked else NOT_ASKED)


def _made(bits: int, move: Move, before: Sequence[int], after: Sequence[int]) -> int:
    """An expiry: by whom, and is it the first one for its deadline?"""
    path = move.actor.path.name
    by = BY_HRTIMER if path in CALLBACK else BY_HV if path == RUN_LOOP and bits & EXITED else BY_KVM
    made = _over(bits, move) & ~DROPPED | by
    over = bits & BY_HRTIMER or before[move.me.timer.tscdeadline]  # one that is posted, on another CPU
    if by != BY_HRTIMER and bits & NO_DEADLINE or by == BY_KVM and not over:
        return made | ZERO
    if by == BY_KVM and cycles_to_go(before, move.me) > 0:
        return made | TO_COME
    if by == BY_HV and bits & (OLD_DEADLINE | NOT_ASKED):
        return made | (OVERWRITTEN if bits & OLD_DEADLINE else STRAY)
    earlier = bits & FIRED
    return made | next((name for pair, name in SECOND.items() if earlier and pair == earlier | by), 0)


def _posted(bits: int, move: Move, before: Sequence[int], after: Sequence[int]) -> int:
    """An expiry past ``pending``, which a write would have forgotten."""
    return _made(bits, move, before, after) | (POSTED if bits & WRITING else 0)


def _dropped(name: int) -> Rule:
    """Return the rule of a step behind which nobody may have the alarm any more."""

    def rule(bits: int, move: Move, before: Sequence[int], after: Sequence[int]) -> int:
        return bits & ~DROPPED | name if _nobody(after, move.me.timer) else bits

    return rule


def _slept(bits: int, move: Move, before: Sequence[int], after: Sequence[int]) -> int:
    return bits | ASLEEP if after[move.me.timer.hv_deadline] >= 0 else bits


def _awake(bits: int, move: Move, before: Sequence[int], after: Sequence[int]) -> int:
    return bits & ~ASLEEP


RULES: Mapping[str, Rule] = {
    "WRMSR": _begun,
    "DEADLINE.write": _written,
    "HV.try": _tried,
    "HV.set": _set,
    "LOAD.set_hv": _set,
    "SW.start": _started,
    "EXIT.preemption_timer": _exited,
    "FAST.preemption_timer": _exited,
    "EXPIRED.pending": _made,
    "EXPIRED.deliver": _made,
    "TIMER.pir": _posted,
    "SW.cancel_hv": _dropped(GIVEN_UP),
    "HRT.cancel": _dropped(NOT_SET),
    "HV.expired": _dropped(NOT_TOLD),
    "HV.cancel": _dropped(NOT_TOLD),
    "SCHEDULE.out": _slept,
    "SCHEDULE.in": _awake,
}


def update(bits: int, move: Move, before: Sequence[int], after: Sequence[int]) -> int:
    """Return the bits after ``move``; only while both timers are set is one of them too many."""
    label, me = move.step.label, move.me
    bits = RULES[label](bits, move, before, after) if label in RULES else bits
    if not isinstance(me, TimedVcpu):
        return bits
    both = after[me.timer.hv_deadline] >= 0 and after[me.timer.hrtimer.expires] >= 0
    return bits if both else bits & ~(HRTIMER_STAYS | HV_STAYS)


MONITOR = Monitor(update, NAMES)
