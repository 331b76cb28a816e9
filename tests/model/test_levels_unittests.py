"""kvm-unit-tests on the model: what KVM under test makes of them, at every level, and with an IPI that is
late."""

import pytest

from kvmlab.errors import BadInput
from kvmlab.labs.unittest import SEND_TO_ENTRY, Result, unittest
from kvmlab.scenarios.unittests.scenario import TESTS

BY_IPI, BY_TIMER = "L0=v6.1+noapicv+preemption-timer=0", "L0=v6.1+noapicv+preemption-timer=1"
LEGACY, ZERO = "preemption timer", "vmx_preemption_timer_zero_test"
OTHERS = (
    "vmx_nmi_window_test",
    "vmx_intr_window_test",
    "vmx_mtf_test",
    "vmx_preemption_timer_expiry_test",
    "vmx_pending_event_hlt_test",
)


def failed(result: Result) -> list[str]:
    """Return the assertions that did not hold."""
    assert result.finished
    return [line.name for line in result.lines if not line.ok]


@pytest.mark.parametrize("level", [0, 1, 2, 4])
@pytest.mark.parametrize("name", TESTS)
def test_v6_1_passes_at_every_level(name: str, level: int) -> None:
    """With v6.1 all the way down every assertion holds, whoever is the hypervisor under test."""
    result = unittest(name, level=level)
    assert result.lines and result.ok


IN_TIME, JUST_LATE, LATE = (0, 50), (200,), (500, 1000, 2000, 20000, 200000)


@pytest.mark.parametrize("delay", (*IN_TIME, *LATE))
def test_timer_0_does_not_care_when_an_ipi_comes(delay: int) -> None:
    """The measured lower half of the table: PASS at every delay."""
    for name in (LEGACY, ZERO):
        assert unittest(name, kernels=BY_TIMER, ipi_delay=delay).ok


@pytest.mark.parametrize("delay", IN_TIME)
def test_a_self_ipi_in_time_passes(delay: int) -> None:
    """50 instructions late is still before the entry."""
    assert delay < SEND_TO_ENTRY
    for name in (LEGACY, ZERO):
        assert unittest(name, kernels=BY_IPI, ipi_delay=delay).ok


@pytest.mark.parametrize("delay", JUST_LATE)
def test_a_self_ipi_just_too_late_has_the_right_reason_and_the_wrong_rip(delay: int) -> None:
    """At 200 the exit is the timer's, as asserted, but the guest has run: only RIP tells."""
    assert failed(unittest(LEGACY, kernels=BY_IPI, ipi_delay=delay)) == ["preemption timer with 0 value"]
    zero = unittest(ZERO, kernels=BY_IPI, ipi_delay=delay)
    bad = [line for line in zero.lines if not line.ok]
    assert len(bad) == 3
    assert all(line.text.startswith("exit PREEMPTION_TIMER at handler of 0x1+") for line in bad)


@pytest.mark.parametrize("delay", LATE)
def test_a_self_ipi_that_is_late_lets_the_guest_reach_its_vmcall(delay: int) -> None:
    """From 500 on the guest asks for stage 5; the zero test sees VMCALL instead of the timer."""
    assert failed(unittest(LEGACY, kernels=BY_IPI, ipi_delay=delay)) == [
        "preemption timer with 0 value (vmcall stage 5)"
    ]
    zero = unittest(ZERO, kernels=BY_IPI, ipi_delay=delay)
    assert "exit VMCALL" in zero.lines[1].text and not zero.lines[1].ok


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("delay", [0, 200, 2000, 200000])
def test_windows_mtf_and_expiry_do_not_need_a_forced_exit(name: str, delay: int) -> None:
    """The last column of the table: what hardware or an hrtimer brings about passes at every delay."""
    assert unittest(name, kernels=BY_IPI, ipi_delay=delay).ok


@pytest.mark.parametrize("delay", [200, 2000, 200000])
def test_a_pending_event_passes_late_only_by_the_luck_of_a_cold_page(delay: int) -> None:
    """Measured PASS at every delay: the guest's first store faults. With the page mapped the guest runs."""
    name = "vmx_pending_event_test"
    assert unittest(name, kernels=BY_IPI, ipi_delay=delay, cold=True).ok
    assert failed(unittest(name, kernels=BY_IPI, ipi_delay=delay)) == [
        "Guest did not run before host received IPI"
    ]


