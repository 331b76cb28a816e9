"""What must come in the end, on toys whose answer is known, and replayed."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from kvmlab.errors import BadInput, ModelError
from kvmlab.machine.property import Eventually, Fairness, Property
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Block, Step, block, free, loop
from kvmlab.machine.system import Actor, System
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.graph import graph
from kvmlab.schedulers.liveness import Lasso, liveness
from kvmlab.schedulers.replay import replay

RUNS = Fairness("runs", "", lambda move, s: move.actor.letter)
ARRIVED = Eventually("NEVER", "the flag is set in the end", lambda s: not s[0])


@dataclass(frozen=True)
class Live:
    """A question with what must come."""

    system: System
    liveness: tuple[Eventually, ...] = (ARRIVED,)
    properties: tuple[Property, ...] = ()

    @staticmethod
    def done(s: Any) -> bool:
        """Every end is meant."""
        return True


def _set(s: list[int], me: object) -> None:
    s[0] = 1


def _turn(s: list[int], me: object) -> None:
    s[1] ^= 1


SETS = block("sets", Step("SET", _set))
SPINS = loop("spins", Step("TURN", _turn))
WAITS = block("waits", Step("SET", _set, lambda s, me: s[1]))
STOPS = block("stops", free("STOP", Step("SET", _set), Step("QUIT", lambda s, me: None)))


def live(*paths: Block) -> Live:
    """Return a question with an actor for each path: cell 0 is the flag, cell 1 turns."""
    layout = Layout()
    layout.add("flag")
    layout.add("turn")
    return Live(System(layout, [Actor("abc"[n], "", path, None) for n, path in enumerate(paths)]))


def test_who_alone_can_move_moves() -> None:
    """The machine does not stop while somebody can move: no fairness is needed for one actor."""
    assert liveness(live(SETS)).verdict == "ok"


def test_beside_one_who_never_stops_the_other_needs_fairness() -> None:
    """Without, b turns for ever; with, the flag comes."""
    found = liveness(live(SETS, SPINS))
    assert isinstance(found.shortest, Lasso)
    assert (found.shortest.stem, found.shortest.labels) == (0, ("b:TURN", "b:TURN", "check:NEVER"))
    assert liveness(live(SETS, SPINS), [RUNS]).verdict == "ok"


def test_weak_fairness_owes_nothing_to_who_can_move_only_now_and_then() -> None:
    """An actor that is enabled every other time may wait for ever, unless fairness is strong."""
    assert liveness(live(WAITS, SPINS), [RUNS]).verdict == "violated"
    assert liveness(live(WAITS, SPINS), [replace(RUNS, strong=True)]).verdict == "ok"


def test_an_end_without_it_is_a_lasso_without_a_loop() -> None:
    """Who may quit leaves the flag unset, and nobody can move any more: no fairness helps."""
    for fairness in ([], [RUNS]):
        found = liveness(live(STOPS), fairness)
        assert isinstance(found.shortest, Lasso)
        assert (found.shortest.labels, found.shortest.stem) == (("a:QUIT", "check:NEVER"), 1)
        assert found.shortest.round == 0 and "nobody can move" in repr(found)


def test_a_lasso_can_be_replayed_again_and_again() -> None:
    """Its loop leads back to the state that it starts in."""
    question = live(SETS, SPINS, SPINS)
    shortest = liveness(question).shortest
    assert isinstance(shortest, Lasso)
    stem, loop_ = shortest.schedule[: shortest.stem], shortest.schedule[shortest.stem :]
    assert replay(question.system, stem).state == replay(question.system, stem + 3 * loop_).state


def test_the_graph_is_what_the_explorer_sees() -> None:
    """The same states and transitions, whether or not they are kept."""
    question = live(SETS, WAITS, SPINS)
    kept, seen = graph(question), explore(question)
    assert (len(kept.states), kept.transitions) == (seen.states, seen.transitions)


def test_a_search_that_was_cut_short_proves_nothing() -> None:
    """Its bound is in the answer; a limit below 1 is refused."""
    found = liveness(live(SETS, SPINS), [RUNS], limit=1)
    assert (found.complete, found.bound) == (False, 1) and "nothing found" in repr(found)
    with pytest.raises(BadInput, match="1 or more"):
        liveness(live(SETS), limit=0)


def test_a_limit_that_is_not_passed_cuts_nothing_short() -> None:
    """As many as there are states is enough; one less is not."""
    size = len(graph(live(SETS, SPINS)).states)
    whole, short = (liveness(live(SETS, SPINS), [RUNS], limit=n) for n in (size, size - 1))
    assert (whole.complete, whole.verdict, whole.states) == (True, "ok", size)
    assert (short.complete, short.bound) == (False, size - 1)


def test_an_end_that_is_none_is_an_error_of_the_model() -> None:
    """As for the explorer, with the schedule that leads there."""
    question = live(SETS)
    object.__setattr__(question, "done", lambda s: False)
    with pytest.raises(ModelError, match="after 'a'"):
        liveness(question)
