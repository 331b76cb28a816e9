"""Two kernels compared: what became of every step, in words and as a picture."""

from itertools import permutations

import pytest
from pictures import alternative, overlaps, size, words

from kvmlab.errors import ModelError
from kvmlab.kernels.kernel import Kernel, Patch, PathEdit, swap
from kvmlab.kernels.names import LISTED, kernel
from kvmlab.machine.edit import Relocate, find
from kvmlab.machine.step import Step, name_of
from kvmlab.show.diff import Fold, KernelDiff, Line, diff, folded, summary
from kvmlab.show.listing import listing

ABLE = [name for name in LISTED if "immediate-exit" in kernel(name).scope]
PAIRS = list(permutations(ABLE, 2))
SAME = {"added": "removed", "removed": "added", "changed": "changed", "moved": "moved"}


def touched(before: Kernel, after: Kernel) -> set[tuple[str, str]]:
    """Return (what became of it, label) for every line that differs."""
    return {(line.status, line.entry.label) for line in diff(before, after) if line.status != "same"}


def edited(*edits: PathEdit, base: str = "v3.2") -> Kernel:
    """Return a kernel with edits."""
    return Patch("edit", "an edit", "no kernel did this", edits).on(kernel(base))


def step(label: str, base: str = "v3.2") -> Step:
    """Return a step of the run loop."""
    node = find(kernel(base).paths["vcpu_run"], label)
    assert isinstance(node, Step)
    return node


# --- what became of a step --------------------------------------------------------------------


def test_patch_1_adds_two_steps_and_changes_one() -> None:
    """The test of the request, the self-IPI, and enable_irq_window, which now sets the request."""
    found = touched(kernel("v3.2"), kernel("d6185f2"))
    assert sorted(status for status, _ in found) == ["added", "added", "changed"]
    assert {("added", "REQ.immediate"), ("changed", "WINDOW.nested")} < found


@pytest.mark.parametrize("name", ABLE)
def test_a_kernel_does_not_differ_from_itself(name: str) -> None:
    """Nothing is touched, nothing is shown, and the foot says so."""
    assert touched(kernel(name), kernel(name)) == set()
    assert "no difference" in repr(KernelDiff(kernel(name), kernel(name)))


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_the_way_back_undoes_the_way_there(a: str, b: str) -> None:
    """What one direction adds the other removes; what changed or moved did so both ways."""
    there, back = touched(kernel(a), kernel(b)), touched(kernel(b), kernel(a))
    assert {(SAME[status], label) for status, label in there} == back


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_no_line_is_lost_on_either_side(a: str, b: str) -> None:
    """The lines that stand before are the kernel before, in order; so it is with after."""
    lines = diff(kernel(a), kernel(b))
    assert [line.before for line in lines if line.before] == listing(kernel(a))
    assert [line.after for line in lines if line.after] == listing(kernel(b))


def test_another_source_alone_is_no_change() -> None:
    """A step that does, asks and says the same is the same step."""
    same = Step("IRQ_OFF", step("IRQ_OFF").fn, says=step("IRQ_OFF").says, source="elsewhere")
    assert touched(kernel("v3.2"), edited(swap("IRQ_OFF", same))) == set()


def test_a_silent_change_is_named() -> None:
    """Where the words stay and the step does not, the comparison says what is different."""
    was = step("IRQ_OFF")
    effect = Step(was.label, lambda s, me: None, says=was.says)
    guard = Step(was.label, was.fn, lambda s, me: True, was.says)
    for new, what in ((effect, "another effect"), (guard, "another condition")):
        changed = [x for x in diff(kernel("v3.2"), edited(swap("IRQ_OFF", new))) if x.status == "changed"]
        assert [(line.entry.label, line.silent) for line in changed] == [("IRQ_OFF", what)]


def relocations() -> list[tuple[str, str]]:
    """Return (label of a step, place to put it behind) for every pair in the run loop."""
    nodes = list(kernel("d6185f2").paths["vcpu_run"].walk())
    steps = [node.label for node in nodes if isinstance(node, Step)]
    return [(x, name_of(node)) for x in steps for node in nodes if name_of(node) != x]


def test_one_step_put_elsewhere_is_one_step_moved() -> None:
    """Wherever a step goes, into another block too, one label moved, and it stands twice."""
    base = kernel("d6185f2")
    for label, behind in relocations():
        try:
            other = edited(PathEdit("vcpu_run", Relocate(label, after=behind)), base="d6185f2")
        except ModelError:
            continue  # a row that lost its only step is no place any more
        lines = [line for line in diff(base, other) if line.status != "same"]
        assert [line.status for line in lines] in ([], ["moved", "moved"]), (label, behind)
        assert len({line.entry.label for line in lines}) <= 1


# --- what is shown ----------------------------------------------------------------------------


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_folding_hides_only_what_did_not_change(a: str, b: str) -> None:
    """Every touched line is shown; shown and folded steps are all steps of the paths that changed."""
    lines = diff(kernel(a), kernel(b))
    items = folded(lines)
    paths = {line.entry.path for line in lines if line.status != "same"}
    shown = [item for item in items if isinstance(item, Line)]
    assert [x for x in shown if x.status != "same"] == [x for x in lines if x.status != "same"]
    hidden = sum(item.steps for item in items if isinstance(item, Fold))
    steps = sum(line.entry.step is not None for line in lines if line.entry.path in paths)
    assert hidden + sum(line.entry.step is not None for line in shown) == steps


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_picture_and_twin_end_in_the_same_sentence(a: str, b: str) -> None:
    """The alternative text, the end of the twin and the foot are one sentence; the twin fits a terminal."""
    one = KernelDiff(kernel(a), kernel(b))
    foot = summary(one.before, one.after, diff(one.before, one.after))
    assert alternative(one.svg()) == foot
    assert " ".join(repr(one).split()).endswith(foot)
    assert max(map(len, repr(one).splitlines())) <= 80


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_nothing_is_clipped_and_no_texts_collide(a: str, b: str) -> None:
    """Every text lies inside the picture and clear of every other, in the widest font."""
    svg = KernelDiff(kernel(a), kernel(b)).svg()
    wide, high = size(svg)
    assert all(0 <= w.left and w.right <= wide and 0 < w.y <= high - 4 for w in words(svg))
    assert overlaps(svg) == []


def test_a_call_does_not_say_its_own_name_twice() -> None:
    """It is its label."""
    one = KernelDiff(kernel("v4.7"), kernel("64672c9"))
    assert [w.says for w in words(one.svg())].count("pre_block()") == 1 == repr(one).count("pre_block()")


def test_a_touched_line_is_told_by_its_sign() -> None:
    """Colour and weight are not needed: picture and twin mark each touched line with a sign."""
    one = KernelDiff(
        kernel("v3.2"), edited(swap("MODE_OUT"), PathEdit("vcpu_run", Relocate("IRQ_OFF", before="event")))
    )
    signs = [line[0] for line in repr(one).splitlines()[3:] if line[:1] in "+−~↕" and line]
    assert sorted(signs) == sorted("↕↕−")
    assert sorted(w.says for w in words(one.svg()) if w.says in "+−~↕") == sorted("↕↕−")


def test_a_notebook_gets_picture_and_twin() -> None:
    """The picture where pictures are shown, and the same in words."""
    one = KernelDiff(kernel("v3.2"), kernel("d6185f2"))
    assert one._repr_mimebundle_() == {"text/plain": repr(one), "text/html": one.svg()}
