"""The arithmetic of the preemption timer: from the guest's deadline to the TSC at which it fires.

KVM arms the timer: what is left until the deadline, in whole ticks of 2^X cycles. The CPU loads them at the
VM entry, a little later, and drops one whenever bit X of the TSC changes. So it may fire too early, and too
late as well. All of it is KVM's and the processor's own arithmetic (kvm.tsc, processor.preemption_timer).
"""

from dataclasses import dataclass

from kvmlab.errors import BadInput
from kvmlab.kvm import tsc
from kvmlab.processor.preemption_timer import MAX_TICKS, expiry
from kvmlab.show.titles import plural

RATES = range(32)
"""IA32_VMX_MISC[4:0] has five bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Countdown:
    """A deadline ``ahead`` guest cycles from ``armed``, a TSC of the host; the guest is entered at ``entry``.

    ``rate`` is X. Raises BadInput for an X that five bits cannot hold, a frequency below 1 kHz, an entry
    before the arming, or a deadline in the past.
    """

    rate: int = 5
    armed: int = 1000
    ahead: int = 100
    entry: int = 1010
    host_khz: int = 2_400_000
    guest_khz: int = 2_400_000

    def __post_init__(self) -> None:
        if self.rate not in RATES:
            raise BadInput(f"X={self.rate}: 0 to {RATES[-1]}")
        if min(self.host_khz, self.guest_khz) < 1:
            raise BadInput("a TSC counts at 1 kHz or more")
        if not 0 <= self.armed <= self.entry:
            raise BadInput(
                f"armed at TSC {self.armed}, entered at {self.entry}: first the one, then the other"
            )
        if self.ahead < 0:
            raise BadInput(f"ahead={self.ahead}: 0 cycles or more")

    @property
    def tick(self) -> int:
        """Cycles from one tick to the next."""
        return 1 << self.rate

    @property
    def largest(self) -> int:
        """The most cycles of the host's TSC that fit."""
        return (MAX_TICKS + 1 << self.rate) - 1

    @property
    def seconds(self) -> str:
        """How long that is, in seconds rounded to two decimals."""
        hundredths = (self.largest + self.host_khz * 5) // (self.host_khz * 10)
        return f"{hundredths // 100}.{hundredths % 100:02}"

    @property
    def deadline(self) -> int | None:
        """The deadline in the host's TSC; ``None``: it does not fit, and the hrtimer has the alarm."""
        ratio = tsc.DEFAULT_RATIO
        if self.guest_khz != self.host_khz:
            ratio = tsc.ratio_of(self.guest_khz, self.host_khz)
        return tsc.hv_deadline(self.ahead, self.armed, ratio, self.rate)

    @property
    def ticks(self) -> int:
        """What KVM writes into the timer's field."""
        return tsc.ticks(self.deadline or 0, self.armed, self.rate)

    @property
    def fires(self) -> int:
        """The TSC at which the guest exits."""
        return max(expiry(self.entry, self.ticks, self.rate), self.entry)

    @property
    def late(self) -> int:
        """Cycles from the deadline to the exit; negative: early."""
        assert self.deadline is not None
        return self.fires - self.deadline

    @property
    def said(self) -> str:
        """How late it is, in words."""
        return f"{abs(self.late)} {'early' if self.late < 0 else 'late'}" if self.late else "in time"

    @property
    def foot(self) -> str:
        """What happens, in one sentence."""
        tick = plural(self.tick, "cycle")
        if self.deadline is None:
            return f"{self.ahead} guest cycles do not fit 32 bits of {tick}: the hrtimer has the alarm."
        field = f"armed at {self.armed} for {self.deadline} with {plural(self.ticks, 'tick')} of {tick}"
        return f"X={self.rate}: {field}, entered at {self.entry}: it fires at {self.fires}, {self.said}."


def mhz(khz: int) -> str:
    """Return a frequency in words."""
    whole, rest = divmod(khz, 1000)
    return f"{whole}.{rest:03} MHz" if rest else f"{whole} MHz"
