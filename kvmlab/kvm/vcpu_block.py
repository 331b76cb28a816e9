"""A halted guest: the thread polls, then sleeps in a wait queue until somebody wakes it.

Queue first, look then, sleep last: whoever makes something pending looks at the queue afterwards, so one of
the two sees the other. A wake-up takes the thread out of the queue; what it finds may not be for it, so it
looks again. An expired timer ends the wait but does not make the guest runnable: the interrupt does,
which the tail of vcpu_run makes of it.
Source: v4.10 x86.c vcpu_block, kvm_arch_vcpu_runnable; kvm_main.c kvm_vcpu_block, kvm_vcpu_check_block,
grow_halt_poll_ns.
"""

from collections.abc import Sequence

from kvmlab.kvm import timer_tracepoints as trace
from kvmlab.kvm.exits import because
from kvmlab.kvm.lapic_timer import has_pending_timer
from kvmlab.kvm.records import Sender, Vcpu
from kvmlab.kvm.requests import KVM_REQ_UNHALT
from kvmlab.kvm.timer_records import HALTED, RUNNABLE, TimedVcpu, host_now
from kvmlab.machine.call import call
from kvmlab.machine.step import Block, Effect, Step, block, loop
from kvmlab.processor import apicv, lapic, priority
from kvmlab.processor.exits import Exit
from kvmlab.processor.shadow import blocked, lift
from kvmlab.processor.vectors import top

X86 = "v4.10 x86.c vcpu_block"
MAIN = "v4.10 virt/kvm/kvm_main.c kvm_vcpu_block"


def is_runnable(s: Sequence[int], me: Vcpu) -> bool:
    """kvm_arch_vcpu_runnable: an interrupt waits that the halted guest would take.

    With APICv the kernel syncs PIR here; the model only looks, the next entry's sync will do it.
    """
    guest = me.guests[0]
    if not s[guest.cpu.irq] or blocked(s, guest):
        return False
    if guest.apicv is None:
        return lapic.deliverable(s, guest.cpu)
    posted = s[guest.apicv.pir] if s[guest.apicv.on] else 0
    return priority.passes(top(s[guest.apicv.virr] | posted), apicv.processor_priority(s, guest.apicv))


def _running(s: list[int], me: TimedVcpu) -> str:
    return "vcpu_enter_guest" if s[me.halt.mp_state] == RUNNABLE else "vcpu_block"


def _halt(s: list[int], me: TimedVcpu) -> None:
    """Step over the instruction: it was the one in the shadow of an STI, if there was one."""
    lift(s, me.guests[0])
    s[me.halt.mp_state] = HALTED


RUNNING = Step(
    "MP_STATE",
    _running,
    says="is the guest running? then vcpu_enter_guest, else vcpu_block",
    source="v4.10 x86.c vcpu_run",
    leaves=("vcpu_enter_guest", "vcpu_block"),
)
EXIT_HLT = Step(
    "EXIT.hlt",
    _halt,
    because(Exit.HLT),
    "the guest halts: mp_state := HALTED",
    "v4.10 x86.c kvm_vcpu_halt",
)


def looks(leave: str, says_so: bool) -> Effect:
    """Return kvm_vcpu_check_block, which ends the wait by leaving ``leave``; it may raise KVM_REQ_UNHALT."""

    def run(s: list[int], me: TimedVcpu) -> str | None:
        runnable = is_runnable(s, me)
        if runnable and says_so:
            s[me.requests] |= KVM_REQ_UNHALT
        return leave if runnable or has_pending_timer(s, me) else None

    return run


CHECK = Step(
    "SWAIT.check",
    looks("swait", True),
    says="is an interrupt there for the guest (KVM_REQ_UNHALT), or an expiry? then do not sleep",
    source="v4.10 virt/kvm/kvm_main.c kvm_vcpu_check_block",
    leaves=("swait",),
)


def _prepare(s: list[int], me: TimedVcpu) -> None:
    s[me.halt.waiting] = 1


def _out(s: list[int], me: TimedVcpu) -> None:
    s[me.halt.asleep] = s[me.halt.waiting]
    s[me.halt.waited] = 1


def _in(s: list[int], me: TimedVcpu) -> None:
    s[me.halt.asleep] = 0


def _finish(s: list[int], me: TimedVcpu) -> None:
    s[me.halt.waiting] = 0


