"""What every step of the switch between the two timers is for."""

import pytest

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.kernels.timers import switch_steps
from kvmlab.labs.ablations import Ablations, ablations
from kvmlab.scenarios.hv_timer import hv_timer
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.mechanism import OTHER

KERNELS = ("64672c9", "v4.10", "v4.19", "v6.1")


@pytest.fixture(scope="module", params=KERNELS)
def table(request: pytest.FixtureRequest) -> Ablations:
    """Return the ablations of one kernel."""
    return ablations(kernel(request.param), wakes=0)


def test_every_step_of_the_switch_has_a_row_with_the_explorers_verdict(table: Ablations) -> None:
    """A row is what the explorer finds without that step, and the whole kernel what it finds with all."""
    assert tuple(row.without for row in table.rows) == switch_steps(kernel(table.kernel))
    for row in (table.whole, *table.rows[::5]):
        found = explore(hv_timer(kernel(table.kernel), wakes=0, without=[row.without] if row.without else ()))
        assert (bool(row.label), row.states) == (found.verdict == "violated", found.states)


def test_what_breaks_has_a_named_mechanism(table: Ablations) -> None:
    """No step's loss is left unexplained."""
    assert all(bool(row.label) == bool(row.mechanism) and row.mechanism != OTHER for row in table.rows)


def test_without_the_switch_on_hlt_the_guest_sleeps_on(table: Ablations) -> None:
    """In every release KVM must go back to the hrtimer when the guest halts: the timer counts inside only."""
    (row,) = (row for row in table.rows if row.without == "switch_to_sw_timer()")
    assert (row.label, row in table.needed) == ("LOST", True)


def test_what_the_whole_kernel_breaks_by_is_no_steps_merit() -> None:
    """v4.10 fires for a deadline that was taken back; such a row is not counted as needed."""
    table = ablations(kernel("v4.10"), wakes=0, rewrite="off")
    assert table.whole.label
    assert all(
        (row.label, row.mechanism) != (table.whole.label, table.whole.mechanism) for row in table.needed
    )
    assert "as it breaks anyway" in repr(table)


def test_a_kernel_before_the_patch_has_no_switch() -> None:
    """v4.7 has one timer, so nothing to leave out; a knob that cannot be is refused all the same."""
    assert ablations(kernel("v4.7")).rows == ()
    with pytest.raises(BadInput, match="wakes"):
        ablations(kernel("v4.7"), wakes=9)
