"""What need not be said, and the word for every step."""

from kvmlab.errors import BadInput
from kvmlab.scenarios.benches import BENCHES

DEFAULT_MEASURED = "v4.19"
"""All four patches are in it, and every measurement fits it."""
DEFAULT_KERNELS = {
    "levels": "v4.18",
    "hv-timer": "v4.19",
    "pending-smi": "v4.19",
    **dict.fromkeys(BENCHES, DEFAULT_MEASURED),
}
"""v4.18 promises nothing to a level above it."""
DEFAULT_PROFILE = "HSW16"
"""The machine of the published figures."""
EACH = "each"
"""Behind --without: every step of the switch, one at a time."""


def which(asked: str | None, scenario: str) -> str:
    """Return the name of the kernel; raise BadInput if none was said and ``scenario`` has no default."""
    name = asked or DEFAULT_KERNELS.get(scenario)
    if name is None:
        raise BadInput("say which kernel: --kernel K (kvmlab kernels lists them)")
    return name
