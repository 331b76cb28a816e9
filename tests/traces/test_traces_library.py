"""The packaged traces: small, clean, true to their README, and what the lesson says they show."""

from importlib.resources import files

import pytest

from kvmlab.errors import BadInput
from kvmlab.traces import Clock, Event, Reader, facts, load, names, write
from kvmlab.traces.library import lines

RUNS = ["pt0_ipidelay0", "pt0_ipidelay2000", "pt1_ipidelay2000"]


def forced(name, which):
    """Return the events from a forced entry up to the exit reflected to level 1."""
    trace = load(name)
    entries = [index for index, event in enumerate(trace) if event.fields.get("immediate_exit")]
    start = entries[which]
    stretch = []
    for event in trace[start:]:
        stretch.append(event)
        if event.name == "kvm_nested_vmexit_inject":
            return stretch
    raise AssertionError("no reflected exit")


def story(stretch):
    """Return what happened, as the lesson tells it."""
    return [event.key("exit_reason") if "exit" in event.name else (event.name,) for event in stretch]


def test_the_lesson_has_its_traces():
    """Three ways to force an exit, each with two tests; a guest and its timers; an IPI, 3 ways."""
    tests = ("preemption_timer", "zero_test")
    nested = [f"nested_{run}_{test}" for run in RUNS for test in tests]
    both = [
        f"vmx_{timer}_lab_{what}"
        for timer in ("pt0", "pt1")
        for what in ("tsc_hlt", "tsc_busy", "oneshot_hlt")
    ]
    timed = [*both, "vmx_pt0_lab_tsc_past", "vmx_pt0_lab_periodic"]
    interrupting = [f"vmx_{apic}_lab_self_ipi" for apic in ("noapicv", "pt0", "pt1")]
    assert names() == sorted(nested + timed + interrupting)


@pytest.mark.parametrize("name", names())
def test_a_packaged_trace_reads_without_a_warning_and_writes_back_word_for_word(name):
    """Every line is understood, every event has fields, and the writer gives the very same text."""
    reader = Reader(lines(name))
    items = list(reader)
    assert (reader.warnings, reader.unit) == ([], "ticks")
    assert all(item.fields for item in items if isinstance(item, Event))
    assert [line.rstrip("\n") for line in write(items, Clock.TICKS)] == lines(name)


@pytest.mark.parametrize("name", names())
def test_a_packaged_trace_is_small_and_says_what_it_is(name):
    """Below 40 kB, with the facts that must stand beside it."""
    said = " ".join(facts(name))
    assert len("\n".join(lines(name)).encode()) < 40_000
    assert "Debian kernel 6.1.0" in said
    assert "emulated Skylake-X" in said
    assert "1 instruction = 1 cycle" in said
    assert "not kernels before and after a patch" in said
    assert "cut:" in said


def test_the_readme_names_every_trace():
    """No trace without a row in the README beside it."""
    readme = (files("kvmlab.traces") / "data" / "README.md").read_text(encoding="utf-8")
    assert [name for name in names() if f"`{name}`" not in readme] == []


def test_an_ipi_in_time_takes_the_guest_out_before_it_runs():
    """Patch 1's way: the forced entry ends by the IPI, at the rip it entered with."""
    stretch = forced("nested_pt0_ipidelay0_preemption_timer", -1)
    assert story(stretch) == [
        ("kvm_entry",),
        ("kvm_exit", "EXTERNAL_INTERRUPT"),
        ("reschedule_entry",),
        ("kvm_nested_vmexit", "EXTERNAL_INTERRUPT"),
        ("kvm_nested_vmexit_inject", "PREEMPTION_TIMER"),
    ]
    assert stretch[0].fields["rip"] == stretch[1].fields["guest_rip"]


def test_a_late_ipi_lets_the_guest_run_on():
    """The bug of patch 4: level 2 reaches its VMCALL, and the IPI comes only afterwards."""
    stretch = forced("nested_pt0_ipidelay2000_preemption_timer", -1)
    assert story(stretch) == [
        ("kvm_entry",),
        ("kvm_exit", "VMCALL"),
        ("kvm_nested_vmexit", "VMCALL"),
        ("reschedule_entry",),
        ("kvm_nested_vmexit_inject", "VMCALL"),
    ]
    assert stretch[0].fields["rip"] < stretch[1].fields["guest_rip"]
    assert any(fact.startswith("FAIL") for fact in facts("nested_pt0_ipidelay2000_preemption_timer"))


def test_timer_zero_takes_the_guest_out_however_late_the_ipi():
    """Patch 4's way: the forced entry ends by the preemption timer, at the rip it entered with."""
    stretch = forced("nested_pt1_ipidelay2000_preemption_timer", -1)
    assert story(stretch) == [
        ("kvm_entry",),
        ("kvm_exit", "PREEMPTION_TIMER"),
        ("kvm_nested_vmexit", "PREEMPTION_TIMER"),
        ("kvm_nested_vmexit_inject", "PREEMPTION_TIMER"),
    ]
    assert stretch[0].fields["rip"] == stretch[1].fields["guest_rip"]


@pytest.mark.parametrize(
    ("run", "reflected"), [(RUNS[0], "PREEMPTION_TIMER"), (RUNS[1], "VMCALL"), (RUNS[2], "PREEMPTION_TIMER")]
)
def test_an_injected_event_does_not_save_the_late_ipi(run, reflected):
    """The second sub-test of zero_test, with event_inj set: only the late IPI fails it."""
    second = forced(f"nested_{run}_zero_test", 2)
    assert second[-1].fields["exit_reason"] == reflected


def test_a_lab_trace_is_whole():
    """From one OUT of the guest to the other, with 16 rounds between."""
    for name in (name for name in names() if name.startswith("vmx")):
        trace = load(name)
        outs = [(event.fields["port"], event.fields["val"]) for event in trace if event.name == "kvm_pio"]
        accepted = [event for event in trace if event.name == "kvm_apic_accept_irq"]
        assert (trace[0].name, trace[-1].name, outs) == ("kvm_pio", "kvm_pio", [(0x80, 0xA0), (0x80, 0xB0)])
        assert len(accepted) == 16


def test_a_wrong_name_suggests_the_right_one():
    """Asking for a trace that does not exist raises an error with the nearest name."""
    with pytest.raises(BadInput, match="did you mean nested_pt0_ipidelay0_zero_test"):
        load("nested_pt0_ipidelay0_zerotest")


def test_no_packaged_file_names_a_machine_or_a_path():
    """Recordings are published: nothing of the place where they were made is in them."""
    for name in names():
        text = "\n".join(lines(name))
        assert not [word for word in ("/home", "/root", "/work", "ttyS0", "@") if word in text]
