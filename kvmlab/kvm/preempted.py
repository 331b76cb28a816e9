"""The vCPU's thread loses its CPU and gets it back: SN tells VT-d to keep quiet in between.

While SN is set, VT-d posts without ON and without a notification. So "PIR is not empty" no longer means
"ON is set", on which the sync relies. Sources: v4.11 vmx.c vmx_vcpu_pi_put, vmx_vcpu_pi_load;
c112b5f50232 (2019).
"""

from kvmlab.kvm.posted import pid
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.state import Cell
from kvmlab.machine.step import Block, Step, block, free

LOAD = "v4.11 vmx.c vmx_vcpu_pi_load"
FIX = "c112b5f50232 vmx.c vmx_vcpu_pi_load"


def _sn(me: Vcpu) -> Cell:
    sn = pid(me).sn
    assert sn is not None
    return sn


def _stay(s: list[int], me: Vcpu) -> str:
    return "preempted"


def _out(s: list[int], me: Vcpu) -> None:
    assert me.preemptions is not None
    s[me.preemptions] -= 1
    s[_sn(me)] = 1


def _in(s: list[int], me: Vcpu) -> None:
    s[_sn(me)] = 0


def _posted(s: list[int], me: Vcpu) -> str | None:
    return None if s[pid(me).pir] else "vcpu_load"


def _restore(s: list[int], me: Vcpu) -> None:
    s[pid(me).on] = 1


SCHED = free(
    "SCHED",
    Step("SCHED.stay", _stay, says="the thread keeps its CPU", source=LOAD, leaves=("preempted",)),
    Step(
        "SCHED.out",
        _out,
        lambda s, me: me.preemptions is not None and s[me.preemptions],
        "the thread loses its CPU: SN := 1, VT-d is to keep quiet",
        "v4.11 vmx.c vmx_vcpu_pi_put",
    ),
)
VCPU_LOAD: Block = block(
    "vcpu_load", Step("LOAD.sn", _in, says="the thread gets a CPU back: SN := 0", source=LOAD)
)

LOAD_ON = (
    Step(
        "LOAD.test",
        _posted,
        says="was anything posted meanwhile? PIR is empty: no",
        source=FIX,
        leaves=("vcpu_load",),
    ),
    Step("LOAD.on", _restore, says="PIR is not empty: ON := 1, so that the sync looks", source=FIX),
)
"""What c112b5f50232 adds behind SN := 0."""


def preempted(load: Block) -> Block:
    """Return the top of a lap at which the thread may lose its CPU, with the kernel's way back."""
    return block("preempted", SCHED, load)
