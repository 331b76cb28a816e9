"""Patch 4, n levels up: which mixes of methods let no instruction through, and which assumption each
rests on."""

from collections.abc import Iterator, Sequence
from itertools import product

import pytest
from promises import IPI, TIMER0, exact, shortest_late

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.kernels.patch_4 import hooks
from kvmlab.kvm.immediate_exit import CpuModel
from kvmlab.scenarios.levels import levels
from kvmlab.scenarios.mixes import CPUS, METHODS, method
from kvmlab.scenarios.unittests.scenario import unit_test
from kvmlab.schedulers.clock import Clock, clocked
from kvmlab.schedulers.explore import Exploration, explore

BASE = kernel("d264ee0")


def mixes(depth: int) -> Iterator[tuple[str, ...]]:
    """Yield every mix of methods for 1 to ``depth`` levels."""
    for n in range(1, depth + 1):
        yield from product((IPI, TIMER0), repeat=n)


def by_level(values: Sequence[str]) -> str:
    """Return ``L0=...,L1=...``."""
    return ",".join(f"L{level}={value}" for level, value in enumerate(values))


def of(mix: Sequence[str], looks: Sequence[bool] = (), **knobs: object) -> Exploration:
    """Explore the scenario on a mix of methods; ``looks`` puts b5861e5 on single levels."""
    names = [METHODS[way] + ("+b5861e5" if looks and looks[n] else "") for n, way in enumerate(mix)]
    return explore(levels(BASE, levels=len(mix), kernels=by_level(names), **knobs))  # type: ignore[arg-type]


def rule(mix: Sequence[str], a1: bool) -> bool:
    """The rule as a sentence: timer 0 all the way down, or a self-IPI at level 0 if A1 holds."""
    n = len(mix) - 1
    if mix[n] == TIMER0:
        return n == 0 or rule(mix[:n], a1)
    return n == 0 and a1


@pytest.mark.parametrize("a1", [True, False])
def test_the_rule_for_every_mix_to_depth_four(a1: bool) -> None:
    """Exact are exactly the mixes that the rule names; every schedule was tried."""
    for mix in mixes(4):
        found = of(mix, no_a1=not a1)
        assert found.complete
        assert (found.verdict == "ok") == rule(mix, a1) == exact(mix, a1=a1), mix


def test_whoever_looks_for_the_ipi_makes_it_as_good_as_its_own_method() -> None:
    """b5861e5 at level n-1 makes a self-IPI at level n as exact as level n-1; elsewhere it does nothing."""
    for mix in mixes(3):
        for looks in product((False, True), repeat=len(mix)):
            assert (of(mix, looks).verdict == "ok") == exact(mix, looks=looks), (mix, looks)


@pytest.mark.parametrize("looks", [False, True])
def test_an_ipi_that_may_be_late_at_level_0_spoils_all_that_rest_on_it(looks: bool) -> None:
    """Without A1 every mix with a self-IPI at level 0 is late, whoever looks for what."""
    for mix in mixes(3):
        everywhere = [looks] * len(mix)
        assert (of(mix, everywhere, no_a1=True).verdict == "ok") == exact(mix, a1=False, looks=everywhere)


def test_the_second_model_counts_fourteen_steps() -> None:
    """The published length of a shortest late exit, in its own step table; in time there is none."""
    assert (shortest_late(in_time=False), shortest_late(in_time=True)) == (14, None)


@pytest.mark.parametrize(
    ("l1", "l0", "late"),
    [
        ("v4.18", "v4.18", True),
        ("v4.18", "v4.18+b5861e5", False),
        ("d264ee0", "v4.18", False),
        ("d264ee0", "v4.18+b5861e5", False),
        ("v4.18", "d264ee0", True),
        ("v4.18", "d264ee0+b5861e5", False),
        ("d264ee0", "d264ee0", False),
        ("d264ee0", "d264ee0+b5861e5", False),
    ],
)
def test_only_the_self_ipi_over_an_l0_that_does_not_look_is_late(l1: str, l0: str, late: bool) -> None:
    """K.12: {self-IPI, timer 0} at L1 x {without, with b5861e5} at L0, whatever L0's own method is."""
    found = explore(levels(BASE, levels=2, kernels=f"L0={l0},L1={l1}"))
    assert (found.verdict == "violated") == late
    if found.shortest:
        assert found.shortest.property.label == "LATE"


@pytest.mark.parametrize(
    ("l0", "late"),
    [
        ("v4.18", {False: True, True: True}),
        ("v4.18+b5861e5", {False: False, True: True}),
        ("v4.18+evaluate-rvi", {False: True, True: False}),
        ("v4.18+b5861e5+evaluate-rvi", {False: False, True: False}),
        ("v4.19", {False: False, True: False}),
    ],
)
@pytest.mark.parametrize("apicv", [False, True])
def test_what_stays_behind_on_vmcs01_is_a_window_or_rvi(l0: str, late: dict[bool, bool], apicv: bool) -> None:
    """Without APICv L0 has to look for the window that it asked for, with APICv for RVI: two fixes, both
    needed."""
    found = explore(levels(BASE, kernels=f"L0={l0},L1=v4.18", apicv=apicv))
    assert (found.verdict == "violated") == late[apicv]


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("name", ["v6.1", "v6.1+noapicv", "v6.1+noapicv+preemption-timer=0"])
def test_v6_1_keeps_the_promise_at_every_depth(name: str, n: int) -> None:
    """With every fix of this story even a self-IPI is exact, and no cancelled entry forgets the wish."""
    found = explore(levels(kernel(name), levels=n, cancel=True))
    assert (found.verdict, found.complete) == ("ok", True)


