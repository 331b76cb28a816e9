"""One exit n levels up, as a table: exits to level 0, cycles, and how well each total is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from textwrap import wrap

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import Kernel
from kvmlab.scenarios.cpuid_cycles import KERNEL, PUBLISHED, nested_cpuid, published
from kvmlab.scenarios.mixes import by_level
from kvmlab.schedulers.fit import fit
from kvmlab.schedulers.measure import Measured, measure
from kvmlab.schedulers.profile import MachineProfile, Status
from kvmlab.schedulers.profiles.nested import NESTED, SUM

MEASURED, FITTED, PREDICTED = "measured", "fitted", "predicted"
"""How a total is known: its parts were measured on one level; a number was set for it; neither."""


@dataclass(frozen=True, slots=True)
class Floor:
    """What one exit of L``level`` costs."""

    level: int
    measured: Measured
    status: str

    @property
    def exits(self) -> int:
        """Exits to level 0."""
        return sum(self.measured.counts.values())

    @property
    def cycles(self) -> int:
        """Cycles until L``level`` goes on."""
        return int(self.measured.mean)


@dataclass(frozen=True, slots=True)
class Multiplication:
    """The floors from L1 up on one machine, ``on`` these kernels, whose ``accesses`` trap in a lap."""

    on: str
    accesses: int
    profile: MachineProfile
    floors: Sequence[Floor]

    @property
    def foot(self) -> str:
        """What the table owes its reader."""
        known = self.profile.parameters[SUM]
        if known.status is not Status.FITTED:
            return f"{SUM} = {known.cycles} was set by hand: all of it is what that predicts."
        return (
            f"One number, {SUM} = {known.cycles}, was set so that L2 takes {PUBLISHED} cycles on {KERNEL}: "
            f"that it does proves nothing. Above L2 no figure is known to us."
        )

    def __repr__(self) -> str:
        head = [
            f"One CPUID of Ln on {self.on}, under {self.profile.name};",
            f"accesses to a form that trap in a lap: {self.accesses}",
        ]
        rows = [f"  L{f.level:<4}{f.exits:>7}{f.cycles:>10}  {f.status}" for f in self.floors]
        return "\n".join([*head, f"{'':<7}{'exits':>7}{'cycles':>10}", *rows, *wrap(self.foot, 80)])


def fitted(accesses: int, machine: MachineProfile = NESTED) -> MachineProfile:
    """Return the machine on which L2 takes what was published, if so many accesses trapped there.

    One whose sum was set by hand stays as it is. Raises BadInput if the accesses alone cost more than that.
    """
    if machine.parameters[SUM].status is not Status.FITTED:
        return machine
    return fit(published(accesses), machine, SUM, PUBLISHED)


def multiplication(
    kernel: Kernel, levels: int, *, accesses: int = 0, kernels: str = "", machine: MachineProfile = NESTED
) -> Multiplication:
    """Return L1 up to L``levels`` on ``kernel`` (or by level: ``kernels``); the machine is fitted first.

    Raises BadInput for a machine that knows no nesting, and as the scenario does.
    """
    if levels < 1:
        raise BadInput("levels: 1 or more")
    if SUM not in machine.parameters:
        raise BadInput(f"cpuid: {machine.name} knows no nesting; {NESTED.name} does")
    profile, chosen = fitted(accesses, machine), by_level(kernels, levels, "kernels")

    def floor(level: int) -> Floor:
        on = ",".join(f"L{n}={name}" for n, name in chosen.items() if n < level)
        measured = measure(nested_cpuid(kernel, levels=level, accesses=accesses, kernels=on), profile)
        return Floor(level, measured, _status(level, measured.mean, machine))

    on = f"{kernel.name} ({kernels})" if kernels else kernel.name
    return Multiplication(on, accesses, profile, tuple(map(floor, range(1, levels + 1))))


def _status(level: int, cycles: Fraction, machine: MachineProfile) -> str:
    """What was set by hand makes a prediction of all; so does another kernel of what L2 was fitted on."""
    if level == 1 and machine.parameters == NESTED.parameters:
        return MEASURED
    fitted_here = level == 2 and machine.parameters[SUM].status is Status.FITTED
    return FITTED if fitted_here and cycles == PUBLISHED else PREDICTED
