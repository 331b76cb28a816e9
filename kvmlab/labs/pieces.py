"""Exercise of notebook 01, Build the deferral: the pieces, and the kernel that they make.

The kernel is v3.10 with edits. Exactly one piece says how L2 is left; one more may be added.
"""

from dataclasses import replace

from kvmlab.errors import BadInput, unknown
from kvmlab.kernels.alternatives import MTF
from kvmlab.kernels.kernel import RUN_LOOP, Kernel, Patch, PathEdit, swap
from kvmlab.kernels.names import kernel
from kvmlab.kernels.patch_1 import CHECK_IMMEDIATE
from kvmlab.kernels.v3_10 import CANCEL_FIX
from kvmlab.kvm.nested import in_l2_for_l1
from kvmlab.machine.edit import Relocate, find
from kvmlab.machine.step import Step

BASE = kernel("v3.10")
FORCE = CHECK_IMMEDIATE.label
"""The step that sends the self-IPI."""

SOURCE = "an exercise; no kernel did exactly this"


def _fake_exit() -> PathEdit:
    """Let L0 report L2's exit whether L2 was entered or not."""
    step = find(BASE.paths[RUN_LOOP], "NESTED_VMEXIT")
    assert isinstance(step, Step)
    says = "L2 -> L1 exit is made up: L1 is told EXTERNAL_INTERRUPT, L2 never ran"
    return swap(step.label, replace(step, when=in_l2_for_l1, says=says))


_WAYS = (
    Patch("fake exit", "tell L1 that L2 exited; L2 is not entered", SOURCE, (_fake_exit(),)),
    Patch("plain entry", "enter L2 and wait for its next exit", SOURCE, (swap(FORCE),)),
    Patch(
        "self-IPI before irq_off",
        "send this CPU an IPI, then switch interrupts off, then enter L2",
        SOURCE,
        (PathEdit(RUN_LOOP, Relocate(FORCE, before="IRQ_OFF")),),
    ),
    Patch(
        "self-IPI after irq_off",
        "switch interrupts off, then send this CPU an IPI, then enter L2",
        SOURCE,
        (),
    ),
    replace(MTF, name="MTF", says="switch the monitor trap flag on, then enter L2"),
)
_RERAISE = replace(
    CANCEL_FIX,
    name="re-raise EVENT on cancel",
    says="where an entry is called off, set KVM_REQ_EVENT again",
)

RERAISE = _RERAISE.name
WAYS = tuple(piece.name for piece in _WAYS)
PIECES = {piece.name: piece for piece in (*_WAYS, _RERAISE)}
"""Each piece is an edit of v3.10: its name, what it does, where."""


def deferral(*pieces: str) -> Kernel:
    """Return v3.10 with its way of leaving L2 replaced by ``pieces``.

    Raises BadInput for an unknown piece, no way of leaving L2, more than one, or a piece given twice.
    """
    chosen = [_piece(name) for name in pieces]
    _one_way([piece.name for piece in chosen])
    result = BASE
    for piece in chosen:
        result = piece.on(result)
    return replace(result, name=" + ".join(pieces), says="your deferral", source=SOURCE)


def _piece(name: str) -> Patch:
    if name not in PIECES:
        raise unknown("piece", name, PIECES)
    return PIECES[name]


def _one_way(names: list[str]) -> None:
    ways = [name for name in names if name in WAYS]
    if len(set(names)) < len(names):
        raise BadInput("a piece can be used once")
    if not ways:
        raise BadInput(f"choose one way to leave L2: {', '.join(WAYS)}")
    if len(ways) > 1:
        raise BadInput(f"L2 can be left in one way only; you chose {' and '.join(ways)}")
