"""Notebook 04b's helpers: the numbers on its plot, its tables, and what its questions claim."""

import pytest

pytest.importorskip("ipywidgets")
pytest.importorskip("matplotlib")

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.labs import nb04b
from kvmlab.labs.multiply import ACCESSES, CYCLES, LEVELS, Multiplied, cycles, exits, readings, table
from kvmlab.labs.questions04b import BROKEN, MULTIPLIED, QUESTIONS
from kvmlab.scenarios.levels import levels
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.profiles.names import profile
from kvmlab.show.multiplication import multiplication


@pytest.mark.parametrize("accesses", ACCESSES)
def test_exits_multiply(accesses: int) -> None:
    """Counted, they are (p + 2)^(n - 1)."""
    assert [exits(n, accesses) for n in LEVELS] == [(accesses + 2) ** (n - 1) for n in LEVELS]


def test_cycles_go_through_one_point_at_l2_and_fan_out_above() -> None:
    """Fitted at L2 for every number of accesses, so that nothing is learned there; L3 tells them apart."""
    assert {cycles(2, p) for p in ACCESSES} == {13142}
    assert sorted({cycles(3, p) for p in ACCESSES}) == [cycles(3, p) for p in ACCESSES]
    with pytest.raises(BadInput, match="levels: 1 or more"):
        cycles(0, 1)


@pytest.mark.parametrize(("accesses", "quarters"), [(0, 1), (3, 2)])
def test_the_steps_alone_explain_a_part_of_l2(accesses: int, quarters: int) -> None:
    """A quarter if no access traps, half if three do: the rest is the number that is fitted."""
    alone = multiplication(kernel("d264ee0"), 2, accesses=accesses, machine=profile("nested+N_SUM=0"))
    assert round(4 * alone.floors[-1].cycles / cycles(2, accesses)) == quarters


def test_the_other_reading_is_cheaper_above_l2() -> None:
    """If level 0 alone paid the sum, L3 would be cheaper, whatever p is; the first row is what is drawn."""
    each, alone = ([int(n) for n in row.split()[-len(ACCESSES) :]] for row in readings().splitlines()[1:])
    assert each == [cycles(3, p) for p in ACCESSES]
    assert all(b < a for a, b in zip(each, alone, strict=True))


def test_the_plot_has_its_numbers_beside_it() -> None:
    """Every number drawn is in the twin; the sentence is alternative text, foot, and the twin's end."""
    plot = Multiplied()
    twin = repr(plot)
    lines = twin.splitlines()
    rows = [[[int(n) for n in line.split()] for line in lines[at : at + 4]] for at in (2, 9)]
    shown = table().items()
    assert rows[0] == [[p, *(floor.exits for floor in floors)] for p, floors in shown]
    assert rows[1] == [[p, *(floor.cycles for floor in floors[: len(CYCLES)])] for p, floors in shown]
    assert lines[13].split() == ["measured", "fitted", "predicted", "predicted"]
    assert " ".join(twin.split()).endswith(plot.foot) and max(map(len, twin.splitlines())) <= 80
    assert plot.children[0].value.count(f'alt="{plot.foot}"') == 2 and plot.foot in plot.children[1].value


def test_the_questions_know_their_answers() -> None:
    """64 exits, and the self-IPI on a CPU of the errata list; the next cell shows it, and nothing opens."""
    assert next(c.text for c in MULTIPLIED.choices if c.right) == str(exits(4, 2))
    assert next(c.text for c in BROKEN.choices if c.right) == "by self-IPI, as before"
    for number, question in QUESTIONS.items():
        assert sum(choice.right for choice in question.choices) == 1
        assert max(map(len, question.twin().splitlines())) <= 80
        box = nb04b.predict(number)
        box.answer(1)
        assert box.said and not box._scene.children


def test_what_level_0_must_look_for() -> None:
    """A window, and with APICv RVI; each commit finds its own."""
    grid = nb04b.looked_for().grid
    holds = {where: cell.holds for where, cell in grid.table.cells.items()}
    assert [holds["v4.18", column] for column in grid.table.columns] == [False, False]
    assert [holds["v4.18+b5861e5", column] for column in grid.table.columns] == [True, False]
    assert [holds["v4.18+b5861e5+evaluate-rvi", column] for column in grid.table.columns] == [True, True]


def test_a_cancelled_entry_forgets_the_wish() -> None:
    """Beside a canceller the patch alone is late; 8081ad0 repairs it."""
    cells = nb04b.cancelled().table.cells
    assert {where for where, cell in cells.items() if not cell.holds} == {("d264ee0", "a canceller")}


def test_who_gets_the_patch() -> None:
    """Only a usable timer of Intel's, and not with preemption_timer=0 since 2019."""
    rows = {line.split()[0]: line.split()[1:] for line in nb04b.chosen().splitlines()[1:]}
    assert rows["intel"] == ["self-IPI", "timer", "0", "timer", "0", "self-IPI"]
    assert all(rows[name] == ["self-IPI"] * 4 for name in ("no-timer", "broken-timer", "amd"))


def test_an_erratum_is_harmless_at_level_0_and_late_at_level_1() -> None:
    """As with the old kernel; an L0 that looks helps there too."""
    assert nb04b.explore(L0="d264ee0", cpus="L0=broken-timer").verdict == "ok"
    for l0, verdict in (("v4.18", "violated"), ("d264ee0", "violated"), ("v4.18+b5861e5", "ok")):
        assert nb04b.explore(L0=l0, L1="d264ee0", cpus="L1=broken-timer").verdict == verdict


def test_zero_knows_no_rate() -> None:
    """Timer 0 leaves at once at every rate, timer 1 after a tick of that rate."""
    lines = nb04b.lands(0, 5, 10).splitlines()
    assert [line.split(": ")[1] for line in lines] == [
        f"timer 0 after 0, timer 1 after {1 << rate}" for rate in (0, 5, 10)
    ]


def test_explore_is_the_scenario() -> None:
    """The same states as the scenario itself, knob by knob."""
    direct = explore(levels(kernel("v4.18"), levels=2, kernels="L0=v4.18,L1=d264ee0"))
    assert nb04b.explore(L0="v4.18", L1="d264ee0").states == direct.states
