"""Single steps of nesting: what each leaves behind, asked of every transition or of the step alone."""

from collections.abc import Iterator

import pytest
from walks import transitions

from kvmlab.kernels.names import kernel
from kvmlab.kernels.nesting import nested
from kvmlab.kvm.immediate_exit import SOFT_OFF
from kvmlab.kvm.ipi import end_of_interrupt, reach
from kvmlab.kvm.mode import EXITING_GUEST_MODE, IN_GUEST_MODE, OUTSIDE_GUEST_MODE
from kvmlab.kvm.reflect import REFLECT, is_for_l1
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.machine.edit import find
from kvmlab.machine.state import Layout, State
from kvmlab.machine.step import Row, Step
from kvmlab.machine.system import Move
from kvmlab.processor.controls import (
    ACTIVATE_PREEMPTION_TIMER,
    HLT_EXITING,
    INTERRUPT_WINDOW_EXITING,
    NMI_WINDOW_EXITING,
    UNCONDITIONAL_IO_EXITING,
)
from kvmlab.processor.exits import Exit
from kvmlab.processor.intr_info import HARDWARE_EXCEPTION, event
from kvmlab.processor.records import HLT, ROOT, frame
from kvmlab.processor.vectors import LOCAL_TIMER_VECTOR, RESCHEDULE_VECTOR, bit
from kvmlab.processor.wire import Wire, send
from kvmlab.scenarios.levels import levels
from kvmlab.scenarios.mixes import CPUS
from kvmlab.scenarios.scenario import Scenario
from kvmlab.scenarios.stack import Stack
from kvmlab.scenarios.unittests.scenario import unit_test

NAMES = ("v4.18", "v4.18+b5861e5", "d264ee0", "d264ee0+804939e+0ec3d6d", "v6.1")


def stacked(name: str, n: int = 3, **knobs: object) -> tuple[Scenario, Stack]:
    """Return the scenario and its records."""
    scenario = levels(kernel(name), levels=n, **knobs)  # type: ignore[arg-type]
    return scenario, scenario.records["stack"]


def taken(name: str, *labels: str, **knobs: object) -> Iterator[tuple[State, Move, State, Stack]]:
    """Yield every transition of these labels."""
    scenario, parts = stacked(name, **knobs)  # type: ignore[arg-type]
    for before, move, after in transitions(scenario):
        if move.step.label in labels:
            yield before, move, after, parts


def told(event: str) -> tuple[str, str]:
    """Return the labels of an exit that is made for L1: at the top of a lap, or when events are injected."""
    return f"RUNNING.{event}", f"NESTED.{event}"


@pytest.mark.parametrize("name", NAMES)
def test_a_hypervisor_above_level_0_enters_nobody(name: str) -> None:
    """Its VM entry is an exit, VMRESUME, from the VMCS on which level 0 runs it; level 0's own enters."""
    above = 0
    for before, move, after, parts in taken(name, "VMENTRY", after=1):
        me = move.me
        if me.level:
            above += 1
            assert after[parts.core.frame] == ROOT
            assert after[parts.vmcs[0, me.level].reason] == Exit.VMRESUME
        else:
            assert after[parts.core.frame] == frame(1 + before[me.current])
    assert above


@pytest.mark.parametrize("name", NAMES)
def test_vmresume_loads_what_l1_has_loaded(name: str) -> None:
    """Level h runs on V[h -> k] for the k of the form that L(h+1) has loaded, with its injection and
    controls."""
    seen = set()
    for before, move, after, parts in taken(name, "EXIT.vmresume"):
        h = move.me.level
        above = parts.vcpus[h + 1].current if h + 1 < parts.kvms else None
        k = h + 2 + (before[above] if above is not None else 0)
        seen.add((h, k))
        assert after[move.me.current] == k - h - 1
        mine, form = parts.vmcs[h, k], parts.vmcs[h + 1, k]
        assert after[mine.intr_info] == before[form.intr_info]
        assert after[mine.proc] & before[form.proc] == before[form.proc]
        assert mine.pin is not None and not after[mine.pin] & ACTIVATE_PREEMPTION_TIMER
        assert after[move.me.nested_run_pending] == 1
    assert {(0, 2), (0, 3), (0, 4), (1, 4), (2, 4)} <= seen


@pytest.mark.parametrize("name", NAMES)
def test_only_the_owner_of_a_timer_hears_of_it(name: str) -> None:
    """Exit 52 of V[h -> k] is h's own business: no level hands it on, and each tells its guest of the
    guest's."""
    for before, move, _after, _parts in taken(name, "EXIT.reflect", after=1):
        me = move.me
        reason = before[me.guests[before[me.current]].vmcs.reason]
        assert reason not in (Exit.PREEMPTION_TIMER, Exit.EXTERNAL_INTERRUPT)


