"""Broken machines for the unit tests: a harm that is done behind one step, at one place of a test."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from kvmlab.kernels.names import kernel
from kvmlab.kvm.immediate_exit import CpuModel
from kvmlab.kvm.nested_timer import EMULATED_RATE
from kvmlab.labs.unittest import DEFAULT_KERNEL, INSTRUCTIONS, LIMIT, unittest
from kvmlab.machine.run import Taken
from kvmlab.machine.step import Block, Row, Step
from kvmlab.processor.entry import vm_exit
from kvmlab.processor.exits import Exit
from kvmlab.processor.preemption_timer import expiry
from kvmlab.processor.records import ACTIVE, frame
from kvmlab.processor.timer_events import DEBUG_VECTOR, intercepts
from kvmlab.scenarios.scenario import Scenario
from kvmlab.scenarios.stack import Stack
from kvmlab.scenarios.unittests import running_timer
from kvmlab.scenarios.unittests.bench import Bench
from kvmlab.scenarios.unittests.scenario import TESTS, unit_test
from kvmlab.scenarios.unittests.zero_timer import INJECTED_DB
from kvmlab.schedulers.clock import Clock

Harm = Callable[[list[int], Bench, Stack], None]


@dataclass(frozen=True)
class Broken:
    """A machine that is broken behind ``step`` (actor and label) while the test stands ``at`` a place.

    ``at`` is ``stage N``, or a line of the test: the entry in front of it. Empty: wherever it stands.
    """

    test: str
    line: str
    says: str
    step: str
    harm: Harm
    at: str = ""

    @property
    def where(self) -> str:
        """The stage, or the label of the place."""
        bare = not self.at or self.at.startswith("stage ")
        return self.at if bare else entry_before(self.test, self.at)

    def __str__(self) -> str:
        return f"{self.test}, {self.line}: {self.says}"


def told(reason: Exit) -> Harm:
    """L1 is told another reason than L2 left for."""

    def harm(s: list[int], bench: Bench, stack: Stack) -> None:
        s[bench.form.reason] = reason

    return harm


def value(ticks: int) -> Harm:
    """L1's form holds another value of the preemption timer."""

    def harm(s: list[int], bench: Bench, stack: Stack) -> None:
        assert bench.form.timer is not None
        s[bench.form.timer] = ticks

    return harm


def _clock_of(stack: Stack) -> int:
    nested = stack.vcpus[0].nested
    assert nested is not None and nested.clock is not None
    return nested.clock.deadline


def never(s: list[int], bench: Bench, stack: Stack) -> None:
    """L1's timer is never started."""
    s[_clock_of(stack)] = -1


def half(s: list[int], bench: Bench, stack: Stack) -> None:
    """L1's timer runs twice as fast."""
    s[_clock_of(stack)] = (s[bench.now] + s[_clock_of(stack)]) // 2


def tick_late(s: list[int], bench: Bench, stack: Stack) -> None:
    """L1's timer begins to run with L2, and runs out one of its ticks too late."""
    if s[_clock_of(stack)] >= 0 and s[stack.top.core.frame] == frame(stack.top.level):
        s[_clock_of(stack)] = expiry(s[bench.now], running_timer.PERIOD + 1, EMULATED_RATE)


def forgotten(s: list[int], bench: Bench, stack: Stack) -> None:
    """The immediate exit is wished for and not made."""
    s[stack.vcpus[0].immediate] = 0


def lost_trap(s: list[int], bench: Bench, stack: Stack) -> None:
    """The #DB that is L2's own is dropped."""
    exception = stack.vcpus[0].exception
    assert exception is not None
    s[exception] = 0


def lost_to_the_timer(s: list[int], bench: Bench, stack: Stack) -> None:
    """The #DB is dropped where L1's timer has run out."""
    nested = stack.vcpus[0].nested
    assert nested is not None
    if s[nested.expired]:
        lost_trap(s, bench, stack)


def no_debug(s: list[int], bench: Bench, stack: Stack) -> None:
    """The pending debug exceptions are lost."""
    assert bench.l2.debug is not None
    s[bench.l2.debug] = 0


