"""Zero at the deadline: where its rows come from, what they say of the alarm, and what the foot says."""

from fractions import Fraction
from functools import cache

import pytest

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.scenarios.latency import tscdeadline_latency
from kvmlab.schedulers.measure import measure
from kvmlab.schedulers.profile import Status
from kvmlab.schedulers.profiles.hsw16 import HSW16
from kvmlab.show.alarm import Stretch
from kvmlab.show.deadline import DeadlineView, Row, amount
from kvmlab.show.deadline_rows import ROUND, rows

GUESTS = ("busy", "halt")
NO_SWITCH, NO_CANCEL = "64672c9 - pre_block()", "64672c9 - SW.cancel_hv"


@cache
def shown(guest: str, *kernels: str) -> DeadlineView:
    """Return the view, made once."""
    return rows(guest, *kernels)


def holders(row: Row) -> list[tuple[str, ...]]:
    """Return who had the alarm up to the deadline, one after the other."""
    seen: list[tuple[str, ...]] = []
    for one in row.before:
        if one.holders and seen[-1:] != [one.holders]:
            seen.append(one.holders)
    return seen


@pytest.mark.parametrize("guest", GUESTS)
@pytest.mark.parametrize("name", ["v4.7", "64672c9"])
def test_the_costs_are_the_measurement(guest: str, name: str) -> None:
    """End to end they are the clock's mean, parameter by parameter: nothing is typed in."""
    found = measure(tscdeadline_latency(kernel(name), guest=guest, samples=ROUND), HSW16)
    row = rows(guest, name).before
    assert row.total == found.mean
    assert row.by_parameter() == found.parameters


def test_a_busy_guest_keeps_the_alarm_on_the_preemption_timer() -> None:
    """From nobody to whoever holds it until the deadline; behind it only the host's interrupt is missing."""
    view = shown("busy", "v4.7", "64672c9")
    assert view.after is not None
    assert holders(view.before) == [("nobody",), ("hrtimer",)]
    assert holders(view.after) == [("nobody",), ("preemption timer",)]
    assert view.before.of("host") > 0 == view.after.of("host")
    assert {cost.stage for cost in view.before.costs} - {cost.stage for cost in view.after.costs} == {"host"}


def test_a_halt_takes_the_alarm_to_the_hrtimer() -> None:
    """The line hops before the thread waits, and the host's interrupt is back."""
    view = shown("halt", "v4.7", "64672c9")
    assert view.after is not None
    assert holders(view.after) == [("nobody",), ("preemption timer",), ("nobody",), ("hrtimer",)]
    assert view.after.before[-1].who == "polls" and view.after.rings == ("hrtimer",)
    assert view.before.of("host") == view.after.of("host") > 0


@pytest.mark.parametrize("guest", GUESTS)
def test_the_difference_is_explained_to_the_cycle(guest: str) -> None:
    """The stages that differ add up to it; the foot names each of them."""
    view = shown(guest, "v4.7", "64672c9")
    assert view.after is not None and view.difference is not None
    stages = {cost.stage for row in view.rows for cost in row.costs}
    changes = {stage: view.after.of(stage) - view.before.of(stage) for stage in stages}
    assert sum(changes.values()) == view.difference == view.after.total - view.before.total
    assert all(f"{stage} {amount(change)}" in view.foot for stage, change in changes.items() if change)
    assert f"{amount(view.difference)} (" in view.foot


def test_another_machine_gives_another_picture() -> None:
    """Without the core of hrtimer_interrupt the gain is smaller by that; its status is the machine's."""
    other = rows("busy", "v4.7", "64672c9", profile=HSW16.derive(HRT_INT=0, HW_EXIT=400))
    gain = shown("busy", "v4.7", "64672c9").difference
    assert other.difference is not None and gain is not None
    assert other.difference - gain == HSW16.parameters["HRT_INT"].cycles
    assert {cost.status for cost in other.before.costs if cost.parameter == "HRT_INT"} == {Status.ASSUMED}


def test_without_the_switch_nobody_has_the_alarm() -> None:
    """The preemption timer stays set while the thread sleeps, in vain; a busy guest is well."""
    row = shown("halt", "v4.7", NO_SWITCH).after
    assert row is not None and row.broken == "LOST" and not row.costs
    assert row.rings == ("nobody",) and row.before[-1].idle
    assert {one.came for one in row.alarm} == {0}
    assert not shown("busy", "v4.7", NO_SWITCH).rows[1].broken


def test_a_switch_that_cancels_nothing_has_two_alarms() -> None:
    """Both timers are set for one deadline, and the interrupt is given twice."""
    row = shown("halt", "v4.7", NO_CANCEL).after
    assert row is not None and row.broken == "TWICE"
    assert row.before[-1].idle and row.rings == ("hrtimer",)
    assert [one.came for one in row.alarm][-1] == 2
    assert any(one.holders == ("hrtimer", "preemption timer") for one in row.before)


def test_who_goes_wrong_has_no_difference() -> None:
    """What never comes cannot be compared; what has one row neither."""
    assert shown("halt", "v4.7", NO_SWITCH).difference is None
    assert shown("busy", "v4.7").difference is None
    assert "LOST" in shown("halt", "v4.7", NO_SWITCH).foot


@pytest.mark.parametrize(
    ("hrtimer", "hv", "waits", "wanted", "who"),
    [
        (True, False, True, True, ("hrtimer",)),
        (True, True, False, True, ("hrtimer", "preemption timer")),
        (False, True, True, True, ("nobody",)),
        (False, True, False, True, ("preemption timer",)),
        (False, False, False, True, ("nobody",)),
        (False, False, False, False, ()),
    ],
)
def test_who_will_ring(hrtimer: bool, hv: bool, waits: bool, wanted: bool, who: tuple[str, ...]) -> None:
    """A preemption timer does not count while the thread waits; where nothing is due nobody is missed."""
    one = Stretch("polls" if waits else "KVM", hrtimer, hv, wanted, waits, 0, False)
    assert one.holders == who
    assert one.idle == (hv and waits)


def test_a_number_is_printed_with_its_sign() -> None:
    """A minus is one, and no number is nothing."""
    assert [amount(Fraction(n)) for n in (-781, 0, 20)] == ["−781", "0", "+20"]


def test_what_it_refuses() -> None:
    """A kernel, a step of it, or a guest that does not exist."""
    with pytest.raises(BadInput, match="did you mean 64672c9"):
        rows("busy", "64672c8")
    with pytest.raises(BadInput, match="no switch step HV.never"):
        rows("busy", "64672c9 - HV.never")
    with pytest.raises(BadInput, match="guest sleepy"):
        rows("sleepy", "v4.7")
