"""An ablation of the sync: PIR is copied before ON is cleared, and not behind it."""

from kvmlab.kernels.kernel import RUN_LOOP, Patch, PathEdit
from kvmlab.machine.edit import Relocate

COPY_FIRST = Patch(
    "copy-first",
    "the sync copies PIR first and clears ON behind it",
    "no kernel did this: b95234c84004 with two steps of its sync swapped",
    (PathEdit(RUN_LOOP, Relocate("SYNC.clear", after="SYNC.copy")),),
)
