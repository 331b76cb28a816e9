"""KVM's records: a vCPU as the hypervisor at one level keeps it, and somebody who kicks it."""

from dataclasses import dataclass

from kvmlab.kvm.mode import OUTSIDE_GUEST_MODE
from kvmlab.kvm.mode import show as show_mode
from kvmlab.kvm.nested_vmx import NestedVmx
from kvmlab.kvm.requests import show as show_requests
from kvmlab.kvm.smi import Smi
from kvmlab.kvm.x86_ops import X86Ops
from kvmlab.machine.state import Cell, cell
from kvmlab.machine.store_buffer import StoreBuffer
from kvmlab.processor.intr_info import show as show_event
from kvmlab.processor.records import Core, Cpu, Guest, Vmcs, show_flag
from kvmlab.processor.wire import Wire


def show_current(which: int) -> str:
    """Print which of the hypervisor's VMCSs is loaded."""
    return f"vmcs0{which + 1}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vcpu:
    """struct kvm_vcpu of the hypervisor at ``level``, for its guest at ``level + 1``.

    ``cpu`` is the CPU that its thread runs on, ``guests[0]`` the guest, ``guests[1]`` the guest's own
    guest when that one runs on V[level -> level+2], ``guests[2]`` the guest of that one, and so on.
    ``forms[n]`` is the guest's form for ``guests[1 + n]``; ``loaded`` is where a guest that has several
    keeps which of them it runs. ``current`` says which guest is loaded; "L2 active" (is_guest_mode) is
    ``current > 0``. ``under`` is the hypervisor's own code as hardware runs it, ``below`` the vCPU that
    the hypervisor below keeps for it (``None``: level 0, in root mode). ``immediate`` is
    vcpu_enter_guest's local req_immediate_exit; ``queued`` is arch.interrupt, an injected interrupt whose
    delivery is not yet known to have worked.

    Only where a kernel has them: ``nested``, ``ops``, ``forced`` (vcpu_vmx.req_immediate_exit), ``exception``
    (arch.exception, one that is pending and not yet injected), ``smi``.
    Only where a scenario uses them: ``mode_buffer`` holds the thread's stores to ``mode`` under x86-TSO
    (``None``: all see them at once), ``preemptions`` is how often the thread may still lose its CPU,
    ``other`` is the vCPU that this one asks about when it spins, and ``wire`` is the way of an IPI to its own
    CPU, if that takes time.
    """

    level: int
    core: Core
    cpu: Cpu
    guests: tuple[Guest, ...]
    forms: tuple[Vmcs, ...] = ()
    loaded: Cell | None = None
    under: Guest | None = None
    below: "Vcpu | None" = None
    wire: Wire | None = None
    nested: NestedVmx | None = None
    ops: X86Ops | None = None
    forced: Cell | None = None
    exception: Cell | None = None
    smi: Smi | None = None
    mode_buffer: StoreBuffer | None = None
    preemptions: Cell | None = None
    other: "Vcpu | None" = None
    requests: Cell = cell(0, show_requests)
    mode: Cell = cell(OUTSIDE_GUEST_MODE, show_mode)
    current: Cell = cell(0, show_current)
    nested_run_pending: Cell = cell(0, show_flag)
    immediate: Cell = cell(0, show_flag)
    queued: Cell = cell(0, show_event)

    @property
    def vmcs12(self) -> Vmcs | None:
        """The guest's form for its own guest, where it has one guest."""
        return self.forms[0] if self.forms else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Another CPU that has something for ``vcpu``."""

    vcpu: Vcpu
