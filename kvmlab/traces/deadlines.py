"""The pass over a trace that takes the latencies of every vCPU's timer."""

from collections.abc import Iterable, Iterator

from kvmlab.traces.event import Event, Item, Lost
from kvmlab.traces.latency import CYCLES, Latency, Way, rank
from kvmlab.traces.offset import Measured, Offset
from kvmlab.traces.spread import Spread, more
from kvmlab.traces.timer import STEPS, Round, Timer
from kvmlab.traces.vcpus import TELLS, Vcpu, Vcpus

_ACCEPTS = ("kvm_apic_accept_irq", "kvm_apicv_accept_irq")


class Deadlines:
    """Feed it the items in order, then ask for the `result`.

    `vector` is the timer's where the trace begins after the guest wrote LVTT (Linux: 236).
    """

    def __init__(self, vector: int | None = None) -> None:
        self._vcpus = Vcpus()
        self._vector = vector
        self._timers: dict[Vcpu, Timer] = {}
        self._sending: set[int] = set()
        self._deltas: dict[tuple[Vcpu, str], Spread] = {}
        self._offsets: dict[Vcpu, Offset] = {}
        self._late: dict[tuple[Vcpu, str], Spread] = {}
        self._long: dict[tuple[Vcpu, str], Spread] = {}

    def feed(self, item: Item) -> None:
        """Take the next item of the trace into account; what spans a hole is not counted."""
        if isinstance(item, Lost):
            for timer in self._timers.values():
                timer.forget()
        elif not isinstance(item, Event):
            return
        elif item.name == "kvm_apic_ipi":
            self._sending.add(item.pid)
        elif item.name in STEPS:
            self._step(item)
        elif item.name in TELLS:
            self._vcpus.of(item)

    def _step(self, event: Event) -> None:
        """Let the timer of the event's vCPU go on, unless the event is about an interrupt that was sent."""
        accepts = event.name in _ACCEPTS
        if not accepts:
            self._sending.discard(event.pid)
        elif event.pid in self._sending:
            return
        vcpu = self._accepts(event) if accepts else self._vcpus.of(event)
        if vcpu is not None:
            self._keep(self._timer(vcpu).feed(event))

    def _accepts(self, event: Event) -> Vcpu | None:
        """Return whose timer it may be; the thread itself is believed even before it told its number."""
        return self._vcpus.target(event) or self._vcpus.unnamed(event)

    def _timer(self, vcpu: Vcpu) -> Timer:
        timer = self._timers.get(vcpu)
        if timer is None:
            timer = self._timers[vcpu] = Timer(vcpu, self._vector)
        return timer

    def _keep(self, found: Iterable[Round | Measured]) -> None:
        for one in found:
            if isinstance(one, Measured):
                measured = one.vcpu, "kvm_wait_lapic_expire" if one.after is None else "kvm_entry"
                self._deltas[measured] = more(self._deltas.get(measured), one.delta)
                self._offsets.setdefault(one.vcpu, Offset()).add(one)
            else:
                way = one.vcpu, one.end
                self._late[way] = more(self._late.get(way), one.time - one.deadline)
                self._long[way] = more(self._long.get(way), one.time - one.began)

    @property
    def result(self) -> Latency:
        """The latencies so far; a round of which only the acceptance was seen counts up to there."""
        for timer in self._timers.values():
            self._keep(timer.end_accepted())
        timers = self._timers.values()
        return Latency(
            tuple(sorted(self._ways(), key=rank)),
            armed=sum(timer.armed for timer in timers),
            delivered=sum(timer.delivered for timer in timers),
            unknown=sum(timer.unknown for timer in timers),
        )

    def _ways(self) -> Iterator[Way]:
        for (vcpu, end), spread in self._deltas.items():
            yield Way(vcpu.who, "deadline", end, spread, CYCLES)
        for (vcpu, end), spread in self._late.items():
            offset = self._offsets.get(vcpu)
            if offset and offset.known:
                late = spread.shifted(offset.middle)
                yield Way(vcpu.who, "deadline", end, late, give_or_take=offset.give_or_take)
        for (vcpu, end), spread in self._long.items():
            yield Way(vcpu.who, "arming", end, spread)


def latency(items: Iterable[Item], vector: int | None = None) -> Latency:
    """Return how late the guest's TSC-deadline timer was; see `latency.py` for what that means.

    `vector` is the timer's where the trace begins after the guest wrote LVTT (Linux: 236).
    """
    deadlines = Deadlines(vector)
    for item in items:
        deadlines.feed(item)
    return deadlines.result
