"""HSW16 with hypervisors as guests: one number more, fitted to the one figure that there is for L2.

The number is the *nested software sum*: what KVM does for one lap of a hypervisor above it, to tell it an
exit, emulate its accesses and take its VM entry. Only the sum is known, so it stands at one step of the lap,
where the VM entry is taken; at which one makes no difference to any total. Everything else is HSW16's, and a
step costs the same at every level. What hardware does, it does for level 0: above, the VM entry is an
instruction that exits, and the cycles of that stand at level 0's VMEXIT.

That L2's figure comes out is no evidence of anything: it was put in. L3 and what lies above is predicted, and
no figure for it is known to us.
"""

from dataclasses import replace

from kvmlab.machine.bench import ABOVE
from kvmlab.schedulers.profile import MachineProfile, Parameter, Status, by_name
from kvmlab.schedulers.profiles.hsw16 import HSW16

SUM = "N_SUM"
SOURCE = 'fitted to 13142 cycles for a CPUID of L2: list mail "[PATCH 00/43] VMX optimizations", June 2019'
HARDWARE = frozenset({"HW_EXIT", "HW_ENTRY"})

N_SUM = Parameter(
    SUM,
    10081,
    0,
    10081,
    Status.FITTED,
    f"{SOURCE}; if no access of L1 traps, and less if some do",
    "the nested software sum: one exit told, one VM entry taken, the accesses of one lap",
)

NESTED_LAP: dict[str, tuple[str, ...]] = {
    "EXIT.reflect": (),
    "EXIT.vmcs_access": (),
    "EXIT.vmresume": (SUM,),
    "NESTED.timer": (),
    "NESTED.evaluate": (),
    "NESTED.rvi": (),
    "HV_TIMER": ("HV_CHECK",),
}
"""The timer is never armed here: what is left of that step is the look at it."""

ACCESSES: dict[str, tuple[str, ...]] = {
    f"{access}.{n}{ABOVE}": () for access in ("VMREAD", "VMWRITE") for n in range(1, 17)
}
"""An access that traps is free where it stands: level 0's exit and entry are what it costs."""

AT_LEVEL_0 = {**HSW16.steps, **NESTED_LAP}
HIGHER_UP: dict[str, tuple[str, ...]] = {
    f"{step}{ABOVE}": tuple(name for name in names if name not in HARDWARE)
    for step, names in AT_LEVEL_0.items()
    if HSW16.splits.keys().isdisjoint(names)
}
"""The same steps as guest code. (Those of a split number are not taken where nesting is measured.)"""

NESTED = MachineProfile(
    "nested",
    "HSW16 with hypervisors as guests",
    "HSW16, and one figure of another box for a CPUID of L2",
    by_name((*HSW16.parameters.values(), N_SUM)),
    {**AT_LEVEL_0, **HIGHER_UP, **ACCESSES},
    HSW16.splits,
)

NESTED_L0 = replace(
    NESTED,
    name="nested-L0",
    says="the same, but only level 0 pays the sum, as if it were hardware's: caches, TLBs",
    steps={**NESTED.steps, f"EXIT.vmresume{ABOVE}": ()},
)
"""The other reading of the same figure: it gives the same L2, and another L3."""
