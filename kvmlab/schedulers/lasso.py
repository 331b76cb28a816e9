"""Loops in a graph that a schedule can go round for ever without being unfair.

States are numbers; ``edges[n]`` are the states behind state n, ``owes[n][i]`` the debts that the i-th edge
of n pays. A debt forbids a loop on which no edge pays it and each state could (weak fairness), or some state
could, if it is among the ``strong`` ones. In a strongly connected part the widest loop, through all of it,
pays most: if a weak debt forbids that one, it forbids all; of a strong one, all that touch what could pay.
"""

from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass

Debts = frozenset[Hashable]
Part = Collection[int]
Step = tuple[int, int]
"""A state, and the index of one of its edges."""


@dataclass(frozen=True, slots=True)
class Ground:
    """The graph, and what its edges pay."""

    edges: Sequence[Sequence[int]]
    owes: Sequence[Sequence[Debts]]
    strong: Debts = Debts()

    def leads(self, step: Step) -> int:
        """Return the state behind an edge."""
        return self.edges[step[0]][step[1]]

    def payable(self, state: int) -> Debts:
        """Return the debts that can be paid in ``state``."""
        return Debts().union(*self.owes[state])

    def left(self, debts: Debts, step: Step) -> Debts:
        """Return which of ``debts`` still forbid a loop that takes this edge."""
        return debts & (self.payable(self.leads(step)) | self.strong) - self.owes[step[0]][step[1]]


def components(edges: Sequence[Sequence[int]], within: Part) -> Iterator[frozenset[int]]:
    """Yield the strongly connected parts of the states ``within`` (Tarjan 1972, without recursion)."""
    found, low = dict[int, int](), dict[int, int]()
    stack, left, none = list[int](), set[int](), iter(())
    for root in within:
        work: list[tuple[int, Iterator[int]]] = [] if root in found else [(root, none)]
        while work:
            state, behind = work[-1]
            if state not in found:
                found[state] = low[state] = len(found)
                stack.append(state)
                behind = iter([to for to in edges[state] if to in within])
                work[-1] = state, behind
            for to in behind:
                if to not in found:
                    work.append((to, none))
                    break
                if to not in left:
                    low[state] = min(low[state], low[to])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[state])
                if low[state] == found[state]:
                    part = frozenset(iter(stack.pop, state)) | {state}
                    left |= part
                    yield part


def fair_parts(ground: Ground, within: Part) -> Iterator[frozenset[int]]:
    """Yield the strongly connected parts of ``within`` in which one may stay for ever: round, or stopped."""
    for part in components(ground.edges, within):
        steps = list(_inside(ground, part))
        paid = Debts().union(*(ground.owes[state][i] for state, i in steps))
        always = frozenset.intersection(*map(ground.payable, part)) - ground.strong
        starved = (Debts().union(*map(ground.payable, part)) & ground.strong) - paid
        if not any(ground.edges[state] for state in part) or (steps and always <= paid and not starved):
            yield part
        elif steps and always <= paid:  # a loop must keep away from where a strong debt could be paid
            yield from fair_parts(ground, {s for s in part if not ground.payable(s) & starved})


def _inside(ground: Ground, part: Part) -> Iterator[Step]:
    for state in part:
        yield from ((state, i) for i, to in enumerate(ground.edges[state]) if to in part)


def loop(ground: Ground, part: Part, start: int) -> list[Step]:
    """Return a fair way round from ``start`` within a part that is fair; empty if it stops there."""
    way, at = list[Step](), start
    debts = ground.payable(start) | Debts().union(*map(ground.payable, part)) & ground.strong
    while debts and ground.edges[start]:  # the nearest edge that helps, and so on
        way += _nearest(ground, part, at, _pays(ground, debts))
        at, debts = ground.leads(way[-1]), ground.left(debts, way[-1])
    if ground.edges[start] and (at != start or not way):
        way += _nearest(ground, part, at, lambda step: ground.leads(step) == start)
    return way


def _pays(ground: Ground, debts: Debts) -> Callable[[Step], bool]:
    return lambda step: ground.left(debts, step) != debts


def _nearest(ground: Ground, part: Part, start: int, good: Callable[[Step], bool]) -> list[Step]:
    """Return a shortest way within ``part`` whose last edge is ``good``."""
    ways = {start: list[Step]()}
    todo = deque([start])
    while True:
        state = todo.popleft()
        for i, to in enumerate(ground.edges[state]):
            if to in part:
                way = [*ways[state], (state, i)]
                if good((state, i)):
                    return way
                if to not in ways:
                    ways[to] = way
                    todo.append(to)
