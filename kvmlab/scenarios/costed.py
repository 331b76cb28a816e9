"""What a kernel needs so that its cycles can be counted: steps that nobody can see, but that take time.

For races they are noise, so no other scenario has them. Where they stand is in the kernels' sources; how the
injection block's work divides among its five is the model's choice.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kvmlab.errors import BadInput, ModelError
from kvmlab.kernels.kernel import RUN_LOOP, Kernel
from kvmlab.kernels.timers import timed
from kvmlab.kvm.exits import because
from kvmlab.kvm.nested import nothing
from kvmlab.machine.edit import After, Before, Edit, Swap, apply, each_step, find
from kvmlab.machine.state import Cell
from kvmlab.machine.step import Block, Row, Step, loop, prioritised
from kvmlab.processor.exits import Exit

X86 = "v4.10 x86.c "


def _unseen(label: str, says: str, source: str) -> Step:
    return Step(label, nothing, says=says, source=source)


EVENT_FIRST = (
    _unseen("EVENT.bits", "KVM_REQ_EVENT: it was set, tested and cleared", X86 + "vcpu_enter_guest"),
    _unseen("EVENT.checks", "INIT, SIPI, exceptions, NMI: none waits", X86 + "inject_pending_event"),
)
EVENT_LAST = (
    _unseen("EVENT.scan", "an interrupt to inject? APICv has it", X86 + "kvm_cpu_has_injectable_intr"),
    _unseen("EVENT.tpr", "the CR8 intercept, the virtual-APIC page", X86 + "update_cr8_intercept"),
    _unseen("EVENT.sync", "PIR and RVI once more, on the way", "v4.10 lapic.c kvm_lapic_find_highest_irr"),
)
PROGRAM = prioritised(
    "SW.queued",
    Step(
        "SW.program",
        nothing,
        lambda s, me: s[me.timer.hrtimer.expires] >= 0,
        "the hrtimer is queued, and the CPU's timer programmed for it",
        "v4.10 kernel/time/hrtimer.c hrtimer_start_range_ns",
    ),
    Step("SW.none", nothing, says="nothing is queued"),
)
BACK = "switch_to_hv_timer()"
POST_BLOCK = _unseen("HV.post_block", "back to the preemption timer?", "64672c95ea4c vmx.c vmx_post_block")
FIRE = Step(
    "LAPIC.fire",
    nothing,
    says="the timer of the CPU's local APIC has reached its count: the interrupt is on its way",
    source='SDM vol. 3 (June 2016), "APIC Timer"',
)


def costed(kernel: Kernel, gap: Cell) -> Kernel:
    """Return a timed kernel with the steps that only take time; ``gap`` is set while the guest waits.

    Raises BadInput for a kernel without posted interrupts or without timers: there are no figures for it.
    """
    if "timer_exits" not in kernel.paths or not _has(kernel.paths[RUN_LOOP], "sync_pir_to_irr"):
        raise BadInput(f"{kernel.name} cannot be measured; v4.7 and later with APICv can")
    paths = dict(kernel.paths)
    event = After("CHECK_EVENT", EVENT_FIRST), After("WINDOW", EVENT_LAST)
    paths[RUN_LOOP] = _edited(paths[RUN_LOOP], *event)
    paths["vcpu_block"] = _edited(paths["vcpu_block"], Before("BLOCK.wait", (_opens(gap),)))
    start = paths["start_sw_timer"]
    paths["start_sw_timer"] = replace(start, items=(*start.items, PROGRAM))
    for function in ("post_block", "vcpu_block"):  # where the alarm hops back: its own function, later inline
        if function in paths and _has(paths[function], BACK):
            paths[function] = _edited(paths[function], Before(BACK, (POST_BLOCK,)))
    run = timed(replace(kernel, paths=paths))
    slow = {
        "local_timer": _fires_slowly(run.paths["local_timer"]),
        RUN_LOOP: _at_the_entry(run.paths[RUN_LOOP], gap, _used(kernel)),
    }
    return replace(run, paths={**run.paths, **slow})


def _edited(path: Block, *edits: Edit) -> Block:
    for edit in edits:
        path = apply(path, edit)
    return path


def _has(path: Block, label: str) -> bool:
    try:
        return bool(find(path, label))
    except ModelError:
        return False


def _cold(gap: Cell) -> Row:
    """Return the row in front of the entry: is it the first one since the guest waited?"""

    def closes(s: list[int], me: object) -> None:
        s[gap] = 0

    cold = Step(
        "GAP.cold", closes, lambda s, me: s[gap], "the first entry after a gap: a cold path", "assumed"
    )
    return prioritised("GAP", cold, Step("GAP.warm", nothing, says="KVM has run a moment ago"))


def _opens(gap: Cell) -> Step:
    def opens(s: list[int], me: object) -> None:
        s[gap] = 1

    return Step("GAP.opens", opens, says="the guest is halted, and its thread waits: a gap begins")


def _at_the_entry(run: Block, gap: Cell, used: bool) -> Block:
    """Return the run loop with two questions in front of the entry: is it cold? is the timer armed?

    A kernel that is told not to use the preemption timer does not look at it.
    """
    label = next((label for label in ("HV_TIMER", "HV.arm") if _has(run, label)), "ENTER")
    cold = label if _has(run, "fastpath") else "wait_lapic_expire"  # nobody waits, and then is cold
    run = apply(run, Before(cold, (_cold(gap),)))
    if label == "ENTER":
        return run
    step = find(run, label)
    assert isinstance(step, Step)
    arm = replace(step, label="HV.arm", when=lambda s, me: s[me.timer.in_use])
    otherwise = replace(step, label="HV.unarmed" if used else "HV.unused")
    return apply(run, Swap(label, (prioritised("HV.field", arm, otherwise),)))


def _used(kernel: Kernel) -> bool:
    return "preemption_timer" not in kernel.settings or bool(kernel.setting("preemption_timer"))


def _fires_slowly(local_timer: Block) -> Block:
    """Return the CPU's timer so that its interrupt is on its way for a while."""
    fires = find(local_timer, "LOCAL_TIMER")
    assert isinstance(fires, Step)
    return loop(local_timer.name, replace(FIRE, when=fires.when), replace(fires, when=None))


