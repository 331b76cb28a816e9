"""Notebook 03: its questions are true, its judge agrees with a plain search, and every loss is explained."""

import re
from itertools import permutations

import pytest

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.kernels.orders import reordered
from kvmlab.labs.lost import mechanism, why_lost
from kvmlab.labs.own_path import BASE, SAYS, SENDERS, judge
from kvmlab.labs.questions03 import DEAF, HALF, KICKED
from kvmlab.machine.property import broken
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.mechanism import mechanisms
from kvmlab.schedulers.replay import replay

ORDERS = list(permutations(SAYS))


@pytest.mark.parametrize("order", ORDERS, ids=",".join)
def test_the_judge_agrees_with_a_search_of_its_own(order: tuple[str, ...]) -> None:
    """It passes what loses nothing to any sender; else its schedule is a shortest loss, and explained."""
    found = judge(order)
    path = reordered(BASE, order)
    shortest = [explore(build(path)).shortest for build in SENDERS.values()]
    assert found.passed == (not any(shortest))
    if not found.passed:
        run = replay(found.scenario.system, found.schedule)
        first = next(loss for loss in shortest if loss)
        assert run.stopped == "" and broken(found.scenario.properties, run.state)
        assert len(run.steps) == len(first.labels) - 1
        assert str(len(run.steps)) in found.sentence


def test_the_rule_of_the_lesson() -> None:
    """With the recheck last: a CPU needs sync behind mode and irq_off, VT-d behind irq_off."""
    for order in permutations(("sync", "mode", "irq_off")):
        told = judge(order).sentence
        late = {name: order.index("sync") > order.index(name) for name in ("mode", "irq_off")}
        assert ("One CPU: ok" in told) == all(late.values())
        assert ("VT-d: ok" in told) == late["irq_off"]


def test_two_senders_find_what_one_does_not() -> None:
    """A recheck before irq_off: one sender loses nothing, two do, because the mode is left at EXITING."""
    told = judge(("mode", "recheck", "irq_off", "sync")).sentence
    assert "One CPU: ok" in told and "Two CPUs: LOST" in told and "found mode EXITING" in told


def test_an_order_may_leave_the_recheck_out_but_nothing_else() -> None:
    """It then stands last; a step missing, twice or unknown is BadInput."""
    assert judge(("irq_off", "mode", "sync")).answer == "irq_off, mode, sync, recheck"
    for order in (("irq_off", "sync"), ("irq_off", "mode", "sync", "sync"), ("irq_off", "mode", "sink")):
        with pytest.raises(BadInput, match="once each"):
            judge(order)


LOSSES = [
    ("v4.10", {}, "used up the KVM_REQ_EVENT"),
    ("v4.10", {"sender": "vtd"}, "The host ate the notification"),
    ("v4.10+no-event", {}, "found mode OUTSIDE, and sent nothing"),
    ("v4.10+no-event+sync-late", {}, "The host ate the notification"),
    ("b95234c", {"memory": "tso", "barrier": False}, "still waited in the store buffer"),
]


@pytest.mark.parametrize("name, knobs, reason", LOSSES)
def test_every_loss_has_a_reason_and_its_steps(name: str, knobs: dict[str, str], reason: str) -> None:
    """For each schedule by each mechanism: the words, and only steps that the schedule has."""
    scenario = posted_interrupts(kernel(name), **knobs)
    assert scenario.monitor is not None
    found = mechanisms(scenario, scenario.monitor)
    told = [why_lost(scenario, each.schedule) for each in found]
    assert any(reason in words for words in told)
    for each, words in zip(found, told, strict=True):
        assert mechanism(scenario, replay(scenario.system, each.schedule)) == each.name
        assert all(1 <= int(n) <= each.steps for n in re.findall(r"[Ss]tep (\d+)", words))


def test_03_1_the_kick_does_nothing() -> None:
    """The schedule ends with a kick that changed nothing but its own position, behind the sync."""
    (scenario, _) = KICKED.scenarios()
    run = replay(scenario.system, KICKED.schedule)
    last = run.steps[-1]
    assert last.label == "a:KICK.mode" and run.labels.index("v:SYNC.test") < run.labels.index("a:POST.on")
    assert [c for c in scenario.system.layout.changes(last.before, last.after) if c[0] != "a.at"] == []
    assert "v:MODE_IN" not in run.labels


def test_03_2_the_second_vector_finds_on_set() -> None:
    """VT-d posts into PIR and keeps quiet; both vectors stay there, the guest got none."""
    (scenario, _) = DEAF.scenarios()
    run = replay(scenario.system, DEAF.schedule)
    layout = scenario.system.layout
    assert run.labels[-1] == "b:VTD.post" and not scenario.system.enabled(run.state)
    assert layout.text(layout.index("apicv.pir"), run.state) == "0x31 0x32"
    assert broken(scenario.properties, run.state)


