"""A local APIC that its guest disables by software: what becomes of KVM's timer, in each kernel.

The oracle is the processor's timer with the rule of the SDM ("Local APIC State After It Has Been Software
Disabled") around it: every LVT entry is masked, and cannot be unmasked until the APIC is enabled again. Read
in 4.10.17, 4.19 and 6.1, lapic.c kvm_lapic_reg_write: the three do the same.
"""

from dataclasses import dataclass

import pytest
from functions_bench import DEADLINE, START, bench
from hypothesis import given, settings
from hypothesis import strategies as st

from kvmlab.errors import ModelError
from kvmlab.kernels.names import kernel
from kvmlab.kernels.timers import timed
from kvmlab.kvm.timer_msrs import current_count
from kvmlab.kvm.vcpu_block import woken
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Step, block
from kvmlab.machine.system import Actor, System
from kvmlab.processor import apic_timer
from kvmlab.processor.apic_timer import (
    IA32_TSC_DEADLINE,
    MASKED,
    SOFTWARE_ENABLE,
    X2APIC_SIVR,
    ApicTimer,
    Clock,
    Mode,
)
from kvmlab.processor.boundary import TIMER_APICV_EVENTS, in_guest
from kvmlab.processor.entry import vm_exit
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import Guest, frame
from kvmlab.scenarios.timer_parts import VECTOR, Host, actors, parts
from kvmlab.schedulers.clock import clocked

KERNELS = ["v4.7", "64672c9", "v4.10", "v4.18", "v4.19", "v6.1", "v6.1+preemption-timer=0"]
ON, OFF = SOFTWARE_ENABLE | 0xFF, 0xFF


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("mode", list(Mode))
def test_the_timer_is_masked_and_counts_on(name: str, mode: Mode) -> None:
    """Vector, mode, holder and end stay; an expiry that pends is forgotten; enabling changes nothing else."""
    made = bench(name, mode)
    made.write("d" if mode == Mode.TSC_DEADLINE else "c", DEADLINE)
    t = made.timer
    assert t.enabled is not None
    before = made.aside("e", t.lvtt, t.enabled)
    made.s[t.pending] = 1
    made.write("e", OFF)
    assert (made.s[t.lvtt], made.s[t.enabled]) == (MASKED | mode << 17 | VECTOR, 0)
    assert made.aside("e", t.lvtt, t.enabled) == before and any(made.holders())
    made.s[t.pending], lvtt = 1, made.s[t.lvtt]
    made.write("e", ON)
    assert (made.s[t.lvtt], made.s[t.enabled], made.s[t.pending]) == (lvtt, 1, 1)


@pytest.mark.parametrize("name", KERNELS)
def test_nobody_unmasks_a_disabled_timer(name: str) -> None:
    """A write of LVTT sets vector and mode; only one with the APIC enabled takes the mask away."""
    made = bench(name, Mode.ONE_SHOT)
    for write, value, lvtt in (
        ("e", OFF, MASKED | VECTOR),
        ("l", Mode.PERIODIC << 17 | VECTOR + 1, MASKED | Mode.PERIODIC << 17 | VECTOR + 1),
        ("l", Mode.TSC_DEADLINE << 17 | VECTOR, MASKED | Mode.TSC_DEADLINE << 17 | VECTOR),
        ("e", ON, MASKED | Mode.TSC_DEADLINE << 17 | VECTOR),
        ("l", Mode.TSC_DEADLINE << 17 | VECTOR, Mode.TSC_DEADLINE << 17 | VECTOR),
    ):
        made.write(write, value)
        assert made.s[made.timer.lvtt] == lvtt


@pytest.mark.parametrize("name", KERNELS)
def test_it_is_masked_while_a_callback_is_waited_for(name: str) -> None:
    """A write that changes the mode waits for it with the mask in place."""
    made = bench(name, Mode.ONE_SHOT)
    made.write("e", OFF)
    made.s[made.timer.hrtimer.running] = 1
    made.begin("l", Mode.TSC_DEADLINE << 17 | VECTOR)
    assert made.s[made.timer.lvtt] & MASKED


DROPPED = {"v6.1"}
"""Kernels that deliver in the vCPU's own thread: behind a mask that is nothing, and nothing pends."""


@pytest.mark.parametrize("name", KERNELS)
def test_an_expiry_while_it_is_disabled(name: str) -> None:
    """No interrupt, and a thread that waits is not woken by it; enabled and unmasked again it comes late.

    The processor's never comes. v6.1's preemption timer has no pending, so there it does not either.
    """
    made = bench(name, Mode.TSC_DEADLINE)
    made.write("d", DEADLINE)
    made.write("e", OFF)
    made.expire()
    made.s[made.vcpu.halt.stop] = DEADLINE + 1
    assert not made.s[made.timer.injected] and not woken(made.s, made.vcpu)
    assert made.s[made.timer.pending] == (name not in DROPPED) == bool(made.s[made.timer.tscdeadline])
    for letter, value in (("e", ON), ("l", Mode.TSC_DEADLINE << 17 | VECTOR)):
        made.call("t")
        assert not made.s[made.timer.injected]
        made.write(letter, value)
    made.call("t")
    assert made.s[made.timer.injected] == (name not in DROPPED)


