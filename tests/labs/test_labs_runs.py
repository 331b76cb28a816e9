"""Laps, moments and later kernels: the numbers and lines that notebooks 01 and 01b print."""

import pytest

from kvmlab.kernels.names import kernel
from kvmlab.kernels.names import kernel as named
from kvmlab.labs.laps import laps, until_l1
from kvmlab.labs.moment import modelled, recorded, verdict
from kvmlab.labs.reach import dead_end
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.replay import replay

IN_TIME = "nested_pt0_ipidelay0_preemption_timer"
LATE = "nested_pt0_ipidelay2000_preemption_timer"


def test_the_first_lap_of_2011_calls_itself_off() -> None:
    """d6185f2 needs three laps; the first one enters nobody."""
    assert [lap.split(": ")[1].split(",")[0] for lap in laps(until_l1(kernel("d6185f2")))] == [
        "called off at the recheck",
        "enters L2",
        "enters L1",
    ]


@pytest.mark.parametrize("inject, stuck", [(True, "mvvd"), (False, None)])
def test_queues_alone_go_round_for_ever_if_something_is_injected(inject: bool, stuck: str | None) -> None:
    """With an event to take back every lap calls itself off; nothing unsafe happens on the way."""
    scenario = immediate_exit(named("d6185f2+5f3d579"), inject=inject)
    assert dead_end(scenario) == stuck
    assert explore(scenario).verdict == "ok"


def test_a_thousand_laps_without_an_entry() -> None:
    """The livelock, counted: more than 1000 laps, no entry, and the run says that it was given up."""
    run = until_l1(named("d6185f2+5f3d579"))
    assert len(laps(run)) > 1000 and run.count("VMENTRY") == 0 and "did not run again" in run.stopped


@pytest.mark.parametrize("name", ["v3.2", "d6185f2", "v3.10"])
def test_the_releases_can_always_end(name: str) -> None:
    """From every state of a released kernel L1 can be reached, a canceller or not."""
    assert dead_end(immediate_exit(kernel(name), cancel=True)) is None


def test_a_dead_end_is_where_it_is_said_to_be() -> None:
    """The schedule of a dead end can be carried out, and one step earlier there was a way."""
    system = immediate_exit(named("d6185f2+5f3d579"), inject=True).system
    assert replay(system, "mvvd").stopped == ""


@pytest.mark.parametrize("base, ok", [("v3.10", False), ("v3.10+8081ad0", True)])
def test_each_half_closes_its_own_hole(base: str, ok: bool) -> None:
    """The line of 2016 closes the half-delivered hole, that of 2020 the cancelled one; both close both."""
    both = named(base + "+c43203c")
    assert explore(immediate_exit(both, faults=2)).verdict == "ok"
    assert (explore(immediate_exit(both, faults=1, cancel=True)).verdict == "ok") is ok
    assert explore(immediate_exit(kernel(base), faults=1)).verdict == "violated"


def test_the_model_and_the_recording_tell_the_same_moment() -> None:
    """Apart from what the model does not trace and what L1 is told, the lines have the same names."""
    names = [line.split()[1] for line in recorded(IN_TIME)]
    assert [line.split()[0] for line in modelled(until_l1(kernel("d6185f2"), inject=False))] == [
        name for name in names if name != "kvm_nested_vmexit"
    ]


def test_in_time_and_late_differ_in_the_exit() -> None:
    """In time: an external interrupt at the entry's own rip. Late: VMCALL first, the IPI afterwards."""
    in_time, late = (" ".join(recorded(name)) for name in (IN_TIME, LATE))
    assert "EXTERNAL_INTERRUPT rip 0x40a8af" in in_time
    assert late.index("VMCALL rip 0x40a8b9") < late.index("reschedule_entry")
    assert [verdict(name, "0 value")[:4] for name in (IN_TIME, LATE)] == ["PASS", "FAIL"]
