"""x86-TSO on the entry path: the store to vcpu->mode may be seen late, unless a barrier or a lock waits.

Both kernels of patch 3 have their full barrier inside srcu_read_unlock, right behind IN_GUEST_MODE; it is
invisible in the diff. Switching interrupts off is no barrier. Senders need none of their own: their
operations on the descriptor are locked. Source: v4.11 x86.c vcpu_enter_guest; vcpu-requests.rst.
"""

from dataclasses import replace

from kvmlab.kernels.kernel import RUN_LOOP, Kernel, Patch, PathEdit
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.edit import After, Before, Edit, Swap
from kvmlab.machine.step import Block, Row, Step, name_of
from kvmlab.machine.store_buffer import is_empty

LOCKED = ("REQ.other", "CHECK_EVENT", "SYNC.clear", "SYNC.copy", "ENTER", "VMENTRY")
"""What waits until the store buffer is empty: locked operations, and the VM entry."""


def _drained(s: object, me: Vcpu) -> bool:
    assert me.mode_buffer is not None
    return is_empty(s, me.mode_buffer)  # type: ignore[arg-type]


def _nothing(s: list[int], me: Vcpu) -> None:
    """Change nothing."""


MB = Step(
    "MB",
    _nothing,
    _drained,
    "full barrier (in srcu_read_unlock): every store has been seen",
    "v4.11 x86.c vcpu_enter_guest; include/linux/srcu.h",
)
SRCU_LOCK = Step(
    "SRCU.lock",
    _nothing,
    _drained,
    "srcu_read_lock at the top of the lap has a full barrier in it",
    "v4.11 x86.c vcpu_run; kernel/rcu/srcu.c",
)


def _waits(step: Step) -> Step:
    when = step.when
    if when is None:
        return replace(step, when=_drained)
    return replace(step, when=lambda s, me: _drained(s, me) and when(s, me))


def _waiting(node: Step | Row | Block) -> Step | Row | Block:
    if isinstance(node, Row):
        return replace(node, first=tuple(map(_waits, node.first)), free=tuple(map(_waits, node.free)))
    return _waits(node) if isinstance(node, Step) else node


def tso(base: Kernel, *, barrier: bool = True) -> Kernel:
    """Return ``base`` as x86-TSO runs it: what is locked waits for the buffer, the barrier is a step.

    ``barrier=False`` leaves the barrier behind IN_GUEST_MODE out. Its vCPU needs a ``mode_buffer``.
    """
    path = base.paths[RUN_LOOP]
    lap = next(node for node in path.walk() if isinstance(node, Block) and node.name == "vcpu_enter_guest")
    edits: list[Edit] = [Before(name_of(lap.items[0]), (SRCU_LOCK,))]
    edits += [Swap(name_of(n), (_waiting(n),)) for n in path.walk() if name_of(n) in LOCKED]
    edits += [After("MODE_IN", (MB,))] if barrier else []
    name = f"{base.name}, TSO{'' if barrier else ', no barrier'}"
    return Patch("tso", base.says, base.source, [PathEdit(RUN_LOOP, edit) for edit in edits]).on(base, name)
