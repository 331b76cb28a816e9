"""The guest's TSC, and KVM's arithmetic from a deadline of the guest to one of the host.

guest = offset + host * ratio, in integers, the ratio with 48 fractional bits. Only a difference is scaled
back, so the offset cancels and the ratio does not. What a kernel does with a deadline that has passed is a
function each: that is where 64672c9, v4.10 and v4.19 differ.
Sources: 64672c95ea4c, v4.10, v4.19 vmx.c vmx_set_hv_timer, vmx_arm_hv_timer; x86.c kvm_scale_tsc,
kvm_set_tsc_khz.
"""

from collections.abc import Callable
from dataclasses import dataclass

from kvmlab.machine.state import Cell

FRACTION_BITS = 48
DEFAULT_RATIO = 1 << FRACTION_BITS
U64 = (1 << 64) - 1
"""Source: vmx.c KVM_VMX_TSC_MULTIPLIER_MAX is this too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tsc:
    """The cell of the host's TSC, its rate, and what makes the guest's out of it."""

    host: Cell
    khz: int = 1_000_000
    offset: int = 0
    ratio: int = DEFAULT_RATIO


def ratio_of(guest_khz: int, host_khz: int) -> int:
    """Return the TSC multiplier for a guest that runs at ``guest_khz``."""
    return (guest_khz << FRACTION_BITS) // host_khz


def scale(cycles: int, ratio: int) -> int:
    """Return host cycles as guest cycles."""
    return (cycles * ratio >> FRACTION_BITS) & U64


def guest_tsc(host: int, offset: int = 0, ratio: int = DEFAULT_RATIO) -> int:
    """Return what RDTSC gives in the guest when the host's TSC is ``host``."""
    return (offset + scale(host, ratio)) & U64


def unscale(cycles: int, ratio: int) -> int | None:
    """Return guest cycles as host cycles; ``None`` if that does not fit 64 bits."""
    quotient = (cycles << FRACTION_BITS) // ratio
    return quotient if quotient <= U64 else None


Delta = Callable[[int, int, int], int]
"""(guest deadline, guest TSC, advance) -> guest cycles to go."""


def plain_difference(deadline: int, now: int, advance: int) -> int:
    """Return the difference as 64672c9 has it: a deadline that has passed underflows to a huge number."""
    return (deadline - now) & U64


def clamped(deadline: int, now: int, advance: int) -> int:
    """Return the difference as v4.10 has it: nothing is left if the deadline has passed."""
    return max(deadline, now) - now


def advanced(deadline: int, now: int, advance: int) -> int:
    """Return the difference as v4.19 has it: ``advance`` guest cycles less."""
    return max(clamped(deadline, now, 0) - advance, 0)


def hv_deadline(delta: int, now: int, ratio: int, rate: int) -> int | None:
    """Return the host's TSC for ``delta`` guest cycles from ``now``; ``None`` is ERANGE.

    The counter has 32 bits of 2^rate cycles; the kernel does not try again at later entries.
    """
    cycles = delta if ratio == DEFAULT_RATIO else unscale(delta, ratio)
    return None if cycles is None or cycles >> rate + 32 else now + cycles


def ticks(deadline: int, now: int, rate: int) -> int:
    """Return what an entry at host TSC ``now`` writes into the timer's field."""
    return max(deadline - now, 0) >> rate
