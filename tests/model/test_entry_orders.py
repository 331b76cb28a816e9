"""Every order of the entry path: who can lose, by which mechanism, and that bare and whole path agree."""

from itertools import permutations

import pytest

from kvmlab.kernels.names import kernel
from kvmlab.kernels.orders import NODES, parse_order, reordered
from kvmlab.kernels.step_table import step_table as bare_path
from kvmlab.machine.state import State
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.scenarios.scenario import Scenario
from kvmlab.scenarios.table import step_table
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.mechanism import mechanisms

SIX = [",".join(order) for order in permutations(("irq_off", "mode", "sync"))]
NOBODY, EATEN = "kick that found nobody", "notification eaten by the host"


def before(order: str, a: str, b: str) -> bool:
    """Return whether ``a`` stands before ``b``."""
    names = order.split(",")
    return names.index(a) < names.index(b)


def safe(order: str, sender: str) -> bool:
    """The rule: the sync, which reads ON, comes after all that decides where a notification goes."""
    software = before(order, "mode", "sync")
    return before(order, "irq_off", "sync") and (sender == "vtd" or software)


def bare(order: str, event: str = "none", **knobs: object) -> Scenario:
    """Return the step table in an order."""
    return step_table(bare_path(parse_order(order, event)), **knobs)  # type: ignore[arg-type]


def whole(order: str, **knobs: object) -> Scenario:
    """Return v4.10 without the request, its steps in another order."""
    moved = reordered(kernel("v4.10+no-event"), parse_order(order))
    return posted_interrupts(moved, **knobs)  # type: ignore[arg-type]


@pytest.mark.parametrize("sender", ["kvm", "vtd"])
@pytest.mark.parametrize("senders", [1, 2])
@pytest.mark.parametrize("order", SIX)
def test_the_rule_behind_the_table(order: str, senders: int, sender: str) -> None:
    """Of the six orders two are safe for another CPU, three for VT-d, as the rule says; bare and whole."""
    expected = "ok" if safe(order, sender) else "violated"
    assert explore(bare(order, sender=sender, senders=senders)).verdict == expected
    assert explore(whole(order, sender=sender, senders=senders)).verdict == expected


def test_both_kinds_of_sender_at_once_need_what_each_needs() -> None:
    """Another CPU and VT-d together lose exactly where one of them alone does."""
    for order in SIX:
        found = explore(bare(order, sender="both", senders=2)).verdict
        assert (found == "ok") == (safe(order, "kvm") and safe(order, "vtd"))


@pytest.mark.parametrize(
    ("order", "sender", "names"),
    [
        ("sync,mode,irq_off", "kvm", {NOBODY, EATEN}),
        ("sync,irq_off,mode", "kvm", {NOBODY}),
        ("irq_off,sync,mode", "kvm", {NOBODY}),
        ("mode,sync,irq_off", "kvm", {EATEN}),
        ("irq_off,mode,sync", "kvm", set()),
        ("mode,irq_off,sync", "kvm", set()),
        ("sync,mode,irq_off", "vtd", {EATEN}),
        ("sync,irq_off,mode", "vtd", {EATEN}),
        ("mode,sync,irq_off", "vtd", {EATEN}),
    ],
)
def test_each_race_has_its_mechanism(order: str, sender: str, names: set[str]) -> None:
    """Race 1 is a notification that the host eats, race 2 a kick that finds nobody; VT-d has only race 1."""
    for scenario in (bare(order, sender=sender), whole(order, sender=sender)):
        assert scenario.monitor is not None
        assert {found.name for found in mechanisms(scenario, scenario.monitor)} == names


@pytest.mark.parametrize(("event", "verdict"), [("check-first", "ok"), ("sync-first", "violated")])
def test_the_request_masks_the_races_only_if_it_is_looked_at_first(event: str, verdict: str) -> None:
    """With the look behind the sync, as v4.9 and v4.10 have it, a finished sender's request is consumed."""
    scenario = bare("sync,mode,irq_off", event)
    assert explore(scenario).verdict == verdict
    assert scenario.monitor is not None
    found = [each.name for each in mechanisms(scenario, scenario.monitor)]
    assert found == ([] if verdict == "ok" else ["request consumed"])


