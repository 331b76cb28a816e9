"""AMD's side of the hook: why the self-IPI is in time there, and which step around VMRUN that rests on."""

from collections.abc import Iterator
from itertools import chain, permutations

import pytest
from walks import transitions

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import Kernel
from kvmlab.kernels.names import kernel
from kvmlab.kernels.svm import AROUND
from kvmlab.machine.step import Row, Step
from kvmlab.processor.records import ROOT, handler
from kvmlab.processor.vectors import RESCHEDULE_VECTOR, bit
from kvmlab.scenarios.levels import levels
from kvmlab.scenarios.pending_smi import HALF_DELIVERED, pending_smi
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.liveness import liveness

KERNELS = ("v4.18", "d264ee0", "v4.19", "d264ee0+804939e+0ec3d6d", "v6.1")
FLAGS = tuple(label for label in AROUND if label != "VMRUN")


def amd(name: str = "v4.19", **knobs: object) -> Scenario:
    """Return the scenario on AMD's CPU."""
    return pending_smi(kernel(name), cpus="L0=amd", **knobs)  # type: ignore[arg-type]


def verdict(scenario: Scenario) -> str:
    """Try every schedule, and say which property is violated, or ``ok``."""
    found = explore(scenario)
    assert found.complete
    return found.shortest.property.label if found.shortest else "ok"


def in_the_end(scenario: Scenario, *names: str) -> str:
    """The same for what must come, under these assumptions."""
    return liveness(scenario, [each for each in scenario.fairness if each.name in names]).verdict


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("cpu", ["intel", "broken-timer", "amd"])
def test_one_scenario_on_three_cpus(name: str, cpu: str) -> None:
    """Given A1 every method is exact, beside a canceller too; without it, only timer 0."""
    by_timer = cpu == "intel" and name != "v4.18"
    for knobs, exact in (({}, True), ({"cancel": True}, True), ({"no_a1": True}, by_timer)):
        found = verdict(pending_smi(kernel(name), cpus=f"L0={cpu}", **knobs))  # type: ignore[arg-type]
        assert found == ("ok" if exact else "LATE"), knobs


def second_model(steps: tuple[str, ...]) -> str:
    """What becomes of an IPI that is pending with IF=0 and GIF=1, on the way through these steps to VMRUN.

    Where both flags are 1 in host mode the host may take it, and the guest will run. Else the entry comes,
    which sets GIF: with the host's IF at 1 the guest is left at once, with IF=0 it runs.
    """
    irq, gif = 0, 1
    for step in steps:
        irq = {"SVM.irq_on": 1, "SVM.irq_off": 0}.get(step, irq)
        gif = {"STGI": 1, "CLGI": 0}.get(step, gif)
        if irq and gif:
            return "LATE"
    return "ok" if irq else "LATE"


ORDERS = tuple(chain.from_iterable(permutations(FLAGS, n) for n in range(len(FLAGS) + 1)))


def test_every_order_in_front_of_vmrun_by_a_second_model() -> None:
    """Of all 65 the exact ones are those that the two flags alone say; the kernel's is one of them."""
    exact = set()
    for before in ORDERS:
        after = [label for label in FLAGS if label not in before]
        found = verdict(amd(around=",".join([*before, "VMRUN", *after])))
        assert found == second_model(before), before
        exact |= {before} if found == "ok" else set()
    assert ("CLGI", "SVM.irq_on") in exact and len(ORDERS) == 65
    assert all(before.index("CLGI") < before.index("SVM.irq_on") for before in exact)
    assert not any("STGI" in before[before.index("CLGI") :] for before in exact)


@pytest.mark.parametrize(
    ("around", "late", "delivered", "left"),
    [
        ("CLGI,SVM.irq_on,VMRUN,SVM.irq_off,STGI", "ok", True, True),
        ("SVM.irq_on,VMRUN,SVM.irq_off,STGI", "LATE", False, True),
        ("CLGI,STGI,SVM.irq_on,VMRUN,SVM.irq_off", "LATE", False, True),
        ("CLGI,VMRUN,SVM.irq_off,STGI", "LATE", False, False),
        ("CLGI,SVM.irq_on,VMRUN,STGI,SVM.irq_off", "ok", True, True),
        ("CLGI,SVM.irq_on,VMRUN,STGI", "ok", True, True),
        ("CLGI,SVM.irq_on,VMRUN,SVM.irq_off", "ok", False, False),
    ],
)
def test_which_step_is_needed_and_for_what(around: str, late: str, delivered: bool, left: bool) -> None:
    """Without CLGI, or with STGI early, the host eats the IPI: another exit, another try. Without
    IF := 1 every interrupt waits and the guest runs. Without STGI the host never gets its interrupt, and
    nobody gets on. In which order IF and GIF are turned back does not matter for this."""
    comes, ticks = amd(around=around), amd(around=around, tick=True)
    assert verdict(comes) == late
    assert (in_the_end(comes, "runs", "delivery") == "ok") == delivered
    assert (in_the_end(ticks, "runs", "delivery", "exits") == "ok") == left


@pytest.mark.parametrize("name", KERNELS)
def test_nothing_on_amds_path_is_vmxs(name: str) -> None:
    """A step that the vendor's module brings is read in svm.c, but for the interrupt window of 2011."""
    sources = {step.label: step.source for step in each_step_of(amd(name).kernel)}
    foreign = {label for label, source in sources.items() if "vmx.c" in source and "svm.c" not in source}
    assert foreign == {"IRQ_WINDOW", "WINDOW.none"} and "svm.c" in sources["IRQ_ON"]


