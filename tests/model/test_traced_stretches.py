"""The machine of the recorded traces: each of its fitted numbers is a stretch of one recording."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import cache
from itertools import pairwise
from statistics import median

import pytest
from recorded import LATE, run

from kvmlab.kvm.lapic_advance import ADVANCE_INIT
from kvmlab.scenarios.tsc_deadline import DELTA
from kvmlab.scenarios.tsc_deadline import TRACED as HOST
from kvmlab.schedulers.profile import Status
from kvmlab.schedulers.profiles.hsw16 import HSW16
from kvmlab.schedulers.profiles.traced import EVENT, FITTED, IN_HARDWARE, TRACE, TRACED
from kvmlab.traces import Event, load

Stretches = Mapping[tuple[str, str], list[int]]


@cache
def stretches() -> Stretches:
    """Return the instructions between neighbouring events of the one recording."""
    found = defaultdict(list)
    for event, then in pairwise(load(TRACE)):
        found[key(event), key(then)].append(then.time - event.time)
    return found


def key(event: Event) -> str:
    """Return an event's name, and what distinguishes it."""
    said = [
        event.fields.get(name) for name in ("exit_reason", "ecx", "hv_timer_in_use", "function", "next_comm")
    ]
    return " ".join([event.name, *(str(word).removesuffix(" [kvm]") for word in said if word is not None)])


MSR_EXIT, HLT_EXIT, OUT_EXIT = (f"kvm_exit {why}" for why in ("MSR_WRITE", "HLT", "IO_INSTRUCTION"))
DEADLINE, LVTT = f"kvm_msr {0x6E0}", f"kvm_msr {0x832}"
START, EXPIRE = "hrtimer_start apic_timer_fn", "hrtimer_expire_entry apic_timer_fn"
HV_ON = "kvm_hv_timer_state 1"
WAKEUP, ACCEPT, POSTED = "kvm_vcpu_wakeup", "kvm_apic_accept_irq", "kvm_apicv_accept_irq"
ENTRY, TIMER, SWITCHED = "kvm_entry", "local_timer_entry", "sched_switch kvmlab"


def typical(*path: str) -> int:
    """Return the typical instructions from event to event along a path."""
    return sum(int(median(stretches()[pair])) for pair in pairwise(path))


def to_the_host() -> Iterator[int]:
    """Yield the instructions from an hrtimer's time, the deadline less the advance, to its interrupt."""
    entered = 0
    for event in load(TRACE):
        came = event.time if event.name == TIMER else 0
        entered = came or entered
        if key(event) == EXPIRE:
            interrupt = entered
        if key(event) == LATE:
            yield interrupt - (event.time - event.fields["delta"]) + ADVANCE_INIT * HOST.khz // 1_000_000


def since_rdtsc() -> Iterator[int]:
    """Yield the instructions from a guest's RDTSC to the exit of the WRMSR with what it made of it."""
    deadline, out, exits = 0, 0, []
    for event in load(TRACE):
        out = event.time if key(event) == MSR_EXIT else out
        if key(event) == DEADLINE and event.fields["rw"] == "write":
            deadline = event.fields["data"]
            exits.append(out - deadline + DELTA["hlt"])
        if key(event) == LATE:  # it reads the guest's TSC just then, which is so much later than the deadline
            ahead = event.time - deadline - event.fields["delta"]
    return (out - ahead for out in exits)


def to_the_halt() -> Iterator[int]:
    """Yield the instructions from hrtimer_start to where a halt begins."""
    start = 0
    for event in load(TRACE):
        start = event.time if key(event) == START else start
        if key(event) == WAKEUP:
            yield event.time - event.fields["ns"] * HOST.khz // 1_000_000 - start


