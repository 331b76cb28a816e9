"""The registers: where their values come from, what has changed, and the words for it."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.machine.run import Run
from kvmlab.machine.state import Layout
from kvmlab.processor import lapic
from kvmlab.processor.descriptor import FIELDS, Descriptor, unpack
from kvmlab.processor.records import Core, Cpu, PiDesc
from kvmlab.processor.vectors import members
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.schedulers.chance import draw
from kvmlab.show.registers import TABLE, Moment, Registers
from kvmlab.show.registers_source import after, of_descriptor, of_record, of_scenario

POSTED = posted_interrupts(kernel("b95234c"), senders=2)
DRAWN = [draw(POSTED.system, seed, 40) for seed in range(5)]


def flat(twin: str) -> str:
    """Return a twin as one line."""
    return " ".join(twin.split())


# --- the values -------------------------------------------------------------------------------


def test_the_table_is_what_registers_hold() -> None:
    """A register in the table is an attribute, and the other way round, in one order or another."""
    assert {register.field for register in TABLE} == {f.name for f in fields(Registers)}


DESCRIPTORS = st.fixed_dictionaries(
    {name: st.integers(0, (1 << bits) - 1) for name, (_, bits) in FIELDS.items()}
)


@given(DESCRIPTORS)
def test_a_descriptor_comes_back_from_its_registers(values: dict[str, int]) -> None:
    """Bytes to registers to bytes: the same 64."""
    memory = Descriptor(**values).pack()
    shown = of_descriptor(unpack(memory))
    held = {register.field: shown.value(register) for register in TABLE}
    assert {name for name, value in held.items() if value is not None} == FIELDS.keys()
    assert Descriptor(**{name: held[name] or 0 for name in FIELDS}).pack() == memory


@pytest.mark.parametrize(
    "values, why",
    [
        ({}, "at least one"),
        ({"irr": 1 << 256}, "IRR has 256 bits"),
        ({"pir": -1}, "PIR has 256 bits"),
        ({"on": 2}, "ON has 1 bits"),
        ({"rvi": 256}, "RVI has 8 bits"),
        ({"ppr": 0, "vppr": 0}, "not both"),
    ],
)
def test_values_that_cannot_be(values: dict[str, int], why: str) -> None:
    """Nothing to look at, too many bits, two thresholds: refused in words."""
    with pytest.raises(BadInput, match=why):
        Registers(**values)


@pytest.mark.parametrize("run", DRAWN)
def test_a_state_of_the_model_gives_its_own_cells(run: Run) -> None:
    """With APICv a vCPU's registers are the descriptor's and the page's, as they are in the state."""
    apicv, s = POSTED.records["apicv"], run.state
    shown = of_scenario(POSTED, s)
    assert (shown.pir, shown.on, shown.rvi) == (s[apicv.pir], s[apicv.on], s[apicv.rvi])
    assert (shown.virr, shown.visr) == (s[apicv.virr], s[apicv.visr])
    assert (shown.irr, shown.isr, shown.sn) == (None, None, None)
    assert {of_scenario(POSTED, s, who) for who in ("vcpu", "guest", "apicv")} == {shown}


def test_without_apicv_they_are_the_local_apics() -> None:
    """Of a vCPU those of its guest's local APIC; any CPU can be asked for."""
    scenario = immediate_exit(kernel("v3.2"))
    start = scenario.system.start
    assert (
        of_scenario(scenario, start) == of_scenario(scenario, start, "L1") == Registers(irr=0, isr=0, ppr=0)
    )


@given(st.sets(st.integers(16, 255)), st.integers(0, 255))
def test_the_threshold_is_the_local_apics(raised: set[int], tpr: int) -> None:
    """PPR is what the model's local APIC says, with a task priority and something in service."""
    layout = Layout()
    cpu = layout.record(Cpu, "cpu", tpr=layout.add("cpu.tpr", tpr), tmr=layout.add("cpu.tmr"))
    s = list(layout.start())
    for vector in raised:
        lapic.accept(s, cpu, vector, level=vector % 2 == 0)
    if lapic.deliverable(s, cpu):
        lapic.acknowledge(s, cpu)
    shown = of_record(cpu, s)
    assert (shown.ppr, shown.tpr) == (lapic.processor_priority(s, cpu), tpr)
    assert members(shown.tmr or 0) == sorted(vector for vector in raised if vector % 2 == 0)


def test_a_descriptor_alone_has_the_fields_that_somebody_uses() -> None:
    """SN, NV and NDST are looked at where they are in the state."""
    layout = Layout()
    some = layout.record(PiDesc, "some")
    every = layout.record(
        PiDesc, "all", sn=layout.add("sn"), nv=layout.add("nv", 0xF2), ndst=layout.add("n", 3)
    )
    s = layout.start()
    assert of_record(some, s) == Registers(pir=0, on=0)
    assert of_record(every, s) == Registers(pir=0, on=0, sn=0, nv=0xF2, ndst=3)


def test_what_has_no_registers_says_so() -> None:
    """A name that no record has, and a record without an interrupt register."""
    with pytest.raises(BadInput, match="did you mean guest"):
        of_scenario(POSTED, POSTED.system.start, "gest")
    with pytest.raises(BadInput, match="a Core has no interrupt registers"):
        of_scenario(POSTED, POSTED.system.start, "core")
    assert isinstance(POSTED.records["core"], Core)


# --- what has changed -------------------------------------------------------------------------


@pytest.mark.parametrize("run", DRAWN)
def test_what_has_changed_is_what_the_last_step_changed(run: Run) -> None:
    """Step by step: a reading has a value before exactly if the state's cell differs."""
    names = {
        "apicv.pir": "PIR",
        "apicv.on": "ON",
        "apicv.virr": "VIRR",
        "apicv.visr": "VISR",
        "apicv.rvi": "RVI",
    }
    for n, step in enumerate(run.steps, 1):
        moment = after(POSTED, Run(run.system, run.steps[:n]))
        cells = {cell for cell, _, _ in run.system.layout.changes(step.before, step.after)}
        news = {reading.register.name for reading in moment.readings if reading.was is not None}
        assert news & set(names.values()) == {names[cell] for cell in cells & names.keys()}


def test_before_the_first_step_nothing_has_changed() -> None:
    """A start has no step before it; a register that was not looked at is not news either."""
    assert after(POSTED, Run(POSTED.system, ())).was is None
    assert [r.was for r in Moment(Registers(irr=1, on=1), Registers(irr=1)).readings] == [None, None]
