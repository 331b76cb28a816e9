"""struct nested_vmx: what a hypervisor keeps for its guest's own VMX, beyond nested_run_pending.

The guest's preemption timer is emulated: hardware's own, in the same VMCS, is the hypervisor's. A
hypervisor keeps a halted L2 out of non-root mode, where hardware's timer would not count. Source: v4.18
vmx.c struct nested_vmx, vmx_start_preemption_timer, vmx_preemption_timer_fn (f4124500c2c1); v5.10
nested.c, mtf_pending.
"""

from dataclasses import dataclass

from kvmlab.kvm.nested_tsc import Tsc
from kvmlab.machine.state import Cell, cell
from kvmlab.processor.records import show_flag


@dataclass(frozen=True, slots=True, kw_only=True)
class NestedVmx:
    """``expired`` is preemption_timer_expired: L1's timer has run out, L1 is to be told.

    Only where a program has use for them: ``clock`` (the hrtimer behind values that are not too small for
    one), ``mtf_pending`` (an emulated instruction of L2 that L1 wants to see), ``halted`` (L2 sleeps,
    KVM_MP_STATE_HALTED), ``init`` (an INIT waits for L1, which is in VMX operation).
    """

    clock: "Hrtimer | None" = None
    mtf_pending: Cell | None = None
    halted: Cell | None = None
    init: Cell | None = None
    expired: Cell = cell(0, show_flag)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hrtimer:
    """The hrtimer of L1's emulated preemption timer: ``now`` is the TSC, ``deadline`` when it runs out.

    Both are level 0's, the only clock that there is. L1 counts in its own TSC: ``tsc`` makes that out of it.
    """

    now: Cell
    tsc: Tsc = Tsc()
    deadline: Cell = cell(-1, deadline=True)
