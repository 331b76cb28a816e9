"""The TSC of a guest's guest: one hypervisor's offset and ratio on top of another's, as one pair.

The guest of a hypervisor with (offset, ratio) reads scale(t) + offset where the hypervisor reads t; so
what lies n levels up is n such steps one after the other, and hardware needs them as a single one. The
product of the ratios is rounded down, so a guest two levels up may read a few cycles less than step by
step; without scaling the composition is exact. Source: v5.14 x86.c kvm_calc_nested_tsc_offset,
kvm_calc_nested_tsc_multiplier; v4.18 vmx.c prepare_vmcs02 (offsets only).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from kvmlab.kvm.tsc import DEFAULT_RATIO, FRACTION_BITS, U64, guest_tsc, scale


@dataclass(frozen=True, slots=True)
class Tsc:
    """What one hypervisor does to the TSC of its guest: add ``offset`` to what it has scaled by ``ratio``."""

    offset: int = 0
    ratio: int = DEFAULT_RATIO

    def read(self, tsc: int) -> int:
        """Return what the guest reads when its hypervisor reads ``tsc``."""
        return guest_tsc(tsc, self.offset, self.ratio)

    def took(self, cycles: int) -> int:
        """Return how many cycles pass in the guest in so many of its hypervisor's."""
        return scale(cycles, self.ratio)

    def takes(self, cycles: int) -> int:
        """Return how many of its hypervisor's cycles so many of the guest's take, rounded down."""
        return (cycles << FRACTION_BITS) // self.ratio


def _scaled(offset: int, ratio: int) -> int:
    """Scale a signed 64-bit offset; its magnitude is rounded down."""
    back = bool(offset >> 63)
    magnitude = scale(-offset & U64 if back else offset, ratio)
    return -magnitude if back else magnitude


def compose(below: Tsc, above: Tsc) -> Tsc:
    """Return the single pair for a guest of a guest: a hypervisor's ``below``, its guest's ``above``."""
    ratio = below.ratio * above.ratio >> FRACTION_BITS
    return Tsc(_scaled(below.offset, above.ratio) + above.offset & U64, ratio)


def stacked(levels: Sequence[Tsc]) -> Tsc:
    """Return the pair for the guest on top; ``levels[n]`` is what level n does to L(n+1)."""
    return reduce(compose, levels, Tsc())
