"""The rows of tests/data/conformance_nested.json: what real tests assert of nesting, each under its id."""

import json
from pathlib import Path

import pytest

from kvmlab.kernels.names import kernel
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.labs.unittest import INSTRUCTIONS, Result, unittest
from kvmlab.processor.exits import Exit
from kvmlab.processor.intr_info import is_valid
from kvmlab.processor.records import BODY, handler
from kvmlab.scenarios.mixes import CPUS
from kvmlab.scenarios.scenario import Scenario
from kvmlab.scenarios.unittests.scenario import unit_test
from kvmlab.schedulers.clock import Clock

ROWS: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parents[1] / "data" / "conformance_nested.json").read_text("utf-8")
)
ZERO, LEGACY = "vmx_preemption_timer_zero_test", "preemption timer"
INTR, NMI, MTF = "vmx_intr_window_test", "vmx_nmi_window_test", "vmx_mtf_test"
PENDING = "vmx_pending_event_test"

ASSERTED = {
    "PT-01": (ZERO, "timer 0, #DB injected"),
    "PT-02": (ZERO, "timer 0, #DB injected and intercepted"),
    "PT-04": (ZERO, "timer 0, #DB pending and intercepted"),
    "PT-05": (LEGACY, "preemption timer with 0 value"),
    "PT-06": (LEGACY, "Keep preemption value"),
    "PT-07": (LEGACY, "Save preemption value"),
    "PT-08": (LEGACY, "busy-wait for preemption timer"),
    "PT-10": ("vmx_preemption_timer_expiry_test", "Last stored guest TSC < TSC deadline"),
    "IW-01": (INTR, "interrupt-window: active, no blocking, RFLAGS.IF=1"),
    "IW-02": (INTR, "interrupt-window: active, no blocking, RFLAGS.IF=1, injecting #DB"),
    "IW-04": (INTR, "interrupt-window: active, blocking by STI, RFLAGS.IF=1"),
    "IW-06": (INTR, "interrupt-window: halted, no blocking"),
    "NW-01": (NMI, "NMI-window: active, no blocking"),
    "NW-02": (NMI, "NMI-window: active, blocking by MOV-SS"),
    "NW-03": (NMI, "NMI-window: active, no blocking, injecting #DB"),
    "NW-05": (NMI, "NMI-window: halted, no blocking"),
    "PE-01": (PENDING, "Guest did not run before host received IPI"),
    "MTF-01": (MTF, "MTF VM-exit after OUT"),
    "MTF-02": (MTF, "'pending debug exceptions' field after MTF VM-exit"),
    "MTF-04": (MTF, "MTF VM-exit after INT1"),
}
"""Row -> the unit test, and the assertion of it that is the row."""

LISTED = {
    "PE-03": "virtual-interrupt delivery that L1 asks for in its form is not modelled",
    "PE-05": "VMXOFF and wait-for-SIPI of a hypervisor are not modelled",
}

BY_IPI, BY_TIMER = "L0=v6.1+noapicv+preemption-timer=0", "L0=v6.1+noapicv+preemption-timer=1"


def line(result: Result, name: str) -> bool:
    """Return whether an assertion held."""
    return {line.name: line.ok for line in result.lines}[name]


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("row", ASSERTED)
def test_what_a_unit_test_asserts(row: str, level: int) -> None:
    """The assertion holds with KVM v6.1 as the hypervisor under test, at level 0 and nested."""
    assert ROWS[row]["then"]
    test, name = ASSERTED[row]
    assert line(unittest(test, level=level), name)


def test_pt_13_a_value_of_0_means_nothing_without_the_control() -> None:
    """PT-13: between its rounds the zero test enters with the control off and gets its VMCALL."""
    assert unittest(ZERO).finished


def test_pe_04_an_init_for_l1_takes_l2_out() -> None:
    """PE-04: L2's entry is made and left at once; L1 is told INIT_SIGNAL, and the INIT is gone."""
    scenario, clock = bench(ZERO, 1)
    vcpu = scenario.records["stack"].vcpus[0]
    clock.state[vcpu.nested.init] = 1
    clock.state[vcpu.requests] |= KVM_REQ_EVENT
    form = scenario.records["bench"].form
    for step in clock.steps(500):
        if step.after[form.reason] != step.before[form.reason]:
            break
    assert step.after[form.reason] == Exit.INIT_SIGNAL
    assert not step.after[vcpu.nested.init]
    assert step.after[scenario.records["bench"].l2.insns] == 0


def bench(test: str, timer: int) -> tuple[Scenario, Clock]:
    """Return a unit test on KVM v6.1 at level 0, and its clock."""
    name = f"v6.1+noapicv+preemption-timer={timer}"
    scenario = unit_test(test, [kernel(name)], [CPUS["intel"]])
    return scenario, Clock(scenario.system, INSTRUCTIONS, scenario.records["bench"].now)


@pytest.mark.parametrize(
    ("row", "timer", "reason"), [("NEST-01", 1, 52), ("NEST-02", 0, 1), ("NEST-07", 1, 52)]
)
def test_nest_01_02_07_entered_once_and_left_behind_the_injection(row: str, timer: int, reason: int) -> None:
    """L2 is entered for its injection, delivers it, executes nothing; L1 finds the valid bit clear."""
    assert ROWS[row]["then"]
    scenario, clock = bench(ZERO, timer)
    tools, l2 = scenario.records["bench"], scenario.records["stack"].top
    entries = []
    for step in clock.steps(500):
        if step.label == "v:VMENTRY" and step.after[scenario.records["core"].frame] == 2 * l2.level:
            entries.append(step.after[l2.rip])
        if step.after[tools.form.reason] == Exit.PREEMPTION_TIMER:
            break
    assert entries == [handler(1)]
    assert step.after[l2.vmcs.reason] == reason
    assert (step.after[l2.delivered], step.after[l2.insns]) == (1, 0)
    assert not is_valid(step.after[tools.form.intr_info])
    assert step.after[l2.rip] == handler(1) != BODY


def test_nest_03_a_late_ipi_fails_the_tests() -> None:
    """NEST-03: VMCALL instead of the timer; the old test calls it stage 5."""
    zero = unittest(ZERO, kernels=BY_IPI, ipi_delay=2000)
    assert zero.lines[1].text.startswith("exit VMCALL") and not zero.ok
    assert unittest(LEGACY, kernels=BY_IPI, ipi_delay=2000).lines[-1].name.endswith("(vmcall stage 5)")


@pytest.mark.parametrize("delay", [2000, 20000, 200000])
def test_nest_06_timer_0_passes_however_late(delay: int) -> None:
    """NEST-06: all of PT-01 to PT-05."""
    assert unittest(ZERO, kernels=BY_TIMER, ipi_delay=delay).ok
    assert unittest(LEGACY, kernels=BY_TIMER, ipi_delay=delay).ok


def test_no_row_is_forgotten() -> None:
    """Each row is asserted, tested by its id in a test's name, or listed with a reason; it has a source."""
    tested = {"PT-13", "PE-04", "NEST-01", "NEST-02", "NEST-03", "NEST-06", "NEST-07"}
    assert {*ASSERTED, *LISTED, *tested} == set(ROWS)
    for row in ROWS.values():
        assert all(row[key] for key in ("area", "case", "given", "when", "then", "source"))