def test_the_recorded_run_of_the_zero_test_comes_out_line_by_line() -> None:
    """2000 instructions late with cold pages: PASS by luck, twice FAIL at the loop's VMCALL, PASS by
    intercept."""
    lines = unittest(ZERO, kernels=BY_IPI, ipi_delay=2000, cold=True).lines
    assert [line.ok for line in lines] == [True, False, False, True]
    assert all(line.text.startswith("exit VMCALL at body (") for line in lines[1:3])


@pytest.mark.parametrize(
    ("l0", "l1", "bad"),
    [
        ("v4.18", "v4.18", ["preemption timer with 0 value (vmcall stage 5)"]),
        ("d264ee0", "v4.18", ["preemption timer with 0 value (vmcall stage 5)"]),
        ("v4.18+b5861e5", "v4.18", []),
        ("v4.18", "d264ee0", []),
        ("d264ee0", "d264ee0", []),
    ],
)
def test_the_failure_that_patch_4_was_written_for(l0: str, l1: str, bad: list[str]) -> None:
    """KVM under test at L1, the test a hypervisor at L2, its guest L3: the self-IPI stays behind on V[0
    -> 1]."""
    assert failed(unittest(LEGACY, level=1, kernels=f"L0={l0},L1={l1}")) == bad


def test_pending_events_came_with_b5861e5() -> None:
    """Without it the guest runs although an interrupt waits; a halted guest is not entered and never did."""
    assert failed(unittest("vmx_pending_event_test", kernels="L0=d264ee0")) == [
        "Guest did not run before host received IPI"
    ]
    assert unittest("vmx_pending_event_test", kernels="L0=d264ee0+b5861e5").ok
    assert unittest("vmx_pending_event_hlt_test", kernels="L0=d264ee0").ok


@pytest.mark.parametrize("name", ["v4.18", "d264ee0"])
def test_before_5_7_the_timer_went_before_a_debug_trap(name: str) -> None:
    """In 4.19's order a pending #DB of L2 is dropped for L1's timer; a single-step trap gets lost."""
    assert "timer 0, #DB pending" in failed(unittest(ZERO, kernels=f"L0={name}"))
    assert failed(unittest("vmx_preemption_timer_tf_test", kernels=f"L0={name}")) == [
        "No single-step traps skipped"
    ]


def test_an_instruction_that_kvm_emulated_hid_from_mtf_before_5_6() -> None:
    """OUT exits to L0, which steps over it: 4.19's order has no MTF, L1 hears of the next exit instead."""
    assert failed(unittest("vmx_mtf_test", kernels="L0=d264ee0")) == ["MTF VM-exit after OUT"]


def test_a_halted_guest_with_an_open_window_slept_on_in_2018() -> None:
    """An entry into HLT blocks unless something is injected; nothing ever wakes it, and the test does not
    end."""
    for name in ("vmx_nmi_window_test", "vmx_intr_window_test"):
        assert not unittest(name, kernels="L0=d264ee0").finished


def test_a_result_reads_as_the_tests_print() -> None:
    """PASS or FAIL, the assertion's name, what was seen; the last line is the test's own."""
    text = repr(unittest(ZERO, kernels=BY_IPI, ipi_delay=200))
    assert text.splitlines()[0].startswith("FAIL: timer 0, #DB injected: exit PREEMPTION_TIMER at")
    assert text.splitlines()[-1] == f"FAIL {ZERO}"
    assert repr(unittest("vmx_pending_event_test")).splitlines()[-1] == "PASS vmx_pending_event_test"


@pytest.mark.parametrize(
    ("name", "knobs"),
    [
        ("vmx_preemption_timer_zero_tset", {}),
        (ZERO, {"level": -1}),
        (ZERO, {"kernels": "L1=v4.18"}),
        (ZERO, {"kernels": "L0=v3.10"}),
        (ZERO, {"ipi_delay": -1}),
    ],
)
def test_an_impossible_run_is_refused(name: str, knobs: dict[str, object]) -> None:
    """One clear error, before anything runs."""
    with pytest.raises(BadInput):
        unittest(name, **knobs)  # type: ignore[arg-type]
