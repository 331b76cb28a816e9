"""Where patch 2 and patch 4 meet: a vCPU that has a deadline, and from which an exit is forced.

Read in 4.19, arch/x86/kvm/vmx.c, and 6.1, arch/x86/kvm/vmx/vmx.c: vmx_update_hv_timer,
handle_preemption_timer, handle_fastpath_preemption_timer.
"""

import pytest
from functions_bench import START, Bench, bench

from kvmlab.kernels.names import kernel
from kvmlab.kernels.timers import timed
from kvmlab.kvm.immediate_exit import SOFT_OFF
from kvmlab.kvm.timer_records import BROKEN
from kvmlab.machine.edit import find
from kvmlab.machine.step import Block, block
from kvmlab.processor.apic_timer import Mode
from kvmlab.processor.controls import ACTIVATE_PREEMPTION_TIMER
from kvmlab.processor.exits import Exit

OFF = {"d264ee0": None, "d264ee0+804939e": SOFT_OFF, "v4.19": None, "v6.1": SOFT_OFF}
"""Kernel -> what is in the field when nothing is wanted (``None``: the control is off)."""
ARMED = START + 3_200
"""100 ticks of 32 cycles."""


def entering(name: str, forced: int, armed: bool, rate: int = 5) -> Bench:
    """Return a vCPU in front of its entry: ``u`` is vmx_update_hv_timer, ``y`` what handles the exit."""
    run = timed(kernel(name)).paths["vcpu_run"]
    exits = find(run, "handle_exit")
    assert isinstance(exits, Block)
    if "fastpath" in kernel(name).paths:
        exits = block("exits", block("run_again", find(run, "fastpath")), exits)
    paths = {"u": block("vmx_update_hv_timer", find(run, "HV_TIMER")), "y": exits}
    made = bench(name, Mode.TSC_DEADLINE, rate=rate, more=paths)
    if armed:
        made.write("d", ARMED)
    assert made.vcpu.forced is not None
    made.s[made.vcpu.forced] = forced
    return made


def field(made: Bench) -> int | None:
    """Let KVM write the timer's field; return it, or ``None`` if the control is off."""
    fields = made.vcpu.guests[0].vmcs
    assert fields.pin is not None and fields.timer is not None
    made.call("u")
    return made.s[fields.timer] if made.s[fields.pin] & ACTIVATE_PREEMPTION_TIMER else None


def leaves(made: Bench) -> None:
    """Let the timer take the guest out, and KVM handle that."""
    made.s[made.vcpu.guests[0].vmcs.reason] = Exit.PREEMPTION_TIMER
    made.call("y")


@pytest.mark.parametrize("name", OFF)
@pytest.mark.parametrize("armed", [False, True])
def test_a_forced_exit_goes_before_the_deadline(name: str, armed: bool) -> None:
    """Value 0, whatever is left; else what is left; else off."""
    assert field(entering(name, 1, armed)) == 0
    assert field(entering(name, 0, armed)) == (100 if armed else OFF[name])


@pytest.mark.parametrize("name", OFF)
@pytest.mark.parametrize("armed", [False, True])
def test_a_forced_exit_expires_nothing(name: str, armed: bool) -> None:
    """The guest's timer is as it was, and the next entry arms it again."""
    made = entering(name, 1, armed)
    t, forced = made.timer, made.vcpu.forced
    assert forced is not None and field(made) == 0
    kept = [made.s[cell] for cell in (t.in_use, t.hv_deadline, t.pending, t.injected)]
    leaves(made)
    assert [made.s[cell] for cell in (t.in_use, t.hv_deadline, t.pending, t.injected)] == kept
    assert kept == [int(armed), ARMED if armed else -1, 0, 0]
    made.s[forced], made.s[t.tsc.host] = 0, START + 1_600
    assert field(made) == (50 if armed else OFF[name])


@pytest.mark.parametrize("name", OFF)
def test_an_exit_that_nobody_forced_is_the_deadlines(name: str) -> None:
    """It expires once, and nothing is armed behind it."""
    made = entering(name, 0, True)
    made.s[made.timer.tsc.host] = ARMED
    assert field(made) == 0
    leaves(made)
    assert made.s[made.timer.pending] + made.s[made.timer.injected] == 1
    assert made.holders() == (False, False) and field(made) == OFF[name]


@pytest.mark.parametrize("name", OFF)
def test_where_deadlines_are_the_hrtimers_the_control_stays_off(name: str) -> None:
    """With no hook set_hv_timer nothing is left of a deadline, and nobody writes what never runs out."""
    assert field(entering(name, 0, True, BROKEN)) is None
