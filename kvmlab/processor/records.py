"""The processor's records: a core, a CPU as each level sees it, a guest context, a VMCS.

Levels are absolute: 0 is the hypervisor that hardware runs, n+1 its guest's level. The CPU of level
n >= 1 is the one that the hypervisor below gives it: its IF, its local APIC.

Frames order who runs on the core: ``2 * level`` for code of that level, one more for an interrupt
handler on top of it. Frame 0 is root mode.
"""

from dataclasses import dataclass

from kvmlab.machine.state import Cell, cell
from kvmlab.processor.controls import show_proc
from kvmlab.processor.exits import NONE
from kvmlab.processor.exits import show as show_exit
from kvmlab.processor.intr_info import show as show_event
from kvmlab.processor.vectors import POSTED_INTR_VECTOR, show_set
from kvmlab.processor.vectors import show_vector as show_vector

ROOT = 0
"""The frame of level 0: root mode, the host's thread."""

ACTIVE, HLT, SHUTDOWN, WAIT_FOR_SIPI = range(4)
"""Activity states, as the VMCS field has them."""

OFFSET = 0xFFFFF
BODY = 0x100000
"""Where a guest's body starts; the handler of vector v starts at ``handler(v)``."""


def frame(level: int) -> int:
    """Return the frame of code at ``level``."""
    return 2 * level


def handler(vector: int) -> int:
    """Return the address of a guest's handler for ``vector``."""
    return 0x10000000 + (vector << 20)


def show_rip(rip: int) -> str:
    """Print an address as handler or body plus the instructions behind it."""
    where = f"handler of {rip - 0x10000000 >> 20:#x}" if rip >= 0x10000000 else "body"
    return f"{where}+{rip & OFFSET}" if rip & OFFSET else where


def show_frame(number: int) -> str:
    """Print whose code runs."""
    return f"L{number // 2}" + (" handler" if number % 2 else "")


def show_point(tsc: int) -> str:
    """Print a point in time, ``-`` for none."""
    return "-" if tsc < 0 else str(tsc)


