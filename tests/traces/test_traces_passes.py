"""What holds for every statistic: it takes any item, keeps little, and has results that compare."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trace_events import into_l2, reflected
from trace_strategies import UNTIMED, any_events, printed

from kvmlab.traces import (
    Event,
    Lost,
    Spread,
    TraceError,
    answers,
    compare,
    events,
    format_answers,
    format_hv_timer,
    format_per_interrupt,
    format_table,
    hv_timer,
    latency,
    levels,
    load,
    names,
    per_interrupt,
    side_by_side,
    statistics,
)
from kvmlab.traces.library import lines

PASSES = {
    "statistics": lambda items: format_table(statistics(items), "ns"),
    "latency": lambda items: latency(items).text("ns"),
    "per_interrupt": lambda items: format_per_interrupt(per_interrupt(items)),
    "answers": lambda items: format_answers(answers(items)),
    "hv_timer": lambda items: format_hv_timer(hv_timer(items), "ns"),
    "levels": lambda items: levels(items).text("ns"),
    "compare": lambda items: side_by_side(compare(items, items[::-1])),
}


@st.composite
def any_items(draw):
    """Draw an event with any values that its layout can print, or any event, or a hole."""
    kind = draw(st.sampled_from(["printed", "printed", "any", "lost"]))
    if kind == "lost":
        return Lost(draw(st.none() | st.integers(0, 3)), None, "")
    if kind == "any":
        return draw(any_events())
    name, dialect, fields = draw(printed())
    small = {field: value % 3 if type(value) is int else value for field, value in fields.items()}
    try:
        chosen = draw(st.sampled_from([fields, small]))
        return Event.of(name, draw(st.integers(0, 99)), chosen, pid=draw(st.integers(1, 2)), dialect=dialect)
    except TraceError:
        return Lost(0, 1, "")


@UNTIMED
@given(st.lists(any_items(), max_size=40))
def test_no_items_make_a_statistic_fail(items):
    """Impossible orders, absurd values, unknown texts: each statistic has a text fit for any terminal."""
    for made in PASSES.values():
        assert made(items).replace("\n", "").isprintable()


@pytest.mark.parametrize("name", names())
def test_results_are_values(name):
    """The same trace gives equal results, so a test or a notebook may compare them."""
    for made in (latency, per_interrupt, answers, hv_timer, levels):
        first, second = made(load(name)), made(events(lines(name)))
        assert first == second
        assert hash(first) == hash(second)


def test_memory_does_not_grow_with_the_trace():
    """A recording ten times as long takes no more memory, for every statistic but the comparison."""

    def repeated(times):
        for n in range(times):
            yield from (*load("vmx_noapicv_lab_self_ipi"), into_l2(n), reflected(n))

    def peak(made, times):
        tracemalloc.start()
        made(repeated(times))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    for made in (latency, per_interrupt, answers, hv_timer):
        peak(made, 3)  # Fill the caches.
        assert peak(made, 30) < peak(made, 3) + 2**18


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1), st.integers(-(10**6), 10**6))
def test_a_spread_is_its_samples_shifted_or_not(samples, by):
    """Number, sum, smallest, largest and mean; all samples moved by the same move these with them."""
    spread = Spread.of(samples[0])
    for sample in samples[1:]:
        spread = spread.add(sample)
    assert tuple(spread) == (len(samples), sum(samples), min(samples), max(samples))
    moved = [sample + by for sample in samples]
    assert tuple(spread.shifted(by)) == (len(moved), sum(moved), min(moved), max(moved))
    assert spread.mean == sum(samples) / len(samples)
