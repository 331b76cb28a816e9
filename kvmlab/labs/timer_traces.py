"""The recorded guests with a timer: one KVM, with its preemption timer and without, busy and halting.

One kernel with a module parameter, not a kernel before and after a patch, on a CPU that counts instructions;
recording an event costs some hundred of them.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from kvmlab.errors import unknown
from kvmlab.traces import Event, load
from kvmlab.traces.deadlines import latency
from kvmlab.traces.timer import TSC_DEADLINE

GUESTS = {"busy": "tsc_busy", "halt": "tsc_hlt"}
WITHOUT, WITH = "preemption_timer=0", "preemption_timer=1"
PARAMETER = {WITHOUT: "pt0", WITH: "pt1"}


def name_of(guest: str, parameter: str) -> str:
    """Return the name of a recording; raise BadInput for a guest or a parameter that was not recorded."""
    if guest not in GUESTS:
        raise unknown("guest", guest, GUESTS)
    if parameter not in PARAMETER:
        raise unknown("parameter", parameter, PARAMETER)
    return f"vmx_{PARAMETER[parameter]}_lab_{GUESTS[guest]}"


def exits(guest: str) -> Iterator[str]:
    """Yield a line per exit reason: how often without the preemption timer, and with it."""
    counts = [_reasons(load(name_of(guest, parameter))) for parameter in PARAMETER]
    yield _line("exit reason", *PARAMETER)
    for reason in sorted({*counts[0], *counts[1]}, key=lambda r: (-counts[0][r] - counts[1][r], r)):
        yield _line(reason, *(str(count[reason]) if count[reason] else "-" for count in counts))
    yield _line("all exits", *(str(sum(count.values())) for count in counts))


def one_round(parameter: str) -> list[Event]:
    """Return the busy guest's shortest round: from the exit that arms the timer to the next such exit."""
    events = load(name_of("busy", parameter))
    arms = [n - 1 for n, event in enumerate(events) if _arms(event)]
    rounds = [events[_exit_before(events, a) : _exit_before(events, b)] for a, b in pairwise(arms)]
    return min(rounds, key=len)


def _arms(event: Event) -> bool:
    return event.name == "kvm_msr" and event.fields["rw"] == "write" and event.fields["ecx"] == TSC_DEADLINE


def _exit_before(events: list[Event], at: int) -> int:
    return next(n for n in range(at, -1, -1) if events[n].name == "kvm_exit")


def _reasons(events: list[Event]) -> Counter[str]:
    return Counter(str(event.fields["exit_reason"]) for event in events if event.name == "kvm_exit")


def late(guest: str) -> Iterator[str]:
    """Yield how long behind its deadline the guest was entered, in instructions, as KVM measured it."""
    ways = [latency(load(name_of(guest, parameter))).ways[0].spread for parameter in PARAMETER]
    yield _line("from deadline to entry", *PARAMETER)
    for what in ("min", "mean", "max"):
        yield _line(f"  {what}, instructions", *(str(round(getattr(way, what))) for way in ways))


def _line(head: str, first: str, second: str) -> str:
    return f"{head:<24}{first:>22}{second:>22}"
