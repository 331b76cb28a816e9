"""A footprint: all that a move's being possible depends on, and all that it does."""

from kvmlab.machine.state import Layout
from kvmlab.machine.step import Row, Step, block
from kvmlab.machine.system import Actor, System
from kvmlab.machine.watch import footprint


def reads(label: str, cell: int, value: int = 0) -> Step:
    """Return a step that is possible while ``cell`` has ``value`` and does nothing."""
    return Step(label, lambda s, me: None, lambda s, me: s[cell] == value)


def footprints(row: Row, cells: int, *, top: bool = False) -> dict[str, set[int]]:
    """Return what each enabled move of one actor reads, by label; its position is left out."""
    layout = Layout()
    for n in range(cells):
        layout.add(f"c{n}")
    frame = layout.add("top") if top else None
    system = System(layout, [Actor("a", "a", block("p", row), None, frame, 0)])
    return {
        move.step.label: set(footprint(system, move, system.start)[0]) - {system.pc["a"]}
        for move in system.enabled(system.start)
    }


def test_a_move_reads_the_guards_above_its_own() -> None:
    """That a higher priority was closed is part of why this one is open; what stands below is not."""
    high, middle, low = reads("HIGH", 0, value=1), reads("MIDDLE", 1), reads("LOW", 2)
    otherwise = Step("OTHERWISE", lambda s, me: None)
    row = Row("R", (high, middle, low), (otherwise,))
    assert footprints(row, 3) == {"MIDDLE": {0, 1}}
    closed = Row("R", (high, reads("MIDDLE", 1, value=1), reads("LOW", 2, value=1)), (otherwise,))
    assert footprints(closed, 3) == {"OTHERWISE": {0, 1, 2}}


def test_a_free_choice_does_not_read_its_neighbours_guards() -> None:
    """Free alternatives depend on the priorities of their row, not on each other."""
    row = Row("R", (reads("HIGH", 0, value=1),), (reads("X", 1), reads("Y", 2)))
    assert footprints(row, 3) == {"X": {0, 1}, "Y": {0, 2}}


def test_a_move_reads_the_frame_on_top_of_its_cpu() -> None:
    """Another frame on top would hold the actor."""
    assert footprints(Row("R", free=(reads("X", 0),)), 1, top=True) == {"X": {0, 1}}
