"""Build the deferral: of all combinations of pieces one holds, and each other one is told why."""

from itertools import product

import pytest

from kvmlab.errors import BadInput
from kvmlab.labs.deferral import demanding, judge
from kvmlab.labs.pieces import RERAISE, WAYS, deferral
from kvmlab.labs.reach import dead_end
from kvmlab.machine.property import broken
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.replay import replay

BROKEN = {
    "fake exit": ("LOST", "no entry came before it"),
    "plain entry": ("L2_RAN", "nothing waits there to take it out"),
    "self-IPI before irq_off": ("L2_RAN", "while IF=1"),
    "MTF": ("L2_RAN", "one instruction too late"),
}


@pytest.mark.parametrize("way, more", list(product(WAYS, ((), (RERAISE,)))))
def test_one_combination_holds_and_the_others_hear_why(way: str, more: tuple[str, ...]) -> None:
    """Only the IPI behind irq_off, with EVENT raised again on cancel, keeps every demand."""
    found = judge(way, *more)
    right = (way, more) == ("self-IPI after irq_off", (RERAISE,))
    label, reason = BROKEN.get(way, ("" if right else "L2_RAN", "" if right else "the entry is called off"))
    assert (found.passed, found.broken) == (right, label)
    assert reason in found.sentence


@pytest.mark.parametrize("way", WAYS)
def test_the_schedule_shows_what_was_said(way: str) -> None:
    """The schedule ends in a state that breaks the property, and is a shortest one."""
    found = judge(way)
    run = replay(found.scenario.system, found.schedule)
    prop = broken(found.scenario.properties, run.state)
    shortest = explore(found.scenario).shortest
    assert run.stopped == "" and prop and prop.label == found.broken
    assert shortest and len(run.steps) == len(shortest.labels) - 1


@pytest.mark.parametrize(
    "pieces, message",
    [
        ((), "choose one way"),
        ((RERAISE,), "choose one way"),
        (("MTF", "fake exit"), "one way only; you chose MTF and fake exit"),
        (("MTF", "MTF"), "used once"),
        (("self-ipi after irq_off",), "did you mean self-IPI after irq_off"),
    ],
)
def test_pieces_that_make_no_deferral_get_one_clear_error(pieces: tuple[str, ...], message: str) -> None:
    """No way, two ways, a piece twice, a piece nobody knows: BadInput says which."""
    with pytest.raises(BadInput, match=message):
        judge(*pieces)


def test_the_right_deferral_is_the_kernel_of_2020() -> None:
    """The solution takes the steps of v3.10 with the fix of 2020: as many states, as many transitions."""
    found = explore(demanding(immediate_exit(deferral("self-IPI after irq_off", RERAISE), cancel=True)))
    from kvmlab.kernels.names import kernel

    real = explore(immediate_exit(kernel("v3.10+8081ad0"), cancel=True))
    assert (found.states, found.transitions) == (real.states, real.transitions)


def test_the_right_deferral_always_leaves_a_way_back_to_l1() -> None:
    """No schedule of it ends in a state from which L1 cannot be reached."""
    assert dead_end(judge("self-IPI after irq_off", RERAISE).scenario) is None
