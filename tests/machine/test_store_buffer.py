"""Store buffers: first in first out, forwarding to their own CPU, and a litmus test that needs a barrier."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvmlab.errors import ModelError
from kvmlab.machine.property import Property
from kvmlab.machine.state import Cell, Layout, cell
from kvmlab.machine.step import Step, block
from kvmlab.machine.store_buffer import DRAIN, StoreBuffer, buffered, drain, is_empty, load, store
from kvmlab.machine.system import Actor, System
from kvmlab.schedulers.count import count


def buffer_of(depth: int) -> tuple[StoreBuffer, list[int]]:
    """Return a buffer of one variable, and a first state."""
    layout = Layout()
    made = buffered(layout, "b", layout.add("x"), depth)
    return made, list(layout.start())


@given(st.lists(st.one_of(st.integers(0, 9), st.none()), max_size=30))
def test_a_buffer_is_a_queue_in_front_of_memory(script: list[int | None]) -> None:
    """Numbers are stored, None drains: memory, the own CPU's view and emptiness are those of a plain list."""
    buffer, s = buffer_of(30)
    waiting: list[int] = []
    memory = 0
    for word in script:
        if word is not None:
            store(s, buffer, word)
            waiting.append(word)
        elif waiting:
            drain(s, buffer)
            memory = waiting.pop(0)
        assert (s[buffer.memory], load(s, buffer)) == (memory, [memory, *waiting][-1])
        assert is_empty(s, buffer) == (not waiting)


def test_a_full_buffer_is_an_error_of_the_model() -> None:
    """A scenario says how deep its buffer is; nothing is dropped or drained behind its back."""
    buffer, s = buffer_of(1)
    store(s, buffer, 1)
    with pytest.raises(ModelError, match="deeper"):
        store(s, buffer, 2)
    assert (s[buffer.memory], load(s, buffer)) == (0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Litmus:
    """Two flags, what each side read of the other one's, and the first side's buffer."""

    buffer: StoreBuffer | None = None
    mode: Cell = cell()
    on: Cell = cell()
    saw_on: Cell = cell(-1)
    saw_mode: Cell = cell(-1)


def litmus(barrier: bool) -> tuple[System, Property]:
    """Return {store mode; load ON} beside {locked ON := 1; load mode}: may both read 0?"""
    layout = Layout()
    bare = layout.record(Litmus, "l")
    buffer = buffered(layout, "buffer", bare.mode)

    def set_mode(s: list[int], me: Litmus) -> None:
        store(s, buffer, 1)

    def read_on(s: list[int], me: Litmus) -> None:
        s[me.saw_on] = s[me.on]

    def set_on(s: list[int], me: Litmus) -> None:
        s[me.on] = 1

    def read_mode(s: list[int], me: Litmus) -> None:
        s[me.saw_mode] = s[me.mode]

    wait = (lambda s, me: is_empty(s, buffer)) if barrier else None
    receiver = block("receiver", Step("MODE", set_mode), Step("ON", read_on, wait))
    sender = block("sender", Step("SET", set_on), Step("READ", read_mode))
    system = System(
        layout,
        [
            Actor("r", "receiver", receiver, bare),
            Actor("w", "sender", sender, bare),
            Actor("s", "b", DRAIN, buffer),
        ],
    )

    def missed(s: Sequence[int]) -> bool:
        return s[bare.saw_on] == 0 and s[bare.saw_mode] == 0 and is_empty(s, buffer)

    return system, Property("MISSED", "not both sides read the old value", missed)


@dataclass(frozen=True)
class Question:
    """The litmus test as a question; every end is one."""

    system: System
    properties: tuple[Property, ...]

    @staticmethod
    def done(s: Sequence[int]) -> bool:
        return True


@pytest.mark.parametrize(("barrier", "numbers"), [(False, (20, 1)), (True, (10, 0))])
def test_only_the_barrier_keeps_both_sides_from_missing_each_other(
    barrier: bool, numbers: tuple[int, int]
) -> None:
    """Without it 1 of 20 interleavings has both read the old value, with it 0 of 10."""
    system, missed = litmus(barrier)
    found = count(Question(system, (missed,)))
    assert (found.interleavings, found.losing) == numbers
