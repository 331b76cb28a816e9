"""Exercise of notebook 02, Keep one alarm: the six steps, and the kernel that an order of them makes.

The kernel is b95234c, whose timer is v4.10's, with its switch at a halt replaced. Each step is one of the
kernel's own; HALT divides what is done before the thread waits (pre_block) from what is done when it has been
woken (post_block).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import Kernel, NewPath, Patch
from kvmlab.kernels.names import kernel
from kvmlab.kvm import hrtimer, tsc
from kvmlab.kvm.hv_timer import cancel_if_in_use, set_hv_timer
from kvmlab.kvm.lapic_timer import dropped
from kvmlab.kvm.timer_records import TimedVcpu
from kvmlab.machine.call import call
from kvmlab.machine.step import Node, Step, block

BASE = kernel("b95234c")
HALT = "halt"
"""The divider: here the thread waits, until somebody wakes it."""
MINE = "an exercise; kernels have these steps, each in an order of its own"

SAYS: Mapping[str, str] = {
    "done": "nothing to wait for? skip the rest of this block",
    "give up": "give up the preemption timer",
    "start": "start the hrtimer",
    HALT: "—— the thread waits for a wake-up ——",
    "set": "set the preemption timer",
    "cancel": "cancel the hrtimer",
    "recheck": "if it rang meanwhile, give up the preemption timer",
}
"""The steps by their short names, and the divider."""


def _nothing_to_wait_for(s: list[int], me: TimedVcpu) -> bool:
    return dropped(s, me) or not s[me.timer.tscdeadline]


def _done(where: str) -> Step:
    return Step(
        "ALARM.done",
        lambda s, me: where if _nothing_to_wait_for(s, me) else None,
        says="has the timer expired already, or is there no deadline? then skip the rest of this block",
        source=MINE,
        leaves=(where,),
    )


def _set(where: str) -> Step:
    return Step(
        "ALARM.set",
        lambda s, me: None if set_hv_timer(s, me, tsc.clamped) else where,
        says="hv_deadline := now + what is left, nothing if it has passed; it does not fit: skip the rest",
        source=MINE,
        leaves=(where,),
    )


def _recheck(s: list[int], me: TimedVcpu) -> None:
    if dropped(s, me):
        cancel_if_in_use(s, me)


GIVE_UP = Step("ALARM.give_up", cancel_if_in_use, says="the hv timer is not in use any more", source=MINE)
RECHECK = Step(
    "ALARM.recheck",
    _recheck,
    says="has the timer expired meanwhile? then the hv timer is given up",
    source=MINE,
)


def _node(name: str, where: str) -> Node:
    made: Mapping[str, Node] = {
        "done": _done(where),
        "give up": GIVE_UP,
        "start": call("start_sw_timer", MINE),
        "set": _set(where),
        "cancel": replace(hrtimer.CANCEL, label="ALARM.cancel"),
        "recheck": RECHECK,
    }
    return made[name]


def switch(order: Sequence[str]) -> Kernel:
    """Return the kernel with this switch: the steps before HALT in pre_block, those behind it in post_block.

    Raises BadInput unless HALT and each of the six steps are named once.
    """
    if sorted(order) != sorted(SAYS):
        raise BadInput(f"name each of {', '.join(SAYS)} once; not {', '.join(order) or 'nothing'}")
    at = list(order).index(HALT)
    parts = {"pre_block": order[:at], "post_block": order[at + 1 :]}
    edits = [NewPath(name, block(name, *(_node(n, name) for n in steps))) for name, steps in parts.items()]
    return Patch("yours", "your switch at a halt", MINE, edits).on(BASE, "your switch")
