"""Patch 4, n levels up, in the end: late is not lost, and which assumption that rests on."""

from collections.abc import Iterator, Sequence
from itertools import product

import pytest
from promises import IPI, TIMER0, comes, way
from walks import transitions

from kvmlab.kernels.names import kernel
from kvmlab.labs.in_the_end import FORGETFUL
from kvmlab.processor.records import frame
from kvmlab.processor.vectors import LOCAL_TIMER_VECTOR, bit
from kvmlab.scenarios.levels import levels
from kvmlab.scenarios.mixes import METHODS
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.liveness import Lasso, Liveness, liveness

BASE, BASE_6_1 = kernel("d264ee0"), kernel("v6.1")
ASSUMED: tuple[tuple[str, ...], ...] = ((), ("runs",), ("delivery",), ("exits",))


def stacked(mix: Sequence[str], more: str = "", **knobs: object) -> Scenario:
    """Return the scenario on a mix of methods, each kernel with ``more``."""
    names = ",".join(f"L{level}={METHODS[how]}{more}" for level, how in enumerate(mix))
    return levels(BASE, levels=len(mix), kernels=names, **knobs)  # type: ignore[arg-type]


def under(scenario: Scenario, *names: str) -> Liveness:
    """Look for lassos under these assumptions."""
    return liveness(scenario, [each for each in scenario.fairness if each.name in names])


def mixes(depth: int) -> Iterator[tuple[str, ...]]:
    """Yield every mix of methods for 1 to ``depth`` levels."""
    for n in range(1, depth + 1):
        yield from product((IPI, TIMER0), repeat=n)


@pytest.mark.parametrize("a1", [True, False])
@pytest.mark.parametrize("fairness", ASSUMED)
def test_every_mix_to_depth_three_by_a_second_model(a1: bool, fairness: tuple[str, ...]) -> None:
    """The guest leaves in the end exactly if the second model's does, mix by mix."""
    for mix in mixes(3):
        found = under(stacked(mix, no_a1=not a1, tick="exits" in fairness), *fairness)
        assert found.complete
        assert (found.verdict == "ok") == comes(way(mix, a1=a1), fairness), mix


def test_whoever_looks_needs_no_delivery() -> None:
    """Over an L0 with b5861e5 a self-IPI at L1 needs no assumption at all."""
    for looks, verdict in (("", "violated"), ("+b5861e5", "ok")):
        assert under(stacked((TIMER0, IPI), looks), "runs").verdict == verdict
        assert comes(way((TIMER0, IPI), looks=[bool(looks)] * 2), ["runs"]) == (verdict == "ok")


@pytest.mark.parametrize("apicv", [False, True])
def test_what_is_kept_is_kept_with_apicv_too(apicv: bool) -> None:
    """In L1's IRR or on its APIC page: delivery brings it, and nothing else does."""
    for fairness, verdict in ((("runs",), "violated"), (("delivery",), "ok")):
        assert under(stacked((IPI, IPI), apicv=apicv), *fairness).verdict == verdict


def test_the_lasso_is_the_guest_that_computes() -> None:
    """What goes round for ever is one instruction, behind the entry that should have been left at once."""
    shortest = under(stacked((TIMER0, IPI)), "runs").shortest
    assert isinstance(shortest, Lasso) and shortest.round == 1
    assert shortest.labels[shortest.stem - 2 :] == ("v:VMENTRY", "g:INSN", "g:INSN", "check:NEVER")


@pytest.mark.parametrize("how", [IPI, TIMER0])
def test_a_forgotten_wish_needs_an_exit_for_another_reason(how: str) -> None:
    """Without 8081ad0 no IPI is on its way that could be delivered; but the timer has expired, and up to 5.10
    every lap asks what L1 has to hear of. With it no assumption is needed."""
    everything = ("runs", "delivery")
    assert under(stacked((how,), cancel=True), *everything).verdict == "violated"
    assert under(stacked((how,), cancel=True, tick=True), "exits").verdict == "ok"
    assert under(stacked((how,), "+8081ad0", cancel=True), *everything).verdict == "ok"


def test_a_wish_that_is_forgotten_above_level_0_needs_that_levels_tick() -> None:
    """Two KVMs, the canceller beside L1: any fair run with ticks of both levels comes to the exit."""
    scenario = stacked((TIMER0, TIMER0), cancel=True, tick=True)
    assert under(scenario, "runs", "delivery").verdict == "violated"
    assert under(scenario, "exits").verdict == "ok"


@pytest.mark.parametrize("forgets", [False, True])
def test_where_no_lap_asks_a_forgotten_wish_is_lost(forgets: bool) -> None:
    """v6.1 asks for a halted L2 only: without 8081ad0, which it has, not even an exit would help."""
    base = FORGETFUL.on(BASE_6_1) if forgets else BASE_6_1
    found = under(levels(base, levels=1, cancel=True, tick=True), "runs", "delivery", "exits")
    assert (found.verdict == "violated") == forgets


@pytest.mark.parametrize("n", [1, 2])
def test_a_tick_comes_while_the_guest_computes_and_makes_an_exit(n: int) -> None:
    """It is pending for its level's CPU, the guest has executed something, and executes nothing more before
    level 0 has a lap."""
    scenario = stacked([TIMER0, IPI][-n:], no_a1=True, tick=True)
    parts, came = scenario.records["stack"], set()
    for before, move, after in transitions(scenario):
        if move.step.label.startswith("TICK."):
            came.add(move.step.label)
            assert before[parts.core.frame] == frame(n + 1) and before[parts.top.insns]
            vectors = after[parts.cpus[int(move.step.label[-1])].irr] & bit(LOCAL_TIMER_VECTOR)
            assert vectors and after[parts.cpus[0].irr]
            assert {each.step.label for each in scenario.system.enabled(after)} & {"INSN", "VMCALL"} == set()
    assert came == {f"TICK.L{level}" for level in range(n)}


def test_without_a_tick_there_is_no_such_assumption() -> None:
    """Fairness cannot be asked of what is not there."""
    assert [each.name for each in stacked((IPI,)).fairness] == ["runs", "delivery"]
    assert [each.name for each in stacked((IPI,), tick=True).fairness] == ["runs", "delivery", "exits"]


@pytest.mark.parametrize("mix", [(TIMER0, IPI), (IPI, TIMER0, IPI)])
def test_when_the_hypervisor_on_top_runs_again_no_self_ipi_waits(mix: tuple[str, ...]) -> None:
    """Late, not lost: by then every KVM above level 0 has taken what it sent to itself."""
    scenario = stacked(mix)
    parts, told = scenario.records["stack"], 0
    for before, _move, after in transitions(scenario):
        top = frame(parts.kvms)
        if before[parts.core.frame] != top and after[parts.core.frame] == top:
            told += 1
            assert not any(after[parts.cpus[level].irr] for level in range(parts.kvms))
    assert told
