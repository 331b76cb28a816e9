"""Every machine by its name; behind a ``+`` stand a learner's own numbers, as in ``HSW16+REQ_EVENT=0``."""

from collections.abc import Iterable

from kvmlab.errors import BadInput, unknown
from kvmlab.schedulers.profile import MachineProfile
from kvmlab.schedulers.profiles.hsw16 import HSW16
from kvmlab.schedulers.profiles.nested import NESTED, NESTED_L0
from kvmlab.schedulers.profiles.traced import TRACED

PROFILES = {profile.name: profile for profile in (HSW16, TRACED, NESTED, NESTED_L0)}


def profile(name: str) -> MachineProfile:
    """Return the machine called ``name``.

    Raises BadInput for a machine or parameter that nobody knows (with the nearest one), for a parameter that
    is there twice, or what is no number.
    """
    base, *own = name.split("+")
    if base not in PROFILES:
        raise unknown("profile", base, PROFILES)
    return PROFILES[base].derive(name, **_once(map(_own, own))) if own else PROFILES[base]


def _once(numbers: Iterable[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for parameter, cycles in numbers:
        if parameter in found:
            raise BadInput(f"{parameter} is there twice, as {found[parameter]} and as {cycles}; say it once")
        found[parameter] = cycles
    return found


def _own(text: str) -> tuple[str, int]:
    parameter, _, cycles = text.partition("=")
    if not cycles.isdecimal():
        raise BadInput(
            f"{text or '+'}: write PARAMETER=CYCLES, like REQ_EVENT=0; cycles are whole numbers, 0 or more"
        )
    return parameter, int(cycles)
