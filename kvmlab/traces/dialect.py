"""Which kernel printed a line: the same tracepoint has been worded in several ways."""

from collections.abc import Mapping
from enum import Enum


class Dialect(Enum):
    """A family of texts; `V4` stands for 4.11 to 4.19, `V6_1` for 5.10 to 6.1.

    `TRACE_CMD` holds the few events that a plugin of trace-cmd words anew, whatever the kernel.
    """

    TRACE_CMD = "trace-cmd"
    V4 = "4.x"
    V6_1 = "6.1"
    V6_16 = "6.16"


KERNELS = (Dialect.V4, Dialect.V6_1, Dialect.V6_16)
"""The dialects in which every event of that kernel can be written."""

Layouts = Mapping[Dialect, tuple[str, ...]]
"""The templates of one event in each dialect that has it; of several, the first that fits is used."""


def everywhere(*templates: str) -> Layouts:
    """Return the layouts of an event whose text never changed."""
    return dict.fromkeys(KERNELS, templates)


def since_6_1(*templates: str) -> Layouts:
    """Return the layouts of an event that is new, or only known to us, in kernels from 5.10 on."""
    return dict.fromkeys((Dialect.V6_1, Dialect.V6_16), templates)
