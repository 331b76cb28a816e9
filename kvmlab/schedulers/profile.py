"""A machine profile: what each step costs on one machine, and how well each of its numbers is known.

Two tables. *Parameters* are named amounts of cycles, each measured, assumed or fitted, with a range and a
source. *Steps* say which parameters a step of a path stands for: one parameter may stand at several steps
(it is charged at each), one step may stand for several parameters. A step of which nothing is known apart
from its neighbours stands for none, but has to be named: what nobody has thought of is an error, not a gift.
A *split* parameter is known as a sum only: its steps share it by weight, and the sum stays exact.

The clock adds up whatever steps happen; nothing else in the project knows a number of cycles.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import accumulate, pairwise

from kvmlab.errors import BadInput, ModelError, unknown
from kvmlab.machine.system import Move


class Status(Enum):
    """How well a number is known: from a published figure; plausible; set so that a headline comes out."""

    MEASURED = "measured"
    ASSUMED = "assumed"
    FITTED = "fitted"


@dataclass(frozen=True, slots=True)
class Parameter:
    """An amount of cycles, the range in which it may lie, and where it comes from.

    Raises BadInput for cycles that are negative or no integer.
    """

    name: str
    cycles: int
    low: int
    high: int
    status: Status
    source: str
    says: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.cycles, bool) or not isinstance(self.cycles, int) or self.cycles < 0:
            raise BadInput(f"{self.name}={self.cycles!r}: cycles are whole numbers, 0 or more")

    @property
    def outside(self) -> bool:
        """Whether the number lies outside its range, as one set by hand may."""
        return not self.low <= self.cycles <= self.high


@dataclass(frozen=True, slots=True)
class Charge:
    """What one step costs for the sake of one parameter."""

    parameter: str
    cycles: int


def by_name(parameters: Iterable[Parameter]) -> dict[str, Parameter]:
    """Return a parameter table; raise ModelError for a name used twice."""
    table: dict[str, Parameter] = {}
    for parameter in parameters:
        if table.setdefault(parameter.name, parameter) is not parameter:
            raise ModelError(f"two parameters are called {parameter.name}")
    return table


def share(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Divide ``total`` by weight into whole numbers that add up to it again."""
    whole = sum(weights.values())
    ends = [total * part // whole for part in accumulate(weights.values(), initial=0)]
    return {step: b - a for step, (a, b) in zip(weights, pairwise(ends), strict=True)}


@dataclass(frozen=True, slots=True)
class MachineProfile:
    """A machine: its parameters by name, the parameters of each step, the weights of those that are split.

    Raises ModelError if a step names a parameter that is not there, or a parameter stands at no step.
    """

    name: str
    says: str
    source: str
    parameters: Mapping[str, Parameter]
    steps: Mapping[str, tuple[str, ...]]
    splits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    _charges: Mapping[str, tuple[Charge, ...]] = field(init=False, repr=False, compare=False)
    _cycles: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        named = {name for names in self.steps.values() for name in names}
        if odd := sorted(named ^ self.parameters.keys()):
            raise ModelError(f"{self.name}: {', '.join(odd)}: in one of its two tables only")
        shares = {p: share(self.parameters[p].cycles, weights) for p, weights in self.splits.items()}
        for parameter, weights in self.splits.items():
            if weights.keys() != {step for step, names in self.steps.items() if parameter in names}:
                raise ModelError(f"{self.name}: {parameter} is split among other steps than it stands at")
        charges = {
            step: tuple(Charge(p, self._amount(shares, p, step)) for p in names)
            for step, names in self.steps.items()
        }
        object.__setattr__(self, "_charges", charges)
        object.__setattr__(self, "_cycles", {s: sum(c.cycles for c in cs) for s, cs in charges.items()})

    def _amount(self, shares: Mapping[str, Mapping[str, int]], parameter: str, step: str) -> int:
        return shares[parameter][step] if parameter in shares else self.parameters[parameter].cycles

    def charges(self, step: str) -> tuple[Charge, ...]:
        """Return what a step costs, parameter by parameter; raise ModelError for one that is not named."""
        if step not in self._charges:
            raise ModelError(f"{self.name} does not say what {step} costs; name it, if only as free")
        return self._charges[step]

    def cost(self, move: Move) -> int:
        """Return the cycles that ``move`` occupies its CPU."""
        cycles = self._cycles.get(move.step.label)
        return sum(c.cycles for c in self.charges(move.step.label)) if cycles is None else cycles

    def derive(self, name: str = "", **cycles: int) -> "MachineProfile":
        """Return this machine with other numbers under some of its names; the steps stay what they are.

        Raises BadInput for a name that it does not have (with the nearest one), or for cycles that cannot be.
        """
        own = dict(self.parameters)
        for parameter, value in cycles.items():
            if parameter not in own:
                raise unknown("parameter", parameter, own)
            was = own[parameter]
            note = f"set by hand; {self.name} has {was.cycles} ({was.status.value})"
            own[parameter] = replace(was, cycles=value, status=Status.ASSUMED, source=note)
        changed = "+".join(f"{parameter}={value}" for parameter, value in cycles.items())
        return replace(self, name=name or f"{self.name}+{changed}", parameters=own)
