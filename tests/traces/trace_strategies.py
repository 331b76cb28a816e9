"""What the tests of traces are fed: every layout of the tables, with any values; any event; broken lines."""

import re

from hypothesis import settings
from hypothesis import strategies as st

from kvmlab.traces import Clock, Dialect, Event
from kvmlab.traces.formats import FORMATS

UNTIMED = settings(deadline=None)
"""A busy machine is no fault; the tests that are about time measure it themselves."""

PLACEHOLDER = re.compile(r"\{(\w+)(?::\w*?([udxswp])(?:=\d+)?\}|\?)")
UNSIGNED = st.integers(0, 2**64 - 1)
WORD = st.text("abcXYZ019_-/#.", min_size=1, max_size=12)
COMM = st.one_of(
    st.sampled_from(["<idle>", "<...>", "CPU 0/KVM", "a-b-c-12", "<script>x</scr", "kworker/0:1H"]),
    st.text("ab-<>[]/ :&'\"", min_size=1, max_size=15).filter(lambda comm: comm == comm.strip()),
)
VALUES = {
    "u": UNSIGNED,
    "d": st.integers(-(2**63), 2**63 - 1),
    "x": UNSIGNED,
    "w": WORD,
    "p": WORD,
    "s": COMM,
    None: st.booleans(),
}
LAYOUTS = [
    (name, dialect, template)
    for name, layouts in FORMATS.items()
    for dialect, templates in layouts.items()
    for template in templates
]


def fields_of(template: str) -> dict[str, str | None]:
    """Return the field names of a template with the last letter of their kind, None for a truth."""
    return {found[1]: found[2] for found in PLACEHOLDER.finditer(template)}


@st.composite
def printed(draw: st.DrawFn) -> tuple[str, Dialect, dict[str, int | str]]:
    """Draw an event name, a dialect that has it, and a value for each field that this dialect prints."""
    name, dialect, template = draw(st.sampled_from(LAYOUTS))
    return name, dialect, {field: draw(VALUES[kind]) for field, kind in fields_of(template).items()}


CLOCKS = st.sampled_from(Clock)
STEP = {Clock.TICKS: 1, Clock.NS: 1, Clock.US: 1000}


def heads(clock: Clock) -> st.SearchStrategy[dict[str, int | str]]:
    """Return a strategy for everything of an event but its name and text, writable under this clock."""
    return st.fixed_dictionaries(
        {
            "time": st.integers(0, 10**15).map(lambda time: time * STEP[clock]),
            "cpu": st.integers(0, 4095),
            "task": COMM,
            "pid": st.integers(0, 2**22),
            "flags": st.sampled_from(["", "d..1", "d..1.", ".N...", "dNh2."]),
        }
    )


def any_events() -> st.SearchStrategy[Event]:
    """Return a strategy for events of any content, most of them such as no kernel would print."""
    number, text = st.integers(-5, 10**30), st.text(max_size=30)
    name = st.one_of(st.sampled_from(sorted(FORMATS)), text)
    return st.builds(Event, number, number, text, number, text, name, text)


REAL = "    qemu-kvm-1234    [003] d..1.  2701.998262: "
REAL_LINES = [
    REAL + "kvm_entry: vcpu 0, rip 0x4003c6[immediate exit]",
    REAL + "kvm_exit: reason HLT rip 0x1 info 0 0",
    REAL + "kvm_apic_ipi: dst 1 vec 238 (Fixed|physical|de-assert|edge|dst)",
    REAL + "sched_switch: prev_comm=a b prev_pid=1 prev_prio=120 prev_state=S ==> "
    "next_comm=swapper/0 next_pid=0 next_prio=120",
    "          <idle>-0       [000] d.h1.  10104633572: hrtimer_cancel: hrtimer=00000000f3776599",
    "CPU:0 [LOST 12 EVENTS]",
    "# tracer: nop",
]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """Draw a real line with a few pieces cut out, doubled, or replaced."""
    line = draw(st.sampled_from(REAL_LINES))
    for _ in range(draw(st.integers(0, 4))):
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(line))] * 2)))
        middle = draw(st.one_of(st.just(""), st.just(line[start:end] * 2), st.text(max_size=8)))
        line = line[:start] + middle + line[end:]
    return line
