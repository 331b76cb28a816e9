"""Who gets which vector: the forced exit's, each post's, and two of one class."""

import pytest
from walks import Case, transitions

from kvmlab.kernels.names import kernel
from kvmlab.processor.records import Cpu
from kvmlab.processor.vectors import bit
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.scenarios.self_ipi import self_ipi
from kvmlab.schedulers.clock import clocked

TOP_KERNEL = "d6185f2+ack-top-vector"


def test_the_acknowledged_top_vector_runs_no_handler() -> None:
    """The exit that it forces has taken it: no schedule without a fault lets the host take it again."""
    case = Case(immediate_exit(kernel(TOP_KERNEL), cancel=True))
    assert "IRQ.top" not in {move.step.label for _, move, _ in transitions(case.scenario)}
    fired = [name for name, _ in clocked(immediate_exit(kernel(TOP_KERNEL), after=3).system).events]
    assert "kvm_nested_vmexit_inject" in fired and "reschedule_entry" not in fired


def test_a_faulting_entry_leaves_the_top_vector_to_the_host() -> None:
    """An EPT violation acknowledges nothing: then the handler does run."""
    case = Case(immediate_exit(kernel(TOP_KERNEL), faults=1))
    assert "IRQ.top" in {move.step.label for _, move, _ in transitions(case.scenario)}


def test_a_forced_exit_by_self_ipi_runs_the_reschedule_handler() -> None:
    """Acknowledged or not, the reschedule IPI's handler fires its tracepoint once in v3.10's story."""
    for name in ("d6185f2", "v3.10"):
        events = clocked(immediate_exit(kernel(name), after=3).system).events
        assert [name for name, _ in events].count("reschedule_entry") == 1


@pytest.mark.parametrize("senders", [1, 2])
def test_at_rest_each_post_has_been_delivered_once(senders: int) -> None:
    """When all senders have returned and nothing is pending, every vector was delivered, none twice."""
    case = Case(posted_interrupts(kernel("b95234c"), senders=senders))
    guest, rests = case.scenario.records["guest"], 0
    for _, _, after in transitions(case.scenario):
        if case.scenario.done(after):
            rests += 1
            assert (after[guest.delivered], after[case.apicv.virr]) == (senders, 0)
    assert rests


def test_two_vectors_of_one_class_wait_for_each_others_eoi() -> None:
    """0xe1 beside the guest's self-IPI 0xef: never both in service, the higher one first, both counted."""
    scenario = self_ipi(kernel("v6.1+noapicv"), rounds=1)
    cpu, program = scenario.records["L1"], scenario.records["program"]
    assert isinstance(cpu, Cpu)
    start = list(scenario.system.start)
    start[cpu.irr] |= bit(0xE1)
    served, ends = [], set()
    for before, move, after in transitions(scenario, tuple(start)):
        assert after[cpu.isr] in (0, bit(0xE1), bit(0xEF))
        if move.step.label == "INJECT_IRQ":
            assert before[cpu.isr] == 0
            served.append(after[cpu.isr])
        if scenario.done(after):
            ends.add((after[program.counted], after[cpu.irr], after[cpu.isr]))
    assert served == [bit(0xEF), bit(0xE1)] and ends == {(2, 0, 0)}


@pytest.mark.parametrize(("serving", "counted"), [(0xE1, 0), (0xD1, 1)])
def test_a_vector_in_service_holds_back_its_whole_class(serving: int, counted: int) -> None:
    """0xef is higher than 0xe1 but of its class: without an EOI it is never injected; above 0xd1 it is."""
    scenario = self_ipi(kernel("v6.1+noapicv"), rounds=1)
    cpu, program = scenario.records["L1"], scenario.records["program"]
    start = list(scenario.system.start)
    start[cpu.isr] |= bit(serving)
    walked = list(transitions(scenario, tuple(start)))
    assert [move.step.label for _, move, _ in walked].count("INJECT_IRQ") == counted
    assert {after[program.counted] for _, _, after in walked if scenario.done(after)} == {counted}
