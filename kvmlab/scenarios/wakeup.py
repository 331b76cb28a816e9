"""The lost wake-up: a thread that sleeps until a condition is true, and one that makes it true.

Linux's rule for it has the shape of a posted interrupt: publish what you are about to do, look once more,
then do it; the other side does its deed first and looks at what was published last. Both sides run under
x86-TSO: each CPU has a store buffer, so the order in which it stores and reads is not what the other one
sees unless a barrier stands between. schedule() is a full barrier itself, so the step to sleep waits for the
buffer, as does the wake-up, which takes a lock.
Source: Documentation/memory-barriers.txt, "Sleep and wake-up functions", "Miscellaneous functions".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import Kernel
from kvmlab.machine.property import Property
from kvmlab.machine.state import Cell, Layout, cell
from kvmlab.machine.step import Block, Step, block
from kvmlab.machine.store_buffer import DRAIN, StoreBuffer, buffered, is_empty, store
from kvmlab.machine.system import Actor, System
from kvmlab.processor.records import show_flag
from kvmlab.scenarios.scenario import Scenario

AWAKE = 0
"""The frame of the waiter on its CPU."""

SOURCE = 'Documentation/memory-barriers.txt, "Sleep and wake-up functions"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What both share: what the waiter published, whether it is off its CPU, and what it waits for.

    ``sleeping`` is the frame on top of the waiter's CPU: who sleeps takes no step. ``seen`` is the waker's
    own: what it read of ``asleep``.
    """

    asleep: Cell = cell(0, show_flag)
    sleeping: Cell = cell(0, show_flag)
    condition: Cell = cell(0, show_flag)
    seen: Cell = cell(0, show_flag)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: the task, and the stores of this side's CPU that nobody else sees yet."""

    task: Task
    buffer: StoreBuffer


def _publish(s: list[int], me: Side) -> None:
    store(s, me.buffer, 1)


def _nothing(s: list[int], me: Side) -> None:
    """Change nothing."""


def _drained(s: Sequence[int], me: Side) -> bool:
    return is_empty(s, me.buffer)


def _test(s: list[int], me: Side) -> str | None:
    return "wait" if s[me.task.condition] else None


def _sleep(s: list[int], me: Side) -> None:
    s[me.task.sleeping] = s[me.task.asleep]


def _set(s: list[int], me: Side) -> None:
    store(s, me.buffer, 1)


def _read(s: list[int], me: Side) -> None:
    s[me.task.seen] = s[me.task.asleep]


def _wake(s: list[int], me: Side) -> None:
    # Whom it saw asleep may not have slept yet: with "asleep" taken back it will stay up.
    if s[me.task.seen]:
        s[me.task.asleep] = s[me.task.sleeping] = 0


BARRIER = Step("MB", _nothing, _drained, "full barrier: wait until every store is seen", SOURCE)

WAITER: Mapping[str, Step] = {
    "publish": Step("PUBLISH", _publish, says="“I am asleep”, for everybody to see", source=SOURCE),
    "barrier": BARRIER,
    "test": Step("TEST", _test, says="is the condition true? yes: stay up", source=SOURCE, leaves=("wait",)),
    "sleep": Step("SLEEP", _sleep, _drained, "leave the CPU, if still “asleep”: schedule()", SOURCE),
}
"""The steps of the thread that waits, by the names that a learner orders."""

WAKER: Mapping[str, Step] = {
    "set": Step("SET", _set, says="make the condition true", source=SOURCE),
    "barrier": BARRIER,
    "read": Step("READ", _read, says="does it say “asleep”?", source=SOURCE),
    "wake": Step("WAKE", _wake, _drained, "wake whoever was seen asleep", SOURCE),
}
"""The steps of the thread that makes the condition true."""


def _path(name: str, order: Sequence[str], steps: Mapping[str, Step]) -> Block:
    if sorted(order) != sorted(steps):
        raise BadInput(f"{name}: name each of {', '.join(steps)} once, in your order; not {', '.join(order)}")
    return block(name, *(steps[step] for step in order))


def protocol(waiter: Sequence[str], waker: Sequence[str]) -> Kernel:
    """Return the two paths in these orders; raise BadInput unless each step is named once."""
    wait, wake = _path("wait", waiter, WAITER), _path("wake", waker, WAKER)
    says = f"{', '.join(waiter)} | {', '.join(waker)}"
    return Kernel("your order", says, "no kernel", {"wait": wait, "wake": wake})


def wakeup(waiter: Sequence[str], waker: Sequence[str]) -> Scenario:
    """Return the scenario: the two sides in these orders, each with a store buffer.

    Raises BadInput unless the steps of :data:`WAITER` and of :data:`WAKER` are named once each.
    """
    kernel, layout = protocol(waiter, waker), Layout()
    task = layout.record(Task, "task")
    waits = Side(task, buffered(layout, "waiter.store", task.asleep, depth=1))
    wakes = Side(task, buffered(layout, "waker.store", task.condition, depth=1))
    actors = [
        Actor("w", "waiter", kernel.paths["wait"], waits, task.sleeping, AWAKE),
        Actor("k", "waker", kernel.paths["wake"], wakes),
        Actor("s", "w-buffer (the waiter's)", DRAIN, waits.buffer),
        Actor("x", "k-buffer (the waker's)", DRAIN, wakes.buffer),
    ]
    system = System(layout, actors)
    waiting, waking = system.pc["w"], system.pc["k"]
    up, returned = len(system.places["w"]), len(system.places["k"])
    lost = Property(
        "LOST",
        "once the waker has returned, nobody sleeps on",
        lambda s: s[task.sleeping] and s[waking] == returned,
    )
    return Scenario(
        "wake-up",
        "a thread goes to sleep until a condition is true; another one makes it true",
        kernel,
        system,
        (lost,),
        lambda s: (s[task.sleeping] or s[waiting] == up) and s[waking] == returned,
        "",
        {"waiter": tuple(waiter), "waker": tuple(waker)},
        {"task": task},
    )