@pytest.mark.parametrize("name", KERNELS)
def test_disabled_twice_what_expired_between_is_forgotten(name: str) -> None:
    """Whoever wants no late interrupt disables once more: pending := 0 with every such write."""
    made = bench(name, Mode.TSC_DEADLINE)
    made.write("d", DEADLINE)
    made.write("e", OFF)
    made.expire()
    for letter, value in (("e", OFF), ("e", ON), ("l", Mode.TSC_DEADLINE << 17 | VECTOR)):
        made.write(letter, value)
    made.call("t")
    assert not made.s[made.timer.injected]


@dataclass(slots=True)
class Processor:
    """The oracle: the processor's timer, and the rule about its mask."""

    s: list[int]
    timer: ApicTimer
    enabled: bool = True
    rang: int = 0

    def write(self, letter: str, value: int) -> None:
        """Write a register: ``e`` SVR, ``l`` LVTT, ``c`` the initial count."""
        lvtt = self.s[self.timer.lvtt]
        if letter == "c":
            apic_timer.write_tmict(self.s, self.timer, value)
            return
        if letter == "e":
            self.enabled, value = bool(value & SOFTWARE_ENABLE), lvtt
        apic_timer.write_lvtt(self.s, self.timer, value if self.enabled else value | MASKED)

    def wait(self, cycles: int) -> None:
        """Let time pass."""
        end = self.s[self.timer.tsc] + cycles
        while 0 <= self.s[self.timer.expires] <= end:
            self.s[self.timer.tsc] = self.s[self.timer.expires]
            self.rang += bool(apic_timer.fire(self.s, self.timer))
        self.s[self.timer.tsc] = end


LVTTS = st.sampled_from([mode << 17 | mask | VECTOR for mode in (0, 1) for mask in (0, MASKED)])
Writes = st.lists(
    st.one_of(
        st.tuples(st.just("e"), st.sampled_from([ON, OFF])),
        st.tuples(st.just("l"), LVTTS),
        st.tuples(st.just("c"), st.integers(0, 3_000)),
        st.tuples(st.just(""), st.integers(0, 5_000)),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(st.sampled_from(["v6.1"]), Writes)
def test_counts_do_what_the_processors_do(name: str, writes: list[tuple[str, int]]) -> None:
    """Whatever is enabled, masked, counted and waited for: the same interrupts, and what counts is the same.

    v6.1 on its preemption timer, which alone drops what expires behind a mask, as the processor does.
    """
    made, layout = bench(name, Mode.ONE_SHOT), Layout()
    tsc = layout.add("tsc", START)
    timer = layout.record(ApicTimer, "apic", tsc=tsc, clock=Clock(), tdcr=0xB, lvtt=VECTOR)
    cpu, rang = Processor(list(layout.start()), timer), 0
    for letter, value in writes:
        if letter:
            made.write(letter, value)
            cpu.write(letter, value)
        else:
            end = made.s[made.timer.tsc.host] + value
            while any(made.holders()) and made.ends() <= end:
                made.s[made.timer.injected] = 0
                made.expire()
                rang += made.s[made.timer.injected]
            made.s[made.timer.tsc.host] = end
            cpu.wait(value)
        shown, counts = current_count(made.s, made.vcpu), apic_timer.current_count(cpu.s, timer)
        assert (rang, shown) == (cpu.rang, counts % (made.s[made.timer.period] or 1))
        assert made.s[made.timer.lvtt] == cpu.s[timer.lvtt]


def test_without_the_cell_nobody_disables() -> None:
    """A guest that has no such register is told to allocate one, as for a TPR."""
    made = bench("v6.1", Mode.ONE_SHOT)
    path = kernel("v6.1").paths["write_spiv"]
    layout = Layout()
    vcpu = parts(layout, kernel("v6.1"), Host(), lvtt=0).vcpu
    system = System(layout, [Actor("e", "write", path, vcpu)])
    with pytest.raises(ModelError, match="allocate the cell enabled"):
        system.take(system.start, "e")
    assert made.timer.enabled is not None


def _writes(label: str, msr: int, value: int) -> Step:
    def run(s: list[int], me: Guest) -> None:
        assert me.msr is not None and me.value is not None
        s[me.msr], s[me.value] = msr, value
        vm_exit(s, me, Exit.MSR_WRITE)

    return Step(label, run)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("off", [True, False])
def test_the_guest_disables_it_in_the_run_loop(name: str, off: bool) -> None:
    """The write exits, and is told and handled: the deadline passes without an interrupt."""
    layout, run = Layout(), timed(kernel(name))
    the = parts(layout, run, Host(rate=0), lvtt=Mode.TSC_DEADLINE << 17 | VECTOR, spiv=True)
    svr = [_writes("WRMSR.spiv", X2APIC_SIVR, OFF)] if off else []
    computes = Step("COMPUTE", lambda s, me: None, lambda s, me: False)
    program = block("guest", _writes("WRMSR.deadline", IA32_TSC_DEADLINE, DEADLINE), *svr, computes)
    path = in_guest(program, lambda me: me, TIMER_APICV_EVENTS)
    guest = Actor("g", "guest", path, the.guest, the.core.frame, frame(1))
    made = clocked(System(layout, actors(layout, run, the, guest, horizon=3 * DEADLINE)), limit=150)
    handled, rang = made.count("SPIV.mask"), made.count("VIRTUAL_INTERRUPT")
    assert (handled, rang, made.state[the.now] >= DEADLINE) == (off, not off, True)
    told = [f["reg"] for event, f in made.events if event == "kvm_apic"]
    assert told == ["APIC_SPIV"] * off and made.state[the.vcpu.timer.injected] == rang
