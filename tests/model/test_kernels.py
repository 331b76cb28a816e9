"""Kernels as data: names, edits that commute, sources, and the tables of modes and events."""

from itertools import permutations

import pytest

from kvmlab.errors import BadInput, IllegalTransition, ModelError
from kvmlab.kernels.kernel import Patch, PathEdit
from kvmlab.kernels.listing import listing
from kvmlab.kernels.names import EDITS, LISTED, RELEASES, V3_2, kernel
from kvmlab.kernels.patch_1 import PATCH_1
from kvmlab.kernels.v3_10 import V3_10
from kvmlab.kvm import mode
from kvmlab.machine.step import Block, Row, Step
from kvmlab.processor.boundary import EVENTS, PRIORITY
from kvmlab.scenarios.guests import L1_PROGRAM, L2_PROGRAM


def steps(path: Block) -> list[Step]:
    """Return every step of a path, alternatives included."""
    found: list[Step] = []
    for node in path.walk():
        found += node.steps if isinstance(node, Row) else [node] if isinstance(node, Step) else []
    return found


def test_a_name_is_a_release_and_edits() -> None:
    """v3.10+8081ad0 is 8081ad0 on v3.10; the same name is the same kernel."""
    assert kernel("v3.10+8081ad0").name == "v3.10+8081ad0"
    assert kernel("v3.10+8081ad0") is kernel("v3.10+8081ad0")


@pytest.mark.parametrize("name", ["v4.1", "d6185", "v3.10+808", "", "v3.2+"])
def test_an_unknown_name_gets_one_line_with_a_way_on(name: str) -> None:
    """The nearest known name, or all of them, is offered."""
    with pytest.raises(BadInput, match="unknown .*(did you mean|known:)"):
        kernel(name)


def test_an_edit_that_fits_nowhere_is_refused() -> None:
    """MTF replaces the self-IPI; v3.2 has none."""
    with pytest.raises(BadInput, match="mtf does not fit v3.2"):
        kernel("v3.2+mtf")
    with pytest.raises(ModelError, match="has no path nowhere"):
        Patch("p", "", "", (PathEdit("nowhere", PATCH_1.edits[0].edit),)).on(V3_2)  # type: ignore[union-attr]


@pytest.mark.parametrize("patch", [PATCH_1, V3_10], ids=lambda p: p.name)
def test_the_edits_of_a_patch_commute(patch: Patch) -> None:
    """Edits at different labels may be made in any order: swapping any two changes nothing."""
    whole = listing(patch.on(V3_2, "x"))
    for i, j in permutations(range(len(patch.edits)), 2):
        order = list(patch.edits)
        order[i], order[j] = order[j], order[i]
        assert listing(Patch(patch.name, "", "", order).on(V3_2, "x")) == whole


@pytest.mark.parametrize("name", LISTED)
def test_every_step_says_what_it_does_and_where_that_is_written(name: str) -> None:
    """Each step of each kernel has a sentence and a source; so has the kernel."""
    assert kernel(name).says and kernel(name).source
    for path in kernel(name).paths.values():
        bare = [step.label for step in steps(path) if not step.says or not step.source]
        assert bare in ([], ["EXIT.unknown"])


def test_guest_programs_say_what_they_do() -> None:
    """Each guest step has a sentence."""
    assert all(step.says for path in (L1_PROGRAM, L2_PROGRAM) for step in steps(path))


def test_patches_are_told_apart() -> None:
    """No two listed kernels take the same steps."""
    texts = ["\n".join(listing(kernel(name))) for name in LISTED]
    assert len(set(texts)) == len(LISTED)
    assert set(EDITS) and set(RELEASES) <= set(LISTED)


def test_the_boundary_events_stand_in_the_processors_order() -> None:
    """What the model has of the priority list, it has in that order, ahead of every guest row."""
    assert list(EVENTS) == [name for name in PRIORITY if name in EVENTS]
    for path in (L1_PROGRAM, L2_PROGRAM):
        for node in path.items:
            assert isinstance(node, Row)
            assert [s.label for s in node.first][: len(EVENTS)] == [s.label for s in EVENTS.values()]


MODES = range(len(mode.NAMES))


@pytest.mark.parametrize("old", MODES)
@pytest.mark.parametrize("new", MODES)
def test_mode_changes_only_along_its_table(old: int, new: int) -> None:
    """A change outside the table raises, names both modes, and changes nothing."""
    s = [old]
    if (old, new) in mode.TRANSITIONS:
        mode.change(s, 0, new)
        assert s == [new]
    else:
        with pytest.raises(IllegalTransition, match=f"{mode.show(old)} to {mode.show(new)}"):
            mode.change(s, 0, new)
        assert s == [old]


def test_only_in_to_exiting_is_made_by_others() -> None:
    """Senders make exactly one kind of change."""
    assert [edge for edge, who in mode.TRANSITIONS.items() if who == mode.ANY_CPU] == [(1, 2)]
