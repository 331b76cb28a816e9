"""vmexit.flat: what was measured comes out again, what was not is predicted, and the misses are shown."""

from dataclasses import replace
from fractions import Fraction

import pytest
from costs_bench import made, mean, measured

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.scenarios.benches import bench
from kvmlab.scenarios.published import FIGURES, FLAT, UNIT
from kvmlab.scenarios.vmexit import CASES, vmexit
from kvmlab.schedulers.measure import TIME, measure
from kvmlab.schedulers.profiles.hsw16 import HSW16
from kvmlab.show.published import Published

TABLE = Published(HSW16)
MISS = {miss.figure.name: miss.percent for miss in TABLE.misses}


@pytest.mark.parametrize("figure", [f for f in FIGURES if f.source == FLAT], ids=lambda f: f.name)
def test_the_totals_that_gave_the_handlers_their_numbers_come_out_again(figure: object) -> None:
    """Within 2 %: the look at an unarmed preemption timer is in them already, the PM timer is QEMU's too."""
    assert 0 <= MISS[figure.name] < 2  # type: ignore[attr-defined]


def test_before_patch_2_they_come_out_exactly() -> None:
    """One exit, one handler, one entry."""
    for figure in FIGURES:
        if figure.source == FLAT and figure.case != "inl_from_pmtimer":
            assert mean("vmexit", "v4.7", case=figure.case, rounds=4) == figure.cycles


def test_three_of_the_four_totals_that_were_never_fitted_are_within_15_percent() -> None:
    """All four are too small, the fourth by 18 %: nobody waits in it, so nothing counts as cold."""
    unit = {f.name: MISS[f.name] for f in FIGURES if f.source == UNIT}
    assert all(-15 < miss < 0 for name, miss in unit.items() if name != "tscdeadline_immed, without")
    assert round(unit["tscdeadline_immed, without"]) == -18


def test_the_gain_of_the_preemption_timer_is_no_constant() -> None:
    """A year later it was 1200, not 800: the model stays near 800, and its table says so."""
    said, got = TABLE.difference("tscdeadline")
    assert (said, abs(got - 800) <= 32) == (1200, True)
    assert "tscdeadline: the two differ by              1200         788   -34.3 %" in repr(TABLE)


def test_one_exit_of_the_preemption_timer_is_a_round_trip() -> None:
    """What its avoidance saved, 1200, comes out within 5 %."""
    said, got = TABLE.difference("tscdeadline_immed")
    assert abs(got - said) <= said / 20


def test_the_table_fits_a_page() -> None:
    """80 columns at most, every figure in it."""
    text = repr(TABLE)
    assert max(map(len, text.splitlines())) <= 80
    assert all(figure.name in text for figure in FIGURES)


@pytest.mark.parametrize(
    ("case", "exits"),
    [
        ("mov_to_cr8", {}),
        ("self_ipi_sti_nop", {"MSR_WRITE": 4}),
        ("self_ipi_sti_hlt", {"MSR_WRITE": 4, "HLT": 4}),
        ("self_ipi_tpr", {"MSR_WRITE": 4}),
        ("x2apic_self_ipi_sti_nop", {}),
        ("x2apic_self_ipi_sti_hlt", {"HLT": 4}),
        ("inl_from_qemu", {"IO_INSTRUCTION": 4}),
        ("tscdeadline", {"MSR_WRITE": 4, "PREEMPTION_TIMER": 4}),
        ("tscdeadline_immed", {"MSR_WRITE": 4, "PREEMPTION_TIMER": 4}),
    ],
)
def test_a_round_exits_as_often_as_it_must(case: str, exits: dict[str, int]) -> None:
    """ICR exits, SELF_IPI, TPR and EOI do not; an immediate deadline costs an exit in v4.10 and b95234c."""
    assert measured("vmexit", "b95234c", case=case, rounds=4).counts == exits


def test_a_halt_with_an_interrupt_pending_does_not_sleep() -> None:
    """sti; hlt: KVM finds the interrupt and enters again."""
    steps = measured("vmexit", "b95234c", case="self_ipi_sti_hlt", rounds=4).steps
    assert not steps.keys() & {"POLL.end", "POLL.adapt", "SCHEDULE.in", "GAP.cold"}


