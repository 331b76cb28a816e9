"""How a picture names things: a kernel by its one name and its year, a count by its unit."""

import re

from kvmlab.kernels.kernel import Kernel

_YEAR = re.compile(r"\b20\d\d\b")


def title(kernel: Kernel) -> str:
    """Return ``d6185f2 (2011)``, or the name alone for a release or an edit that git never saw.

    A kernel beside a condition of the model (", TSO") or without a step (" - ") has no year either: nobody
    released it so.
    """
    released = "," not in kernel.name and " - " not in kernel.name
    year = _YEAR.search(kernel.says) if released else None
    return f"{kernel.name} ({year[0]})" if year else kernel.name


def plural(n: int, noun: str) -> str:
    """Return ``1 step`` or ``2 steps``."""
    return f"{n} {noun}{'' if n == 1 else 's'}"
