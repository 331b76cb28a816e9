"""By which mechanism a posted interrupt gets lost: what was done in vain, until somebody looks at PIR again.

Each rule is one label, the bit that it sets, and when. Whoever clears ON (the sync, or the processor) makes
good for all that was in vain before, so the bits are forgotten there.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kvmlab.kvm.mode import IN_GUEST_MODE, load
from kvmlab.kvm.posted import Post, pid
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.machine.monitor import Monitor
from kvmlab.machine.system import Move
from kvmlab.processor.vtd import VtdPost, suppressed

CONSUMED, SUPPRESSED, STALE, NOBODY, EATEN, KICK_EATEN = 1, 2, 4, 8, 16, 32

NAMES = {
    CONSUMED: "request consumed",
    SUPPRESSED: "notification suppressed by SN",
    STALE: "stale mode",
    NOBODY: "kick that found nobody",
    EATEN: "notification eaten by the host",
    KICK_EATEN: "kick eaten by the host",
}
"""The request, where there is one, is what should have saved the post; so it explains most. That a kick's IPI
is eaten does no harm as long as the recheck sees EXITING; so it explains least."""

Rule = Callable[[Sequence[int], Any], int]


def _kicked(s: Sequence[int], me: Post) -> int:
    """A kick looks at the mode in memory; its owner may have stored another one that nobody sees yet."""
    vcpu = me.vcpu
    if s[vcpu.mode] == IN_GUEST_MODE:
        return 0
    return STALE if load(s, vcpu.mode, vcpu.mode_buffer) == IN_GUEST_MODE else NOBODY


def _looked(s: Sequence[int], me: Vcpu) -> int:
    return CONSUMED if s[me.requests] & KVM_REQ_EVENT and s[pid(me).on] else 0


def _posted(s: Sequence[int], me: VtdPost) -> int:
    return SUPPRESSED if suppressed(s, me) else 0


RULES: Mapping[str, Rule] = {
    "KICK.mode": _kicked,
    "WAKE": _kicked,
    "CHECK_EVENT": _looked,
    "VTD.post": _posted,
    "IRQ.posted": lambda s, me: EATEN,
    "IRQ.reschedule": lambda s, me: KICK_EATEN,
}
MADE_GOOD = ("SYNC.clear", "POSTED.notify")


def update(bits: int, move: Move, before: Sequence[int], after: Sequence[int]) -> int:
    """Return the bits after ``move``."""
    label = move.step.label
    if label in MADE_GOOD:
        return 0
    return bits | RULES[label](before, move.me) if label in RULES else bits


MONITOR = Monitor(update, NAMES)
