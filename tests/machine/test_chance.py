"""The scheduler that draws: what a limit leaves, and which seeds there are."""

import pytest
from toys import toy

from kvmlab.errors import BadInput
from kvmlab.schedulers.chance import draw

GRID = toy(((("add", 0, 1),) * 3, (("add", 0, 1),) * 3), 1).system


def test_a_drawn_run_that_its_limit_ended_says_so() -> None:
    """`stopped` names the limit; a run that came to its end is silent."""
    assert (draw(GRID, 0, limit=4).stopped, len(draw(GRID, 0, limit=4).steps)) == ("after 4 steps", 4)
    assert (draw(GRID, 0, limit=7).stopped, len(draw(GRID, 0, limit=7).steps)) == ("", 6)


@pytest.mark.parametrize("seed", [-1, -7])
def test_a_negative_seed_is_refused(seed: int) -> None:
    """Random takes a seed's absolute value: two seeds would be one run."""
    with pytest.raises(BadInput, match=f"seed {seed}: 0 or more"):
        draw(GRID, seed)
