"""Where registers come from: a record in a state of the model, or a posted-interrupt descriptor in memory."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kvmlab.errors import BadInput, unknown
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.run import Run
from kvmlab.machine.state import Cell
from kvmlab.processor import apicv, lapic
from kvmlab.processor.descriptor import Descriptor
from kvmlab.processor.records import Apicv, Cpu, Guest, PiDesc
from kvmlab.scenarios.scenario import Scenario
from kvmlab.show.registers import Moment, Registers


def of_descriptor(descriptor: Descriptor) -> Registers:
    """Return the descriptor's fields as registers."""
    d = descriptor
    return Registers(pir=d.pir, on=d.on, sn=d.sn, nv=d.nv, ndst=d.ndst)


def of_scenario(scenario: Scenario, state: Sequence[int], who: str = "vcpu") -> Registers:
    """Return the registers of one of a scenario's records in ``state``.

    Of a vCPU and of a guest they are those of the page and the descriptor where APICv is used, else those of
    the local APIC. Raises BadInput for a record that is not there or has none.
    """
    if who not in scenario.records:
        raise unknown("record", who, scenario.records)
    return of_record(scenario.records[who], state)


def of_record(record: Any, state: Sequence[int]) -> Registers:
    """Return the registers of a vCPU's guest, a guest, a CPU, a descriptor or a page; else raise BadInput."""
    if isinstance(record, Vcpu):
        record = record.guests[0]
    if isinstance(record, Guest):
        record = record.apicv or record.cpu
    if isinstance(record, Cpu):
        return _local(record, state)
    if isinstance(record, PiDesc):
        posted = _posted(record, state)
        return _page(record, state, posted) if isinstance(record, Apicv) else posted
    raise BadInput(f"a {type(record).__name__} has no interrupt registers: a vCPU, a guest or a CPU has")


def after(scenario: Scenario, run: Run, who: str = "vcpu") -> Moment:
    """Return the registers after a run, and what its last step has changed."""
    last = [of_scenario(scenario, step.before, who) for step in run.steps[-1:]]
    return Moment(of_scenario(scenario, run.state, who), *last)


def _local(cpu: Cpu, s: Sequence[int]) -> Registers:
    return Registers(
        irr=s[cpu.irr],
        isr=s[cpu.isr],
        tmr=_held(s, cpu.tmr),
        tpr=_held(s, cpu.tpr),
        ppr=lapic.processor_priority(s, cpu),
    )


def _posted(pid: PiDesc, s: Sequence[int]) -> Registers:
    return Registers(
        pir=s[pid.pir], on=s[pid.on], sn=_held(s, pid.sn), nv=_held(s, pid.nv), ndst=_held(s, pid.ndst)
    )


def _page(page: Apicv, s: Sequence[int], posted: Registers) -> Registers:
    return replace(
        posted,
        virr=s[page.virr],
        visr=s[page.visr],
        vtmr=_held(s, page.vtmr),
        vtpr=_held(s, page.vtpr),
        vppr=apicv.processor_priority(s, page),
        rvi=s[page.rvi],
        svi=apicv.serving(s, page),
    )


def _held(s: Sequence[int], cell: Cell | None) -> int | None:
    """Return what a register holds that is allocated only where somebody uses it."""
    return None if cell is None else s[cell]
