"""Directed yield: a spinning vCPU asks whether another one could run, from its own thread.

The question used to go through sync_pir_to_irr, which writes RVI, and RVI is a field of whatever VMCS is
loaded on this CPU: the asker's. Source: 17e433b54393 (2019) "KVM: Fix leak vCPU's VMCS value into other
pCPU".
"""

from kvmlab.kvm.posted import pid
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.step import Block, Step, block
from kvmlab.processor.records import Apicv
from kvmlab.processor.vectors import highest

ON_SPIN = "v4.11 kvm_main.c kvm_vcpu_on_spin"
SYNC = "v4.11 vmx.c vmx_sync_pir_to_irr, vmx_hwapic_irr_update"


def _other(me: Vcpu) -> Apicv:
    assert me.other is not None
    return pid(me.other)


def _test(s: list[int], me: Vcpu) -> str | None:
    return None if s[_other(me).on] else "on_spin"


def _clear(s: list[int], me: Vcpu) -> None:
    s[_other(me).on] = 0


def _copy(s: list[int], me: Vcpu) -> None:
    a = _other(me)
    s[a.virr] |= s[a.pir]
    s[a.pir] = 0


def _rvi(s: list[int], me: Vcpu) -> None:
    s[pid(me).rvi] = highest(s[_other(me).virr])


def _look(s: list[int], me: Vcpu) -> None:
    """What is read goes into a choice of whom to yield to; nothing changes."""


ON_SPIN_SYNC: Block = block(
    "on_spin",
    Step(
        "SPIN.test",
        _test,
        says="could the other vCPU run? its ON is 0: nothing was posted to it",
        source=SYNC,
        leaves=("on_spin",),
    ),
    Step("SPIN.clear", _clear, says="the other vCPU's ON := 0", source=SYNC),
    Step("SPIN.copy", _copy, says="the other vCPU's PIR into its VIRR", source=SYNC),
    Step(
        "SPIN.rvi",
        _rvi,
        says="RVI := its highest vector, in the VMCS that is loaded: the asker's",
        source=SYNC,
    ),
)
ON_SPIN_LOOK: Block = block(
    "on_spin",
    Step(
        "SPIN.look",
        _look,
        says="could the other vCPU run? only look at its ON, change nothing",
        source="17e433b54393 vmx.c vmx_dy_apicv_has_pending_interrupt",
    ),
)