def test_patch_4s_kernel_expires_a_past_deadline_without_an_exit() -> None:
    """v4.19 notices that nothing is left and enters only once."""
    later = measured("vmexit", "v4.19", case="tscdeadline_immed", rounds=4)
    assert later.counts == {"MSR_WRITE": 4}


@pytest.mark.parametrize("case", sorted(CASES))
def test_the_items_add_up_and_every_round_is_alike(case: str) -> None:
    """The items make the mean, to the cycle, and nothing drifts."""
    m = measured("vmexit", "v4.19", case=case, rounds=4)
    assert sum((item.cycles for item in m.items), Fraction(0)) == m.mean
    assert case == "ipi_running" or m.min == m.max


def test_bad_knobs_are_one_line_that_says_what_to_do() -> None:
    """A case, a measurement, a knob or a kernel that does not exist or fit."""
    for build, says in (
        (lambda: made("vmexit", "v4.10", case="cpuidd"), "unknown case cpuidd; did you mean cpuid?"),
        (lambda: made("vmexitt", "v4.10"), "unknown measurement vmexitt; did you mean vmexit?"),
        (lambda: made("cyclictest", "v4.10", speed=1), "cyclictest has no knob speed; it has guest"),
        (lambda: made("cyclictest", "v3.2"), "v3.2 cannot be measured; v4.7 and later with APICv can"),
        (lambda: made("cyclictest", "v4.10", guest="busy"), "guest busy: one of idle-poll, halt"),
        (lambda: made("vmexit", "v4.10", case="cpuid", rounds=0), "rounds: 1 or more"),
    ):
        with pytest.raises(BadInput, match=says.replace("?", r"\?")):
            build()


def test_another_machine_gives_other_totals() -> None:
    """A number turned up by a learner is in every total that has its step, and in no other."""
    mine = HSW16.derive(H_CPUID=1163)
    assert measure(bench("vmexit", kernel("v4.10"), case="cpuid", rounds=2), mine).mean == 2319
    assert measure(bench("vmexit", kernel("v4.10"), case="vmcall", rounds=2), mine).mean == 1201


def test_an_ipi_to_a_halted_vcpu_ends_a_poll() -> None:
    """The sender's half up to the post, and the target's from its poll to its handler: one way."""
    m = measured("vmexit", "v4.7", case="ipi", rounds=4)
    assert {"POST.pir", "POLL.end", "POLL.adapt", "VIRTUAL_INTERRUPT"} <= m.steps.keys()
    assert not m.steps.keys() & {"WIRE.notify", "POSTED.notify", TIME}
    assert m.counts == {"MSR_WRITE": 4, "HLT": 4}
    assert sum(item.cycles for item in m.items) == m.mean
    halting = measured("vmexit", "v4.7", case="ipi_halt", rounds=4)
    assert (halting.mean - m.mean, halting.parameters[TIME]) == (2000, 2000)


def test_an_ipi_to_a_running_vcpu_takes_the_wire_and_no_exit_there() -> None:
    """The notification is processed by the CPU: only the sender exits."""
    m = measured("vmexit", "b95234c", case="ipi_running", rounds=4)
    assert {"POST.icr", "WIRE.notify", "POSTED.notify"} <= m.steps.keys()
    assert m.counts == {"MSR_WRITE": 4}
    assert sum(item.cycles for item in m.items) == m.mean < mean("vmexit", "b95234c", case="ipi", rounds=4)


@pytest.mark.parametrize(("on", "too_many"), [("v4.7", 0), ("v4.10", 1), ("v4.19", 0), ("v6.1", 0)])
def test_v4_10_pays_for_the_first_halt_with_an_exit_too_many(on: str, too_many: int) -> None:
    """Behind a halt it arms its timer for a deadline that nobody has set; the guest's timer is masked, so
    that expiry stays pending, and no later halt arms (read in 4.10.17, lapic.c start_hv_timer)."""
    first = replace(vmexit(kernel(on), case="ipi", rounds=4), skip=0)
    assert measure(first, HSW16).counts["PREEMPTION_TIMER"] == too_many
    assert "PREEMPTION_TIMER" not in measured("vmexit", on, case="ipi", rounds=4).counts
