"""A fit: one number of a machine, set so that a measurement comes out as it was published."""

from dataclasses import replace

from kvmlab.errors import BadInput
from kvmlab.machine.bench import Bench
from kvmlab.schedulers.measure import measure
from kvmlab.schedulers.profile import MachineProfile, Status
from kvmlab.schedulers.sensitivity import as_sum


def fit(bench: Bench, profile: MachineProfile, parameter: str, cycles: int) -> MachineProfile:
    """Return the machine on which the mean of ``bench`` is ``cycles``; only ``parameter`` is another.

    Its source stays what it was. Raises BadInput if no whole number, 0 or more, does it.
    """
    unit = profile.derive(profile.name, **{parameter: 1})
    total = as_sum(measure(bench, unit))
    if parameter not in total.times:
        raise BadInput(f"{bench.name} does not depend on {parameter}")
    rest = total.value({name: p.cycles for name, p in unit.parameters.items()} | {parameter: 0})
    value = (cycles - rest) / total.times[parameter]
    if value < 0 or value.denominator != 1:
        raise BadInput(f"{bench.name} on {profile.name}: no {parameter} makes {cycles}, with 0 it is {rest}")
    fitted = replace(profile.parameters[parameter], cycles=int(value), status=Status.FITTED)
    name = f"{profile.name}+{parameter}={fitted.cycles}"
    return replace(profile, name=name, parameters={**profile.parameters, parameter: fitted})
