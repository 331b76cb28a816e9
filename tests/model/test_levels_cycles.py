"""Exit multiplication in cycles: one number is fitted at L2; what lies above follows from steps alone."""

from dataclasses import replace
from fractions import Fraction

import pytest
from costs_bench import with_extra, without

from kvmlab.errors import BadInput
from kvmlab.kernels.names import LISTED, kernel
from kvmlab.machine.bench import ABOVE, Bench
from kvmlab.scenarios.cpuid_cycles import KERNEL, MOST, PUBLISHED, nested_cpuid, published
from kvmlab.schedulers.fit import fit
from kvmlab.schedulers.measure import Measured, measure
from kvmlab.schedulers.profile import MachineProfile
from kvmlab.schedulers.profiles.hsw16 import HSW16
from kvmlab.schedulers.profiles.nested import HARDWARE, NESTED, NESTED_L0, SUM
from kvmlab.show.multiplication import fitted

CYCLES = {name: parameter.cycles for name, parameter in HSW16.parameters.items()}
SOFTWARE = CYCLES["SW_EXIT"] + CYCLES["SW_ENTRY"] + CYCLES["HV_CHECK"]
ROUND_TRIP = CYCLES["HW_EXIT"] + CYCLES["HW_ENTRY"] + SOFTWARE
ON = [name for name in LISTED if "levels" in kernel(name).scope]


def cycles(level: int, accesses: int, machine: MachineProfile, on: str = KERNEL, kernels: str = "") -> int:
    """Return the cycles of one CPUID."""
    bench = nested_cpuid(kernel(on), levels=level, accesses=accesses, kernels=kernels)
    return int(measure(bench, machine).mean)


def lap(level: int, accesses: int, paid: int) -> int:
    """Return a lap of the hypervisor below L``level``, with ``paid`` for what it does for the one above."""
    if level == 1:
        return ROUND_TRIP
    return SOFTWARE + paid + (accesses + 2) * lap(level - 1, accesses, paid)


def oracle(level: int, accesses: int) -> int:
    """Return the cycles by the recurrence that the counts give: a lap costs p + 2 laps of the level below."""
    rest = CYCLES["H_CPUID"] + lap(2, accesses, 0)
    return CYCLES["H_CPUID"] + lap(level, accesses, PUBLISHED - rest)


@pytest.mark.parametrize("accesses", range(5))
def test_every_level_follows_the_recurrence_of_the_counts(accesses: int) -> None:
    """L1 from parts, L2 as published, L3 to L5 predicted: exact, for every number of accesses."""
    machine, top = fitted(accesses), 5 if accesses < 3 else 4
    got = [cycles(n, accesses, machine) for n in range(1, top + 1)]
    assert got == [oracle(n, accesses) for n in range(1, top + 1)]
    assert got[:2] == [1319, PUBLISHED]


def test_the_number_in_the_table_is_the_fit_without_accesses() -> None:
    """What the profile says is what the steps ask for; nothing but that number differs from HSW16, ever."""
    assert fitted(0).parameters == NESTED.parameters
    for p in range(4):
        assert {**fitted(p).parameters, SUM: None} == {**HSW16.parameters, SUM: None}


def test_more_than_eight_accesses_alone_cost_more_than_was_published() -> None:
    """The one thing that the figure does tell: p is 8 at most, if an exit costs what it does here."""
    assert 0 <= fitted(8).parameters[SUM].cycles < ROUND_TRIP
    with pytest.raises(BadInput, match="cpuid of L2 on nested: no N_SUM makes 13142, with 0 it is 13465"):
        fitted(9)


EDITED = replace(fitted(1), steps={**NESTED.steps, "DROPPED": (), "EXTRA": ("ACK",)})


def total(bench: Bench) -> Fraction:
    """Return the mean on the fitted machine, which knows the edits' steps too."""
    return measure(bench, EDITED).mean


@pytest.mark.parametrize("step", ["IRQ_ON", "EXIT.cpuid", "MODE_IN", "HV_TIMER"])
def test_one_step_less_at_l1_and_l2_is_not_what_was_published(step: str) -> None:
    """The fit holds for these steps only: each is in the total, once."""
    label = step + ABOVE
    paid = sum(charge.cycles for charge in EDITED.charges(label))
    assert total(published(1)) == PUBLISHED
    assert paid and total(without(published(1), label)) == PUBLISHED - paid


@pytest.mark.parametrize("step", ["RUN_PENDING", "IRQ_ON", "MODE_IN", "HV_TIMER"])
def test_one_step_more_at_l1_and_l2_is_not_what_was_published(step: str) -> None:
    """What is put into L1's path is paid once."""
    more = with_extra(published(1), step + ABOVE, behind=False)
    assert total(more) == PUBLISHED + CYCLES["ACK"]


