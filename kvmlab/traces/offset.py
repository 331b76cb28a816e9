"""How far the guest's TSC is from a trace's clock, where the trace itself proves it.

KVM's measurement in kvm_wait_lapic_expire says what the guest's TSC was at some time between two lines. So
each one gives an interval for (guest TSC - time). If the clock is the host's TSC and the guest's runs at the
same rate, the offset is one number and lies in all of them; if not, the intervals drift apart. They must
have had the chance to: two measurements at least, and far enough apart.
"""

from dataclasses import dataclass
from typing import NamedTuple

from kvmlab.traces.vcpus import Vcpu

FAR = 32
"""The measurements must span this many widths of the interval: then the two rates are equal within 1/32."""


class Measured(NamedTuple):
    """One kvm_wait_lapic_expire: between `after` and `before`, the guest's TSC was `deadline` + `delta`."""

    vcpu: Vcpu
    delta: int
    deadline: int | None
    after: int | None
    before: int


@dataclass(slots=True)
class Offset:
    """The interval in which (guest TSC - time) must lie, the measurements so far taken together."""

    low: int = 0
    high: int = 0
    samples: int = 0
    first: int = 0
    last: int = 0

    def add(self, measured: Measured) -> None:
        """Narrow the interval; a measurement that cannot be placed says nothing."""
        if measured.deadline is None or measured.after is None:
            return
        guest = measured.deadline + measured.delta
        low, high = guest - measured.before, guest - measured.after
        if not self.samples:
            self.low, self.high, self.first = low, high, measured.before
        self.low, self.high = max(self.low, low), min(self.high, high)
        self.samples, self.last = self.samples + 1, measured.before

    @property
    def known(self) -> bool:
        """Whether the trace proves that there is one offset, within the interval."""
        width = self.high - self.low
        return self.samples > 1 and 0 <= width and self.last - self.first >= FAR * max(width, 1)

    @property
    def middle(self) -> int:
        """The offset, give or take `give_or_take`."""
        return (self.low + self.high) // 2

    @property
    def give_or_take(self) -> int:
        """Half of the interval, rounded up."""
        return (self.high - self.low + 1) // 2
