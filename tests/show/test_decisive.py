"""Decisive steps: what ①②③ stand beside comes out of the run, not out of a list."""

import pytest

from kvmlab.kernels.names import kernel
from kvmlab.labs.deferral import judge
from kvmlab.machine.run import Run
from kvmlab.scenarios.levels import levels
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.readable import fewest_switches
from kvmlab.schedulers.replay import replay
from kvmlab.show.decisive import PER_ACTOR, verdict
from tests.show.stories import CANCELLED, CASES, FIRST, LATE, counterexample, runs, scenario


def decided(name: str, what: str = FIRST) -> list[str]:
    """Return the labels of the decisive steps of the shortest counterexample."""
    run = counterexample(what, name)
    assert run is not None
    found = verdict(scenario(name, what), run)
    return [run.labels[n - 1] for n in found.steps] if found else []


def test_before_patch_1_the_request_is_used_up() -> None:
    """On v3.2: 0x40 arrives, its KVM_REQ_EVENT is taken, L2 is entered, L2 runs."""
    assert decided("v3.2") == ["d:IRQ_0x40", "v:CHECK_EVENT", "v:VMENTRY", "g:INSN"]


def test_the_faked_exit_is_what_loses_the_injection() -> None:
    """On v3.2+fake-exit the made-up exit cleared what L1 had injected, and L1 runs again."""
    kernel_took = ["v:CHECK_EVENT", "v:NESTED_VMEXIT", "v:VMENTRY"]
    assert decided("v3.2+fake-exit") == ["m:VMRESUME+0x31", "d:IRQ_0x40", *kernel_took]


def test_the_thread_that_kicks_is_named() -> None:
    """On v3.10 the other thread's request takes part, though the verdict reads no request."""
    assert "a:REQUEST" in decided("v3.10", CANCELLED)


@pytest.mark.parametrize("name", ("d6185f2", "v3.10"))
def test_with_a_canceller_both_requests_are_followed(name: str) -> None:
    """KVM_REQ_EVENT is used up by the first lap, the canceller's request by the second."""
    two_laps = ["d:IRQ_0x40", "v:CHECK_EVENT", "a:REQUEST", "v:REQ.other"]
    assert decided(name, CANCELLED) == [*two_laps, "v:VMENTRY", "g:INSN"]


def test_the_ipi_that_the_host_took_is_named() -> None:
    """Sent with IF=1, the self-IPI is eaten before the entry."""
    judged = judge("self-IPI before irq_off")
    run = replay(judged.scenario.system, judged.schedule)
    found = verdict(judged.scenario, run)
    assert found is not None
    assert "h:IRQ.reschedule" in [run.labels[n - 1] for n in found.steps]


@pytest.mark.parametrize(
    ("knobs", "steps"),
    [
        (
            {"levels": 2, "methods": "L0=timer0,L1=ipi"},
            ["A:CHECK_IMMEDIATE", "v:CHECK_EVENT", "v:VMENTRY", "g:INSN"],
        ),
        (
            {"levels": 1, "cancel": True},
            ["v:CHECK_EVENT", "a:REQUEST", "v:REQ.other", "v:VMENTRY", "g:INSN"],
        ),
    ],
)
def test_a_promise_that_was_not_kept_names_who_asked_and_who_used_it_up(
    knobs: dict[str, object], steps: list[str]
) -> None:
    """L1's IPI and L0's look that came too early; or the EVENT of the lap that was called off."""
    which = levels(kernel("d264ee0"), **knobs)
    worst = explore(which).shortest
    assert worst is not None
    run = replay(which.system, fewest_switches(which.system, worst.property.broken, len(worst.labels) - 1))
    found = verdict(which, run)
    assert found is not None and [run.labels[n - 1] for n in found.steps] == steps


@pytest.mark.parametrize(("what", "name"), CASES)
def test_the_last_decisive_step_is_the_one_with_the_verdict(what: str, name: str) -> None:
    """Steps are in order, end with the verdict's own, and are few for each actor."""
    for run in runs(what, name):
        found = verdict(scenario(name, what), run)
        if found:
            letters = [run.steps[n - 1].move.actor.letter for n in found.steps]
            assert list(found.steps) == sorted(set(found.steps)) and found.steps[-1] == found.at
            assert max(map(letters.count, letters)) <= PER_ACTOR


def test_the_first_violation_is_the_verdict() -> None:
    """A run that goes on after its verdict keeps it."""
    run = replay(scenario("v3.2").system, LATE + "gg")
    found = verdict(scenario("v3.2"), run)
    assert found is not None and (found.label, found.at) == ("L2_RAN", len(LATE))


def test_no_violation_no_verdict() -> None:
    """Before the last step there is none."""
    run = replay(scenario("v3.2").system, LATE)
    assert verdict(scenario("v3.2"), Run(run.system, run.steps[:-1])) is None
