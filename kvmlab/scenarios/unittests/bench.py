"""What a test program is made of: entries into its guest, writes to its form, and assertions that report.

A test is a hypervisor of its own, one level above the KVM under test. Its form is shadowed: VMREAD and
VMWRITE cost no exit here. Source of the tests' structure: kvm-unit-tests, x86/vmx.c and x86/vmx_tests.c.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kvmlab.kvm.nested_tsc import Tsc
from kvmlab.machine.state import Cell
from kvmlab.machine.step import STAY, Block, Fired, Step, block
from kvmlab.processor import lapic, preemption_timer
from kvmlab.processor.apic_write import X2APIC_ICR
from kvmlab.processor.boundary import TIMER_EVENTS, in_guest
from kvmlab.processor.code import Code
from kvmlab.processor.entry import vm_exit
from kvmlab.processor.exits import Exit, show
from kvmlab.processor.icr import self_ipi
from kvmlab.processor.records import Guest, Vmcs, show_rip

VMCALL_LENGTH = 3


@dataclass(frozen=True, slots=True)
class Bench:
    """What a test works on: its own code ``guest``, its guest ``l2`` and ``form`` for it, ``memory``.

    ``now`` is level 0's TSC; ``tsc`` makes the test's out of it, which is its guest's too. ``memory`` are its
    variables, which its guest shares; ``stage`` and ``fired`` are always there.
    """

    guest: Guest
    l2: Guest
    form: Vmcs
    now: Cell
    memory: Mapping[str, Cell]
    tsc: Tsc = Tsc()

    def rdtsc(self, s: Sequence[int]) -> int:
        """Return what RDTSC gives the test, and its guest."""
        return self.tsc.read(s[self.now])


Change = Callable[[list[int], Bench], None]
Check = Callable[[Sequence[int], Bench], bool]
Say = Callable[[Sequence[int], Bench], str]


@dataclass(frozen=True, slots=True)
class UnitTest:
    """A test: its program, the variables it shares with its guest, and the guest's code, made for them.

    ``trap_gates`` are the vectors whose handlers keep IF.
    """

    name: str
    program: Block
    code: Callable[["Bench"], Code]
    variables: tuple[str, ...] = ()
    trap_gates: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Action:
    """One line of a test; the script numbers it."""

    says: str
    fn: Callable[[list[int], Bench], str | None]
    emits: Callable[[Sequence[int], Sequence[int], Bench], Sequence[Fired]] | None = None
    leaves: tuple[str, ...] = ()


def report(name: str, passed: bool, text: str) -> Fired:
    """Return the event of one assertion: the line that the test prints."""
    return "report", {"name": name, "ok": passed, "text": text}


def write(says: str, change: Change) -> Action:
    """Return a change of the form, of the guest's saved state, or of the test's own variables."""

    def run(s: list[int], me: Bench) -> None:
        change(s, me)

    return Action(says, run)


def _enter(s: list[int], me: Bench) -> None:
    vm_exit(s, me.guest, Exit.VMRESUME)


ENTER = Action("enter_guest: VMLAUNCH or VMRESUME", _enter)


def check(name: str, passes: Check, text: Say) -> Action:
    """Return an assertion that reports and goes on."""

    def fire(before: Sequence[int], after: Sequence[int], me: Bench) -> tuple[Fired, ...]:
        return (report(name, passes(before, me), text(before, me)),)

    return Action(f"report: {name}", _nothing, fire)


def _nothing(s: list[int], me: Bench) -> None:
    """Change nothing."""


def require(name: str, reason: Exit, then: Change = _nothing) -> Action:
    """Return the assertion that the exit had this reason; without it the test cannot go on."""

    def met(s: Sequence[int], me: Bench) -> bool:
        return s[me.form.reason] == reason

    def run(s: list[int], me: Bench) -> str | None:
        if not met(s, me):
            return "test"
        then(s, me)
        return None

    def fire(before: Sequence[int], after: Sequence[int], me: Bench) -> tuple[Fired, ...]:
        text = f"Expected {reason.name}, got {show(before[me.form.reason])}."
        return () if met(before, me) else (report(name, False, text),)

    return Action(f"the exit must be {reason.name}", run, fire, ("test",))


def _behind_vmcall(s: list[int], me: Bench) -> None:
    s[me.l2.rip] += VMCALL_LENGTH


def skip_vmcall(name: str = "skip_exit_vmcall") -> Action:
    """Return "the guest stands at a VMCALL: step over it"."""
    return require(name, Exit.VMCALL, _behind_vmcall)


def exited(reason: Exit, rip: Callable[[Sequence[int], Bench], int]) -> Check:
    """Return the check that the exit had this reason and left the guest at this address."""
    return lambda s, me: s[me.form.reason] == reason and s[me.l2.rip] == rip(s, me)


def seen(reason: Exit, rip: Callable[[Sequence[int], Bench], int]) -> Say:
    """Return the line that says which exit was seen and which one was expected."""

    def text(s: Sequence[int], me: Bench) -> str:
        at, wanted = show_rip(s[me.l2.rip]), show_rip(rip(s, me))
        return f"exit {show(s[me.form.reason])} at {at} (expected {reason.name} at {wanted})"

    return text


def at_its_level(ticks: int, me: Bench) -> int:
    """Return how many ticks there are for what takes ``ticks`` at level 0.

    The way of an exit to the test, and back, takes twice as long at every level.
    """
    return ticks << me.guest.level - 1


def arm(value: int) -> Change:
    """Return "activate the preemption timer with this value"."""
    return lambda s, me: preemption_timer.arm(s, me.form, value)


def disarm(s: list[int], me: Bench) -> None:
    """Deactivate the preemption timer."""
    preemption_timer.disarm(s, me.form)


def send_self_ipi(vector: int) -> Action:
    """Return the write of the ICR that sends ``vector`` to the test's own CPU; it exits."""

    def run(s: list[int], me: Bench) -> None:
        assert me.guest.msr is not None and me.guest.value is not None
        s[me.guest.msr], s[me.guest.value] = X2APIC_ICR, self_ipi(vector)
        vm_exit(s, me.guest, Exit.MSR_WRITE)

    return Action(f"apic_icr_write: {vector:#x} to this CPU", run)


