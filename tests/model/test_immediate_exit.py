"""Patch 1 in the model: verdicts, laps, where L2 stands at its exit; kvm.md's checks for nested entry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvmlab.errors import BadInput
from kvmlab.kernels.names import LISTED, kernel
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.machine.run import Run
from kvmlab.processor.records import BODY, handler
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.clock import clocked
from kvmlab.schedulers.explore import Exploration, explore
from kvmlab.schedulers.readable import fewest_switches
from kvmlab.schedulers.replay import replay


def verdict(name: str, **knobs: object) -> Exploration:
    """Explore the scenario on a kernel."""
    return explore(immediate_exit(kernel(name), **knobs))  # type: ignore[arg-type]


def timed(name: str, **knobs: object) -> tuple[Scenario, Run]:
    """Run the scenario by the clock."""
    scenario = immediate_exit(kernel(name), **knobs)  # type: ignore[arg-type]
    return scenario, clocked(scenario.system, limit=50_000)


def until(run: Run, label: str) -> Run:
    """Return the run up to and including the first step called ``label``."""
    n = [step.move.step.label for step in run.steps].index(label)
    return Run(run.system, run.steps[: n + 1])


ABLE = [name for name in LISTED if "immediate-exit" in kernel(name).scope]

VERDICTS = {
    ("v3.2", False): "L2_RAN",
    ("v3.2", True): "L2_RAN",
    ("v3.2+fake-exit", False): "LOST",
    ("v3.2+fake-exit", True): "LOST",
    ("d6185f2", False): None,
    ("d6185f2", True): "L2_RAN",
    ("d6185f2+mtf", False): "L2_RAN",
    ("d6185f2+mtf", True): "L2_RAN",
    ("d6185f2+ack-top-vector", False): None,
    ("d6185f2+ack-top-vector", True): "L2_RAN",
    ("v3.10", False): None,
    ("v3.10", True): "L2_RAN",
    ("v3.10+8081ad0", False): None,
    ("v3.10+8081ad0", True): None,
}


def test_every_kernel_of_the_course_has_a_verdict_to_meet() -> None:
    """The table names each listed kernel, with and without a canceller."""
    assert {name for name, _ in VERDICTS} == set(ABLE)
    assert len(VERDICTS) == 2 * len(ABLE)


@pytest.mark.parametrize(("name", "cancel"), VERDICTS)
def test_verdicts(name: str, cancel: bool) -> None:
    """Trying every schedule gives the verdicts that the kernel's history tells."""
    found = verdict(name, cancel=cancel)
    assert found.complete
    assert (found.shortest and found.shortest.property.label) == VERDICTS[name, cancel]


def test_the_cancel_bug_needs_an_entry_that_injects_nothing() -> None:
    """v3.10's cancel_injection re-raises EVENT when it takes an injection back, which hides the bug."""
    assert verdict("v3.10", cancel=True, inject=True).verdict == "ok"
    assert verdict("v3.10", cancel=True, inject=False).verdict == "violated"


def test_in_2011_the_cancel_bug_did_not_care() -> None:
    """d6185f2's cancel_injection leaves L2's injection alone: both kinds of entry forget the wish."""
    assert verdict("d6185f2", cancel=True, inject=True).verdict == "violated"
    assert verdict("d6185f2", cancel=True, inject=False).verdict == "violated"


def test_mtf_is_exact_only_when_something_is_injected() -> None:
    """Without an injection the monitor trap flag lets one instruction through."""
    assert verdict("d6185f2+mtf", inject=True).verdict == "ok"
    assert verdict("d6185f2+mtf", inject=False).verdict == "violated"


def test_the_made_up_exit_loses_only_what_was_injected() -> None:
    """Faking the exit is harmless when L1 injects nothing."""
    assert verdict("v3.2+fake-exit", inject=False).verdict == "ok"
    assert verdict("v3.2+fake-exit", inject=True).shortest.property.label == "LOST"  # type: ignore[union-attr]


def test_a_half_delivered_event_survives_in_2011() -> None:
    """With a delivery that faults, d6185f2 still delivers 0x31 once and lets L2 execute nothing."""
    assert verdict("d6185f2", faults=1).verdict == "ok"
    assert verdict("d6185f2", faults=2).verdict == "ok"


@pytest.mark.parametrize(("name", "laps"), [("d6185f2", 3), ("v3.10", 2), ("v3.10+8081ad0", 2)])
@pytest.mark.parametrize("inject", [True, False])
def test_laps_until_l1_runs(name: str, laps: int, inject: bool) -> None:
    """The request bit cancels its own first lap: three laps in d6185f2, two with a return value."""
    _, run = timed(name, inject=inject, after=5)
    assert until(run, "L1.EXITED").count("REQ.other") == laps


@given(st.integers(0, 300), st.booleans())
def test_before_the_patch_l2_runs_for_as_long_as_it_likes(k: int, inject: bool) -> None:
    """In v3.2 L2 executes k instructions for any k before L1 hears of 0x40."""
    scenario, run = timed("v3.2", inject=inject, after=k)
    last = until(run, "EXIT.reflect").state
    l2 = scenario.records["l2"]
    base = handler(0x31) if inject else BODY
    assert (last[l2.insns], last[l2.rip]) == (k, base + k)


