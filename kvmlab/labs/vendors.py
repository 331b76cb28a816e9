"""Intel and AMD behind the hook: an SMI that waits, on either CPU; and what each step around VMRUN is for."""

from collections.abc import Mapping, Sequence
from functools import partial

from kvmlab.kernels.names import kernel
from kvmlab.kernels.svm import AROUND
from kvmlab.labs.in_the_end import comes
from kvmlab.scenarios.mixes import AMD
from kvmlab.scenarios.pending_smi import pending_smi
from kvmlab.schedulers.explore import explore
from kvmlab.show.places import NINE, Place
from kvmlab.show.verdicts import Build, verdict_table
from kvmlab.show.widgets.verdicts import VerdictGrid

KERNELS = ("v4.18", "d264ee0", "d264ee0+804939e+0ec3d6d")
COLUMNS: Mapping[str, Build] = {
    "Intel": partial(pending_smi, cpus="L0=intel"),
    "Intel, no A1": partial(pending_smi, cpus="L0=intel", no_a1=True),
    "AMD": partial(pending_smi, cpus=f"L0={AMD}"),
    "AMD, no A1": partial(pending_smi, cpus=f"L0={AMD}", no_a1=True),
}


OWN = {
    "host IF": Place("host IF / GIF", ("L0.irq", "L0.gif")),
    "the other's PIR / ON": Place("entry event", ("vmc?01.intr_info",), "interrupts", names="record"),
    "current VMCS": Place("SMI", ("smi.pending", "smi.smm"), names="flag", joint=", "),
}
"""What this scenario has to show in the place of another title, where it is there."""
WATCH = tuple((*(own for title, own in OWN.items() if title == each[0].title), *each) for each in NINE)


def vendors() -> VerdictGrid:
    """Return before the patch, the patch, and the form of 2024, on both CPUs, with A1 and without."""
    table = verdict_table([kernel(name) for name in KERNELS], COLUMNS, beside="CPU")
    return VerdictGrid(table, watch=WATCH)


ORDERS: Mapping[str, Sequence[str]] = {
    "as it is": AROUND,
    **{f"without {left}": [label for label in AROUND if label != left] for left in AROUND if left != "VMRUN"},
    "STGI before VMRUN": ("CLGI", "SVM.irq_on", "STGI", "VMRUN", "SVM.irq_off"),
}


def around() -> str:
    """Return what becomes of the exit with each step around VMRUN left out: at once? and in the end?

    In the end: whatever runs, arrives or ticks has come.
    """
    rows = [("around VMRUN", "at once?", "in the end?")]
    rows += [(name, *_outcome(",".join(order))) for name, order in ORDERS.items()]
    return "\n".join(f"{name:<24}{now:<18}{then}" for name, now, then in rows)


def _outcome(order: str) -> tuple[str, str]:
    build = partial(pending_smi, kernel("v4.19"), cpus=f"L0={AMD}", around=order)
    worst = explore(build()).shortest
    now = f"{worst.property.label}, {len(worst.labels) - 1} steps" if worst else "ok"
    return now, "comes" if comes(build, ("runs", "delivery", "exits")) else "NEVER"