@pytest.mark.parametrize("name", NAMES)
def test_what_l1_is_told_is_in_its_form(name: str) -> None:
    """A told exit goes back to vmcs01 with L1's IF off, the injection spent, nothing left to inject."""
    labels = ("EXIT.reflect", *told("preemption_timer"), *told("interrupt"))
    for before, move, after, parts in taken(name, *labels, after=1):
        me = move.me
        form = me.forms[before[me.current] - 1]
        assert (after[me.current], after[me.queued], after[form.intr_info]) == (0, 0, 0)
        assert after[parts.cpus[me.level + 1].irq] == 0
        if move.step.label == "EXIT.reflect":
            assert after[form.reason] == before[me.guests[before[me.current]].vmcs.reason]


def test_an_interrupt_that_l1_wants_acknowledged_is_in_service_when_l1_hears_of_it() -> None:
    """KVM at L1 asks for acknowledge-on-exit: the vector is in the form, out of IRR and in ISR."""
    seen = 0
    for before, move, after, parts in taken("v4.18+b5861e5", *told("interrupt"), n=2):
        me, cpu = move.me, parts.cpus[move.me.level + 1]
        seen += 1
        assert before[cpu.irr] == bit(RESCHEDULE_VECTOR)
        assert (after[cpu.irr], after[cpu.isr]) == (0, bit(RESCHEDULE_VECTOR))
        assert after[me.forms[before[me.current] - 1].exit_intr] == event(RESCHEDULE_VECTOR)
    assert seen


@pytest.mark.parametrize(
    ("name", "at_once"), [("v4.18", 1), ("d264ee0", 1), ("d264ee0+4c00812", 0), ("v6.1", 0)]
)
@pytest.mark.parametrize("value", [0, 1, 2])
def test_which_values_of_l1s_timer_have_expired_at_once(name: str, at_once: int, value: int) -> None:
    """In 4.18 0 and 1 have, since 4c00812 only 0: then L1 is to be told, and KVM_REQ_EVENT is raised."""
    scenario, parts = stacked(name, 1)
    vcpu, form = parts.vcpus[0], parts.form
    step = find(scenario.kernel.paths["vcpu_run"], "NESTED.timer")
    assert isinstance(step, Step) and form.pin is not None and form.timer is not None
    for on in (False, True):
        s = list(scenario.system.start)
        s[vcpu.current] = s[vcpu.nested.expired] = 1
        s[vcpu.requests] = 0
        s[form.pin], s[form.timer] = on * ACTIVATE_PREEMPTION_TIMER, value
        step.fn(s, vcpu)
        assert s[vcpu.nested.expired] == int(on and value <= at_once)
        assert s[vcpu.requests] == (KVM_REQ_EVENT if s[vcpu.nested.expired] else 0)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("running", [False, True])
def test_an_interrupt_from_outside_reaches_a_cpu_level_by_level(n: int, running: bool) -> None:
    """Each KVM below accepts it and asks for an injection; one in guest mode is kicked, and so on down."""
    scenario, parts = stacked("v4.18", n)
    s = list(scenario.system.start)
    for vcpu in parts.vcpus:
        s[vcpu.mode], s[vcpu.requests] = IN_GUEST_MODE if running else OUTSIDE_GUEST_MODE, 0
    reach(s, parts.vcpus[-1], LOCAL_TIMER_VECTOR)
    assert s[parts.cpus[n - 1].irr] == bit(LOCAL_TIMER_VECTOR)
    for vcpu in parts.vcpus[:-1]:
        reached = running or vcpu.level == n - 2
        assert s[vcpu.requests] == (KVM_REQ_EVENT if reached else 0)
        assert s[vcpu.mode] == (EXITING_GUEST_MODE if running else OUTSIDE_GUEST_MODE)
        assert s[parts.cpus[vcpu.level].irr] == (bit(RESCHEDULE_VECTOR) if running else 0)


@pytest.mark.parametrize(
    ("way", "by_timer"),
    [
        ("v4.18", False),
        ("d264ee0", True),
        ("d264ee0+804939e", True),
        ("d264ee0+804939e+preemption-timer=0", False),
        ("d264ee0+804939e+0ec3d6d", True),
        ("d264ee0+804939e+0ec3d6d+preemption-timer=0", False),
    ],
)
def test_the_forced_exit_raises_event_and_leaves_one_trace(way: str, by_timer: bool) -> None:
    """If wished: KVM_REQ_EVENT and either a timer of 0 in the VMCS that runs, or an IPI; else neither."""
    wished = 0
    for before, move, _after, _parts in taken(way, "VMENTRY", cancel=True, n=2):
        me = move.me
        fields = me.guests[before[me.current]].vmcs
        armed = bool(before[fields.pin] & ACTIVATE_PREEMPTION_TIMER) and before[fields.timer] == 0
        wished += before[me.immediate]
        if not by_timer:
            assert not before[fields.pin] & ACTIVATE_PREEMPTION_TIMER
        if before[me.immediate]:
            assert before[me.requests] & KVM_REQ_EVENT
            assert armed == by_timer
        else:
            assert not armed
    assert wished