PREPARE = Step("SWAIT.prepare", _prepare, says="the thread queues up to be woken", source=MAIN)
SCHEDULE = (
    Step(
        "SCHEDULE.out",
        _out,
        says="schedule: the thread sleeps, unless somebody has taken it out of the queue",
        source=MAIN,
        emits=trace.switch_out,
    ),
    Step(
        "SCHEDULE.in",
        _in,
        lambda s, me: not s[me.halt.waiting],
        "somebody has woken the thread: it runs again",
        MAIN,
        emits=trace.switch_in,
    ),
)
FINISH = Step("SWAIT.finish", _finish, says="the thread leaves the wait queue", source=MAIN)


def _poll(s: list[int], me: TimedVcpu) -> str | None:
    h = me.halt
    s[h.waited], s[h.start] = 0, host_now(s, me)
    s[h.poll] = min(s[h.poll], h.max_poll)
    if not s[h.poll]:
        return "halt_poll"
    s[h.stop] = host_now(s, me) + s[h.poll]
    return None


def woken(s: Sequence[int], me: TimedVcpu) -> bool:
    """Polling looks again and again; what it sees is all that matters."""
    return is_runnable(s, me) or has_pending_timer(s, me) or s[me.halt.stop] <= host_now(s, me)


def adapt(s: list[int], me: TimedVcpu) -> None:
    """The polling time grows after a short halt that it missed; after one above the maximum it is 0.

    What has grown too far is cut when the next halt begins.
    """
    h = me.halt
    s[h.stop] = -1
    halted = host_now(s, me) - s[h.start]
    if not h.max_poll or halted <= s[h.poll]:
        return
    if s[h.poll] and halted > h.max_poll:
        s[h.poll] = 0
    elif s[h.poll] < h.max_poll and halted < h.max_poll:
        s[h.poll] = max(2 * s[h.poll], h.poll_start)


def adapt_4_10(s: list[int], me: TimedVcpu) -> None:
    """The same, and it never grows above the maximum."""
    adapt(s, me)
    s[me.halt.poll] = min(s[me.halt.poll], me.halt.max_poll)


POLL_END = Step(
    "POLL.end",
    looks("wait", True),
    woken,
    "the thread has looked again and again: something is there, or the time is over",
    MAIN,
    leaves=("wait",),
)
POLL = block(
    "halt_poll",
    Step(
        "POLL.start",
        _poll,
        says="is there a time to poll for? 0: go to sleep at once",
        source=MAIN,
        leaves=("halt_poll",),
    ),
    POLL_END,
)
ADAPT = Step(
    "POLL.adapt",
    adapt_4_10,
    says="the wait is over; the time to poll for next time is adapted",
    source="v4.10 virt/kvm/kvm_main.c kvm_vcpu_block, grow_halt_poll_ns, shrink_halt_poll_ns",
    emits=trace.wakeup,
)
KVM_VCPU_BLOCK = block(
    "kvm_vcpu_block",
    block("wait", POLL, loop("swait", PREPARE, CHECK, *SCHEDULE), FINISH),
    ADAPT,
)


def _runnable(s: list[int], me: TimedVcpu) -> str | None:
    return "unless_runnable" if is_runnable(s, me) else None


def _unhalt(s: list[int], me: TimedVcpu) -> str | None:
    unhalted = s[me.requests] & KVM_REQ_UNHALT
    s[me.requests] &= ~KVM_REQ_UNHALT
    return None if unhalted else "vcpu_block"


def _up(s: list[int], me: TimedVcpu) -> None:
    s[me.halt.mp_state] = RUNNABLE


BLOCK_RUNNABLE = Step(
    "BLOCK.runnable",
    _runnable,
    says="is an interrupt there for the halted guest? then there is nothing to wait for",
    source=X86 + ", kvm_arch_vcpu_runnable",
    leaves=("unless_runnable",),
)
BLOCK_UP = Step("BLOCK.up", _up, says="mp_state := RUNNABLE", source=X86)
VCPU_BLOCK: Block = block(
    "vcpu_block",
    block(
        "unless_runnable",
        BLOCK_RUNNABLE,
        call("kvm_vcpu_block", X86, "BLOCK.wait"),
        Step(
            "BLOCK.unhalt",
            _unhalt,
            says="test and clear KVM_REQ_UNHALT; not set: another lap, the guest stays halted",
            source=X86,
            leaves=("vcpu_block",),
        ),
    ),
    BLOCK_UP,
)


def _wake_up(s: list[int], me: Sender) -> None:
    assert isinstance(me.vcpu, TimedVcpu)
    s[me.vcpu.halt.waiting] = 0


KICK_WAKE = Step(
    "KICK.wake",
    _wake_up,
    says="kick: is the thread in the wait queue? then wake it",
    source="v4.10 virt/kvm/kvm_main.c kvm_vcpu_kick, kvm_vcpu_wake_up",
)
"""What a kick does first, where a thread may sleep."""
