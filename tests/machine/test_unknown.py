"""Unknown values: what is noted about them gives again what was computed, for any other values."""

import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvmlab.machine.unknown import ARITHMETIC, COMPARISONS, Notes, Unknown, name_of, value_of

PLAIN = [getattr(operator, f"__{name}__") for name in (*ARITHMETIC, *COMPARISONS) if "shift" not in name]
OPERATORS = [*PLAIN, lambda x, y: x << (y & 7), lambda x, y: x >> (y & 7)]
OPERATIONS = st.lists(
    st.tuples(st.sampled_from(OPERATORS), st.integers(0, 9), st.integers(0, 9)), max_size=12
)
SMALL = st.integers(0, 9)


def mixture(operations: list[Any], a: Any, b: Any) -> list[Any] | None:
    """Compute: each operation takes two of the values so far; a comparison branches. None: division by 0."""
    values = [a, b, 3, 1]
    for compute, i, k in operations:
        try:
            result = compute(values[i % len(values)], values[k % len(values)])
        except ZeroDivisionError:
            return None
        values.append((7 if result else 8) if isinstance(result, bool) else result)
    return values


def again(notes: Notes, a: int, b: int) -> dict[str, int] | None:
    """Return what the names in the notes mean for other values, None if a question has another answer."""
    means = {"a": a, "b": b}
    for what, noted in notes.items():
        found = eval(what, {}, means)
        if isinstance(noted, str):
            means[noted] = found
        elif bool(found) != noted:
            return None
    return means


@given(OPERATIONS, SMALL, SMALL, SMALL, SMALL)
def test_notes_give_again_what_was_computed(operations: list[Any], a: int, b: int, c: int, d: int) -> None:
    """For the first values, and for all others for which the questions have the same answers."""
    notes = Notes()
    noted = mixture(operations, Unknown("a", a, notes), Unknown("b", b, notes))
    assert (noted and [value_of(x) for x in noted]) == mixture(operations, a, b)
    if noted is None:
        return
    for x, y in ((a, b), (c, d)):
        plain = mixture(operations, x, y)
        means = again(notes, x, y) if plain else None
        assert means is None or [eval(name_of(value), {}, means) for value in noted] == plain
        assert means is not None or (x, y) != (a, b)


@pytest.mark.parametrize(
    "use",
    [
        hash,
        int,
        range,
        abs,
        [0, 1].__getitem__,
        {0: 1}.get,
        "{:d}".format,
        lambda x: x + "1",
        lambda x: x / 2,
    ],
)
def test_what_cannot_be_noted_is_refused(use: Callable[[Any], object]) -> None:
    """Nobody is told a value without a question about it."""
    with pytest.raises(TypeError):
        use(Unknown("a", 1, {}))


def test_what_is_asked_twice_is_noted_once() -> None:
    """A sum that is made again has its first name; a question stands behind what it is about."""
    notes = Notes()
    a = Unknown("a", 5, notes)
    assert (a + 1).name == (a + 1).name == "x0"
    assert a + 1 > 3 and not a == 7 and 2 - a
    noted = [("a + 1", "x0"), ("x0 > 3", True), ("a == 7", False), ("2 - a", "x3"), ("x3", True)]
    assert list(notes.items()) == noted
