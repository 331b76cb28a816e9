"""A unit test as a scenario: KVMs, the test above them, its guest, and the host's time."""

from collections.abc import Sequence

from kvmlab.errors import BadInput, unknown
from kvmlab.kernels.kernel import Kernel
from kvmlab.kernels.nesting import nested
from kvmlab.kvm.host import RESCHEDULE, TICK, host_irq
from kvmlab.kvm.immediate_exit import CpuModel
from kvmlab.kvm.nested_timer import HRTIMER
from kvmlab.kvm.nested_tsc import Tsc, stacked
from kvmlab.machine.letters import smalls
from kvmlab.machine.state import Layout
from kvmlab.machine.system import Actor, System
from kvmlab.processor.boundary import PRIORITY, TIMER_EVENTS
from kvmlab.processor.code import RUN, Program
from kvmlab.processor.nmi import NMI_WINDOW
from kvmlab.processor.records import ROOT, frame
from kvmlab.processor.wire import WIRE
from kvmlab.scenarios.guests import on_guest
from kvmlab.scenarios.scenario import Scenario
from kvmlab.scenarios.stack import Detail, kvms, stack
from kvmlab.scenarios.unittests.bench import Bench, UnitTest
from kvmlab.scenarios.unittests.mtf import MTF_TEST
from kvmlab.scenarios.unittests.pending_event import PENDING_EVENT, PENDING_EVENT_HLT
from kvmlab.scenarios.unittests.preemption_timer import PREEMPTION_TIMER
from kvmlab.scenarios.unittests.running_timer import EXPIRY_TEST, TF_TEST
from kvmlab.scenarios.unittests.windows import INTR_WINDOW_TEST, NMI_WINDOW_TEST
from kvmlab.scenarios.unittests.zero_timer import ZERO_TEST

TESTS: dict[str, UnitTest] = {
    test.name: test
    for test in (
        PREEMPTION_TIMER,
        ZERO_TEST,
        TF_TEST,
        EXPIRY_TEST,
        PENDING_EVENT,
        PENDING_EVENT_HLT,
        NMI_WINDOW_TEST,
        INTR_WINDOW_TEST,
        MTF_TEST,
    )
}
"""The tests by the names that kvm-unit-tests gives them."""

EVENTS = dict(
    sorted({**TIMER_EVENTS, "NMI_WINDOW": NMI_WINDOW}.items(), key=lambda event: PRIORITY.index(event[0]))
)
GUEST = on_guest(RUN, EVENTS)

CLOCKS = "tuwxyznopqrsbcdefjkl"
"""The hrtimers of the KVMs, from level 0 on; above these others follow."""

ALL_COLD = 0b11


def unit_test(
    name: str,
    kernels: Sequence[Kernel],
    cpus: Sequence[CpuModel],
    *,
    ipi_delay: int = 0,
    cold: bool = False,
    tscs: Sequence[Tsc] = (),
) -> Scenario:
    """Return the test called ``name`` on one KVM for each of ``kernels``, from level 0 on.

    The last of them is the hypervisor under test. An IPI that level 0 sends to itself arrives
    ``ipi_delay`` instructions late. ``cold``: the guest's first touch of a page is an EPT violation.
    ``tscs[n]`` is the offset and the ratio that level n gives L(n+1), by default none.
    Raises BadInput for a name nobody knows, or a kernel without nesting.
    """
    if name not in TESTS:
        raise unknown("unit test", name, TESTS)
    if ipi_delay < 0 or not kernels:
        raise BadInput("ipi_delay: 0 or more; levels of KVM: 1 or more")
    for kernel in kernels:
        kernel.require("levels")
    test, full = TESTS[name], [nested(kernel) for kernel in kernels]
    layout = Layout()
    now = layout.add("now")
    detail = Detail(
        cap=1, code=True, slow_ipi=True, now=now, delay=ipi_delay, trap_gates=test.trap_gates, tscs=(*tscs,)
    )
    parts = stack(layout, full, cpus, detail)
    n, top = len(kernels), parts.core.frame
    memory = {part: layout.add(f"test.{part}") for part in ("stage", "fired", *test.variables)}
    bench = Bench(parts.code[n], parts.told, parts.form, now, memory, stacked(tscs))
    guest = Program(parts.top, test.code(bench), layout.add("cold", ALL_COLD if cold else 0))
    threads = kvms(parts, full)
    system = System(
        layout,
        [
            *threads[:-1],
            Actor("h", "host interrupts", host_irq(RESCHEDULE, TICK), parts.vcpus[0], top, ROOT + 1),
            Actor("m", f"L{n}, the test", test.program, bench, top, frame(n)),
            Actor("g", f"L{n + 1}, its guest", GUEST, guest, top, frame(n + 1)),
            Actor("i", "the interrupt's way", WIRE, parts.vcpus[0].wire),
            *(
                Actor(letter, f"the hrtimer of L{vcpu.level}", HRTIMER, vcpu)
                for letter, vcpu in zip(smalls(CLOCKS), parts.vcpus, strict=False)
            ),
        ],
    )
    at, end = system.pc["m"], len(system.places["m"])
    return Scenario(
        "unit-test",
        f"{name} on {n} KVMs",
        kernels[-1],
        system,
        (),
        lambda s: s[at] == end,
        "",
        {"ipi_delay": ipi_delay, "cold": cold, "tscs": tscs},
        {"core": parts.core, "stack": parts, "bench": bench},
    )