def each_step_of(found: Kernel) -> Iterator[Step]:
    """Yield the steps of a kernel's run loop."""
    for node in found.paths["vcpu_run"].walk():
        if isinstance(node, Row):
            yield from node.steps
        elif isinstance(node, Step):
            yield node


def test_weak_fairness_does_not_get_the_host_its_interrupt() -> None:
    """SVM's exit acknowledges nothing: the IPI waits for IF=1, which comes and goes. So that the host takes
    it is strong fairness; VMX's exit has taken it already."""
    assert [in_the_end(amd(), *names) for names in ((), ("runs",), ("delivery",))] == ["violated"] * 2 + [
        "ok"
    ]
    assert in_the_end(pending_smi(kernel("v4.18"))) == "ok"


@pytest.mark.parametrize("no_a1", [False, True])
def test_the_flags_at_the_entry_and_at_the_exit(no_a1: bool) -> None:
    """VMRUN comes with GIF=0 and IF=1 and sets GIF; #VMEXIT clears GIF, leaves IF, acknowledges nothing."""
    scenario = amd(no_a1=no_a1)
    core, cpu, guest = (scenario.records[name] for name in ("core", "L0", "guest"))
    entries = exits = 0
    for before, move, after in transitions(scenario):
        was, now = (before[cpu.gif], before[cpu.irq]), (after[cpu.gif], after[cpu.irq])
        if move.step.label == "VMRUN":
            entries += 1
            assert (was, now) == ((0, 1), (1, 1))
        if before[core.frame] != ROOT and after[core.frame] == ROOT:
            exits += 1
            assert now == (0, 1) and after[cpu.irr] == before[cpu.irr]
            assert after[guest.vmcs.exit_intr] == 0
    assert entries and exits


def test_the_event_goes_before_the_exit() -> None:
    """At the exit that the IPI makes the guest stands at the handler, with nothing executed."""
    scenario = amd()
    guest, cpu, seen = scenario.records["guest"], scenario.records["L0"], 0
    for before, move, _after in transitions(scenario):
        if move.step.label == "EXIT.EXTERNAL_INTERRUPT" and before[scenario.records["vcpu"].smi.pending]:
            seen += 1
            assert before[cpu.irr] == bit(RESCHEDULE_VECTOR)
            assert (before[guest.rip], before[guest.insns]) == (handler(HALF_DELIVERED), 0)
    assert seen


def test_the_host_takes_nothing_while_gif_is_0() -> None:
    """Whatever IF says."""
    scenario = amd(around="CLGI,SVM.irq_on,VMRUN,STGI")
    cpu, held = scenario.records["L0"], 0
    for before, move, _after in transitions(scenario):
        if before[cpu.irr] and before[cpu.irq] and not before[cpu.gif]:
            held += 1
            assert move.actor.letter != "h"
    assert held


def test_what_is_vmxs_alone_is_not_in_the_path() -> None:
    """No preemption timer, no look at PIR; since 0ec3d6d svm_vcpu_run sends the IPI, in front of CLGI."""
    for name in KERNELS:
        steps = [n.label for n in amd(name).kernel.paths["vcpu_run"].walk() if isinstance(n, Step)]
        assert not any(label.startswith(("SYNC", "NESTED")) for label in steps)
        assert ("HV_TIMER" in steps) == ("0ec3d6d" in name)
        at = steps.index("CLGI")
        assert steps[at - 1] == ("HV_TIMER" if "0ec3d6d" in name else "CHECK_IMMEDIATE")
        assert tuple(steps[at : at + len(AROUND)]) == AROUND


@pytest.mark.parametrize(
    ("knobs", "why"),
    [
        ({"cpus": "L0=amd", "methods": "L0=timer0"}, "AMD's CPU has no timer"),
        ({"cpus": "L0=amd", "levels": 2}, "nested SVM is not modelled"),
        ({"cpus": "L0=amd", "around": "CLGI,STGI"}, "around: VMRUN"),
        ({"cpus": "L0=amd", "around": "CLGI,CLGI,VMRUN"}, "around: VMRUN"),
        ({"cpus": "L0=amd", "around": "CLI,VMRUN"}, "did you mean CLGI"),
        ({"around": "VMRUN"}, "no VMRUN on Intel's"),
        ({"cpus": "L0=arm"}, "unknown CPU arm"),
    ],
)
def test_what_cannot_be_on_amd_is_refused(knobs: dict[str, object], why: str) -> None:
    """With a sentence."""
    with pytest.raises(BadInput, match=why):
        pending_smi(kernel("v4.19"), **knobs)  # type: ignore[arg-type]


@pytest.mark.parametrize("cpus", ["L0=amd", "L1=amd"])
def test_a_stack_of_kvms_on_amd_is_refused(cpus: str) -> None:
    """At any level."""
    with pytest.raises(BadInput, match="nested SVM is not modelled"):
        levels(kernel("v4.19"), cpus=cpus)


def test_a_kernel_that_is_not_modelled_for_it_is_refused() -> None:
    """An SMI is handled as since 4.18."""
    with pytest.raises(BadInput, match="not for pending-smi"):
        pending_smi(kernel("v4.10"))