def with_nohz(kernel: Kernel) -> Kernel:
    """Return a costed kernel on an isolated CPU: there it costs more to leave the guest for an interrupt."""
    interrupted = because(Exit.EXTERNAL_INTERRUPT)
    more = Step(
        "NOHZ.irq", nothing, interrupted, "context tracking, RCU, the tick: all looked at again", "assumed"
    )
    row = prioritised("NOHZ", more, Step("NOHZ.none", nothing, says="no interrupt has taken the guest out"))
    return replace(
        kernel, paths={**kernel.paths, RUN_LOOP: apply(kernel.paths[RUN_LOOP], Before("handle_exit", (row,)))}
    )


def with_handlers(kernel: Kernel, handlers: Sequence[Step], paths: Sequence[Block] = ()) -> Kernel:
    """Return a costed kernel with more exit handlers, and the paths to which some of them lead."""
    run = kernel.paths[RUN_LOOP]
    for step in handlers:  # the model of another lesson may have one of its own
        run = apply(run, Swap(step.label)) if _has(run, step.label) else run
    row = find(run, "HANDLE_EXIT")
    assert isinstance(row, Row)
    run = apply(run, Before(row.steps[0].label, tuple(handlers)))
    handle = find(run, "handle_exit")
    assert isinstance(handle, Block)
    run = apply(run, Swap("handle_exit", (replace(handle, items=(*handle.items, *paths)),)))
    return replace(kernel, paths={**kernel.paths, RUN_LOOP: run})


def on_behalf(path: Block, record: Any) -> Block:
    """Return ``path`` so that whoever takes its steps takes them for ``record``."""

    def bound(step: Step) -> Step:
        fn, when = step.fn, step.when
        guard = None if when is None else lambda s, me: when(s, record)
        return replace(step, fn=lambda s, me: fn(s, record), when=guard, emits=None)

    return each_step(path, bound)
