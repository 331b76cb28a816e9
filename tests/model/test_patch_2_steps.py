"""Patch 2 as merged, function by function: who holds the deadline behind each, and what the trace tells.

The oracle is one expected outcome for every value of what a function looks at: ce7a058a2117 lapic.c
start_apic_timer, kvm_lapic_switch_to_hv_timer, kvm_lapic_switch_to_sw_timer, kvm_lapic_expired_hv_timer;
64672c95ea4c vmx.c vmx_pre_block, vmx_post_block.
"""

from itertools import product

import pytest
from functions_bench import DEADLINE, Bench, bench

from kvmlab.kvm.timer_records import BROKEN, HALTED, RUNNABLE
from kvmlab.processor.apic_timer import Mode
from kvmlab.processor.apicv import page
from kvmlab.processor.vectors import bit
from kvmlab.scenarios.timer_parts import VECTOR

NAME, FAR = "64672c9", 1 << 40
HV, HRTIMER, NOBODY = (True, False), (False, True), (False, False)


def armed(deadline: int = DEADLINE, *, mode: Mode = Mode.TSC_DEADLINE, rate: int = 0) -> Bench:
    """Return a vCPU whose guest has armed its timer."""
    made = bench(NAME, mode, rate=rate)
    made.write("d" if mode == Mode.TSC_DEADLINE else "c", deadline)
    return made


def queued() -> Bench:
    """Return the same with the deadline on the hrtimer, as during a halt."""
    made = armed()
    made.call("w")
    assert made.holders() == HRTIMER
    return made


def states(made: Bench, letter: str) -> list[int]:
    """Let a function run; return what kvm_hv_timer_state tells."""
    told = [fields for name, fields in made.events(letter) if name == "kvm_hv_timer_state"]
    return [fields["hv_timer_in_use"] for fields in told]


@pytest.mark.parametrize("rate", [0, BROKEN])
@pytest.mark.parametrize("deadline", [DEADLINE, FAR])
def test_arming(rate: int, deadline: int) -> None:
    """The hv timer if the deadline fits, and only that is told; else the hrtimer, without a word."""
    made, fits = bench(NAME, Mode.TSC_DEADLINE, rate=rate), rate == 0 and deadline == DEADLINE
    cell = made.vcpu.guests[0].value
    assert cell is not None
    made.s[cell] = deadline
    assert states(made, "d") == [1] * fits
    assert made.holders() == (HV if fits else HRTIMER)


@pytest.mark.parametrize("mode", [Mode.ONE_SHOT, Mode.PERIODIC])
def test_a_count_is_the_hrtimers(mode: Mode) -> None:
    """Deadline mode only: neither the write of a count nor the end of a halt takes the hv timer."""
    made = armed(10_000, mode=mode)
    assert made.holders() == HRTIMER
    assert states(made, "h") == [] and made.holders() == HRTIMER


def test_going_back_to_the_hv_timer() -> None:
    """If it fits and nothing pends: set, cancel, told once; what does not fit is told, what pends is not."""
    for fits, pending in product((True, False), (0, 1)):
        made = queued()
        made.s[made.timer.tscdeadline] = DEADLINE if fits else FAR
        made.s[made.timer.pending] = pending
        assert states(made, "h") == ([] if pending else [int(fits)])
        assert made.holders() == (HV if fits and not pending else HRTIMER)


def test_a_callback_that_comes_in_between_wins() -> None:
    """The look behind hrtimer_cancel: what it has waited for may have made an expiry."""
    made = queued()
    made.s[made.timer.hrtimer.running], made.s[made.timer.hrtimer.expires] = 1, -1
    made.begin("h", 0)
    made.s[made.timer.hrtimer.running], made.s[made.timer.pending] = 0, 1
    made.rest("h")
    assert made.holders() == NOBODY and made.s[made.timer.hv_deadline] == -1


def test_leaving_the_hv_timer() -> None:
    """Given up if in use, and the hrtimer takes over unless an expiry pends; else nothing is touched."""
    for in_use, pending in product((0, 1), repeat=2):
        made = armed()
        made.s[made.timer.pending] = pending
        if not in_use:
            made.s[made.timer.in_use], made.s[made.timer.hv_deadline] = 0, -1
        assert states(made, "w") == []
        assert made.holders() == (HRTIMER if in_use and not pending else NOBODY)


def test_its_exit() -> None:
    """Not in use any more, one expiry, no timer."""
    made = armed()
    made.s[made.timer.tsc.host] = DEADLINE
    made.call("x")
    assert made.holders() == NOBODY and made.s[made.timer.pending] == 1


@pytest.mark.parametrize("rate", [0, BROKEN])
def test_a_halt_switches_on_either_side_of_the_wait(rate: int) -> None:
    """vmx_pre_block before it, vmx_post_block behind it; without a hook the hrtimer just stays."""
    made = armed(rate=rate)
    vcpu = made.vcpu
    made.s[vcpu.halt.mp_state], made.s[vcpu.guests[0].cpu.irq] = HALTED, 1
    made.until("b", "POLL.start")
    assert made.holders() == HRTIMER
    made.s[page(vcpu.guests[0]).virr] = bit(VECTOR + 1)  # another CPU's interrupt ends the wait
    made.rest("b")
    assert made.holders() == (HV if rate == 0 else HRTIMER) and made.s[vcpu.halt.mp_state] == RUNNABLE


@pytest.mark.parametrize(("rate", "told"), [(0, [1]), (BROKEN, [])])
def test_without_a_hook_nothing_is_tried(rate: int, told: list[int]) -> None:
    """vmx_post_block asks for set_hv_timer; where it is not, the trace says nothing."""
    made = queued() if rate == 0 else armed(rate=rate)
    assert states(made, "p") == told and made.holders() == (HV if rate == 0 else HRTIMER)


def test_a_move_sets_it_anew_if_it_is_in_use() -> None:
    """kvm_arch_vcpu_load: what fits stays with the hv timer, what does not goes to the hrtimer."""
    for deadline, in_use in product((DEADLINE, FAR), (0, 1)):
        made = armed() if in_use else queued()
        made.s[made.timer.tscdeadline] = deadline
        made.call("m")
        assert made.holders() == (HV if in_use and deadline == DEADLINE else HRTIMER)
