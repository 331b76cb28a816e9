"""Request and kick: nothing is missed, each half of the protocol is needed, the IPI waits at the door."""

import pytest

from kvmlab.kernels.kernel import Kernel, Patch, PathEdit, swap
from kvmlab.kernels.names import LISTED, kernel
from kvmlab.machine.edit import Relocate, Swap
from kvmlab.machine.step import block
from kvmlab.scenarios.kick import kick
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.replay import replay

ABLE = [name for name in LISTED if "kick" in kernel(name).scope]


@pytest.mark.parametrize("name", ABLE)
def test_no_kernel_misses_a_request(name: str) -> None:
    """In every schedule the recheck or the IPI sees to it."""
    found = explore(kick(kernel(name)))
    assert (found.verdict, found.complete) == ("ok", True)


def without(*edits: PathEdit) -> Kernel:
    """Return v3.10 with parts of the protocol taken out or moved."""
    return Patch("ablation", "", "", edits).on(kernel("v3.10"))


ABLATIONS = {
    "no recheck of the requests": (swap("recheck", block("nothing")),),
    "no IPI": (PathEdit("request_and_kick", Swap("KICK.ipi")),),
    "interrupts off after the recheck": (PathEdit("vcpu_run", Relocate("IRQ_OFF", after="recheck")),),
}


@pytest.mark.parametrize("name", ABLATIONS)
def test_each_half_of_the_protocol_is_needed(name: str) -> None:
    """Take one part out, or move it, and some schedule misses the request."""
    assert explore(kick(without(*ABLATIONS[name]))).verdict == "violated"


def test_an_ipi_sent_with_interrupts_off_waits_at_the_door() -> None:
    """The needle: a kick between recheck and entry gives EXTERNAL_INTERRUPT after 0 instructions."""
    scenario = kick(kernel("v3.10"))
    run = replay(scenario.system, "vvvvvv aaa vv g vvvvv v")
    assert not run.stopped
    assert run.labels[9:12] == ["v:CHECK_IMMEDIATE", "v:VMENTRY", "g:EXIT.EXTERNAL_INTERRUPT"]
    assert run.steps[11].after[scenario.records["guest"].insns] == 0
    assert run.labels[-1] == "v:REQ.other" and not run.state[scenario.records["vcpu"].requests]


def test_with_interrupts_on_the_host_takes_it_and_the_recheck_sees_the_request() -> None:
    """The same kick before IRQ_OFF: the IPI is gone, the entry is cancelled."""
    run = replay(kick(kernel("v3.10")).system, "vvv aaa h vvv")
    assert run.labels[6] == "h:IRQ.reschedule"
    assert run.labels[-1] == "v:CANCEL.mode"
