"""The exit of L2 that L0 makes up for L1: what L1 finds, in each kernel; and when 0x40 may arrive."""

import pytest
from walks import Case, nested, transitions

from kvmlab.kernels.names import LISTED, kernel
from kvmlab.machine.edit import find
from kvmlab.machine.step import Row, Step
from kvmlab.processor.exits import Exit
from kvmlab.processor.intr_info import event
from kvmlab.scenarios.immediate_exit import immediate_exit

ABLE = [name for name in LISTED if "immediate-exit" in kernel(name).scope]


@pytest.mark.parametrize(("name", "told"), [("d6185f2", 0), ("v3.10", event(0x31)), ("v4.10", event(0x31))])
def test_what_is_still_queued_is_told_to_l1_and_dropped(name: str, told: int) -> None:
    """From 2013 a nested exit tells L2's queued event as IDT-vectoring information and queues no more."""
    case = Case(immediate_exit(nested(name)))
    vcpu, form = case.vcpu, case.vcpu.vmcs12
    step = find(case.scenario.kernel.paths["vcpu_run"], "NESTED_VMEXIT")
    assert form is not None and isinstance(step, Step)
    s = list(case.scenario.system.start)
    s[vcpu.current] = s[vcpu.guests[0].cpu.irq] = 1
    s[vcpu.queued] = s[form.intr_info] = event(0x31)
    s[form.exit_intr] = event(0x32)  # of an exit before
    step.fn(s, vcpu)
    assert s[form.idt_vectoring] == told
    assert s[vcpu.queued] == (0 if told else event(0x31))
    assert (s[form.reason], s[form.intr_info], s[form.exit_intr]) == (Exit.EXTERNAL_INTERRUPT, 0, 0)
    assert (s[vcpu.current], s[vcpu.guests[0].cpu.irq]) == (0, 0)


@pytest.mark.parametrize("label", ["NESTED_VMEXIT", "EXIT.reflect"])
@pytest.mark.parametrize("name", ["d6185f2", "v3.10", "v4.10", "v6.1"])
def test_a_nested_exit_leaves_l1_with_interrupts_off(name: str, label: str) -> None:
    """Like any VM exit it loads host state: L1's IF is 0, whatever it was."""
    case = Case(immediate_exit(nested(name)))
    path = case.scenario.kernel.paths["vcpu_run"]
    step = find(path, label)
    assert isinstance(step, Step)
    s = list(case.scenario.system.start)
    s[case.vcpu.current] = s[case.vcpu.guests[0].cpu.irq] = 1
    step.fn(s, case.vcpu)
    assert s[case.vcpu.guests[0].cpu.irq] == 0


@pytest.mark.parametrize("name", ABLE)
def test_the_interrupt_for_l1_arrives_before_l2_is_active(name: str) -> None:
    """0x40 arrives in some schedule, and in none while vmcs02 is loaded."""
    case = Case(immediate_exit(kernel(name), cancel=True))
    loaded = {
        before[case.vcpu.current]
        for before, move, _ in transitions(case.scenario)
        if move.label == "d:IRQ_0x40"
    }
    assert loaded == {0}


def test_a_queued_event_goes_before_the_nested_exit() -> None:
    """What was half delivered is injected again first; only then may L2 be left for L1."""
    row = find(kernel("v3.10").paths["vcpu_run"], "INJECT")
    assert isinstance(row, Row)
    assert [step.label for step in row.steps] == ["REINJECT", "NESTED_VMEXIT", "INJECT_IRQ", "INJECT.none"]