@pytest.mark.parametrize("label", ["EXIT.reflect", "EXIT.vmcs_access", "RUN_PENDING"])
def test_one_step_more_at_level_0_counts_once_for_each_exit_that_takes_it(label: str) -> None:
    """One exit is told, one access is emulated, and a lap goes with each of three exits."""
    times = 3 if label == "RUN_PENDING" else 1
    steps = {**NESTED.steps, label: ("ACK",)}
    assert measure(published(1), replace(fitted(1), steps=steps)).mean == PUBLISHED + times * CYCLES["ACK"]


def measured(level: int, accesses: int, on: str = KERNEL) -> Measured:
    """Return what comes out on the fitted machine."""
    return measure(nested_cpuid(kernel(on), levels=level, accesses=accesses), fitted(accesses))


@pytest.mark.parametrize("on", ON)
def test_every_cycle_has_a_name_and_they_add_up(on: str) -> None:
    """Nobody waits, every item is a parameter of the machine at a step of it, hardware's at level 0 only."""
    m = measured(3, 1, on)
    assert sum((item.cycles for item in m.items), Fraction(0)) == m.mean
    assert all(item.parameter in m.profile.steps[item.step] for item in m.items)
    assert not any(item.step.endswith(ABOVE) and item.parameter in HARDWARE for item in m.items)
    assert m.steps["VMEXIT"] == 9 * CYCLES["HW_EXIT"] and m.steps["IRQ_ON.above"] == 4 * CYCLES["SW_EXIT"]
    assert m.steps["EXIT.vmresume.above"] == m.steps["EXIT.vmresume"] / 3 == m.profile.parameters[SUM].cycles


@pytest.mark.parametrize("on", ON)
@pytest.mark.parametrize("accesses", [0, 2])
def test_the_counts_are_those_of_the_scenario(on: str, accesses: int) -> None:
    """(p + 2)^(n - 1) exits; one CPUID, p accesses for each VMRESUME."""
    for level in range(1, 5):
        counts = measured(level, accesses, on).counts
        assert sum(counts.values()) == (accesses + 2) ** (level - 1) and counts["CPUID"] == 1
        assert counts["VMREAD"] + counts["VMWRITE"] == accesses * counts["VMRESUME"]


@pytest.mark.parametrize("step", ["EXIT.reflect", "EXIT.vmcs_access", "NESTED.timer"])
def test_at_which_step_of_a_lap_the_sum_stands_makes_no_difference(step: str) -> None:
    """A level takes each of them equally often in a lap, so what is fitted at L2 is the same above."""
    moved = {**NESTED.steps, "EXIT.vmresume": (), f"EXIT.vmresume{ABOVE}": ()}
    moved |= {step: (SUM,), step + ABOVE: (SUM,)}
    other = fit(published(1), replace(NESTED, steps=moved), SUM, PUBLISHED)
    assert [cycles(n, 1, other) for n in (3, 4)] == [oracle(3, 1), oracle(4, 1)]


@pytest.mark.parametrize("accesses", range(3))
def test_if_level_0_alone_pays_l3_is_cheaper_by_one_sum(accesses: int) -> None:
    """The other reading fits L2 as well; at L3 it leaves out what L1 does for L2, once."""
    other = fit(published(accesses), NESTED_L0, SUM, PUBLISHED)
    assert other.parameters == fitted(accesses).parameters
    missing = other.parameters[SUM].cycles
    assert [cycles(n, accesses, other) for n in (1, 2, 3)] == [
        1319, PUBLISHED, oracle(3, accesses) - missing,
    ]  # fmt: skip


@pytest.mark.parametrize("level", [0, 1, 2])
def test_another_kernel_at_one_level_saves_its_look_in_each_of_its_laps(level: int) -> None:
    """v4.18 has no timer of patch 4 to look at; level k goes round (p + 2)^(n - 1 - k) times for one exit."""
    saved = oracle(3, 1) - cycles(3, 1, fitted(1), kernels=f"L{level}=v4.18")
    assert saved == CYCLES["HV_CHECK"] * 3 ** (2 - level)


def test_without_patch_4_l1_is_the_published_total_of_one_level() -> None:
    """1313, the figure that gave CPUID's handler its number."""
    assert cycles(1, 0, NESTED, on="v4.18") == 1313


def test_an_impossible_tower_is_refused() -> None:
    """Too many accesses, too many exits to follow, no such level."""
    for knobs, says in (
        ({"accesses": MOST + 1}, "accesses: at most 32"),
        ({"levels": 20}, "more than 20000 exits"),
        ({"levels": 0}, "levels: 1 or more"),
        ({"accesses": -1}, "accesses: 0 or more"),
        ({"levels": 2, "kernels": "L2=v4.18"}, "no KVM at L2"),
    ):
        with pytest.raises(BadInput, match=says):
            nested_cpuid(kernel(KERNEL), **knobs)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="not for levels"):
        nested_cpuid(kernel("v4.10"))
    most = nested_cpuid(kernel(KERNEL), levels=2, accesses=MOST)
    assert sum(measure(most, NESTED).counts.values()) == MOST + 2
