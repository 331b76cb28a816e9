"""Notebook 03b: its questions are true, a step that never happens is proved to, and each hole is its own."""

import pytest

pytest.importorskip("ipywidgets")

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.labs import nb03b
from kvmlab.labs.happens import happens
from kvmlab.labs.questions03b import BARRIER, CHANCE, QUESTIONS, QUIET
from kvmlab.labs.rare import chances
from kvmlab.machine.property import broken
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.replay import replay


def test_03b_1_one_in_ten_and_not_one_in_ninety() -> None:
    """The numbers in question and feedback are the counted ones."""
    found = chances("sync,mode,irq_off")
    assert f"{found.interleavings} interleavings, {found.losing} of them lose" in CHANCE.text
    assert f"{float(found.probability):.3f}" in CHANCE.choice(1).feedback
    assert f"one in {round(found.interleavings / found.losing)}" in CHANCE.choice(2).feedback
    assert round(1 / found.probability) == 10


def test_03b_1_a_loss_is_made_of_few_draws() -> None:
    """Behind the sender's last step only the vCPU can move."""
    scenario = CHANCE.scenarios()[0]
    run = replay(scenario.system, CHANCE.schedule)
    last = max(n for n, label in enumerate(run.labels) if label.startswith("a:"))
    assert all(len(scenario.system.enabled(step.before)) == 1 for step in run.steps[last + 1 :])


def test_03b_2_a_cpu_loses_and_vtd_does_not() -> None:
    """Without the barrier; with it neither does. The sync read ON before the new mode was seen."""
    (scenario,) = BARRIER.scenarios()
    run = replay(scenario.system, BARRIER.schedule)
    assert run.stopped == "" and broken(scenario.properties, run.state)
    order = [run.labels.index(x) for x in ("v:MODE_IN", "v:SYNC.test", "a:POST.on", "a:KICK.mode", "s:DRAIN")]
    assert order == sorted(order)
    for sender, barrier, verdict in (("vtd", False, "ok"), ("kvm", True, "ok"), ("vtd", True, "ok")):
        tried = posted_interrupts(kernel("b95234c"), memory="tso", barrier=barrier, sender=sender)
        assert explore(tried).verdict == verdict


def test_03b_3_the_sync_finds_on_clear() -> None:
    """The schedule ends with the look at ON, which leaves the sync although PIR is not empty."""
    scenario = QUIET.scenarios()[0]
    run = replay(scenario.system, QUIET.schedule)
    apicv = scenario.records["apicv"]
    assert run.stopped == "" and run.labels[-1] == "v:SYNC.test"
    assert run.state[apicv.pir] and not run.state[apicv.on] and not run.state[apicv.sn]
    assert scenario.system.layout.text(scenario.system.pc["v"], run.state) == "RECHK.mode"


def test_a_step_happens_where_a_schedule_takes_it_and_only_there() -> None:
    """The schedule ends with the step; a wake instead of a kick never throws the guest out."""
    kicked = posted_interrupts(kernel("b95234c"))
    found = happens(kicked.system, "EXIT.EXTERNAL_INTERRUPT")
    assert found is not None
    assert replay(kicked.system, found).labels[-1] == "g:EXIT.EXTERNAL_INTERRUPT"
    assert happens(posted_interrupts(kernel("b95234c+0f65a9d")).system, "EXIT.EXTERNAL_INTERRUPT") is None
    assert happens(kicked.system, "POST.pir") == "a"
    with pytest.raises(BadInput, match="did you mean VMENTRY"):
        happens(kicked.system, "vmentry")


def test_no_earlier_schedule_takes_the_step() -> None:
    """It is a shortest one: of all runs that are shorter none has the step at its end."""
    system = posted_interrupts(kernel("v4.10+no-event")).system
    found = happens(system, "IRQ.posted")
    assert found is not None
    layer = {system.start}
    for _ in range(len(found) - 1):
        moves = [(state, move) for state in layer for move in system.enabled(state)]
        assert not any(move.step.label == "IRQ.posted" for _, move in moves)
        layer = {system.take(state, move.token) for state, move in moves}


def test_each_follow_up_closes_its_own_hole_and_no_other() -> None:
    """The grid's cells that hold are the diagonal; with all three nothing is left."""
    closes = {"f27a85c": "nested", "c112b5f": "preempted", "17e433b": "a yield"}
    grid = nb03b.verdicts(*(f"b95234c+{fix}" for fix in closes), "b95234c+f27a85c+c112b5f+17e433b")
    held = {key for key, cell in grid.table.cells.items() if cell.holds}
    alone = {(f"b95234c+{fix}", hole) for fix, hole in closes.items()}
    assert {key for key in held if key[0].count("+") == 1} == alone and len(held) == 6


def test_only_two_senders_see_that_pir_is_copied_too_early() -> None:
    """The swapped sync holds for one sender of either kind; what two lose is in PIR with ON clear."""
    cells = nb03b.copy_first().table.cells
    broken_ones = [key for key, cell in cells.items() if not cell.holds]
    assert broken_ones == [("b95234c+copy-first", "Two CPUs")]
    cell = cells[broken_ones[0]]
    run = replay(cell.scenario.system, cell.schedule or "")
    apicv = cell.scenario.records["apicv"]
    assert run.state[apicv.pir] and not run.state[apicv.on]
    order = [run.labels.index(label) for label in ("v:SYNC.copy", "b:POST.on", "v:SYNC.clear")]
    assert order == sorted(order)


def test_avic_holds_in_the_order_that_loses_posted_interrupts() -> None:
    """No sync, and still nothing is lost: what losing means is asked of the same entry path."""
    assert nb03b.explore("v4.10+no-event").verdict == "violated"
    found = nb03b.avic("v4.10+no-event")
    assert found.complete and found.verdict == "ok"


def test_the_sentences_about_rarity() -> None:
    """A width, a share, or never; draws are counted."""
    assert nb03b.gap("b95234c") == "b95234c: no cycle; on this clock nothing is lost"
    wide = nb03b.gap("v4.10+no-event", between=1000, CHECK_EVENT=50)
    assert wide == "v4.10+no-event: 49 of 1,000 cycles; one post in 20 is lost"
    assert nb03b.draws("b95234c", 20) == "b95234c: 0 of 20 drawn schedules lose"


def test_the_facade_has_what_it_promises() -> None:
    """Every name in __all__ can be called; an unknown question is refused with the nearest one."""
    assert all(callable(getattr(nb03b, name)) for name in nb03b.__all__)
    assert set(QUESTIONS) == {"03b.1", "03b.2", "03b.3"}
    with pytest.raises(BadInput, match="unknown question 03b.4; did you mean"):
        nb03b.predict("03b.4")


def test_the_price_is_saved_only_where_the_guest_exits() -> None:
    """About 300 cycles on self_ipi_*, none on x2apic_self_ipi_*."""
    rows = {line.split()[0]: [int(n) for n in line.split()[1:]] for line in nb03b.price().splitlines()[1:]}
    for case, (before, after, saved) in rows.items():
        assert before - after == saved == (0 if case.startswith("x2apic") else 300)
