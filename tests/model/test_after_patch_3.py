"""What patch 3 missed: each follow-up repairs a violation that the search finds in b95234c."""

import pytest

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.scenarios.names import scenario
from kvmlab.scenarios.posting import FIRST_VECTOR
from kvmlab.schedulers.chance import draw
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.mechanism import mechanisms
from kvmlab.schedulers.replay import replay

HUNT: dict[str, tuple[str, dict[str, object], str]] = {
    "c112b5f": ("posted-interrupts", {"sender": "vtd", "preemptions": 1}, "LOST"),
    "f27a85c": ("posted-nested", {}, "LATE"),
    "17e433b": ("directed-yield", {}, "LEAKED"),
}
"""Follow-up -> scenario, knobs, what is broken without it."""


@pytest.mark.parametrize("fix", HUNT)
def test_each_follow_up_closes_what_the_patch_left_open(fix: str) -> None:
    """b95234c breaks the property in some schedule, with the later commit no schedule does."""
    name, knobs, label = HUNT[fix]
    found = explore(scenario(name, kernel("b95234c"), **knobs))
    assert found.shortest is not None and found.shortest.property.label == label
    assert explore(scenario(name, kernel(f"b95234c+{fix}"), **knobs)).verdict == "ok"


@pytest.mark.parametrize("sender", ["kvm", "vtd"])
def test_a_posted_interrupt_for_l1_is_late_whoever_posts_it(sender: str) -> None:
    """The nested hole does not depend on the sender, nor does its repair; L2 may leave and come back."""
    for name, verdict in (("b95234c", "violated"), ("b95234c+f27a85c", "ok")):
        assert explore(scenario("posted-nested", kernel(name), sender=sender, exits=1)).verdict == verdict


@pytest.mark.parametrize(("sender", "verdict"), [("kvm", "ok"), ("vtd", "violated")])
def test_only_who_respects_sn_posts_without_on(sender: str, verdict: str) -> None:
    """Another CPU sets ON whatever SN says; VT-d keeps quiet, and the sync then finds ON=0."""
    question = scenario("posted-interrupts", kernel("b95234c"), sender=sender, preemptions=2)
    assert explore(question).verdict == verdict
    assert question.monitor is not None
    names = [found.name for found in mechanisms(question, question.monitor)]
    assert names == ([] if verdict == "ok" else ["notification suppressed by SN"])


@pytest.mark.parametrize("often", [1, 2])
def test_a_thread_loses_its_cpu_as_often_as_it_may_and_no_more(often: int) -> None:
    """In three laps one or two preemptions: some drawn schedule has them all, none has more."""
    drawn = scenario("posted-interrupts", kernel("b95234c"), sender="vtd", exits=2, preemptions=often)
    runs = [draw(drawn.system, seed) for seed in range(30)]
    assert max(run.labels.count("v:SCHED.out") for run in runs) == often


def test_a_spinning_vcpu_syncs_for_the_other_one_into_its_own_rvi() -> None:
    """The other's descriptor goes into its page, its vector into the asker's RVI; with ON=0 neither does."""
    asked = scenario("directed-yield", kernel("b95234c"))
    mine, other = asked.records["apicv"], asked.records["other"].guests[0].apicv
    cells = (other.on, other.pir, other.virr, mine.rvi)
    vector = 1 << FIRST_VECTOR
    for schedule, values in (("aavvvv", (0, 0, vector, FIRST_VECTOR)), ("av", (0, vector, 0, 0))):
        state = replay(asked.system, schedule).state
        assert tuple(state[cell] for cell in cells) == values
        assert asked.system.layout.text(asked.system.pc["v"], state) == "REQ.other"


@pytest.mark.parametrize("senders", [1, 2, 3])
def test_a_wake_is_enough_where_the_sync_is_late(senders: int) -> None:
    """Nothing is lost without the kick, and no schedule throws the guest out any more: it was useless."""
    useless = {}
    for name in ("b95234c", "b95234c+0f65a9d"):
        question = scenario("posted-interrupts", kernel(name), senders=senders)
        assert explore(question).verdict == "ok"
        labels = {move.step.label for state in _states(question) for move in question.system.enabled(state)}
        useless[name] = "EXIT.EXTERNAL_INTERRUPT" in labels
    assert useless == {"b95234c": True, "b95234c+0f65a9d": False}


def test_the_wake_would_not_do_where_the_sync_is_early() -> None:
    """Taken to v4.10's order the same edit loses: the late sync is what makes the kick needless."""
    early = kernel("v4.10+no-event+0f65a9d")
    assert explore(scenario("posted-interrupts", early)).verdict == "violated"


def test_a_kernel_without_these_surroundings_is_refused() -> None:
    """v4.10's check of nested events is another one, so the scenario refuses it."""
    with pytest.raises(BadInput, match="not for posted-nested"):
        scenario("posted-nested", kernel("v4.10"))


def _states(question):  # type: ignore[no-untyped-def]
    seen, todo = {question.system.start}, [question.system.start]
    while todo:
        state = todo.pop()
        yield state
        for move in question.system.enabled(state):
            work = list(state)
            move.carry_out(work)
            if (after := tuple(work)) not in seen:
                seen.add(after)
                todo.append(after)
