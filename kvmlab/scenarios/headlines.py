"""The headlines of patches 2 and 3, as figures that measurements give; none of them is written in anywhere.

Six parameters of HSW16 are fitted to six of these: that they come out says that the steps add up as the
arithmetic of the fit does, and no more.
"""

from collections.abc import Mapping
from typing import Any

from kvmlab.kernels.names import kernel
from kvmlab.machine.bench import Bench, Headline
from kvmlab.scenarios.benches import bench

PATCH_2 = "ce7a058a2117 KVM: x86: support using the VMX preemption timer for tsc deadline timer"
PATCH_3 = "b95234c84004 KVM: x86: do not use KVM_REQ_EVENT for APICv interrupt injection"


def _both(before: str, after: str, name: str, **knobs: Any) -> dict[str, Bench]:
    """Return a measurement on two kernels."""
    return {"before": bench(name, kernel(before), **knobs), "after": bench(name, kernel(after), **knobs)}


def _gain(mean: Mapping[str, Any]) -> Any:
    return mean["before"] - mean["after"]


def _percent(mean: Mapping[str, Any]) -> Any:
    return 100 * _gain(mean) / mean["before"]


def _before(mean: Mapping[str, Any]) -> Any:
    return mean["before"]


def headlines() -> tuple[Headline, ...]:
    """Return the headlines, each with its measurements."""
    busy = _both("v4.7", "64672c9", "tscdeadline_latency", guest="busy")
    halt = _both("v4.7", "64672c9", "tscdeadline_latency", guest="halt")
    cyclic = _both("v4.7", "64672c9", "cyclictest", guest="idle-poll")
    icr = _both("v4.10", "b95234c", "vmexit", case="self_ipi_sti_nop")
    msr = _both("v4.10", "b95234c", "vmexit", case="x2apic_self_ipi_sti_nop")
    return (
        Headline("busy", "tscdeadline_latency, busy", busy, _before, 3200, "cycles", PATCH_2),
        Headline("busy gain", "what the preemption timer gains", busy, _gain, 800, "cycles", PATCH_2),
        Headline("busy gain %", "the gain of a busy guest, in percent", busy, _percent, 25, "%", PATCH_2),
        Headline("halting", "tscdeadline_latency, halting", halt, _before, 3200, "cycles", PATCH_2),
        Headline(
            "halting gain", "what the preemption timer gains there", halt, _gain, -20, "cycles", PATCH_2
        ),
        Headline("cyclictest %", "of cyclictest's average, idle=poll", cyclic, _percent, 30, "%", PATCH_2),
        Headline("self_ipi gain", "what patch 3 gains where ICR exits", icr, _gain, 300, "cycles", PATCH_3),
        Headline("x2apic gain", "what patch 3 gains where nothing exits", msr, _gain, 0, "cycles", "derived"),
    )
