"""A kernel as text: its paths line by line, so that two kernels can be compared by a plain diff."""

from collections.abc import Iterator

from kvmlab.kernels.kernel import Kernel
from kvmlab.machine.step import Block, Row


def listing(kernel: Kernel) -> list[str]:
    """Return one line a step, indented by block, then the settings."""
    lines = [line for name in sorted(kernel.paths) for line in _block(kernel.paths[name], 0)]
    return lines + [f"setting {s.name}: {s.says}" for _, s in sorted(kernel.settings.items())]


def _block(path: Block, depth: int) -> Iterator[str]:
    yield f"{'  ' * depth}{path.name}:" + (" (loop)" if path.kind == "loop" else "")
    for item in path.items:
        if isinstance(item, Block):
            yield from _block(item, depth + 1)
        elif isinstance(item, Row):
            yield f"{'  ' * (depth + 1)}{item.label}: one of"
            yield from (f"{'  ' * (depth + 2)}{step.label}: {step.says}" for step in item.steps)
        else:
            yield f"{'  ' * (depth + 1)}{item.label}: {item.says}"