@pytest.mark.parametrize("l0", ["v6.1", "v6.1+noapicv"])
def test_v6_1_looks_for_both_signs_of_a_self_ipi(l0: str) -> None:
    """An L1 without the timer in use, on an L0 with APICv and without: RVI or a window."""
    assert explore(levels(BASE, kernels=f"L0={l0},L1=v6.1+preemption-timer=0")).verdict == "ok"


@pytest.mark.parametrize("cpu", ["no-timer", "broken-timer"])
def test_a_cpu_whose_timer_kvm_leaves_alone_keeps_the_self_ipi(cpu: str) -> None:
    """At level 0 that is as good as timer 0; at level 1 it is late over an L0 that does not look."""
    assert method(kernel("d264ee0"), CPUS[cpu]) == IPI
    assert explore(levels(BASE, levels=2, cpus=f"L0={cpu}")).verdict == "ok"
    assert explore(levels(BASE, levels=2, cpus=f"L1={cpu}")).verdict == "violated"
    assert explore(levels(BASE, levels=2, cpus=f"L1={cpu}", kernels="L0=v4.18+b5861e5")).verdict == "ok"


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("v4.18", IPI),
        ("d264ee0", TIMER0),
        ("d264ee0+preemption-timer=0", TIMER0),
        ("d264ee0+804939e", TIMER0),
        ("d264ee0+804939e+preemption-timer=0", IPI),
        ("d264ee0+804939e+0ec3d6d", TIMER0),
        ("d264ee0+804939e+0ec3d6d+preemption-timer=0", IPI),
        ("v6.1", TIMER0),
        ("v6.1+preemption-timer=0", IPI),
    ],
)
def test_the_module_parameter_counts_for_the_forced_exit_only_since_2019(name: str, way: str) -> None:
    """preemption_timer=0 takes the hook away with 804939e; AMD and CPUs of the errata list never have it."""
    assert method(kernel(name), CPUS["intel"]) == way
    assert method(kernel(name), CpuModel(vendor="amd")) == IPI
    assert hooks(kernel(name), CpuModel(vendor="amd")).name == "kvm_amd"
    found = explore(levels(kernel(name), levels=1))
    assert (found.verdict, found.complete) == ("ok", True)


@pytest.mark.parametrize("way", [IPI, TIMER0])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_cancelled_entry_forgets_the_wish_with_either_method(way: str, n: int) -> None:
    """8081ad0: without it a cancelled entry of the top KVM lets the guest run; with it no schedule does."""
    name = METHODS[way] + "+b5861e5"
    for fix, verdict in (("", "violated"), ("+8081ad0", "ok")):
        ways = [name] * (n - 1) + [name + fix]
        assert explore(levels(BASE, levels=n, kernels=by_level(ways), cancel=True)).verdict == verdict


def test_the_delay_is_unbounded() -> None:
    """Over an L0 that does not look, the guest executes k instructions for any k before its tester hears."""
    for k in (1, 7, 40):
        scenario = levels(BASE, levels=2, methods="L1=ipi", after=k)
        system, guest = scenario.system, scenario.records["stack"].top
        most = 0
        for step in Clock(system).steps(2000):
            most = max(most, step.after[guest.insns])
            if scenario.done(step.after):
                break
        assert (most, scenario.done(step.after)) == (k, True)


def test_the_ipi_is_late_and_not_lost() -> None:
    """What L1 sent to itself reaches L1's handler once its guest has left for another reason."""
    scenario = levels(BASE, levels=2, methods="L1=ipi", after=3)
    run = clocked(scenario.system, limit=2000)
    assert run.labels.index("g:VMCALL") < run.labels.index("A:IRQ.virtual")


def test_methods_are_what_the_kernels_do() -> None:
    """The kernel behind each method forces an exit by it."""
    assert all(method(kernel(name), CPUS["intel"]) == way for way, name in METHODS.items())


def test_no_depth_is_built_in() -> None:
    """30 levels have an actor each, a name for what goes wrong there, and a timer for what they emulate."""
    deep = levels(BASE, levels=30)
    assert len(deep.system.actors) == 30 + len("hmg") and deep.monitor is not None
    assert sum("L29" in name for name in deep.monitor.names.values()) == 3
    tested = unit_test("vmx_mtf_test", [kernel("v6.1+noapicv")] * 30, [CpuModel()] * 30)
    assert len(tested.system.actors) == 2 * 30 + len("hmgi")


@pytest.mark.parametrize(
    "knobs",
    [
        {"levels": 0},
        {"methods": "L0=mtf"},
        {"methods": "L2=ipi"},
        {"methods": "ipi"},
        {"kernels": "L0=v4.18", "methods": "L0=timer0"},
        {"kernels": "L0=v3.10"},
        {"kernels": "L0=v4.18,L0=d264ee0"},
        {"cpus": "L0=amd"},
        {"kernels": "L0=v6.1+noapicv", "apicv": True},
        {"accesses": -1},
    ],
)
def test_an_impossible_stack_is_refused(knobs: dict[str, object]) -> None:
    """One clear error, before anything is built."""
    with pytest.raises(BadInput):
        levels(BASE, **knobs)  # type: ignore[arg-type]