RECORDED: Mapping[str, Callable[[], int]] = {
    "HW_EXIT": lambda: int(median(since_rdtsc())),
    "SW_EXIT": lambda: typical(MSR_EXIT, "kvm_apic"),
    "SW_ENTRY": lambda: typical(LVTT, ENTRY),
    "FAST_PATH": lambda: typical(DEADLINE, ENTRY),
    "HV_SET": lambda: typical(MSR_EXIT, HV_ON, DEADLINE),
    "VCPU_RUN": lambda: typical(ENTRY, LATE),
    "HW_ENTRY": lambda: typical(ENTRY, OUT_EXIT),
    "HV_ARM": lambda: typical(ENTRY, HLT_EXIT),
    "G_ISR": lambda: typical(LATE, MSR_EXIT),
    "G_ISR_REST": lambda: typical(LATE, MSR_EXIT),
    "H_HLT": lambda: typical(HLT_EXIT, START),
    "HRT_START": lambda: int(median(to_the_halt())),
    "HRT_INT": lambda: typical(TIMER, EXPIRE),
    "IRQ_ENTER": lambda: int(median(to_the_host())),
    "WAKE": lambda: typical(EXPIRE, SWITCHED),
    "SWITCH": lambda: typical(SWITCHED, WAKEUP),
    "INJ": lambda: typical(ACCEPT, POSTED),
    "UNBLOCK": lambda: typical(WAKEUP, ACCEPT) + typical(POSTED, ENTRY),
}


@pytest.mark.parametrize("name", FITTED)
def test_the_fitted_numbers_are_those_of_the_recording(name: str) -> None:
    """Each is a stretch of it, less the events, and what else is known of the stretch."""
    stretch, parameter = FITTED[name], TRACED.parameters[name]
    assert RECORDED[name]() == stretch.instructions
    others = sum(TRACED.parameters[other].cycles for other in stretch.less)
    whole = parameter.cycles * stretch.parts + stretch.events * EVENT + others
    assert 0 <= stretch.instructions - whole < stretch.parts


def test_what_the_recording_does_not_show_is_assumed() -> None:
    """HSW16's number, an instruction a cycle, or nothing for what no instruction does."""
    for name, parameter in TRACED.parameters.items():
        assert parameter.status is (Status.FITTED if name in FITTED else Status.ASSUMED)
        assert name in IN_HARDWARE or name not in FITTED or parameter.high == 2 * parameter.cycles
        if name not in FITTED:
            assert parameter.cycles == (0 if name in IN_HARDWARE else HSW16.parameters[name].cycles)


def test_the_servers_fast_path_is_the_part_of_its_slow_one_that_it_is_here() -> None:
    """Nobody published it: on HSW16 it is as much of SW_EXIT and SW_ENTRY together as on this machine."""
    here, there = ({name: p.cycles for name, p in on.parameters.items()} for on in (TRACED, HSW16))
    part = Fraction(here["FAST_PATH"], here["SW_EXIT"] + here["SW_ENTRY"])
    assert there["FAST_PATH"] == round(part * (there["SW_EXIT"] + there["SW_ENTRY"]))


def modelled_stretch(*path: str) -> int:
    """Return the typical instructions along a path of the model's own run of the recording."""
    made = [Event.of(fired, step.time, fields) for step in run(TRACE).steps for fired, fields in step.events]
    found = defaultdict(list)
    for event, then in pairwise(made):
        found[key(event), key(then)].append(then.time - event.time)
    return sum(int(median(found[pair])) for pair in pairwise(path))


@pytest.mark.parametrize(
    ("path", "exits"),
    [
        ((ENTRY, LATE), 0),
        ((ENTRY, HLT_EXIT), 1),
        ((ENTRY, OUT_EXIT), 1),
        ((DEADLINE, ENTRY), 0),
        ((LVTT, ENTRY), 0),
        ((MSR_EXIT, "kvm_apic"), -1),
        ((MSR_EXIT, HV_ON, DEADLINE), -1),
        ((HLT_EXIT, START), -1),
    ],
)
def test_the_model_takes_as_long_on_these_stretches(path: tuple[str, ...], exits: int) -> None:
    """So nothing on them was forgotten, or counted twice; the model tells of an exit before its HW_EXIT."""
    late = exits * TRACED.parameters["HW_EXIT"].cycles
    assert modelled_stretch(*path) + late == typical(*path)
