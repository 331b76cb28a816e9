"""What patch 3 missed, or left to do: four later commits, each a small edit of b95234c.

Three of them repair something that the patch's new sync exposed or relied on; the fourth takes a useless
kick away.
"""

from kvmlab.kernels.kernel import NewPath, Patch, PathEdit, after
from kvmlab.kvm import mode as vcpu_mode
from kvmlab.kvm.directed_yield import ON_SPIN_LOOK, ON_SPIN_SYNC
from kvmlab.kvm.nested import is_guest_mode, nothing
from kvmlab.kvm.posted import ON_OR_RETURN, POST_PIR, TRIGGER
from kvmlab.kvm.preempted import LOAD_ON, VCPU_LOAD
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.running import VCPU_RUNNING
from kvmlab.machine.edit import After
from kvmlab.machine.step import Step, block

SCOPE = frozenset({"posted-interrupts", "posted-nested", "directed-yield"})

SURROUNDINGS = (
    NewPath("vcpu_load", VCPU_LOAD),
    NewPath("vcpu_running", VCPU_RUNNING),
    NewPath("on_spin", ON_SPIN_SYNC),
)
"""What 4.11 does around the lap: only scenarios in which it matters run it."""


def _another_lap(s: list[int], me: Vcpu) -> None:
    if is_guest_mode(s, me) and s[me.mode] == vcpu_mode.IN_GUEST_MODE:
        vcpu_mode.change(s, me.mode, vcpu_mode.EXITING_GUEST_MODE)


NESTED_LAP = Patch(
    "f27a85c",
    "2018: a sync that finds something for L1 while L2 is about to run asks for another lap",
    "f27a85c4988d KVM: nVMX: Re-evaluate L1 pending events when running L2 and L1 got posted-interrupt",
    (
        after(
            "SYNC.copy",
            Step(
                "SYNC.lap",
                _another_lap,
                says="with L2 active: mode := EXITING, so that the recheck calls the entry off",
                source="f27a85c4988d vmx.c vmx_sync_pir_to_irr",
            ),
        ),
    ),
)
RESTORE_ON = Patch(
    "c112b5f",
    "2019: after SN is cleared, ON is set again if VT-d has posted meanwhile",
    "c112b5f50232 KVM: x86: Recompute PID.ON when clearing PID.SN",
    (PathEdit("vcpu_load", After("LOAD.sn", LOAD_ON)),),
)
LOOK_ONLY = Patch(
    "17e433b",
    "2019: a spinning vCPU only looks at another one's ON, and syncs nothing for it",
    "17e433b54393 KVM: Fix leak vCPU's VMCS value into other pCPU",
    (NewPath("on_spin", ON_SPIN_LOOK),),
)
WAKE = Patch(
    "0f65a9d",
    "2021: a sender that finds the vCPU outside only wakes it; whoever is outside will sync anyway",
    "0f65a9d33767 KVM: VMX: Don't do full kick when triggering posted interrupt fails",
    (
        NewPath(
            "post",
            block(
                "post",
                POST_PIR,
                ON_OR_RETURN,
                block("trigger", *TRIGGER),
                Step(
                    "WAKE",
                    nothing,
                    says="wake the vCPU's thread, if it sleeps; no IPI",
                    source="0f65a9d33767 vmx.c vmx_deliver_posted_interrupt",
                ),
            ),
        ),
    ),
)
FOLLOW_UPS = (NESTED_LAP, RESTORE_ON, LOOK_ONLY, WAKE)
