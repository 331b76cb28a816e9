"""KVM's timer in the table of what real tests assert: what each row says is read, and asked of the model."""

import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from recorded import modelled, recorded
from timer_bench import ROWS

from kvmlab.kernels.names import kernel
from kvmlab.scenarios.latency import tscdeadline_latency
from kvmlab.schedulers.measure import measure
from kvmlab.schedulers.profiles.traced import TRACED
from kvmlab.traces import Event

HV, HRTIMER = "v6.1", "v6.1+preemption-timer=0"
KVM_ROWS = {row: said for row, said in ROWS.items() if said["area"] == "kvm-timer"}
TRACED_ROWS = {
    row: found[1] for row, said in KVM_ROWS.items() if (found := re.search(r"trace (\w+)", said["source"]))
}
WORDS = {
    "MSR_WRITE": "kvm_exit MSR_WRITE",
    "HLT": "kvm_exit HLT",
    "PREEMPTION_TIMER": "kvm_exit PREEMPTION_TIMER",
    "EXTERNAL_INTERRUPT": "kvm_exit EXTERNAL_INTERRUPT",
    "hv_timer 1": "kvm_hv_timer_state 1",
    "hv_timer 0": "kvm_hv_timer_state 0",
    "the write": "kvm_msr",
    "kvm_entry behind the HLT": "kvm_entry",
    "the vector is accepted": "kvm_apic_accept_irq 239",
    "and by APICv": "kvm_apicv_accept_irq 239",
    "the thread sleeps": "sched_switch S",
    "the host's timer interrupt": "local_timer_entry",
    "the callback": "hrtimer_expire_entry",
}
"""What a row says -> the event that it means, if that is not its name."""
NEVER = {"no hrtimer is started": "hrtimer_start"}


def word(event: Event) -> str:
    """Return an event as a row of the table means it."""
    keys = ("exit_reason", "hv_timer_in_use", "prev_state") + (("vec",) if "accept" in event.name else ())
    return " ".join([event.name, *(str(event.fields[key]) for key in keys if key in event.fields)])


def in_order(said: list[str], events: list[str]) -> bool:
    """Whether the events hold what was said, in that order."""
    left = iter(events)
    return all(one in left for one in said)


@pytest.mark.parametrize("row", TRACED_ROWS)
@pytest.mark.parametrize("told", [recorded, modelled])
def test_what_a_row_says_happens_in_every_round(row: str, told: Callable[[str], list[Event]]) -> None:
    """Recorded and modelled: from one of its first events to the next, all the others, in order."""
    said = re.split("[,;] ", ROWS[row]["then"])
    events = [word(event) for event in told(TRACED_ROWS[row])]
    first, *others = [WORDS.get(one, one) for one in said if one not in NEVER]
    at = [i for i, event in enumerate(events) if event == first]
    rounds = [events[i + 1 : j] for i, j in pairwise([*at, len(events)])]
    assert sum(in_order(others, events) for events in rounds) == 16
    assert not {NEVER[one] for one in said if one in NEVER} & set(events)


def test_a_row_that_says_something_else_is_not_met() -> None:
    """The other way round it did not happen, and the other trace's row is not this one's."""
    events = [word(event) for event in modelled(TRACED_ROWS["KVM-02"])]
    assert in_order(["kvm_exit PREEMPTION_TIMER", "kvm_apic_accept_irq 239"], events[-8:])
    assert not in_order(["kvm_apic_accept_irq 239", "kvm_exit PREEMPTION_TIMER"], events[-8:])
    assert not in_order(["hrtimer_start"], events)


def numbers(row: str) -> list[int]:
    """Return the figures that a row's source names, behind the word tracing."""
    return [int(n) for n in re.findall(r"\d+", ROWS[row]["source"].partition("tracing")[2])]


def latencies(on: str, guest: str) -> list[int]:
    """Return 16 modelled latencies, recorded by nobody."""
    bench = tscdeadline_latency(kernel(on), guest=guest, host="traced", samples=16, skip=0)
    return list(measure(bench, TRACED).samples)


def test_which_timer_is_later() -> None:
    """KVM-07: busy, the hv timer is earlier in every round; halting, the switch makes it a little later.

    So it is in the row's figures, and in the model's: first and least, or least and most.
    """
    busy, busy_hrtimer, halt, halt_hrtimer = zip(*[iter(numbers("KVM-07"))] * 2, strict=True)
    modelled_halts = latencies(HV, "halt"), latencies(HRTIMER, "halt")
    assert max(busy) < min(busy_hrtimer)
    assert max(latencies(HV, "busy")) < min(latencies(HRTIMER, "busy"))
    for slower, faster in ((halt, halt_hrtimer), modelled_halts):
        assert all(0 < a - b < 50 for a, b in zip(slower, faster, strict=True))


def test_the_advance_takes_an_eighth_of_what_it_sees() -> None:
    """KVM-08: each latency falls by an eighth of what is late at the entry; what comes behind it stays.

    In the row's figures that is some 220 instructions, give or take 25, and in the model what was fitted.
    """
    tail = TRACED.parameters["HW_ENTRY"].cycles + TRACED.parameters["G_ISR"].cycles
    for seen, behind, off in ((numbers("KVM-08"), 220, 25), (latencies(HV, "busy")[:6], tail, 8)):
        assert len(seen) >= 5
        assert all(abs(a - 8 * (a - b) - behind) <= off for a, b in pairwise(seen))


def test_every_row_is_asked() -> None:
    """Each row of the category names a trace, or stands in the docstring of a test here."""
    told = " ".join(str(f.__doc__) for name, f in globals().items() if name.startswith("test_"))
    assert [row for row in KVM_ROWS if row not in TRACED_ROWS and row not in told] == []
