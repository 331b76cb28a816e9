"""Exit multiplication: one exit of Ln costs (p+2)^(n-1) exits to level 0, with p trapping accesses a lap."""

import pytest

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.machine.run import Run, Taken
from kvmlab.machine.state import State
from kvmlab.scenarios.cpuid import cpuid, exits_to_level_0
from kvmlab.scenarios.levels import levels
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.clock import Clock
from kvmlab.schedulers.explore import explore


def one_exit(name: str, n: int, accesses: int) -> Run:
    """Return the run from one CPUID of Ln to the next."""
    system = cpuid(kernel(name), levels=n, accesses=accesses).system
    steps: list[Taken] = []
    for step in Clock(system).steps(100_000):
        if steps and step.label == "g:CPUID":
            return Run(system, tuple(steps))
        steps.append(step)
    raise AssertionError("Ln never runs again")


@pytest.mark.parametrize("name", ["v4.18", "v4.18+b5861e5", "d264ee0", "d264ee0+804939e+0ec3d6d"])
@pytest.mark.parametrize("accesses", [0, 1, 2, 3])
def test_exits_multiply_with_every_level(name: str, accesses: int) -> None:
    """(p+2)^(n-1) for levels 1 to 4: each KVM in between makes p+2 exits out of one."""
    counted = [exits_to_level_0(one_exit(name, n, accesses)) for n in range(1, 5)]
    assert counted == [(accesses + 2) ** (n - 1) for n in range(1, 5)]


def test_shadowed_forms_leave_two_exits_a_level() -> None:
    """With no trapping access at all the exit of Ln still doubles at every level."""
    assert exits_to_level_0(one_exit("d264ee0", 7, 0)) == 64


def test_where_one_exit_of_l2_spends_its_steps() -> None:
    """Level 0 goes round once for each exit, L1 once for the exit of L2; who steps, and where, has a name."""
    run = one_exit("d264ee0", 2, 2)
    steps = [step.label for step in run.steps]
    assert (steps.count("v:VMENTRY"), steps.count("A:VMENTRY")) == (4, 1)
    assert [label for label in steps if label.startswith("A:VM")] == [
        "A:VMEXIT",
        "A:VMREAD.1",
        "A:VMWRITE.1",
        "A:VMENTRY",
    ]
    assert steps.count("v:EXIT.reflect") == steps.count("v:EXIT.vmresume") == 1
    assert steps.count("v:EXIT.vmcs_access") == 2


def hops(scenario: Scenario) -> set[tuple[int, int]]:
    """Return every (level left, level entered) that some schedule has."""
    running = scenario.records["core"].frame
    found: set[tuple[int, int]] = set()
    seen: set[State] = {scenario.system.start}
    todo = [scenario.system.start]
    while todo:
        before = todo.pop()
        for move in scenario.system.enabled(before):
            after = scenario.system.take(before, move.token)
            if before[running] != after[running]:
                found.add((before[running] // 2, after[running] // 2))
            if after not in seen:
                seen.add(after)
                todo.append(after)
    return found


def test_every_exit_goes_to_level_0_and_every_entry_comes_from_it() -> None:
    """No level hands the CPU to another but through level 0, which enters them all."""
    assert hops(levels(kernel("d264ee0"), levels=3)) == {(k, 0) for k in range(1, 5)} | {
        (0, k) for k in range(1, 5)
    }


@pytest.mark.parametrize("n", [1, 2, 4, 6])
def test_no_level_is_the_last(n: int) -> None:
    """What holds at one depth holds at the next: nothing in the model knows a maximum."""
    found = explore(levels(kernel("d264ee0"), levels=n))
    assert (found.verdict, found.complete) == ("ok", True)


def test_an_impossible_tower_is_refused() -> None:
    """No level at all, or fewer accesses than none, is one clear error."""
    for bad in ({"levels": 0}, {"accesses": -1}):
        with pytest.raises(BadInput):
            cpuid(kernel("v4.18"), **bad)
    with pytest.raises(BadInput, match="not for levels"):
        cpuid(kernel("v3.10"))
