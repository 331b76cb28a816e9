"""The clock's rules once more, plainly: everybody is asked before every step, nothing is remembered."""

from collections.abc import Iterator
from typing import Any

from kvmlab.machine.state import Cell
from kvmlab.machine.system import Actor, System, top_cell
from kvmlab.machine.time import TIME
from kvmlab.schedulers.clock import UNIT, Costs


def plain_steps(
    system: System, limit: int, profile: Costs = UNIT, now: Cell | None = None
) -> Iterator[tuple[int, str, tuple[int, ...]]]:
    """Yield (time, label, state behind it) of at most ``limit`` steps."""
    s = list(system.start)
    time, free = 0 if now is None else s[now], dict[Any, int]()
    alarms = [i for i, info in enumerate(system.layout.cells) if info.deadline]

    def cpu(actor: Actor) -> Any:
        top = top_cell(actor.top, s)
        return actor.letter if top is None else top

    def rank(move: Any) -> tuple[int, int]:
        return max(free.get(cpu(move.actor), 0), time), -move.actor.frame

    while limit:
        moves = sorted((m for m in system.enabled(s) if m.actor.path is not TIME), key=rank)
        due = min((s[i] for i in alarms if s[i] > time), default=None)
        if due is None and not moves:
            return
        first = bool(moves) and (due is None or rank(moves[0])[0] < due)
        time = rank(moves[0])[0] if first else due  # type: ignore[assignment]
        if now is not None:
            s[now] = time
        if first:
            free[cpu(moves[0].actor)] = time + profile.cost(moves[0])
            moves[0].carry_out(s)
            limit -= 1
            yield time, moves[0].label, tuple(s)
