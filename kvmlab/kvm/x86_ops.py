"""kvm_x86_ops: the table of hooks that setup code fills in once, for the CPU that it finds.

Source: v4.19 x86.h struct kvm_x86_ops; vmx.c hardware_setup; svm.c svm_x86_ops.
"""

from dataclasses import dataclass

from kvmlab.machine.step import Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class X86Ops:
    """``name`` is the vendor module's; ``request_immediate_exit`` makes the next entry leave at once."""

    name: str
    request_immediate_exit: Effect
