"""The run loop of a vCPU that has a local APIC timer, and kernels with parts of the timer code left out.

A vCPU without one does not pay for it: these edits are made when a scenario asks, on a kernel that stays what
it is under its name. What they put in are the kernel's own functions, linked where they are called.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import RUN_LOOP, Kernel
from kvmlab.kernels.v6_1_fastpath import with_fastpath
from kvmlab.kvm import hrtimer
from kvmlab.kvm.hv_timer import soft_off, update
from kvmlab.kvm.immediate_exit import hard_off
from kvmlab.kvm.requests import KVM_REQ_MIGRATE_TIMER, KVM_REQ_PENDING_TIMER, KVM_REQ_UNHALT
from kvmlab.kvm.timer_records import TimedVcpu
from kvmlab.kvm.vcpu_block import KICK_WAKE, RUNNING, VCPU_BLOCK
from kvmlab.kvm.vcpu_load import MIGRATE_TIMER, VCPU_LOAD
from kvmlab.machine.call import link
from kvmlab.machine.edit import Before, Swap, apply, find, without_any
from kvmlab.machine.step import Block, Effect, Node, Row, Step, cases, name_of

Paths = Mapping[str, Block]


def timed(kernel: Kernel, *exits: Step) -> Kernel:
    """Return ``kernel`` with the paths of a vCPU that has a timer: its thread, the host, a CPU left behind.

    The paths are "vcpu_run", "host_irq", "other_cpu", "kvm_arch_vcpu_load", "local_timer", and "post"
    where a sender may have to wake the thread. ``exits`` handle what else the guest does, each in place of
    a step of its label.
    """
    paths = dict(kernel.paths)
    callback = link(paths, paths["apic_timer_fn"])
    paths[RUN_LOOP] = link(paths, _run_loop(paths, bool(kernel.setting("soft_disable")), exits))
    paths["host_irq"] = hrtimer.host_irq(paths["host_irq"], callback)
    paths["other_cpu"] = hrtimer.other_cpu(callback)
    paths["kvm_arch_vcpu_load"] = link(paths, paths["kvm_arch_vcpu_load"])
    paths["local_timer"] = hrtimer.LOCAL_TIMER
    if "post" in paths:
        paths["post"] = _waking(paths["post"])
    return replace(kernel, paths=paths)


def _waking(post: Block) -> Block:
    """A sender that kicks, or only wakes, finds a thread that may sleep."""
    return apply(
        post, Swap("WAKE", (KICK_WAKE,)) if _has(post, "WAKE") else Before("KICK.mode", (KICK_WAKE,))
    )


def _run_loop(paths: Paths, soft: bool, exits: Sequence[Step]) -> Block:
    run = _with_exits(paths[RUN_LOOP], paths["timer_exits"], exits)
    run = apply(run, Swap("REQ.other", (MIGRATE_TIMER, _keeping(find(run, "REQ.other")))))
    irq_on = find(run, "IRQ_ON")
    assert isinstance(irq_on, Step)
    run = apply(run, Swap("IRQ_ON", (hrtimer.handle_external_intr(irq_on),)))
    run = _with_timer_value(run, paths, soft)
    run = with_fastpath(run, paths) if "fastpath" in paths else _with_wait(run, paths)
    enter = find(run, "vcpu_enter_guest")
    assert isinstance(enter, Block)
    lap = cases("vcpu", RUNNING, enter, paths["vcpu_block"])
    return apply(run, Swap("vcpu_enter_guest", (lap, paths["inject_pending_timer_irqs"])))


def _with_exits(run: Block, exits: Block, more: Sequence[Step]) -> Block:
    """Put the timer's exits before the unknown one, in place of simpler ones, with what handles them."""
    row, *handlers = exits.items
    assert isinstance(row, Row)
    steps = (*row.steps, *more)
    for step in steps:
        run = apply(run, Swap(step.label)) if _has(run, step.label) else run
    run = apply(run, Before("EXIT.unknown", steps))
    if not _has(run, "handle_exit"):
        alone = Block("handle_exit", (find(run, "HANDLE_EXIT"),), "cases")
        run = apply(run, Swap("HANDLE_EXIT", (alone,)))
    handle = find(run, "handle_exit")
    assert isinstance(handle, Block)
    return apply(run, Swap("handle_exit", (replace(handle, items=(*handle.items, *handlers)),)))