@given(st.integers(0, 300), st.booleans(), st.sampled_from(["d6185f2", "v3.10", "v3.10+8081ad0"]))
def test_with_the_patch_l2_stands_at_its_first_instruction(k: int, inject: bool, name: str) -> None:
    """L2's exit is EXTERNAL_INTERRUPT with 0 instructions, RIP at the handler of 0x31 if injected."""
    scenario, run = timed(name, inject=inject, after=k)
    last = until(run, "NESTED_VMEXIT").state
    l2, text = scenario.records["l2"], scenario.system.layout.text
    assert text(l2.vmcs.reason, last) == "EXTERNAL_INTERRUPT"
    assert (last[l2.insns], last[l2.rip]) == (0, handler(0x31) if inject else BODY)
    assert last[l2.delivered] == int(inject)


def test_a_pending_interrupt_leaves_after_the_injection_and_before_any_instruction() -> None:
    """K.4: a vector pending at entry gives exit 1 with RIP at the injected handler."""
    scenario, run = timed("d6185f2", inject=True, after=3)
    labels = until(run, "EXIT.EXTERNAL_INTERRUPT").labels
    assert labels[-3:] == ["v:CHECK_IMMEDIATE", "v:VMENTRY", "g:EXIT.EXTERNAL_INTERRUPT"]
    assert run.steps[len(labels) - 2].after[scenario.records["l2"].rip] == handler(0x31)


@pytest.mark.parametrize("name", [name for name in ABLE if "fake" not in name])
def test_no_exit_of_l2_is_made_up_while_its_entry_is_owed(name: str) -> None:
    """K.11: in every reachable state with nested_run_pending set, NESTED_VMEXIT is not enabled."""
    scenario = immediate_exit(kernel(name), cancel=True)
    pending = scenario.records["vcpu"].nested_run_pending
    for state in reachable(scenario):
        enabled = {move.step.label for move in scenario.system.enabled(state)}
        assert not (state[pending] and "NESTED_VMEXIT" in enabled)


def test_the_first_real_exit_of_l2_ends_the_debt() -> None:
    """K.11: RUN_PENDING after an exit of L2 clears nested_run_pending and raises KVM_REQ_EVENT."""
    scenario, run = timed("d6185f2", inject=True, after=3)
    vcpu = scenario.records["vcpu"]
    ends = [s for s in run.steps if s.before[vcpu.nested_run_pending] > s.after[vcpu.nested_run_pending]]
    assert [(s.label, bool(s.after[vcpu.requests] & KVM_REQ_EVENT)) for s in ends] == [
        ("v:RUN_PENDING", True)
    ]


def test_event_survives_a_cancelled_entry_only_with_the_fix() -> None:
    """K.11: after a cancel with an immediate exit decided, KVM_REQ_EVENT is set in 2020 and not before."""
    cancelled = "m1vvvvdvvvvvvvvavvvv"
    for name, survives, more in (("v3.10", False, ""), ("v3.10+8081ad0", True, "v")):
        scenario = immediate_exit(kernel(name), cancel=True)
        run = replay(scenario.system, cancelled + more)
        assert run.labels[-1] == "v:CANCEL.inject"
        assert bool(run.state[scenario.records["vcpu"].requests] & KVM_REQ_EVENT) is survives


def test_the_whole_story_ends_in_l1s_handler() -> None:
    """On the clock every kernel brings 0x40 to L1 in the end; only when, and what is lost, differ."""
    for name in ABLE:
        scenario, run = timed(name, inject=True, after=4)
        assert run.labels[-1] == "m:L1.HANDLER"
        assert scenario.done(run.state)


def test_a_schedule_replays_on_another_kernel_up_to_where_they_part() -> None:
    """v3.2's counterexample runs on d6185f2 until the patch is in its way, and the run says so."""
    lost = verdict("v3.2").shortest
    assert lost is not None
    run = replay(immediate_exit(kernel("d6185f2")).system, lost.schedule)
    assert run.labels[:8] == list(lost.labels[:8])
    assert "step 17: g (L2, its guest) cannot move" in run.stopped


def test_the_readable_counterexample_is_as_short_and_calmer() -> None:
    """Fewest switches of actor among the shortest: same length, same verdict, no more switches."""
    scenario = immediate_exit(kernel("d6185f2"), cancel=True)
    found = explore(scenario).shortest
    assert found is not None
    calm = fewest_switches(scenario.system, found.property.broken, len(found.labels) - 1)
    run = replay(scenario.system, calm)
    assert (len(run.steps), bool(found.property.broken(run.state))) == (len(found.labels) - 1, True)
    assert switches(calm) <= switches(found.schedule)


def switches(text: str) -> int:
    """Count changes of actor in a schedule."""
    letters = [c for c in text if c.isalpha()]
    return sum(a != b for a, b in zip(letters, letters[1:], strict=False))


def reachable(scenario: Scenario) -> set[tuple[int, ...]]:
    """Return every reachable state, found without the explorer."""
    seen, todo = {scenario.system.start}, [scenario.system.start]
    while todo:
        state = todo.pop()
        for move in scenario.system.enabled(state):
            work = list(state)
            move.carry_out(work)
            if (after := tuple(work)) not in seen:
                seen.add(after)
                todo.append(after)
    return seen


def test_impossible_knobs_are_refused() -> None:
    """A negative count is one clear error."""
    with pytest.raises(BadInput, match="0 or more"):
        immediate_exit(kernel("v3.2"), after=-1)
