"""Why a unit test fails: it is run again with one thing changed, and what makes it pass is why.

What no change of ours can give a kernel is said by the steps that it has, if one that has them passes.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from typing import Any

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import RUN_LOOP, Kernel
from kvmlab.kernels.names import EDITS
from kvmlab.kernels.names import kernel as named
from kvmlab.kernels.nesting import nested
from kvmlab.kernels.v4_18 import VMRESUME
from kvmlab.kvm.emulated import IO_WITH_MTF
from kvmlab.labs.unittest import DEFAULT_KERNEL, Result, unittest
from kvmlab.machine.step import Block, Row, Step

CURES = ("b5861e5", "order=v5.10")
"""Edits that a kernel may lack, tried at every level: each alone, and both where neither alone helps."""

WINDOWS = ("vmx_nmi_window_test", "vmx_intr_window_test")


def _steps(kernel: Kernel) -> Iterator[Step]:
    path = nested(kernel).paths[RUN_LOOP]
    for node in path.walk():
        yield from () if isinstance(node, Block) else node.steps if isinstance(node, Row) else (node,)


def _sleeps(kernel: Kernel) -> bool:
    return any(step.fn is VMRESUME.fn for step in _steps(kernel))


def _hides_mtf(kernel: Kernel) -> bool:
    return all(step.fn is not IO_WITH_MTF.fn for step in _steps(kernel))


LACKS: Mapping[str, tuple[Callable[[Kernel], bool], str]] = {
    **dict.fromkeys(WINDOWS, (_sleeps, "L1 enters L2 halted; it sleeps, though the window is open")),
    "vmx_mtf_test": (_hides_mtf, "an instruction of L2 that is emulated is not shown to an L1 with MTF"),
}
"""Test -> what a kernel may lack that it needs, and what that does."""


def why(result: Result, kernels: Mapping[int, str], **knobs: Any) -> tuple[str, ...]:
    """Return why a test failed, a line for each reason; empty for one that passed, or if none is known.

    ``kernels`` names the kernel of each level; ``knobs`` are the others that the test was run with.
    """
    return () if result.ok else tuple(_reasons(result, kernels, knobs))


def _reasons(result: Result, kernels: Mapping[int, str], knobs: Mapping[str, Any]) -> Iterator[str]:
    lacks, says = LACKS.get(result.name, (lambda kernel: False, ""))
    lacking = {level: name for level, name in kernels.items() if lacks(named(name))}
    if lacking and _helps(result, {**kernels, **dict.fromkeys(lacking, DEFAULT_KERNEL)}, knobs):
        yield f"known: {says} ({', '.join(sorted(set(lacking.values())))})"
        return
    alone = [cure for cure in CURES if _cures(result, kernels, knobs, cure)]
    if not alone and _cures(result, kernels, knobs, *CURES):
        yield f"known: with +{' and +'.join(CURES)}, not with one of them, fewer fail"
    yield from (f"known: with +{cure} fewer fail ({EDITS[cure].says})" for cure in alone)
    if knobs["ipi_delay"]:
        yield from _late(result, kernels, knobs)


def _cures(result: Result, kernels: Mapping[int, str], knobs: Mapping[str, Any], *cures: str) -> bool:
    better = {level: reduce(_with, cures, name) for level, name in kernels.items()}
    return better != kernels and _helps(result, better, knobs)


def _late(result: Result, kernels: Mapping[int, str], knobs: Mapping[str, Any]) -> Iterator[str]:
    if _helps(result, kernels, {**knobs, "ipi_delay": 0}):
        yield f"L0 forces the exit by an IPI to itself, which comes {knobs['ipi_delay']} instructions late"
    if _helps(result, kernels, {**knobs, "cold": True}):
        yield "with --cold fewer fail, as recorded: the guest's first touch of a page exits, by luck"


def _with(name: str, edit: str) -> str:
    try:
        return named(f"{name}+{edit}").name if edit not in name.split("+") else name
    except BadInput:
        return name


def _helps(result: Result, kernels: Mapping[int, str], knobs: Mapping[str, Any]) -> bool:
    """Whether fewer assertions fail so."""
    text = ",".join(f"L{level}={name}" for level, name in kernels.items())
    again = unittest(result.name, kernels=text, **knobs)
    return again.finished and _failures(again) < _failures(result)


def _failures(result: Result) -> int:
    return sum(not line.ok for line in result.lines) + (not result.finished)