def test_b5861e5_looks_at_vmcs01_and_not_at_what_runs() -> None:
    """The window that counts is the one asked for on vmcs01."""
    scenario, parts = stacked("v4.18+b5861e5", 1)
    vcpu = parts.vcpus[0]
    step = find(scenario.kernel.paths["vcpu_run"], "NESTED.evaluate")
    assert isinstance(step, Step)
    for left, runs in ((0, INTERRUPT_WINDOW_EXITING), (INTERRUPT_WINDOW_EXITING, 0)):
        s = list(scenario.system.start)
        s[vcpu.current], s[vcpu.requests] = 1, 0
        s[vcpu.guests[0].vmcs.proc], s[vcpu.guests[1].vmcs.proc] = left, runs
        step.fn(s, vcpu)
        assert bool(s[vcpu.requests] & KVM_REQ_EVENT) == bool(left)


@pytest.mark.parametrize(
    ("rvi", "serving", "looks"), [(0x40, 0x30, 1), (0x4F, 0x40, 0), (0x40, 0x50, 0), (0, 0, 0)]
)
def test_rvi_counts_only_above_l1s_priority(rvi: int, serving: int, looks: int) -> None:
    """By its class: what L1 could not take anyway is no reason to leave L2."""
    scenario, parts = stacked("v6.1", 2)
    vcpu = parts.vcpus[0]
    page, step = vcpu.guests[0].apicv, find(scenario.kernel.paths["vcpu_run"], "NESTED.rvi")
    assert isinstance(step, Step) and page is not None
    s = list(scenario.system.start)
    s[vcpu.current], s[vcpu.requests], s[page.rvi] = 1, 0, rvi
    s[page.visr] = bit(serving) if serving else 0
    step.fn(s, vcpu)
    assert bool(s[vcpu.requests] & KVM_REQ_EVENT) == looks


@pytest.mark.parametrize("n", [2, 3])
def test_a_self_ipi_above_level_0_is_an_exit(n: int) -> None:
    """KVM writes its ICR: level 0 sees MSR_WRITE of the VMCS that runs it, and nothing is pending yet."""
    seen = 0
    for before, move, after, parts in taken("v4.18", "CHECK_IMMEDIATE", n=n):
        if move.me.level and before[move.me.immediate]:
            seen += 1
            assert after[parts.core.frame] == ROOT
            assert after[parts.vmcs[0, move.me.level].reason] == Exit.MSR_WRITE
            assert after[move.me.cpu.irr] == before[move.me.cpu.irr]
    assert seen


@pytest.mark.parametrize(
    ("name", "off"), [("d264ee0", None), ("d264ee0+804939e", SOFT_OFF), ("d264ee0+804939e+0ec3d6d", SOFT_OFF)]
)
def test_a_forced_exit_is_forced_once(name: str, off: int | None) -> None:
    """The entry behind it finds the timer off: by its control, since 804939e by a value that never ends."""
    scenario, parts = stacked(name, 1)
    vcpu, fields = parts.vcpus[0], parts.vmcs[0, 1]
    step = find(scenario.kernel.paths["vcpu_run"], "HV_TIMER")
    assert isinstance(step, Step) and fields.pin is not None and fields.timer is not None
    s = list(scenario.system.start)
    s[fields.pin], s[fields.timer], s[vcpu.forced], s[vcpu.immediate] = ACTIVATE_PREEMPTION_TIMER, 0, 0, 0
    step.fn(s, vcpu)
    assert bool(s[fields.pin] & ACTIVATE_PREEMPTION_TIMER) == (off is not None)
    assert off is None or s[fields.timer] == off


def whole() -> tuple[Scenario, Stack, list[int]]:
    """Return a unit test's stack of one KVM, with L2 active."""
    scenario = unit_test("vmx_mtf_test", [kernel("v6.1")], [CPUS["intel"]])
    s = list(scenario.system.start)
    parts = scenario.records["stack"]
    s[parts.vcpus[0].current] = 1
    return scenario, parts, s


