"""Totals of vmexit.flat as published, each with the kernel and the case that predict it.

The first seven gave the handlers their numbers, so they are no test of them. The last four were published a
year after patch 2, by the author of these tests, and never fitted: they are the evidence that there is.
"""

from dataclasses import dataclass

from kvmlab.kernels.names import kernel
from kvmlab.machine.bench import Bench
from kvmlab.scenarios.benches import bench

FLAT = "b7ffc44d5b2e (2017), before that commit; unnamed CPU"
UNIT = "kvm-unit-tests cfbd129c (2017), Haswell Xeon"


@dataclass(frozen=True, slots=True)
class Figure:
    """A published total in cycles; ``how`` names it where one case has several."""

    case: str
    cycles: int
    kernel: str
    source: str
    how: str = ""
    preemption_timer: bool = True

    @property
    def name(self) -> str:
        """The case, and how."""
        return f"{self.case}, {self.how}" if self.how else self.case

    def bench(self) -> Bench:
        """Return the measurement that predicts it."""
        return bench("vmexit", kernel(self.kernel), case=self.case, preemption_timer=self.preemption_timer)


FIGURES = (
    Figure("cpuid", 1313, "v4.10", FLAT),
    Figure("vmcall", 1195, "v4.10", FLAT),
    Figure("mov_to_cr8", 17, "v4.10", FLAT),
    Figure("inl_from_pmtimer", 6770, "v4.10", FLAT),
    Figure("inl_from_qemu", 6856, "v4.10", FLAT),
    Figure("inl_from_kernel", 2435, "v4.10", FLAT),
    Figure("outl_to_kernel", 1402, "v4.10", FLAT),
    Figure("tscdeadline", 6800, "b95234c", UNIT, "hrtimer", preemption_timer=False),
    Figure("tscdeadline", 5600, "b95234c", UNIT, "preemption timer"),
    Figure("tscdeadline_immed", 3700, "b95234c", UNIT, "with an exit"),
    Figure("tscdeadline_immed", 2500, "v4.19", UNIT, "without"),
)
