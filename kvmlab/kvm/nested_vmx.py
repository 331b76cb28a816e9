"""struct nested_vmx: what a hypervisor keeps for its guest's own VMX, beyond nested_run_pending.

The guest's preemption timer is emulated: hardware's own, in the same VMCS, is the hypervisor's. Source:
v4.18 vmx.c struct nested_vmx, vmx_start_preemption_timer, vmx_preemption_timer_fn (f4124500c2c1).
"""

from dataclasses import dataclass

from kvmlab.machine.state import Cell, cell
from kvmlab.processor.records import show_flag


@dataclass(frozen=True, slots=True, kw_only=True)
class NestedVmx:
    """``expired`` is preemption_timer_expired: L1's timer has run out, L1 is to be told."""

    expired: Cell = cell(0, show_flag)