def test_03_2_an_exit_would_repair_it() -> None:
    """What the fourth choice is told: if the guest leaves once more, the next sync finds both."""
    scenario = posted_interrupts(kernel("v4.10+no-event"), senders=2, sender="both", exits=1)
    run = replay(scenario.system, "vvvaaaavvvvvvb" + "g" + 9 * "v")
    assert run.stopped == "" and "v:SYNC.copy" in run.labels
    assert not run.state[scenario.records["apicv"].pir]


def test_03_3_a_cpu_loses_and_vtd_does_not() -> None:
    """irq_off, sync, mode: the schedule is a loss, and no schedule of VT-d's is."""
    (scenario, _) = HALF.scenarios()
    assert broken(scenario.properties, replay(scenario.system, HALF.schedule).state)
    assert explore(posted_interrupts(scenario.kernel, sender="vtd")).verdict == "ok"


HOLE = "vvaaaaavvvvvvvvv"
"""v4.10 with its sender's request, and 0x31 is lost all the same."""


@pytest.mark.parametrize("second, lost", [("kvm", {False}), ("both", {True})])
def test_another_cpus_post_repairs_the_hole_of_v4_10_and_vtds_does_not(second: str, lost: set[bool]) -> None:
    """v4.10's sender kicks when ON is set already, VT-d keeps quiet: in every schedule from there."""
    scenario = posted_interrupts(kernel("v4.10"), senders=2, sender=second)
    run = replay(scenario.system, HOLE)
    todo, ends = [run.state], set()
    seen = set(todo)
    while todo:
        state = todo.pop()
        if scenario.done(state):
            ends.add(broken(scenario.properties, state) is not None)
            continue
        after = [scenario.system.take(state, move.token) for move in scenario.system.enabled(state)]
        todo += [new for new in after if new not in seen]
        seen.update(after)
    assert run.stopped == "" and ends == lost


def test_the_hole_of_v4_10_closes_with_the_check_in_front() -> None:
    """v3.11's order, the check before the sync: nothing is lost."""
    order = ("event", "sync", "mode", "irq_off", "recheck")
    assert explore(posted_interrupts(reordered(kernel("v4.10"), order))).verdict == "ok"


def test_the_bell_rings_without_an_exit() -> None:
    """What notebook 03 begins with: a post to a guest that runs, up to its handler, and nobody leaves."""
    pytest.importorskip("ipywidgets")
    from kvmlab.labs import nb03

    lines = nb03.delivered()
    assert "ON 0→1" in lines[1] and "0xf2" in lines[3] and lines[-1].endswith("the guest's counter 0→1")
    assert not any("EXIT" in line for line in lines)


def test_the_diff_is_the_patch_and_nothing_else() -> None:
    """Two moves, one changed step, one taken away; no path that only one kernel is modelled for."""
    pytest.importorskip("ipywidgets")
    from kvmlab.labs import nb03

    shown = repr(nb03.diff("v4.10", "b95234c"))
    lines = [line for line in shown.splitlines() if line.startswith(("+", "−", "~", "↕"))]
    marked = {line.split()[1] for line in lines if "added" not in line}
    steps = {"SYNC.test", "SYNC.clear", "SYNC.copy"}
    assert marked == {"sync_pir_to_irr", *steps, "IRQ_OFF", "POST.on", "POST.request"}


def test_the_facade_has_what_it_promises() -> None:
    """Every name in __all__ can be called; a kernel without losses has none to list."""
    pytest.importorskip("ipywidgets")
    from kvmlab.labs import nb03

    assert all(callable(getattr(nb03, name)) for name in nb03.__all__)
    assert len(nb03.losses("v4.10+no-event")) == 2 and nb03.losses("b95234c") == []
    assert nb03.game("v4.10+no-event").won is None
    with pytest.raises(BadInput, match="unknown question 03.4; did you mean"):
        nb03.predict("03.4")


def test_the_bench_judges_at_once() -> None:
    """Every move is judged; a loss opens in a stepper, what holds does not."""
    pytest.importorskip("ipywidgets")
    from kvmlab.labs.own_path_bench import OwnPathBench, check_path
    from kvmlab.show.widgets.stepper import Stepper

    bench = OwnPathBench()
    assert not bench.result.passed and isinstance(bench.result.children[1], Stepper)
    bench.move("irq_off", -2)
    assert bench.order == ("irq_off", "sync", "mode", "recheck") and "VT-d: ok" in repr(bench.result)
    bench.move("sync", 1)
    assert bench.result.passed and "irq_off, mode, sync, recheck: holds" in repr(bench)
    assert repr(check_path("irq_off, mode, sync")) == repr(bench.result)