def intercepted(s: list[int], bench: Bench, stack: Stack) -> None:
    """A CPU that looks at the exception bitmap for what is injected, too."""
    top = stack.top
    if s[top.core.frame] == frame(top.level) and intercepts(s, bench.form, DEBUG_VECTOR):
        assert top.return_rip is not None
        s[top.rip] = s[top.return_rip]
        vm_exit(s, top, Exit.EXCEPTION_NMI, exit_intr=INJECTED_DB)


def unshadowed(shadow: int) -> Harm:
    """A CPU that knows nothing of this shadow."""

    def harm(s: list[int], bench: Bench, stack: Stack) -> None:
        assert bench.l2.shadow is not None
        s[bench.l2.shadow] &= ~shadow

    return harm


def at(address: int) -> Harm:
    """L2 leaves at another instruction."""

    def harm(s: list[int], bench: Bench, stack: Stack) -> None:
        s[bench.l2.rip] = address

    return harm


def one_further(s: list[int], bench: Bench, stack: Stack) -> None:
    """L2 has run one instruction."""
    s[bench.l2.rip] += 1


def memory(part: str, number: int) -> Harm:
    """What L2 has in memory is another value."""

    def harm(s: list[int], bench: Bench, stack: Stack) -> None:
        s[bench.memory[part]] = number

    return harm


def swallowed(s: list[int], bench: Bench, stack: Stack) -> None:
    """The interrupt for L1 is gone."""
    s[bench.guest.cpu.irr] = 0


def awake(s: list[int], bench: Bench, stack: Stack) -> None:
    """L2 is active again."""
    assert bench.l2.activity is not None
    s[bench.l2.activity] = ACTIVE


def woken(s: list[int], bench: Bench, stack: Stack) -> None:
    """L2 wakes from its halt without anything for L1, and L1's timer is forgotten."""
    nested = stack.vcpus[0].nested
    assert nested is not None and nested.halted is not None
    s[nested.halted] = 0
    awake(s, bench, stack)
    never(s, bench, stack)


def scenario(test: str) -> Scenario:
    """Return a test on the default kernel at level 0."""
    return unit_test(test, [kernel(DEFAULT_KERNEL)], [CpuModel()])


def steps(block: Block) -> Iterator[Step]:
    """Yield the steps of a test's program without the processor's events."""
    for node in block.walk():
        yield from node.free if isinstance(node, Row) else (node,) if isinstance(node, Step) else ()


def entry_before(test: str, line: str) -> str:
    """Return the place at which a script stands while its guest runs for ``line``; for its end, the last."""
    script = list(steps(TESTS[test].program))
    waits = ""
    for entered, step in zip(script, script[1:], strict=False):
        waits = step.label if entered.says.startswith("enter_guest") else waits
        if step.says == f"report: {line}":
            return waits
    return script[-1].label


def run(chosen: Scenario, broken: Broken | None) -> Iterator[Taken]:
    """Yield the steps of a test by the clock; ``broken`` does its harm wherever it applies."""
    bench, stack = chosen.records["bench"], chosen.records["stack"]
    clock = Clock(chosen.system, INSTRUCTIONS, bench.now)
    for taken in clock.steps(LIMIT):
        yield taken
        if chosen.done(taken.after):
            return
        if broken and taken.move.label == broken.step and broken.where in _here(chosen, taken.after):
            broken.harm(clock.state, bench, stack)
    raise AssertionError("the test does not end")


def _here(chosen: Scenario, s: Sequence[int]) -> tuple[str, str, str]:
    place = chosen.system.places["m"][s[chosen.system.pc["m"]]]
    return f"stage {s[chosen.records['bench'].memory['stage']]}", place.row.label, ""


def failing(broken: Broken) -> list[str]:
    """Return the lines that fail on the broken machine."""
    fired = (event for taken in run(scenario(broken.test), broken) for event in taken.events)
    return [fields["name"] for name, fields in fired if name == "report" and not fields["ok"]]


def reports(test: str) -> list[str]:
    """Return the lines that a passing run prints, in their order."""
    return [line.name for line in unittest(test).lines]
