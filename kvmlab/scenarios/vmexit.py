"""vmexit.flat of kvm-unit-tests: what one exit costs, case by case.

Each case does one thing again and again; a sample is one round. The guest has an x2APIC and APICv.
Source: kvm-unit-tests x86/vmexit.c (what each case does; none of its code is here).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kvmlab.errors import unknown
from kvmlab.kernels.kernel import Kernel
from kvmlab.kvm import apic
from kvmlab.kvm.exits import because
from kvmlab.kvm.nested import current, nothing
from kvmlab.kvm.posted import SENDER, Post
from kvmlab.kvm.records import Vcpu
from kvmlab.kvm.timer_records import BROKEN
from kvmlab.machine.bench import Bench
from kvmlab.machine.step import Block, Step
from kvmlab.machine.system import System
from kvmlab.processor.apic_timer import MASKED, Mode
from kvmlab.processor.exits import Exit
from kvmlab.scenarios import probe as p
from kvmlab.scenarios.costed import costed, on_behalf, with_handlers
from kvmlab.scenarios.ipi import ON_CPU, ON_CPU_HALT, two_vcpus
from kvmlab.scenarios.latency import WARM, host_named
from kvmlab.scenarios.probe import Bed, Probe, bed
from kvmlab.scenarios.self_ipi_guest import VECTOR
from kvmlab.scenarios.timer_parts import Host

QEMU_PORT, PM_TIMER, ELCR = 0x1234, 0xB008, 0x4D0
IN_KERNEL = frozenset({ELCR})
"""The ports of devices that KVM emulates itself; all others are QEMU's."""

TSCDEADLINE_AHEAD = 3000
"""How far ahead of its RDTSC the case sets its deadline."""

SELF_IPI = {
    "sti_nop": (p.CLI, None, p.STI, p.NOP),
    "sti_hlt": (p.CLI, None, p.STI, p.HLT),
    "tpr": (p.TPR_UP, None, p.TPR_DOWN, p.NOP),
    "tpr_sti_nop": (p.CLI, p.TPR_UP, None, p.TPR_DOWN, p.STI, p.NOP),
    "tpr_sti_hlt": (p.CLI, p.TPR_UP, None, p.TPR_DOWN, p.STI, p.HLT),
}
"""What the self-IPI cases do; ``None`` is the write that sends."""


def _self_ipi(steps: Sequence[Step | None], msr: str) -> tuple[Step, ...]:
    return (*(p.send(msr) if step is None else step for step in steps), p.LOOP)


def _deadline(ahead: int) -> tuple[Step, ...]:
    return (p.arm(lambda s, me: s[me.now] + ahead), p.SPIN, p.WAIT, p.LOOP)


CASES: Mapping[str, tuple[Step, ...]] = {
    "cpuid": (p.CPUID,),
    "vmcall": (p.VMCALL,),
    "mov_to_cr8": (p.MOV_CR8,),
    "inl_from_pmtimer": (p.io("IN", PM_TIMER),),
    "inl_from_qemu": (p.io("IN", QEMU_PORT),),
    "inl_from_kernel": (p.io("IN", ELCR),),
    "outl_to_kernel": (p.io("OUT", ELCR, out=True),),
    **{f"self_ipi_{name}": _self_ipi(steps, "icr") for name, steps in SELF_IPI.items()},
    **{f"x2apic_self_ipi_{name}": _self_ipi(steps, "self_ipi") for name, steps in SELF_IPI.items()},
    "tscdeadline_immed": _deadline(0),
    "tscdeadline": _deadline(TSCDEADLINE_AHEAD),
    "ipi": ON_CPU,
    "ipi_halt": ON_CPU_HALT,
    "ipi_running": ON_CPU,
}
"""What one round of each case does."""

IDLE: Mapping[str, tuple[Step, ...]] = {
    "ipi": (p.HLT,),
    "ipi_halt": (p.HLT,),
    "ipi_running": (p.SPIN, p.WAIT),
}
"""The cases in which a second vCPU answers, and what it does between. The last one is not of vmexit.flat."""

ISR = p.handler(p.REST, p.EOI)


def _io(probe: Probe) -> tuple[Step, ...]:
    """Return the handlers of IN and OUT: in KVM, or by way of user space."""

    def step(label: str, out: int, kernel: bool, says: str) -> Step:
        def when(s: Sequence[int], me: Vcpu) -> bool:
            is_io = s[current(s, me).vmcs.reason] == Exit.IO_INSTRUCTION
            return is_io and s[probe.out] == out and (s[probe.port] in IN_KERNEL) == kernel

        return Step(label, nothing, when, says, "v4.10 x86.c kvm_fast_pio_out, emulator_pio_in_out")

    return (
        step("EXIT.in_kernel", 0, True, "IN: the instruction is emulated, a device in KVM answers"),
        step("EXIT.in_user", 0, False, "IN: the instruction is emulated; out to QEMU and back"),
        step("EXIT.out_kernel", 1, True, "OUT: a device in KVM takes it, nothing is emulated"),
    )


VMCALL = Step(
    "EXIT.vmcall", nothing, because(Exit.VMCALL), "a hypercall that does nothing", "v4.10 vmx.c handle_vmcall"
)


def _icr(kernel: Kernel, vcpu: Vcpu, post: Post) -> tuple[Step, Block]:
    """Return the exit of a self-IPI by ICR, and the post that it leads to: the sender's own steps."""
    sender = on_behalf(kernel.paths.get("post", SENDER), post)
    write = Step(
        "EXIT.wrmsr_icr",
        lambda s, me: sender.name,
        apic.WRMSR_ICR.when,
        "the guest sends itself an interrupt: it is posted",
        "v4.10 lapic.c apic_send_ipi, __apic_accept_irq",
        leaves=(sender.name,),
    )
    return write, sender


def vmexit(
    kernel: Kernel, *, case: str, rounds: int = 32, preemption_timer: bool = True, host: str = "server"
) -> Bench:
    """Return a case on ``kernel``; a sample is a round.

    The ``host`` is a "server" or the "traced" one; ``preemption_timer``: does it have one that works? Raises
    BadInput for a case or a host nobody knows, or a kernel that cannot be measured.
    """
    if case not in CASES:
        raise unknown("case", case, CASES)
    own = host_named(host) if preemption_timer else replace(host_named(host), rate=BROKEN)
    on, system = _system(kernel, own, case)
    knobs = {"case": case, "rounds": rounds, "preemption_timer": preemption_timer, "host": host}
    sentence = f"vmexit.flat's {case}, round after round"
    return p.bench(on, system, f"vmexit {case}", sentence, p.ROUND, rounds, skip=WARM, knobs=knobs)


def _system(kernel: Kernel, host: Host, case: str) -> tuple[Bed, System]:
    steps = (*CASES[case], p.ROUND)
    if case in IDLE:
        return two_vcpus(kernel, host, steps, IDLE[case])
    uses_timer = case.startswith("tscdeadline")
    on = bed(kernel, host, Mode.TSC_DEADLINE << 17 | VECTOR if uses_timer else MASKED)
    return on, p.system(_kernel(kernel, on), on, p.program(*steps), ISR)


def _kernel(kernel: Kernel, on: Bed) -> Kernel:
    post = on.layout.record(Post, "self_post", vcpu=on.the.vcpu, vector=VECTOR)
    run = costed(kernel, on.probe.gap)
    icr, sender = _icr(run, on.the.vcpu, post)
    return with_handlers(run, (*_io(on.probe), VMCALL, icr), (sender,))
