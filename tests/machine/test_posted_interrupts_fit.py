"""The machine carries posted interrupts without a rebuild, and the explorer counts what others counted."""

import pytest
from posted_table import INTERLEAVINGS, PUBLISHED, Quiescence, losing, receiver, system

from kvmlab.schedulers.count import count
from kvmlab.schedulers.explore import explore


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_verdicts_and_lengths_come_out(name: str) -> None:
    """LOST or OK, and how long a shortest loss is, the check included."""
    order, sender, _, _, length = PUBLISHED[name]
    shortest = explore(losing(order, sender)).shortest
    assert (len(shortest.labels) if shortest else None) == length


@pytest.mark.parametrize("name", [name for name, row in PUBLISHED.items() if row[2]])
def test_the_published_counts_come_out(name: str) -> None:
    """States and transitions are exactly those that two independent tools counted."""
    order, sender, states, transitions, _ = PUBLISHED[name]
    found = explore(Quiescence(system(receiver(*order), sender)[0]))
    assert (found.states, found.transitions) == (states, transitions)


@pytest.mark.parametrize(("senders", "length"), [(1, 11), (2, 13), (3, 15)])
def test_more_senders_lose_two_steps_later_each(senders: int, length: int) -> None:
    """The shortest loss of the old order without EVENT has 11, 13 and 15 steps."""
    order, sender, *_ = PUBLISHED["V1"]
    shortest = explore(losing(order, sender, senders)).shortest
    assert shortest is not None and len(shortest.labels) == length


@pytest.mark.parametrize("row", INTERLEAVINGS)
def test_the_published_interleavings_come_out(row: tuple) -> None:  # type: ignore[type-arg]
    """How many there are, how many lose, and how likely a loss is if chance decides."""
    order, sender, senders, entries, interleavings, lost, probability = row
    found = count(losing(order, sender, senders, entries))
    assert interleavings in (None, found.interleavings)
    assert (found.losing, round(float(found.probability), 3)) == (lost, probability)
