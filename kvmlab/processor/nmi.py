"""The NMI window: open while NMIs are not blocked and no MOV SS casts its shadow; RFLAGS.IF plays no part.

Source: SDM vol. 3 (June 2016), "Other Causes of VM Exits".
"""

from collections.abc import Sequence

from kvmlab.machine.step import STAY, Step
from kvmlab.processor.controls import NMI_WINDOW_EXITING
from kvmlab.processor.entry import vm_exit
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import Guest
from kvmlab.processor.shadow import BLOCKING_BY_MOV_SS


def _open(s: Sequence[int], me: Guest) -> bool:
    blocked = me.nmi_blocked is not None and s[me.nmi_blocked]
    shadow = me.shadow is not None and s[me.shadow] == BLOCKING_BY_MOV_SS
    return bool(s[me.vmcs.proc] & NMI_WINDOW_EXITING) and not blocked and not shadow


def _exit(s: list[int], me: Guest) -> str:
    vm_exit(s, me, Exit.NMI_WINDOW)
    return STAY


NMI_WINDOW = Step(
    "EXIT.NMI_WINDOW",
    _exit,
    _open,
    "the guest could take an NMI now: the window that was asked for opens",
    'SDM vol. 3 (June 2016), "Other Causes of VM Exits"',
)