def test_what_concerned_l2_alone_ends_with_l2() -> None:
    """An exit told to L1: a half-delivered event goes into the form, an exception and the timer end."""
    _, parts, s = whole()
    vcpu, form = parts.vcpus[0], parts.form
    s[vcpu.queued], s[vcpu.exception], s[vcpu.nested.halted] = event(0x31), event(1), 1
    s[vcpu.nested.mtf_pending], s[vcpu.nested.clock.deadline] = 1, 1000
    s[parts.top.vmcs.reason] = Exit.VMCALL
    REFLECT.fn(s, vcpu)
    assert (s[form.reason], s[form.idt_vectoring]) == (Exit.VMCALL, event(0x31))
    assert (s[vcpu.queued], s[vcpu.exception], s[vcpu.nested.halted]) == (0, 0, 0)
    assert (s[vcpu.nested.mtf_pending], s[vcpu.nested.clock.deadline]) == (0, -1)


@pytest.mark.parametrize(("asked", "told_l1"), [(0, False), (2, True)])
def test_an_exception_is_l1s_only_if_its_bitmap_says_so(asked: int, told_l1: bool) -> None:
    """KVM has #DB exit for itself; L1 hears of it only if it asked."""
    _, parts, s = whole()
    vcpu, fields = parts.vcpus[0], parts.top.vmcs
    s[fields.reason], s[fields.exit_intr] = Exit.EXCEPTION_NMI, event(1, HARDWARE_EXCEPTION)
    s[parts.form.exception_bitmap] = asked
    assert is_for_l1(s, vcpu) == told_l1


@pytest.mark.parametrize(
    ("reason", "control"),
    [
        (Exit.HLT, HLT_EXITING),
        (Exit.IO_INSTRUCTION, UNCONDITIONAL_IO_EXITING),
        (Exit.INTERRUPT_WINDOW, INTERRUPT_WINDOW_EXITING),
        (Exit.NMI_WINDOW, NMI_WINDOW_EXITING),
    ],
)
def test_l1_is_told_what_its_controls_ask_for(reason: Exit, control: int) -> None:
    """That control and no other; KVM itself has halts and port I/O exit in any case."""
    _, parts, s = whole()
    vcpu = parts.vcpus[0]
    s[parts.top.vmcs.reason] = reason
    for asked, told_l1 in ((control, True), (0, False), (~control, False)):
        s[parts.form.proc] = asked
        assert is_for_l1(s, vcpu) == told_l1


@pytest.mark.parametrize(
    ("name", "window", "flag", "injected", "sleeps"),
    [
        ("v6.1", 0, 1, 0, True),
        ("v6.1", INTERRUPT_WINDOW_EXITING, 0, 0, True),
        ("v6.1", INTERRUPT_WINDOW_EXITING, 1, 0, False),
        ("v6.1", NMI_WINDOW_EXITING, 0, 0, False),
        ("v6.1", 0, 0, event(0x31), False),
        ("v4.18", INTERRUPT_WINDOW_EXITING, 1, 0, True),
        ("v4.18", 0, 0, event(0x31), False),
    ],
)
def test_who_is_entered_asleep(name: str, window: int, flag: int, injected: int, sleeps: bool) -> None:
    """A halted L2 sleeps on unless the entry brings something; in v6.1 an open window wakes it too."""
    scenario = unit_test("vmx_mtf_test", [kernel(name)], [CPUS["intel"]])
    parts, s = scenario.records["stack"], list(scenario.system.start)
    vcpu, form, l2 = parts.vcpus[0], parts.form, parts.top
    s[form.proc], s[form.intr_info], s[l2.cpu.irq], s[l2.activity] = window, injected, flag, HLT
    row = find(nested(kernel(name)).paths["vcpu_run"], "HANDLE_EXIT")
    assert isinstance(row, Row)
    next(step for step in row.steps if step.label == "EXIT.vmresume").fn(s, vcpu)
    assert (s[vcpu.nested.halted], s[vcpu.nested_run_pending]) == (sleeps, not sleeps)


def test_an_ipi_under_way_is_not_overtaken() -> None:
    """A second one before it arrives is merged with it, and comes when the first one does."""
    layout = Layout()
    now = layout.add("now")
    wire = layout.record(Wire, "wire", irr=layout.add("irr"), now=now, delay=10)
    s = list(layout.start())
    send(s, wire, bit(RESCHEDULE_VECTOR))
    s[now] = 4
    send(s, wire, bit(RESCHEDULE_VECTOR))
    assert (s[wire.due], s[wire.vectors]) == (10, bit(RESCHEDULE_VECTOR))


def test_l1s_eoi_goes_where_its_interrupt_was_in_service() -> None:
    """With APICv on the virtual-APIC page, without it in the local APIC that KVM keeps."""
    for apicv in (False, True):
        scenario, parts = stacked("v4.18", 2, apicv=apicv)
        guest, s = parts.code[1], list(scenario.system.start)
        serving = guest.cpu.isr if guest.apicv is None else guest.apicv.visr
        s[serving] = bit(RESCHEDULE_VECTOR)
        end_of_interrupt(s, guest)
        assert s[serving] == 0