def test_one_order_needs_a_second_sender_to_fail() -> None:
    """With the recheck before IF=0 and the sync, one sender is safe, two are not."""
    order = "mode,recheck,irq_off,sync"
    assert [explore(bare(order, senders=n)).verdict for n in (1, 2)] == ["ok", "violated"]


@pytest.mark.parametrize("order", list(permutations(("sync", "mode", "irq_off", "recheck"))))
def test_every_loss_has_a_mechanism(order: tuple[str, ...]) -> None:
    """No loss is called "other"; a kick that took effect is in vain only if its IPI is eaten too late."""
    question = bare(",".join(order))
    assert question.monitor is not None
    found = [each.name for each in mechanisms(question, question.monitor)]
    assert "other" not in found and "stale mode" not in found
    late = order.index("sync") < order.index("mode") and order.index("recheck") < order.index("irq_off")
    assert ("kick eaten by the host" in found) == (late and order.index("mode") < order.index("irq_off"))


def test_the_recheck_may_stand_anywhere_beside_a_request() -> None:
    """All 120 orders of the five steps can be run; the request saves who posts between look and recheck."""
    verdicts = {order: explore(bare(",".join(order), "check-first")).verdict for order in permutations(NODES)}
    assert all(verdicts[order] == "ok" for order in verdicts if _saved(order))
    assert len(verdicts) == 120 and "violated" in verdicts.values()


def _saved(order: tuple[str, ...]) -> bool:
    """Whether look, sync, deciding steps and recheck stand in a safe order for a sender with a request."""
    at = {name: order.index(name) for name in order}
    decided = max(at["mode"], at["irq_off"])
    return at["sync"] > decided or at["event"] < at["sync"] < decided < at["recheck"]


def test_both_halves_make_the_fix() -> None:
    """The two moves, one after the other, give b95234c's path, step by step; either alone loses."""
    halves = [kernel(f"v4.10+no-event+{half}") for half in ("irq-off-first", "sync-late")]
    both = kernel("v4.10+no-event+irq-off-first+sync-late")
    assert both.paths["vcpu_run"] == kernel("b95234c").paths["vcpu_run"]
    assert {explore(posted_interrupts(half)).verdict for half in halves} == {"violated"}


def ends(scenario: Scenario) -> set[tuple[int, ...]]:
    """Return the ends of a step table: requests, PIR and ON, whatever way led there."""
    layout = scenario.system.layout
    kept = [layout.index(name) for name in ("vcpu.requests", "apicv.pir", "apicv.on")]
    found, seen = set(), {scenario.system.start}
    todo: list[State] = [scenario.system.start]
    while todo:
        state = todo.pop()
        moves = scenario.system.enabled(state)
        if not moves:
            found.add(tuple(state[cell] for cell in kept))
        for move in moves:
            work = list(state)
            move.carry_out(work)
            if (after := tuple(work)) not in seen:
                seen.add(after)
                todo.append(after)
    return found


@pytest.mark.parametrize("sender", ["kvm", "vtd"])
@pytest.mark.parametrize("order", SIX)
def test_with_the_barrier_tso_adds_no_behaviour(order: str, sender: str) -> None:
    """Same ends as under sequential consistency, two senders; without it some order gets worse."""
    plain, tso = (ends(bare(order, sender=sender, senders=2, memory=m)) for m in ("sc", "tso"))
    assert tso == plain


@pytest.mark.parametrize("order", [o for o in SIX if safe(o, "kvm")])
def test_without_the_barrier_only_who_reads_the_mode_loses(order: str) -> None:
    """Another CPU reads a stale mode and loses, in every safe order; VT-d never looks at it."""
    scenario = bare(order, memory="tso", barrier=False)
    assert scenario.monitor is not None
    assert [m.name for m in mechanisms(scenario, scenario.monitor)] == ["stale mode"]
    assert explore(bare(order, sender="vtd", senders=2, memory="tso", barrier=False)).verdict == "ok"
