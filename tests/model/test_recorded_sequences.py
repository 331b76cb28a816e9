"""The recorded guests of a timer: the model's events in the recordings' order, halts and wake-ups as long."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from statistics import median

import pytest
from recorded import TRACES, halts, key, modelled, recorded, run

from kvmlab.scenarios.timer_parts import Host
from kvmlab.scenarios.tsc_deadline import TRACED
from kvmlab.schedulers.profiles.traced import EVENT, FITTED
from kvmlab.traces import load


def agrees(name: str, percent: int = 100, event: int = EVENT, host: Host = TRACED) -> bool:
    """Whether 16 modelled rounds are the same exits, timers, wake-ups and interrupts in the same order."""
    return [key(e) for e in modelled(name, 16, percent, event, host)] == [key(e) for e in recorded(name)]


@pytest.mark.parametrize("name", TRACES)
def test_the_model_gives_the_recorded_sequence(name: str) -> None:
    """With the numbers of the machine that the learner sees, fitted to one of the eight."""
    assert len(recorded(name)) > 100
    assert agrees(name)


@pytest.mark.parametrize(
    ("percent", "event"),
    [(70, EVENT), (150, EVENT), (100, 560), (100, 654)],
)
def test_other_numbers_give_the_same_sequences(percent: int, event: int) -> None:
    """All of them a third lower or half as high again, or fitted with another time for an event.

    So the sequences say that the paths are right, and little of the costs.
    """
    assert all(agrees(name, percent, event) for name in TRACES)


@pytest.mark.parametrize("rate", [3, 5])
def test_no_sequence_hangs_on_the_timers_rate(rate: int) -> None:
    """It was not recorded; that 16 expiries came equally late suggests 0."""
    assert all(agrees(name, host=replace(TRACED, rate=rate)) for name in TRACES)


@pytest.mark.parametrize("percent", [80, 85])
def test_which_scale_breaks_a_sequence(percent: int) -> None:
    """From about 80 to 85 %, the periodic guest's: one more of its halts outlasts the polling."""
    assert [name for name in TRACES if not agrees(name, percent)] == ["vmx_pt0_lab_periodic"]
    slept = halts(modelled("vmx_pt0_lab_periodic", percent=percent))
    assert len(slept) == len(halts(load("vmx_pt0_lab_periodic"))) + 1


def test_a_sequence_hangs_on_the_longest_polling() -> None:
    """The halts of a one-shot guest are some 201 us long: a host that polls for 202 is awake at their end."""
    longer = replace(TRACED, max_poll=TRACED.max_poll * 101 // 100)
    assert not agrees("vmx_pt1_lab_oneshot_hlt", host=longer)


def wakes(events: Iterable[tuple[int, str, Mapping[str, object]]]) -> Iterator[int]:
    """Yield the time from the host's interrupt to the entry behind a halt that was slept through."""
    came, slept = 0, False
    for time, name, fields in events:
        came = time if name == "local_timer_entry" else came
        slept = bool(fields["waited"]) if name == "kvm_vcpu_wakeup" else slept
        if name == "kvm_entry" and slept:
            yield time - came
            slept = False


@pytest.mark.parametrize("name", [name for name in TRACES if halts(load(name))])
def test_waking_takes_as_long_as_recorded(name: str) -> None:
    """From the hrtimer's time to the entry, to 3 %; fitted to the first of these five recordings.

    The model tells of the host's interrupt when it comes, the recording when its handler has begun.
    """
    made = ((step.time, fired, fields) for step in run(name).steps for fired, fields in step.events)
    seen, told = median(wakes((e.time, e.name, e.fields) for e in load(name))), median(wakes(made))
    typical = FITTED["IRQ_ENTER"].instructions + seen
    assert abs(told - typical) <= typical * 3 / 100


def polls(events: Iterable[tuple[str, Mapping[str, object]]]) -> str:
    """Return a letter per halt, slept through or polled for, and a ``+`` where the polling time grows."""
    letters = {"kvm_halt_poll_ns": lambda e: "+", "kvm_vcpu_wakeup": lambda e: "s" if e["waited"] else "p"}
    return "".join(letters[name](fields) for name, fields in events if name in letters)


@pytest.mark.parametrize("name", [name for name in TRACES if halts(load(name))])
def test_when_the_polling_time_grows(name: str) -> None:
    """As recorded, but for the periodic guest's last time: at the first polled halt, not at the fourth."""
    seen, told = polls((e.name, e.fields) for e in load(name)), polls(run(name).events)
    if name == "vmx_pt0_lab_periodic":
        assert seen == 5 * "s+" + "s" + "pppp+" + 6 * "p" and told == 5 * "s+" + "s" + "p+" + 9 * "p"
    else:
        assert told == seen


@pytest.mark.parametrize("name", TRACES)
def test_the_comparison_can_fail(name: str) -> None:
    """A round more or less is another sequence, and so is the other kernel's."""
    assert [key(e) for e in modelled(name, 15)] != [key(e) for e in recorded(name)]
    other = name.replace("pt1", "PT0").replace("pt0", "pt1").replace("PT0", "pt0")
    if other in TRACES:
        assert [key(e) for e in modelled(other)] != [key(e) for e in recorded(name)]


@pytest.mark.parametrize("name", TRACES)
def test_nobody_comes_so_early_that_it_waits(name: str) -> None:
    """Or what stands behind KVM's look at the clock would be counted as part of the wait."""
    assert run(name).count("WAIT.spin") == 0