def show_flag(value: int) -> str:
    """Print a flag as 0 or 1."""
    return str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What there is once per physical CPU: the frame on top, and a pending MTF exit.

    ``doorbell`` is a rung AVIC doorbell that the CPU has not looked at yet, where AVIC is used.
    """

    doorbell: Cell | None = None
    frame: Cell = cell(ROOT, show_frame)
    mtf: Cell = cell(0, show_flag)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """A logical processor as one level sees it: RFLAGS.IF, and its local APIC's pending and serving sets.

    Allocated only where somebody uses them: ``tpr``, the task priority (else 0), and ``tmr``, which of the
    vectors were accepted as level-triggered (else none). AMD's has ``gif``, the global interrupt flag.
    """

    gif: Cell | None = None
    tpr: Cell | None = None
    tmr: Cell | None = None
    irq: Cell = cell(1, show_flag)
    irr: Cell = cell(0, show_set)
    isr: Cell = cell(0, show_set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vmcs:
    """V[owner -> guest]: the fields that matter here.

    What never changes in a run is a constant, not a cell: ``exit_controls``, the posted-interrupt
    ``notification`` vector, the MSRs whose writes the MSR bitmap lets through, ``passed``, and the exception
    bitmap, ``exceptions``. Allocated only where somebody uses them: ``pin`` (pin-based controls), ``timer``
    (the value of the VMX-preemption timer); where a program changes them, ``exception_bitmap``, and
    ``saves_timer`` (the VM-exit control "save VMX-preemption timer value").
    """

    owner: int
    guest: int
    exit_controls: int = 0
    exceptions: int = 0
    exception_bitmap: Cell | None = None
    saves_timer: Cell | None = None
    notification: int = POSTED_INTR_VECTOR
    passed: frozenset[int] = frozenset()
    pin: Cell | None = None
    timer: Cell | None = None
    intr_info: Cell = cell(0, show_event)
    proc: Cell = cell(0, show_proc)
    reason: Cell = cell(NONE, show_exit)
    exit_intr: Cell = cell(0, show_event)
    idt_vectoring: Cell = cell(0, show_event)


@dataclass(frozen=True, slots=True, kw_only=True)
class PiDesc:
    """A posted-interrupt descriptor.

    Allocated only where somebody uses them: ``sn``, ``nv``, ``ndst``.
    """

    sn: Cell | None = None
    nv: Cell | None = None
    ndst: Cell | None = None
    pir: Cell = cell(0, show_set)
    on: Cell = cell(0, show_flag)


@dataclass(frozen=True, slots=True, kw_only=True)
class Apicv(PiDesc):
    """The virtual-APIC page and the posted-interrupt descriptor of one vCPU, where APICv is used.

    ``virr`` and ``visr`` are the page's, ``rvi`` the guest interrupt status'; ``recognised`` is the pending
    virtual interrupt that the last evaluation found; ``posting`` is 1 between the two halves of
    posted-interrupt processing, which nothing interrupts.

    Allocated only where somebody uses them: ``vtpr`` and ``vtmr`` (else 0), ``eoi_exit`` (the EOI-exit
    bitmap, else empty), ``threshold`` (the TPR threshold, else 0); ``svi`` and ``vppr`` only where software
    may make them differ from what VISR and VTPR say. ``delivery``: is "virtual-interrupt delivery" on?
    """

    delivery: bool = True
    vtpr: Cell | None = None
    vppr: Cell | None = None
    vtmr: Cell | None = None
    svi: Cell | None = None
    eoi_exit: Cell | None = None
    threshold: Cell | None = None
    virr: Cell = cell(0, show_set)
    visr: Cell = cell(0, show_set)
    rvi: Cell = cell(0, show_vector)
    recognised: Cell = cell(0, show_flag)
    posting: Cell = cell(0, show_flag)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreemptionTimer:
    """The counter behind the VMX-preemption timer, where time counts: its field is in the VMCS.

    ``tsc`` is the cell of the host's TSC; the counter drops when bit ``rate`` of it changes. ``deadline`` is
    the TSC at which it reaches 0 (-1: it does not run). ``frozen`` is the count of a CPU that sleeps too deep
    to count (-1: it does not), where a guest may sleep so.
    """

    tsc: Cell
    rate: int = 5
    frozen: Cell | None = None
    deadline: Cell = cell(-1, show_point, deadline=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """RFLAGS.TF, and the flags in the frame on the guest's stack: bit 0 IF, bit 1 TF."""

    tf: Cell = cell(0, show_flag)
    saved: Cell = cell(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """The code at one level >= 1, and the processor under it.

    ``insns`` counts the instructions retired since the last VM entry and saturates at ``cap``;
    ``delivered`` counts events delivered through its IDT and saturates at 2. Its body is a loop of
    ``length`` instructions. ``faults`` is how many deliveries may still hit an EPT violation.

    Allocated only where a guest's program has use for them: ``in_handler`` (an interrupt handler with
    a frame of its own is on top) and ``return_rip`` (where it returns to), ``shadow`` (STI or MOV SS blocks
    interrupts for one instruction), ``activity`` (active or halted), ``msr`` and ``value`` (what a WRMSR
    is about to write), ``debug`` (a debug trap is pending), ``smm`` (it is in system-management mode),
    ``flags`` (TF, and what IRET brings back), ``nmi_blocked``, and ``exit_length`` (of the instruction that
    exited). Vectors in ``trap_gates`` leave IF as it is.
    """

    level: int
    core: Core
    host: Cpu
    cpu: Cpu
    vmcs: Vmcs
    cap: int = 1
    length: int = 2
    apicv: Apicv | None = None
    timer: PreemptionTimer | None = None
    debug: Cell | None = None
    flags: Flags | None = None
    nmi_blocked: Cell | None = None
    exit_length: Cell | None = None
    trap_gates: frozenset[int] = frozenset()
    smm: Cell | None = None
    in_handler: Cell | None = None
    return_rip: Cell | None = None
    shadow: Cell | None = None
    activity: Cell | None = None
    msr: Cell | None = None
    value: Cell | None = None
    rip: Cell = cell(BODY, show_rip)
    insns: Cell = cell(0)
    delivered: Cell = cell(0)
    faults: Cell = cell(0)