def _with_timer_value(run: Block, paths: Paths, soft: bool) -> Block:
    """Write the timer's field before the entry: where patch 4 does it anyway, or before ENTER."""
    if "vmx_arm_hv_timer" not in paths:
        return run
    if _has(run, "HV_TIMER"):
        return apply(run, Swap("HV_TIMER", (update(soft_off if soft else hard_off),)))
    return apply(run, Before("ENTER", paths["vmx_arm_hv_timer"].items))


def _with_wait(run: Block, paths: Paths) -> Block:
    """Wait for a timer that has fired early: up to v4.19 in front of the vendor's run function."""
    label = next((label for label in ("HV_TIMER", "HV.arm") if _has(run, label)), "ENTER")
    return apply(run, Before(label, (paths["wait_lapic_expire"],)))


def is_lazy(kernel: Kernel) -> bool:
    """Whether the pin-based control is looked after at the entry only, as since patch 4."""
    paths = kernel.paths
    return any(_has(paths[name], "HV_TIMER") for name in (RUN_LOOP, "vmx_arm_hv_timer") if name in paths)


def _has(path: Block, label: str) -> bool:
    return any(name == label for node in path.walk() for name in _names(node))


def _names(node: Node) -> list[str]:
    return [name_of(node), *(step.label for step in node.steps)] if isinstance(node, Row) else [name_of(node)]


ELSEWHERE = KVM_REQ_MIGRATE_TIMER | KVM_REQ_PENDING_TIMER | KVM_REQ_UNHALT
"""Requests that are looked at in places of their own: one made behind that waits for the next lap."""


def _keeping(node: Node) -> Node:
    """Return what clears the other requests, for a vCPU that has more to keep."""
    if isinstance(node, Row):
        *first, clear = node.steps
        return replace(node, first=tuple(first), free=(replace(clear, fn=_kept(clear.fn)),))
    assert isinstance(node, Step)
    return replace(node, fn=_kept(node.fn))


def _kept(clear: Effect) -> Effect:
    def run(s: list[int], me: TimedVcpu) -> str | None:
        kept = s[me.requests] & ELSEWHERE
        done = clear(s, me)
        s[me.requests] |= kept
        return done

    return run


SWITCH = (
    "pre_block",
    "switch_to_sw_timer",
    "post_block",
    "switch_to_hv_timer",
    "start_hv_timer",
    "start_sw_timer",
    "restart_apic_timer",
    "expired_hv_timer",
)
"""The functions of the switch between the two timers."""
CALLERS = {"vcpu_block": VCPU_BLOCK, "kvm_arch_vcpu_load": VCPU_LOAD}
"""They call them; what they were before patch 2 is not the switch's."""


def switch_steps(kernel: Kernel) -> tuple[str, ...]:
    """Return the labels of the switch code, steps and calls: what :func:`without` may leave out."""
    if "switch_to_hv_timer" not in kernel.paths:
        return ()
    return tuple(
        dict.fromkeys(label for name in (*SWITCH, *CALLERS) for label in _labels(kernel.paths, name))
    )


def without(kernel: Kernel, labels: Sequence[str]) -> Kernel:
    """Return ``kernel`` with steps or calls of the switch code left out; its name says so.

    A label that stands in several places of the switch is left out in all of them. Raises BadInput for one
    that the switch code of this kernel does not have.
    """
    known = switch_steps(kernel)
    paths = dict(kernel.paths)
    for label in labels:
        if label not in known:
            raise BadInput(f"{kernel.name} has no switch step {label}; it has {', '.join(known) or 'none'}")
        lacking = [name for name in (*SWITCH, *CALLERS) if label in _labels(paths, name)]
        paths.update({name: without_any(paths[name], label) for name in lacking})
    name = " - ".join([kernel.name, *labels])
    return replace(kernel, name=name, paths=paths)


def _labels(paths: Paths, name: str) -> list[str]:
    before = CALLERS[name].walk() if name in CALLERS else ()
    own = {node.label for node in before if isinstance(node, Step)}
    steps = [node for node in paths[name].walk() if isinstance(node, Step)] if name in paths else []
    return [step.label for step in steps if step.label not in own]
