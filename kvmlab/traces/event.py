"""One event, recorded or simulated: what a tracepoint printed, when, where and in whose name.

The text is the event; the fields are read from it on demand. So an event from a simulation, which is made
from fields, and one from a file, which is made from text, are the same thing and compare equal. A reader
also meets lines that are no events; they are items too, so that nothing in a file disappears unsaid.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

from kvmlab.traces.dialect import Dialect
from kvmlab.traces.formats import parse, render
from kvmlab.traces.template import Value


@dataclass(frozen=True, slots=True)
class Event:
    """One trace line.

    time   ns, or ticks of the trace's clock: one trace has one unit, which its reader knows
    cpu    the host CPU it was recorded on
    task   the comm of the running task, at most 15 bytes of anybody's choosing: data, never markup
    pid    of that task: the vCPU's thread, for KVM's events
    flags  irqs-off, need-resched, irq context, preempt depth[, migrate-disable]; "" if not recorded
    name   of the tracepoint
    text   what it printed, word for word
    """

    time: int
    cpu: int
    task: str
    pid: int
    flags: str
    name: str
    text: str

    @classmethod
    def of(
        cls,
        name: str,
        time: int,
        fields: Mapping[str, Value],
        *,
        cpu: int = 0,
        task: str = "kvmlab",
        pid: int = 1,
        flags: str = ".....",
        dialect: Dialect = Dialect.V6_1,
    ) -> "Event":
        """Return the event that the tracepoint `name` would record for `fields`.

        Raises BadInput or TraceError if the dialect cannot print it (see `formats.render`).
        """
        return cls(time, cpu, task, pid, flags, name, render(name, fields, dialect))

    @property
    def fields(self) -> Mapping[str, Value]:
        """The values the text shows, by the kernel's field names; empty if its layout is unknown."""
        return parse(self.name, self.text)

    def key(self, *names: str) -> tuple[Hashable, ...]:
        """Return what to compare events by: the name, and these fields (None where it has none) or all.

        An event whose layout is unknown is compared by its text.
        """
        fields = self.fields
        if names:
            return (self.name, *(fields.get(name) for name in names))
        return (self.name, *sorted(fields.items())) if fields else (self.name, self.text)


@dataclass(frozen=True, slots=True)
class Lost:
    """A hole in the trace: the ring buffer of `cpu` overran; None where the marker does not say."""

    cpu: int | None
    count: int | None
    raw: str


@dataclass(frozen=True, slots=True)
class Comment:
    """A line about the trace: the tracer's header, how it was recorded, what the guest printed."""

    raw: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A line that is nothing we know, kept as it was."""

    raw: str
    line: int = field(compare=False)
    why: str = field(compare=False)


Item = Event | Lost | Comment | Broken
"""What a line of a trace can be."""
