"""Why a unit test fails: every failure of a listed kernel has a reason, and what passes has none."""

import pytest

from kvmlab.kernels.names import LISTED, kernel
from kvmlab.labs.unittest import unittest
from kvmlab.labs.unittest_why import why
from kvmlab.scenarios.unittests.scenario import TESTS

TESTED = [name for name in LISTED if "levels" in kernel(name).scope]
BY_IPI = "v6.1+noapicv+preemption-timer=0"


def reasons(name: str, *on: str, ipi_delay: int = 0, cold: bool = False) -> tuple[str, ...] | None:
    """Return why a test fails on these kernels, from level 0 on; ``None`` if it passes, for no reason."""
    knobs = {"level": len(on) - 1, "cpus": "", "ipi_delay": ipi_delay, "cold": cold}
    kernels = ",".join(f"L{n}={each}" for n, each in enumerate(on))
    result = unittest(name, kernels=kernels, **knobs)  # type: ignore[arg-type]
    found = why(result, dict(enumerate(on)), **knobs)
    assert not (result.ok and found)
    return None if result.ok else found


@pytest.mark.parametrize("on", [*TESTED, BY_IPI])
def test_every_failure_has_a_reason(on: str) -> None:
    """Whatever the kernel lacks, and however late the IPI."""
    for name in TESTS:
        for delay, cold in ((0, False), (2000, False), (2000, True)):
            assert reasons(name, on, ipi_delay=delay, cold=cold) != (), (name, delay, cold)


MIXES = (
    ("v4.18", "v6.1"),
    ("v6.1", "v4.18"),
    ("d264ee0", "v4.18"),
    ("v4.19", "v6.1", "v4.19"),
    ("v4.18", "v4.18", "v4.18"),
    ("v6.1", "v6.1", "v6.1"),
)


@pytest.mark.parametrize("on", [*((each, each) for each in (*TESTED, BY_IPI)), *MIXES])
def test_every_failure_above_level_0_has_a_reason(on: tuple[str, ...]) -> None:
    """One kernel at every level, or several; what is missed may be a lower one's to do."""
    for name in TESTS:
        assert reasons(name, *on) != (), name


def test_two_kernels_may_have_to_be_mended() -> None:
    """At level 1 5.10's order holds the timer back behind each trap; the exit in between is L0's to force."""
    found = reasons("vmx_preemption_timer_tf_test", "v4.18", "v4.18")
    assert found == ("known: with +b5861e5 and +order=v5.10, not with one of them, fewer fail",)


@pytest.mark.parametrize(
    ("name", "on", "says"),
    [
        ("vmx_pending_event_test", "d264ee0", "with +b5861e5"),
        ("vmx_preemption_timer_zero_test", "v4.19", "with +order=v5.10"),
        ("vmx_preemption_timer_tf_test", "v4.18", "with +order=v5.10"),
        ("vmx_nmi_window_test", "v4.19", "it sleeps, though the window is open"),
        ("vmx_mtf_test", "v4.19", "not shown to an L1 with MTF"),
    ],
)
def test_what_a_kernel_lacks(name: str, on: str, says: str) -> None:
    """One line, and the edit that mends it where there is one."""
    found = reasons(name, on)
    assert found is not None and len(found) == 1 and says in found[0]


@pytest.mark.parametrize(("cold", "lines"), [(False, 2), (True, 1)])
def test_a_late_ipi_is_the_reason_and_cold_is_hinted_at(cold: bool, lines: int) -> None:
    """Where cold pages would let it pass by luck that is said, once."""
    found = reasons("vmx_preemption_timer_zero_test", BY_IPI, ipi_delay=2000, cold=cold)
    assert found is not None and len(found) == lines
    assert "2000 instructions late" in found[0] and all("--cold" in line for line in found[1:])
