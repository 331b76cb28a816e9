"""What takes the guest away at an instruction boundary, in the processor's order.

:data:`PRIORITY` is the whole list of one boundary; :data:`EVENTS` are the steps of those that the
model has so far, in that order. A guest's program is a path whose every row is wrapped by
:func:`in_guest`: the events come first, and they leave the program where it is.

None of these depends on the guest's RFLAGS.IF except the interrupt window (and virtual-interrupt
delivery). Sources: SDM vol. 3 (June 2016), "Other Causes of VM Exits", "Monitor Trap Flag",
"VMX-Preemption Timer", "External-interrupt exiting".
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kvmlab.machine.program import as_row
from kvmlab.machine.step import STAY, Block, Node, Row, Step
from kvmlab.processor import apicv_events, intr_info, lapic
from kvmlab.processor.controls import ACK_INTERRUPT_ON_EXIT, INTERRUPT_WINDOW_EXITING
from kvmlab.processor.entry import vm_exit
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import Guest
from kvmlab.processor.shadow import blocked
from kvmlab.processor.timer_events import TIMER

PRIORITY = (
    "RESET",
    "TPR_BELOW_THRESHOLD",
    "SMI",
    "INIT",
    "MTF",
    "DEBUG_TRAP",
    "PREEMPTION_TIMER",
    "NMI_WINDOW",
    "NMI",
    "INTERRUPT_WINDOW",
    "EXTERNAL_INTERRUPT",
)
"""The order of events at one instruction boundary; the first one pending wins."""

SDM = "SDM vol. 3 (June 2016), "


def _mtf(s: list[int], me: Guest) -> str:
    vm_exit(s, me, Exit.MONITOR_TRAP_FLAG)
    return STAY


def _window_open(s: Sequence[int], me: Guest) -> object:
    return s[me.vmcs.proc] & INTERRUPT_WINDOW_EXITING and s[me.cpu.irq] and not blocked(s, me)


def _window(s: list[int], me: Guest) -> str:
    vm_exit(s, me, Exit.INTERRUPT_WINDOW)
    return STAY


def _pending(s: Sequence[int], me: Guest) -> object:
    """On AMD's, as KVM sets it up (V_INTR_MASKING), the host's IF of the VMRUN still masks the interrupt."""
    return s[me.host.irr] and (me.host.gif is None or s[me.host.irq])


def _external(s: list[int], me: Guest) -> str:
    """Exit; with acknowledge-on-exit the vector goes into service at once."""
    acked = 0
    if me.vmcs.exit_controls & ACK_INTERRUPT_ON_EXIT:
        acked = intr_info.event(lapic.acknowledge(s, me.host))
    vm_exit(s, me, Exit.EXTERNAL_INTERRUPT, exit_intr=acked)
    return STAY


EVENTS: dict[str, Step] = {
    "MTF": Step(
        "EXIT.MONITOR_TRAP_FLAG",
        _mtf,
        lambda s, me: s[me.core.mtf],
        "the monitor trap flag takes the guest out",
        SDM + '"Monitor Trap Flag"',
    ),
    "INTERRUPT_WINDOW": Step(
        "EXIT.INTERRUPT_WINDOW",
        _window,
        _window_open,
        "the guest can take an interrupt now: the window that KVM asked for opens",
        SDM + '"Other Causes of VM Exits"',
    ),
    "EXTERNAL_INTERRUPT": Step(
        "EXIT.EXTERNAL_INTERRUPT",
        _external,
        _pending,
        "an interrupt for the CPU takes the guest out; the guest's IF plays no part",
        SDM + '"Other Causes of VM Exits"',
    ),
}


APICV_EVENTS = {
    "POSTED.copy": apicv_events.POSTED["POSTED.copy"],
    "MTF": EVENTS["MTF"],
    "INTERRUPT_WINDOW": EVENTS["INTERRUPT_WINDOW"],
    "VIRTUAL_INTERRUPT": apicv_events.DELIVERY["VIRTUAL_INTERRUPT"],
    "POSTED.notify": apicv_events.POSTED["POSTED.notify"],
    "EXTERNAL_INTERRUPT": EVENTS["EXTERNAL_INTERRUPT"],
}
"""The same with APICv: an external interrupt that is the notification vector does not exit."""


def with_timer(events: Mapping[str, Step]) -> dict[str, Step]:
    """Return ``events`` with the preemption timer and the debug traps above it at their places."""
    below = PRIORITY[PRIORITY.index("PREEMPTION_TIMER") + 1 :]
    first = next(i for i, name in enumerate(events) if name in below)
    table = list(events.items())
    return dict([*table[:first], *TIMER.items(), *table[first:]])


TIMER_EVENTS = with_timer(EVENTS)
TIMER_APICV_EVENTS = with_timer(APICV_EVENTS)


def in_guest(path: Block, context: Callable[[Any], Guest], events: Mapping[str, Step] = EVENTS) -> Block:
    """Return ``path`` as guest code: at every row the processor's events come first.

    ``context`` finds the guest context in the record that the path runs on; ``events`` are those that
    can happen to it (a guest without APICv has none of APICv's).
    """
    return _wrap_block(path, tuple(_of(step, context) for step in events.values()))


def _of(step: Step, context: Callable[[Any], Guest]) -> Step:
    fn, when = step.fn, step.when
    assert when is not None
    return replace(step, fn=lambda s, me: fn(s, context(me)), when=lambda s, me: when(s, context(me)))


def _wrap_block(path: Block, events: tuple[Step, ...]) -> Block:
    return replace(path, items=tuple(_wrap(item, events) for item in path.items))


def _wrap(node: Node, events: tuple[Step, ...]) -> Node:
    if isinstance(node, Block):
        return _wrap_block(node, events)
    row = as_row(node)
    return Row(row.label, first=(*events, *row.first), free=row.free)
