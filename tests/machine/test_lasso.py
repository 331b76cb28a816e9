"""Fair loops: the search by strongly connected parts against every set of states, tried one by one."""

from collections.abc import Iterator
from itertools import chain, combinations

from hypothesis import example, given
from hypothesis import strategies as st

from kvmlab.schedulers.lasso import Ground, Step, components, fair_parts, loop

NODES = 5
STRONG = frozenset("z")
DEBTS = st.frozensets(st.sampled_from("xyz"), max_size=2)
EDGES = st.lists(st.tuples(st.integers(0, NODES - 1), DEBTS), max_size=3, unique_by=lambda edge: edge[0])
GRAPHS = st.lists(EDGES, min_size=NODES, max_size=NODES).map(
    lambda rows: Ground(
        [[to for to, _ in row] for row in rows], [[debts for _, debts in row] for row in rows], STRONG
    )
)
NONE: frozenset[str] = frozenset()
KEEPS_AWAY = Ground([[0, 1], [0, 2], []], [[NONE, NONE], [NONE, STRONG], []], STRONG), frozenset({0, 1})
"""Round 0 is fair: it keeps away from 1, where the strong debt could be paid."""
MUST_PAY = Ground([[1], [0, 1]], [[NONE], [NONE, STRONG]], STRONG), frozenset({0, 1})
"""Who comes to 1 has to pay there, and only then may go back."""
WITHIN = st.frozensets(st.integers(0, NODES - 1))


def reaches(ground: Ground, part: frozenset[int]) -> set[tuple[int, int]]:
    """Return the pairs (a, b) with a way of one step or more from a to b within ``part``."""
    found = {(a, b) for a in part for b in ground.edges[a] if b in part}
    for via in part:
        found |= {(a, b) for a in part for b in part if {(a, via), (via, b)} <= found}
    return found


def rounds(ground: Ground, within: frozenset[int]) -> Iterator[frozenset[int]]:
    """Yield every set of states that a loop can visit again and again, and no others."""
    subsets = chain.from_iterable(combinations(sorted(within), n) for n in range(1, len(within) + 1))
    for part in map(frozenset, subsets):
        if reaches(ground, part) == {(a, b) for a in part for b in part}:
            yield part


def forbidden(ground: Ground, visited: frozenset[int], steps: set[Step]) -> bool:
    """The definition: some debt can be paid in all states (a strong one: in any), and no step pays it."""
    return any(
        (any if debt in STRONG else all)(
            any(debt in debts for debts in ground.owes[state]) for state in visited
        )
        and not any(debt in ground.owes[state][i] for state, i in steps)
        for debt in "xyz"
    )


def inside(ground: Ground, part: frozenset[int]) -> set[Step]:
    """Return every edge within ``part``: who pays most takes them all."""
    return {(a, i) for a in part for i, to in enumerate(ground.edges[a]) if to in part}


@given(GRAPHS, WITHIN)
@example(*KEEPS_AWAY)
def test_every_set_of_states_says_the_same(ground: Ground, within: frozenset[int]) -> None:
    """There is a fair loop, or an end, in exactly those states in which trying every set finds one."""
    tried = {part for part in rounds(ground, within) if not forbidden(ground, part, inside(ground, part))}
    ends = {frozenset({state}) for state in within if not ground.edges[state]}
    fair = list(fair_parts(ground, within))
    assert set().union(*fair) >= set().union(*tried, *ends)
    assert all(any(one <= part for one in tried | ends) for part in fair)


@given(GRAPHS, WITHIN)
def test_parts_are_strongly_connected_and_all_there_are(ground: Ground, within: frozenset[int]) -> None:
    """Two states are in one part exactly if there is a way from each to the other."""
    parts = list(components(ground.edges, within))
    ways = reaches(ground, within)
    assert sorted(state for part in parts for state in part) == sorted(within)
    for a in within:
        for b in within - {a}:
            together = any({a, b} <= part for part in parts)
            assert together == ({(a, b), (b, a)} <= ways)


@given(GRAPHS, WITHIN)
@example(*MUST_PAY)
def test_what_is_shown_is_a_loop_and_fair(ground: Ground, within: frozenset[int]) -> None:
    """The way returned goes along edges, stays in its part, comes back, and owes nothing."""
    for part in fair_parts(ground, within):
        for start in part:
            way = loop(ground, part, start)
            at = start
            for state, i in way:
                assert state == at and at in part
                at = ground.edges[state][i]
            assert at == start and bool(way) == bool(ground.edges[start])
            assert not way or not forbidden(ground, frozenset(state for state, _ in way), set(way))
