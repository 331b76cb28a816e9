"""The machine of the recorded traces: fitted to one recording; what of the measurements it predicts."""

import re
from fractions import Fraction
from functools import cache

import pytest
from recorded import delays, modelled
from timer_bench import ROWS

from kvmlab.kernels.names import kernel
from kvmlab.machine.bench import Bench
from kvmlab.scenarios.latency import tscdeadline_latency
from kvmlab.scenarios.tsc_deadline import DELTA
from kvmlab.schedulers.measure import Measured, measure
from kvmlab.schedulers.profile import MachineProfile, Status
from kvmlab.schedulers.profiles.traced import EVENT, TRACED, fitted
from kvmlab.traces import load

WITH, WITHOUT = "v6.1", "v6.1+preemption-timer=0"

ROW = [int(n) for n in re.findall(r"\d+", ROWS["KVM-07"]["source"].partition("tracing")[2])]
BUSY, LEAST = ({WITH: ROW[i], WITHOUT: ROW[i + 2]} for i in (0, 1))
HALT = {WITH: (ROW[4], ROW[5]), WITHOUT: (ROW[6], ROW[7])}
"""Instructions from a deadline to the guest's handler, measured without tracing.

Busy: the first of 16, and the least. Halting: the least and the most, which take turns.
"""


@cache
def measured(on: str, guest: str) -> Measured:
    """Return 16 deadlines, the first one included."""
    return measure(tscdeadline_latency(kernel(on), guest=guest, host="traced", samples=16, skip=0), TRACED)


def miss(predicted: int | Fraction, instructions: int) -> float:
    """Return by which part of the measured the prediction is above it."""
    return float(predicted / instructions) - 1


def first(on: str, machine: MachineProfile = TRACED) -> int:
    """Return a busy guest's first latency on a machine."""
    return measure(once(on), machine).samples[0]


def once(on: str) -> Bench:
    """Return one deadline, the first."""
    return tscdeadline_latency(kernel(on), host="traced", samples=1, skip=0)


def halting(on: str, event: int = EVENT) -> tuple[int, ...]:
    """Return the latencies of 16 halts on a machine that is fitted with another time for an event."""
    bench = tscdeadline_latency(kernel(on), guest="halt", host="traced", samples=16, skip=0)
    return measure(bench, fitted(event)).samples


@pytest.mark.parametrize("on", [WITH, WITHOUT])
def test_the_longest_halt_is_predicted(on: str) -> None:
    """To the percent: its pieces are fitted, recorded; that they add up to what was measured is not."""
    assert abs(miss(max(measured(on, "halt").samples), HALT[on][1])) < 0.01


@pytest.mark.parametrize("on", [WITH, WITHOUT])
def test_on_what_it_hangs_that_halts_take_turns(on: str) -> None:
    """Measured, the advance grows to just below 5000 ns, and starts over the next time; here it starts over
    at once. If an event took 5 instructions more to record they would take turns, and both would be right."""
    assert len(set(halting(on))) == 1
    least, most = sorted(halting(on, EVENT + 5)[:2])
    assert abs(miss(least, HALT[on][0])) < 0.01 and abs(miss(most, HALT[on][1])) < 0.01


def test_a_busy_guest_with_an_hrtimer_is_predicted() -> None:
    """The first latency to 2 %, the least to a tenth: nothing in the recording interrupts a running guest.

    Its pieces miss by more, and the misses cancel: SW_EXIT, say, is fitted to a WRMSR's exit.
    """
    busy = measured(WITHOUT, "busy").samples
    assert abs(miss(busy[0], BUSY[WITHOUT])) < 0.02 and 0.08 < miss(min(busy), LEAST[WITHOUT]) < 0.12


def test_a_busy_guest_with_the_preemption_timer_is_missed() -> None:
    """By a fifth, too short: nobody in the recording leaves by the preemption timer.

    So what its exit takes is HSW16's; in the busy guest's recording H_PREEMPT is 86.
    """
    busy = measured(WITH, "busy").samples
    assert -0.21 < miss(busy[0], BUSY[WITH]) < -0.17 and -0.2 < miss(min(busy), LEAST[WITH]) < -0.15
    assert all(status(name) is Status.ASSUMED for name in ("H_PREEMPT", "TIMER_EXPIRE"))


LATE_TO = {
    "vmx_pt1_lab_tsc_hlt": 0.0,
    "vmx_pt0_lab_tsc_hlt": 0.003,
    "vmx_pt1_lab_tsc_busy": -0.03,
    "vmx_pt0_lab_tsc_busy": 0.05,
    "vmx_pt0_lab_tsc_past": -0.04,
}
"""Recording -> by which part at most the model is off in how late its deadlines are, and to which side."""


@pytest.mark.parametrize("name", LATE_TO)
def test_how_late_the_recorded_deadlines_are(name: str) -> None:
    """Round by round, as KVM's own look at the clock said it: with all that the adaptive advance does to it.

    In two rounds at most the host did something else. Of the five recordings the first one is the fit's.
    """
    past = -DELTA["past"] if name.endswith("past") else 0
    pairs = zip(delays(modelled(name)), delays(load(name)), strict=True)
    off = [miss(told - past, seen - past) for told, seen in pairs]
    low, high = sorted((0.0, LATE_TO[name]))
    assert len(off) == 16 and sum(low - 0.002 <= one <= high for one in off) >= 14


def status(name: str) -> Status:
    """Return how a number of the machine is known."""
    return TRACED.parameters[name].status


def test_the_gain_has_its_sign_and_its_size() -> None:
    """940 instructions were measured, a fifth fewer: the preemption timer's exit is too short here."""
    gain = BUSY[WITHOUT] - BUSY[WITH]
    assert gain == 940 and abs(first(WITHOUT) - first(WITH) - gain) <= gain / 3


def test_the_loss_of_a_halting_guest_has_its_sign_and_its_size() -> None:
    """16 and 36 instructions were measured. Here it is HSW16's HV_POSTBLOCK and HV_CHECK: no evidence."""
    lost = measured(WITH, "halt").mean - measured(WITHOUT, "halt").mean
    typical = Fraction(sum(HALT[WITH]) - sum(HALT[WITHOUT]), 2)
    assert abs(lost - typical) <= typical / 3


@pytest.mark.parametrize("less", [10, -10])
def test_what_hangs_on_the_length_of_an_event(less: int) -> None:
    """Ten instructions more or less for each event: 5 and 3 % of a busy latency, 2 % of the gain."""
    machine = fitted(EVENT - less)
    moved = {on: first(on, machine) - first(on) for on in BUSY}
    assert moved == {WITH: 35 * less // 10, WITHOUT: 55 * less // 10}


def test_busy_latencies_fall_by_an_eighth_of_what_the_advance_can_see() -> None:
    """It sees the time up to its look at the clock; some 220 of the measured latencies are behind that."""
    samples = measured(WITH, "busy").samples
    behind = TRACED.parameters["HW_ENTRY"].cycles + TRACED.parameters["G_ISR"].cycles
    for late, then in zip(samples[:6], samples[1:], strict=False):
        assert abs((late - behind) / 8 - (late - then)) <= 1
    assert 0.7 < behind / 220 < 0.75
