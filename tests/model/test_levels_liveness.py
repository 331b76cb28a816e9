"""Patch 4, n levels up, in the end: late is not lost, and which assumption that rests on."""

from collections.abc import Iterator, Sequence
from itertools import product

import pytest
from promises import IPI, TIMER0, comes, way
from walks import transitions

from kvmlab.kernels.names import kernel
from kvmlab.processor.records import frame
from kvmlab.scenarios.levels import levels
from kvmlab.scenarios.mixes import METHODS
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.liveness import Lasso, Liveness, liveness

BASE = kernel("d264ee0")
ASSUMED: tuple[tuple[str, ...], ...] = ((), ("runs",), ("delivery",))


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
        found = under(stacked(mix, no_a1=not a1), *fairness)
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
def test_a_forgotten_wish_is_lost_and_not_late(how: str) -> None:
    """8081ad0: without it no assumption brings the exit, since nothing waits; with it none is needed but that
    the canceller's own kick goes on."""
    everything = ("runs", "delivery")
    assert under(stacked((how,), cancel=True), *everything).verdict == "violated"
    assert under(stacked((how,), "+8081ad0", cancel=True), *everything).verdict == "ok"


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
