"""VT-d as a sender: the chipset posts a device's interrupt; it knows the descriptor and nothing else.

It never looks at vcpu->mode and can make no request. Setting the vector and ON is one locked operation; the
notification that follows is another. With SN set it posts and keeps quiet: PIR fills, ON stays 0.
Source: Intel VT-d specification, "Interrupt Posting" (quoted from memory); v4.11 vmx.h struct pi_desc.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kvmlab.machine.step import Block, Step, block
from kvmlab.processor.records import Cpu, PiDesc
from kvmlab.processor.vectors import POSTED_INTR_VECTOR, bit

VTD = 'Intel VT-d specification, "Interrupt Posting" (from memory)'


@dataclass(frozen=True, slots=True, kw_only=True)
class VtdPost:
    """One posting: the descriptor, the CPU that NDST names, and the vector."""

    pid: PiDesc
    host: Cpu
    vector: int


def suppressed(s: Sequence[int], me: VtdPost) -> bool:
    """Whether SN is used and set."""
    return me.pid.sn is not None and bool(s[me.pid.sn])


def _post(s: list[int], me: VtdPost) -> str | None:
    s[me.pid.pir] |= bit(me.vector)
    if s[me.pid.on] or suppressed(s, me):
        return "post"
    s[me.pid.on] = 1
    return None


def _notify(s: list[int], me: VtdPost) -> None:
    s[me.host.irr] |= bit(POSTED_INTR_VECTOR)


VTD_POST: Block = block(
    "post",
    Step(
        "VTD.post",
        _post,
        says="VT-d sets the vector in PIR, and ON if neither ON nor SN was set: else it keeps quiet",
        source=VTD,
        leaves=("post",),
    ),
    Step("VTD.notify", _notify, says="VT-d sends the notification vector to the CPU in NDST", source=VTD),
)
