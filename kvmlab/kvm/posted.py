"""Posted interrupts: the receiver's sync, and the sender that posts and notifies.

A post is two locked operations on the descriptor, PIR then ON; the notification says only "look".
ON=1 means that somebody has already been told: later senders return. Clearing ON and copying PIR
are two steps, in this order, or a vector set between them would be lost.
Sources: v4.10 and b95234c84004 vmx.c vmx_deliver_posted_interrupt, vmx_sync_pir_to_irr,
kvm_vcpu_trigger_posted_interrupt; x86.c kvm_vcpu_kick.
"""

from dataclasses import dataclass

from kvmlab.kvm import mode as vcpu_mode
from kvmlab.kvm.host import KICK
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.machine.state import Cell, cell
from kvmlab.machine.step import Block, Effect, Step, block
from kvmlab.processor.apicv import page, raise_rvi
from kvmlab.processor.records import Apicv, show_flag
from kvmlab.processor.vectors import POSTED_INTR_VECTOR, bit

VMX = "v4.10 vmx.c "


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A sender: the vCPU, the vector, and what its test-and-set of ON returned."""

    vcpu: Vcpu
    vector: int
    was_on: Cell = cell(0, show_flag)


def pid(me: Vcpu) -> Apicv:
    """Return the descriptor and virtual-APIC page of the vCPU's guest."""
    return page(me.guests[0])


def _test(s: list[int], me: Vcpu) -> str | None:
    """A vCPU without APICv has no descriptor to look at."""
    apicv = me.guests[0].apicv
    return None if apicv is not None and s[apicv.on] else "sync_pir_to_irr"


def _clear(s: list[int], me: Vcpu) -> None:
    s[pid(me).on] = 0


def _copy(s: list[int], me: Vcpu) -> None:
    posted, s[pid(me).pir] = s[pid(me).pir], 0
    raise_rvi(s, pid(me), posted)


def _copy_and_request(s: list[int], me: Vcpu) -> None:
    _copy(s, me)
    s[me.requests] |= KVM_REQ_EVENT


def _sync(copy: Effect, says: str, source: str) -> Block:
    return block(
        "sync_pir_to_irr",
        Step(
            "SYNC.test",
            _test,
            says="is ON set? no: nothing was posted, skip the rest",
            source=source,
            leaves=("sync_pir_to_irr",),
        ),
        Step("SYNC.clear", _clear, says="ON := 0, before PIR is read", source=source),
        Step("SYNC.copy", copy, says=says, source=source),
    )


SYNC = _sync(_copy, "PIR into VIRR, RVI raised", "b95234c84004 vmx.c vmx_sync_pir_to_irr")
SYNC_4_10 = _sync(_copy_and_request, "PIR into VIRR, RVI raised, KVM_REQ_EVENT", VMX + "vmx_sync_pir_to_irr")


def _set_pir(s: list[int], me: Post) -> None:
    s[pid(me.vcpu).pir] |= bit(me.vector)


def _set_on(s: list[int], me: Post) -> str | None:
    was, s[pid(me.vcpu).on] = s[pid(me.vcpu).on], 1
    return "post" if was else None


def _set_on_4_10(s: list[int], me: Post) -> None:
    s[me.was_on], s[pid(me.vcpu).on] = s[pid(me.vcpu).on], 1


def _request(s: list[int], me: Post) -> str | None:
    s[me.vcpu.requests] |= KVM_REQ_EVENT
    return "trigger" if s[me.was_on] else None


def _in_guest_mode(s: list[int], me: Post) -> str | None:
    return None if s[me.vcpu.mode] == vcpu_mode.IN_GUEST_MODE else "trigger"


def _notify(s: list[int], me: Post) -> str:
    s[me.vcpu.cpu.irr] |= bit(POSTED_INTR_VECTOR)
    return "post"


DELIVER = VMX + "vmx_deliver_posted_interrupt"
POST_PIR = Step("POST.pir", _set_pir, says="the sender sets its vector's bit in PIR", source=DELIVER)
TRIGGER = (
    Step(
        "POST.mode",
        _in_guest_mode,
        says="is the vCPU IN_GUEST_MODE? yes: notify it; no: kick",
        source=VMX + "kvm_vcpu_trigger_posted_interrupt",
        leaves=("trigger",),
    ),
    Step(
        "POST.notify",
        _notify,
        says="the notification vector 0xf2 reaches the vCPU's CPU",
        source=VMX + "kvm_vcpu_trigger_posted_interrupt",
        leaves=("post",),
    ),
)
ON_OR_RETURN = Step(
    "POST.on",
    _set_on,
    says="the sender sets ON; if it was set already, somebody has notified: return",
    source="b95234c84004 vmx.c vmx_deliver_posted_interrupt",
    leaves=("post",),
)
SENDER = block("post", POST_PIR, ON_OR_RETURN, block("trigger", *TRIGGER), KICK)
SENDER_4_10 = block(
    "post",
    POST_PIR,
    Step("POST.on", _set_on_4_10, says="the sender sets ON and remembers whether it was set", source=DELIVER),
    block(
        "trigger",
        Step(
            "POST.request",
            _request,
            says="the sender makes KVM_REQ_EVENT; if ON was set already: only kick",
            source=DELIVER,
            leaves=("trigger",),
        ),
        *TRIGGER,
    ),
    KICK,
)
