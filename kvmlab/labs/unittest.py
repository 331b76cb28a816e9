"""Run a unit test by the clock of the recorded machine, one instruction a cycle; read what it reports."""

from collections.abc import Sequence
from dataclasses import dataclass

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.kvm.nested_tsc import Tsc
from kvmlab.scenarios.mixes import by_level, cpus_by_level
from kvmlab.scenarios.unittests.scenario import unit_test
from kvmlab.schedulers.clock import Clock, Profile

SEND_TO_ENTRY = 197
"""Instructions from the write of the ICR to the VM entry. Measured: between 50 and 200; and since an IPI 200
instructions late still comes before the guest's sixth, between 195 and 199."""

INSTRUCTIONS = Profile(
    "instructions",
    {"CHECK_IMMEDIATE": SEND_TO_ENTRY - 2, "HV_TIMER": 1, "VMENTRY": 1, "INSN": 1},
    default=5,
)
"""What the other steps of KVM cost does not matter here; the number is made up."""

LIMIT = 50_000
"""Steps at level 0, twice as many at every level above; the longest test that ends takes half of that."""
DEFAULT_KERNEL = "v6.1+noapicv"


@dataclass(frozen=True, slots=True)
class Line:
    """One assertion: its name, whether it held, and what the test prints."""

    name: str
    ok: bool
    text: str

    def __repr__(self) -> str:
        return f"{'PASS' if self.ok else 'FAIL'}: {self.name}: {self.text}"


@dataclass(frozen=True, slots=True)
class Result:
    """The lines of a test; ``finished`` says whether it came to its end."""

    name: str
    lines: tuple[Line, ...]
    finished: bool

    @property
    def ok(self) -> bool:
        """Whether it finished and every assertion held."""
        return self.finished and all(line.ok for line in self.lines)

    def __repr__(self) -> str:
        end = f"{'PASS' if self.ok else 'FAIL'} {self.name}" + ("" if self.finished else " (does not end)")
        return "\n".join([*map(repr, self.lines), end])


def unittest(
    name: str,
    *,
    level: int = 0,
    kernels: str = "",
    cpus: str = "",
    ipi_delay: int = 0,
    cold: bool = False,
    tscs: Sequence[Tsc] = (),
) -> Result:
    """Run the test called ``name`` with KVM at ``level`` as the hypervisor under test.

    ``kernels`` (``L0=v4.18,L1=d264ee0``) names the kernel of single levels (v6.1+noapicv otherwise), ``cpus``
    (``L0=no-timer``) what they run on. An IPI that
    level 0 sends to itself arrives ``ipi_delay`` instructions late; ``cold``: the guest's first touch of
    a page is an EPT violation; ``tscs[n]``: what level n does to the TSC of L(n+1). Raises BadInput for an
    impossible level, name or kernel.
    """
    if level < 0:
        raise BadInput("level: that of the hypervisor under test, 0 or more")
    named = by_level(kernels, level + 1, "kernels")
    chosen = [kernel(named.get(n, DEFAULT_KERNEL)) for n in range(level + 1)]
    models = cpus_by_level(cpus, level + 1)
    scenario = unit_test(name, chosen, models, ipi_delay=ipi_delay, cold=cold, tscs=tscs)
    clock = Clock(scenario.system, INSTRUCTIONS, scenario.records["bench"].now)
    lines = []
    for step in clock.steps(LIMIT << level):
        lines += [Line(**fields) for event, fields in step.events if event == "report"]
        if scenario.done(step.after):
            return Result(name, tuple(lines), True)
    return Result(name, tuple(lines), False)
