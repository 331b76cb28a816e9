"""Posted interrupts: verdicts before and after patch 3, what a loss does to later posts, and the repair."""

import pytest

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import Patch
from kvmlab.kernels.names import kernel
from kvmlab.kernels.orders import reordered
from kvmlab.kernels.patch_3 import IRQ_OFF_FIRST, SYNC_LATE
from kvmlab.labs.happens import happens
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.replay import replay


@pytest.mark.parametrize(
    ("name", "senders", "label"),
    [
        ("v4.10", 1, "LOST"),
        ("v4.10+no-event", 1, "LOST"),
        ("v4.10+no-event", 2, "LOST"),
        ("b95234c", 1, None),
        ("b95234c", 2, None),
    ],
)
@pytest.mark.parametrize("exits", [0, 1])
def test_verdicts(name: str, senders: int, exits: int, label: str | None) -> None:
    """The old order loses without the request, and v4.10 itself does; patch 3 loses nothing."""
    found = explore(posted_interrupts(kernel(name), senders=senders, exits=exits))
    assert found.complete and (found.shortest and found.shortest.property.label) == label


@pytest.mark.parametrize("half", [IRQ_OFF_FIRST, SYNC_LATE], ids=["interrupts off first", "sync late"])
def test_each_half_of_the_fix_is_needed(half: object) -> None:
    """One of the two moves alone still loses."""
    alone = Patch("half", "", "", (half,)).on(kernel("v4.10+no-event"))  # type: ignore[arg-type]
    assert explore(posted_interrupts(alone)).verdict == "violated"


LOSS = "vvv aaaa vvvvvv"


def test_a_lost_post_silences_the_next_sender() -> None:
    """K.2: ON is still set, so the sender of another vector returns without a word."""
    scenario = posted_interrupts(kernel("v4.10+no-event"), senders=2)
    run = replay(scenario.system, LOSS + "bb")
    apicv = scenario.records["apicv"]
    assert run.labels[-1] == "b:POST.on" and scenario.done(run.state)
    assert (run.state[apicv.on], run.state[scenario.records["L0"].irr]) == (1, 0)


def test_any_exit_repairs_everything() -> None:
    """K.2: after the loss one exit of the guest is enough: the next entry's sync finds it."""
    scenario = posted_interrupts(kernel("v4.10+no-event"), exits=1)
    run = replay(scenario.system, LOSS + "g vvvvv vvvv vvvvvvv g")
    assert not run.stopped and run.labels[-1] == "g:VIRTUAL_INTERRUPT"
    assert run.state[scenario.records["guest"].delivered] == 1


def test_a_notification_sent_with_interrupts_off_is_no_exit() -> None:
    """K.3: it becomes posted-interrupt processing: ON=0, RVI raised, delivered, and nobody left."""
    scenario = posted_interrupts(kernel("b95234c"))
    run = replay(scenario.system, "vvvvv aaaa vvvv ggg")
    apicv, guest = scenario.records["apicv"], scenario.records["guest"]
    assert run.labels[-3:] == ["g:POSTED.notify", "g:POSTED.copy", "g:VIRTUAL_INTERRUPT"]
    assert (run.state[apicv.on], run.state[apicv.pir], run.state[guest.delivered]) == (0, 0, 1)


def test_one_switch_one_schedule_twice() -> None:
    """The trailer: the same schedule counts 0 without the fix and 1 with it."""
    counts = []
    for name in ("v4.10+no-event", "b95234c"):
        scenario = posted_interrupts(kernel(name))
        run = replay(scenario.system, LOSS)
        counts.append((run.stopped == "", run.state[scenario.records["guest"].delivered]))
    assert counts[0] == (True, 0)


def test_v4_10s_sync_makes_a_request_which_a_late_sync_must_not() -> None:
    """Moved behind the EVENT check, v4.10's own sync throws its own entry away; b95234c's does not."""
    order = ("event", "irq_off", "mode", "sync", "recheck")
    called_off = {}
    for name in ("v4.10", "b95234c"):
        late = posted_interrupts(reordered(kernel(name), order), sender="vtd")
        called_off[name] = happens(late.system, "CANCEL.mode") is not None
    assert called_off == {"v4.10": True, "b95234c": False}


@pytest.mark.parametrize("knob", ["exits", "preemptions"])
def test_nothing_happens_less_often_than_never(knob: str) -> None:
    """A negative budget is refused."""
    with pytest.raises(BadInput, match="0 or more"):
        posted_interrupts(kernel("b95234c"), **{knob: -1})  # type: ignore[arg-type]
