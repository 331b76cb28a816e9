"""Mutation: whatever is broken in the step table, the printed numbers notice; the harmless ones are known."""

import pytest
from mutants import CONFIGS, Mutant, built, forgetting, mutants, signature

from kvmlab.schedulers.explore import explore

HARMLESS = {
    "drop SYNC.test": "the sync then always clears and copies",
    "drop RECHK.mode": "a kick without a request has nothing to say; its IPI exits the guest",
    "drop MODE_OUT": "senders notify a vCPU that is outside; the next sync finds the post all the same",
    "swap MODE_OUT and IRQ_ON": "the mode is IN a little longer, before another sync",
    "swap IRQ_OFF and MODE_IN": "the sixth order, safe as well",
    "merge IRQ_OFF and MODE_IN": "nothing can come in between that would matter",
    "merge SYNC.test and SYNC.clear": "one step instead of two, still before the copy",
    "merge SYNC.clear and SYNC.copy": "hides the order of the two, which is right here",
    "merge CANCEL.mode and CANCEL.irq_on": "the lap is called off either way",
    "swap RECHK.mode and RECHK.req": "either finding calls the entry off",
    "merge RECHK.mode and RECHK.req": "either finding calls the entry off",
    "drop POST.pir": "nothing is posted, so nothing is lost",
    "drop POST.mode": "always a notification: one too many is eaten, none is missing",
    "drop POST.notify": "then the kick follows, which exits the guest",
    "drop KICK.mode": "an IPI to whoever is outside does nothing",
    "merge POST.pir and POST.on": "one step instead of two",
    "swap trigger and kvm_vcpu_kick": "a kick first: it exits the guest, or the sync is still to come",
    "swap POST.mode and POST.notify": "a notification first, the look behind it",
    "merge POST.mode and POST.notify": "one step instead of two",
    "swap KICK.mode and KICK.ipi": "the IPI first: it exits a guest that is in, and is eaten outside",
    "merge KICK.mode and KICK.ipi": "one step instead of two",
    "merge POST.request and POST.mode": "one step instead of two",
    "drop IRQ.reschedule": "the IPI stays pending until the entry, which it then ends",
    "merge VTD.post and VTD.notify": "one step instead of two",
}
"""Mutants that change no verdict, with the reason; all others must change one."""

RIGHT = signature(None)
MUTANTS = {mutant.name: mutant for mutant in mutants()}


@pytest.mark.parametrize("name", MUTANTS)
def test_no_mutant_survives_the_printed_table(name: str) -> None:
    """Verdicts, lengths, states or transitions differ; a verdict does unless it is known harmless."""
    found = signature(MUTANTS[name])
    assert found != RIGHT
    verdicts = [config for config in CONFIGS if found[config][0] != RIGHT[config][0]]
    assert bool(verdicts) == (name not in HARMLESS)


def test_the_harmless_ones_are_mutants() -> None:
    """No reason is given for what nobody tried."""
    assert HARMLESS.keys() <= MUTANTS.keys()


TOLD_APART = [
    ("V0", "vcpu.requests"),
    *[("V4, two", c) for c in ("L0.irr", "apicv.pir", "apicv.on", "vcpu.mode", "v.at", "a.at", "b.at")],
]


@pytest.mark.parametrize(("config", "cell"), TOLD_APART)
def test_nothing_may_be_left_out_of_the_hash(config: str, cell: str) -> None:
    """Without any of these cells states are merged that differ: the explorer sees more, and counts right."""
    scenario = built(config)
    _, fewer = forgetting(scenario, scenario.system.layout.index(cell))
    whole = forgetting(scenario, len(scenario.system.start))
    assert fewer < whole[1] == explore(scenario).states


def test_a_mutant_of_no_kernel_changes_nothing() -> None:
    """The harness itself adds nothing: a change that changes nothing gives the printed numbers."""
    assert signature(Mutant("nothing", "vcpu_run", lambda path: path)) == RIGHT
