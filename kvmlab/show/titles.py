"""How a picture names things: a kernel by its one name and its year, a count by its unit."""

import re

from kvmlab.kernels.kernel import Kernel

_YEAR = re.compile(r"\b20\d\d\b")


def title(kernel: Kernel) -> str:
    """Return ``d6185f2 (2011)``, or the name alone for a release or an edit that git never saw.

    A kernel beside a condition of the model (", TSO") has no year either: nobody released it so.
    """
    year = None if "," in kernel.name else _YEAR.search(kernel.says)
    return f"{kernel.name} ({year[0]})" if year else kernel.name


def plural(n: int, noun: str) -> str:
    """Return ``1 step`` or ``2 steps``."""
    return f"{n} {noun}{'' if n == 1 else 's'}"
