"""Is the end still reachable? The question that safety properties do not ask.

A kernel that never enters the guest executes no instruction too many, delivers nothing twice and
loses nothing: it is safe, and useless. So an exercise also asks that from every state some schedule
leads to a proper end. (Some, not every: L2 may compute for as long as nobody waits.)
"""

from kvmlab.machine import schedule
from kvmlab.machine.property import Question
from kvmlab.machine.state import State
from kvmlab.machine.system import Move

Edge = tuple[State, Move]


def dead_end(question: Question) -> str | None:
    """Return a shortest schedule into a state from which no proper end can be reached, or ``None``.

    Properties are not looked at: ask this of a scenario that violates none.
    """
    first, before = _graph(question)
    alive = _leading_to([state for state in first if question.done(state)], before)
    lost = next((state for state in first if state not in alive), None)
    return None if lost is None else _schedule(first, lost)


def _graph(question: Question) -> tuple[dict[State, Edge | None], dict[State, list[State]]]:
    """Return every state with the edge that first reached it, nearest first; and all predecessors."""
    system = question.system
    first: dict[State, Edge | None] = {system.start: None}
    before: dict[State, list[State]] = {system.start: []}
    queue = [system.start]
    for state in queue:
        for move in system.enabled(state):
            work = list(state)
            move.carry_out(work)
            after = tuple(work)
            before.setdefault(after, []).append(state)
            if after not in first:
                first[after] = (state, move)
                queue.append(after)
    return first, before


def _leading_to(ends: list[State], before: dict[State, list[State]]) -> set[State]:
    """Return the ends and every state that has a way to one."""
    alive, queue = set(ends), list(ends)
    for state in queue:
        fresh = [previous for previous in before[state] if previous not in alive]
        alive.update(fresh)
        queue += fresh
    return alive


def _schedule(first: dict[State, Edge | None], state: State) -> str:
    tokens: list[str] = []
    while (edge := first[state]) is not None:
        state = edge[0]
        tokens.append(edge[1].token)
    return schedule.text(tuple(reversed(tokens)))