def interrupts(on: bool) -> Action:
    """Return STI or CLI in the test's own code."""

    def run(s: list[int], me: Bench) -> None:
        s[me.guest.cpu.irq] = int(on)

    return Action("sti" if on else "cli", run)


NOP = Action("nop: an interrupt that waits is taken here", _nothing)


def numbered(*actions: Action) -> tuple[Step, ...]:
    """Return the actions as steps, numbered."""
    return tuple(
        Step(f"TEST.{n:02}", action.fn, says=action.says, leaves=action.leaves, emits=action.emits)
        for n, action in enumerate(actions, 1)
    )


def _handle(s: list[int], me: Bench) -> str:
    """The test's handler of an interrupt: it remembers, ends the interrupt, returns."""
    lapic.end_of_interrupt(s, me.guest.cpu)
    s[me.memory["fired"]] = 1
    s[me.guest.delivered] = 0
    s[me.guest.cpu.irq] = 1
    return STAY


HANDLER = Step(
    "IRQ.test",
    _handle,
    lambda s, me: s[me.guest.delivered],
    "the test's own interrupt handler runs",
)


def program(*items: Step | Block) -> Block:
    """Return the test as guest code: the processor's events, and its handler, come before each line."""
    handled = in_guest(block("test", *items), lambda me: me, {"HANDLER": HANDLER})
    return in_guest(handled, lambda me: me.guest, TIMER_EVENTS)


def script(*actions: Action) -> Block:
    """Return a test that does one thing after the other."""
    return program(*numbered(*actions))
