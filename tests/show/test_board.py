"""The board: four patches, an outlook that says so."""

from pictures import alternative, overlaps, size, words

from kvmlab.kernels.names import RELEASES
from kvmlab.show.board import FOOT, SWITCHES, Board, board_svg


def test_the_four_patches_are_there_in_order() -> None:
    """By year, a notebook each; a patch that the model has bears the model's name."""
    assert [(s.year, s.lesson) for s in SWITCHES] == [(2011, "01"), (2016, "02"), (2017, "03"), (2018, "04")]
    assert {"d6185f2", "b95234c"} <= {s.commit for s in SWITCHES} & RELEASES.keys()


def test_it_says_that_nothing_can_be_turned() -> None:
    """Picture and twin end in the sentence; there is room for every word."""
    bundle = Board()._repr_mimebundle_()
    assert alternative(bundle["text/html"]) == FOOT and "no switch can be turned here" in FOOT
    assert " ".join(bundle["text/plain"].split()).endswith(FOOT)
    assert max(map(len, repr(Board()).splitlines())) <= 80
    svg = board_svg()
    assert overlaps(svg) == [] and all(0 <= w.left and w.right <= size(svg)[0] for w in words(svg))
