"""The way back: where a sample's cycles went, whoever else ran beside it."""

from hypothesis import given
from hypothesis import strategies as st

from kvmlab.schedulers.way import WAITING, Busy, Piece, way_back


def log(*steps: tuple[str, str, int, int]) -> list[Busy]:
    """Return a log of (CPU, label, start, finish)."""
    return [Busy(*step) for step in steps]


def test_a_busy_cpu_is_its_own_way() -> None:
    """Steps one behind the other, up to the start of the last one; what is free is on the way too."""
    steps = log(("c", "A", 0, 10), ("c", "B", 10, 10), ("c", "C", 10, 15), ("c", "END", 15, 99))
    assert way_back(steps, 0) == [Piece("A", 10), Piece("B", 0), Piece("C", 5)]


def test_of_a_step_that_was_under_way_only_the_rest_counts() -> None:
    """A sample that begins in the middle of a step."""
    steps = log(("c", "A", 0, 10), ("c", "B", 10, 30), ("c", "END", 30, 30))
    assert way_back(steps, 4) == [Piece("A", 6, late=4), Piece("B", 20)]


def test_an_idle_cpu_waited_for_the_step_of_somebody_else() -> None:
    """The way leads over to the CPU whose step came at that moment."""
    steps = log(("c", "A", 0, 5), ("d", "X", 0, 20), ("d", "SEND", 20, 22), ("c", "END", 20, 21))
    assert way_back(steps, 0) == [Piece("X", 20)]


def test_with_nobody_to_wait_for_time_passes() -> None:
    """A deadline comes: the cycles between are nobody's."""
    steps = log(("c", "A", 0, 5), ("c", "B", 30, 40), ("c", "END", 40, 40))
    assert way_back(steps, 0) == [Piece("A", 5), Piece(WAITING, 25), Piece("B", 10)]


def test_a_first_step_that_comes_early_counts_in_full() -> None:
    """Time is negative then; beyond what may be early, the sample is cut where it begins."""
    steps = log(("c", "A", 0, 5), ("c", "B", 88, 140), ("c", "END", 140, 140))
    assert way_back(steps, 100, early=12) == [Piece(WAITING, -12), Piece("B", 52)]
    assert way_back(steps, 100, early=11) == [Piece("B", 40, late=12)]


@given(
    st.lists(st.tuples(st.sampled_from("cde"), st.integers(0, 9), st.integers(0, 9)), min_size=1),
    st.integers(0, 30),
    st.integers(0, 9),
)
def test_the_pieces_add_up(steps: list[tuple[str, int, int]], begin: int, early: int) -> None:
    """Whatever ran on three CPUs, in whatever gaps: begin plus the pieces is the end."""
    free, at, made = dict.fromkeys("cde", 0), 0, []
    for n, (cpu, gap, cost) in enumerate(steps):
        at = max(at, free[cpu]) + gap
        free[cpu] = at + cost
        made.append(Busy(cpu, str(n), at, at + cost))
    if begin <= made[-1].start:
        assert begin + sum(piece.cycles for piece in way_back(made, begin, early)) == made[-1].start
