"""What each step leaves behind, asked of every reachable transition; the order of the paths as kvm.md has it."""
import pytest
from kvmlab.errors import IllegalTransition, ModelError
from kvmlab.kernels.kernel import Patch, PathEdit
from kvmlab.kernels.names import kernel
from kvmlab.kvm.requests import KVM_REQ_EVENT
from kvmlab.machine.edit import Relocate
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Block, Row, Step, block, free, prioritised
from kvmlab.machine.system import Actor, System
from kvmlab.processor.controls import ACK_INTERRUPT_ON_EXIT, INTERRUPT_WINDOW_EXITING as WIN, MONITOR_TRAP_FLAG as MTF
from kvmlab.processor.intr_info import event, is_valid, vector
from kvmlab.scenarios.immediate_exit import immediate_exit
from kvmlab.scenarios.kick import kick
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.schedulers.explore import explore

def transitions(scenario):
    system = scenario.system
    seen, todo = {system.start}, [system.start]
    while todo:
        before = todo.pop()
        for move in system.enabled(before):
            work = list(before); move.carry_out(work); after = tuple(work)
            yield before, move, after
            if after not in seen:
                seen.add(after); todo.append(after)

def labels(path: Block):
    out = []
    for node in path.walk():
        out += [node.label] if isinstance(node, (Step, Row)) else []
    return out

ORDER = {
 "v3.2": "REQ.other CHECK_EVENT INJECT WINDOW MODE_IN IRQ_OFF RECHK.mode RECHK.req CANCEL.mode CANCEL.irq_on CANCEL.inject ENTER VMEXIT MODE_OUT IRQ_ON RUN_PENDING HANDLE_EXIT",
 "d6185f2": "REQ.other REQ.immediate CHECK_EVENT INJECT WINDOW MODE_IN IRQ_OFF RECHK.mode RECHK.req CANCEL.mode CANCEL.irq_on CANCEL.inject CHECK_IMMEDIATE ENTER VMEXIT MODE_OUT IRQ_ON RUN_PENDING HANDLE_EXIT",
 "v4.10": "REQ.other SYNC.test SYNC.clear SYNC.copy CHECK_EVENT INJECT WINDOW MODE_IN IRQ_OFF RECHK.mode RECHK.req CANCEL.mode CANCEL.irq_on CANCEL.inject CHECK_IMMEDIATE ENTER VMEXIT MODE_OUT IRQ_ON RUN_PENDING HANDLE_EXIT",
 "b95234c": "REQ.other CHECK_EVENT INJECT WINDOW IRQ_OFF MODE_IN SYNC.test SYNC.clear SYNC.copy RECHK.mode RECHK.req CANCEL.mode CANCEL.irq_on CANCEL.inject CHECK_IMMEDIATE ENTER VMEXIT MODE_OUT IRQ_ON RUN_PENDING HANDLE_EXIT",
}
@pytest.mark.parametrize("name", ORDER)
def test_the_steps_stand_in_the_kernels_order(name):
    """kvm.md A.2 and A.4, line by line."""
    assert labels(kernel(name).paths["vcpu_run"]) == ORDER[name].split()

CASES = [immediate_exit(kernel(n), cancel=True, faults=1) for n in ("d6185f2", "d6185f2+mtf", "d6185f2+ack-top-vector", "v3.10", "v3.10+8081ad0")] + [kick(kernel(n)) for n in ("v3.2", "v3.10")] + [posted_interrupts(kernel(n), senders=2) for n in ("v4.10", "b95234c")]

@pytest.mark.parametrize("scenario", CASES, ids=lambda s: f"{s.name} {s.kernel.name}")
def test_what_each_step_leaves_behind(scenario):
    """An exit leaves IF=0 and no valid entry field; a handler runs with IF=1 in root mode; ... in every schedule."""
    lay, rec = scenario.system.layout, scenario.records
    top, irq, irr, isr = rec["core"].frame, rec["L0"].irq, rec["L0"].irr, rec["L0"].isr
    v = rec["vcpu"]
    ack = scenario.kernel.setting("exit_controls") & ACK_INTERRUPT_ON_EXIT
    in_2013 = "v3.2" not in scenario.kernel.name and "d6185f2" not in scenario.kernel.name
    fields = [g.vmcs for g in v.guests]
    for b, move, a in transitions(scenario):
        step, g = move.step.label, v.guests[b[v.current]]
        f = g.vmcs
        if b[top] and not a[top] or step == "VMENTRY.fault":      # a VM exit
            assert a[irq] == 0, step
            assert not any(is_valid(a[x.intr_info]) for x in fields if x is f), step
            assert a[rec["core"].mtf] == 0, step
        if step == "EXIT.EXTERNAL_INTERRUPT":
            if ack:
                assert is_valid(a[f.exit_intr]) and a[isr] == 1 << vector(a[f.exit_intr]) and a[irr] == b[irr] & ~a[isr]
            else:
                assert (a[irr], a[isr], a[f.exit_intr]) == (b[irr], 0, 0)
        elif b[top] and not a[top]:
            assert a[f.exit_intr] == 0, step
        if step.startswith("IRQ.") and move.actor.letter == "h":
            assert b[irq] and b[top] == 0 and a[irr] != b[irr], step
        if not b[top] and a[top]:                                   # a VM entry
            assert b[irq] == 0 and b[v.mode] != 0
            assert a[g.insns] == 0
            if is_valid(b[f.intr_info]):
                assert a[g.cpu.irq] == 0 and a[g.delivered] == b[g.delivered] + 1
        if step in ("IRQ_ON", "CANCEL.irq_on"):
            assert (a[irq], a[isr]) == (1, 0)
        if step == "VMENTRY.fault":
            assert a[g.faults] == b[g.faults] - 1 and is_valid(a[f.idt_vectoring]) and a[g.delivered] == b[g.delivered]
        elif b[top] and not a[top]:
            assert a[f.idt_vectoring] == 0, step
        if step == "CANCEL.inject":
            if in_2013 or not b[v.current]:
                assert not is_valid(a[f.intr_info])
                assert a[v.queued] == (b[f.intr_info] if is_valid(b[f.intr_info]) else b[v.queued])
            raised = a[v.requests] & ~b[v.requests] & KVM_REQ_EVENT
            back = is_valid(b[f.intr_info]) and (in_2013 or not b[v.current])
            fix = "8081ad0" in scenario.kernel.name and b[v.immediate]
            assert bool(a[v.requests] & KVM_REQ_EVENT) == bool(b[v.requests] & KVM_REQ_EVENT or back or fix)
        if step == "NESTED_VMEXIT":
            l1, v12 = v.guests[0], v.vmcs12
            assert (a[l1.cpu.irq], a[v.current], a[v12.intr_info], a[v.queued]) == (0, 0, 0, 0)
            assert lay.text(v12.reason, a) == "EXTERNAL_INTERRUPT"
            if in_2013:
                assert a[v12.idt_vectoring] == b[v.queued]
        if step == "VMEXIT" and is_valid(b[f.idt_vectoring]) and in_2013:
            assert a[v.queued] == b[f.idt_vectoring] and a[v.requests] & KVM_REQ_EVENT
        if step == "EXIT.mtf":
            assert not a[f.proc] & MTF
        if step == "EXIT.interrupt_window":
            assert not a[f.proc] & WIN and a[v.requests] & KVM_REQ_EVENT
        if step == "KICK.mode":
            assert (a[move.pc] == b[move.pc] + 1) == (b[v.mode] == 1) and a[v.mode] == (2 if b[v.mode] == 1 else b[v.mode])
        if step == "POST.notify":
            assert not b[move.me.was_on]
        if step == "POST.mode":
            assert (a[move.pc] == b[move.pc] + 1) == (b[v.mode] == 1)
        if step == "POST.request":
            assert a[v.requests] & KVM_REQ_EVENT
        if step == "SYNC.copy" and scenario.kernel.name == "v4.10":
            assert a[v.requests] & KVM_REQ_EVENT
        if step in ("SYNC.copy", "POSTED.copy"):
            x = rec["apicv"]
            assert a[x.pir] == 0 and a[x.virr] == b[x.virr] | b[x.pir] and a[x.rvi] == max(b[x.rvi], (b[x.pir] or 1).bit_length() - 1)
        if step == "VIRTUAL_INTERRUPT":
            x = rec["apicv"]
            assert a[x.rvi] == (a[x.virr].bit_length() - 1 if a[x.virr] else 0) and b[g.cpu.irq]
        # the request for L1 is spent or kept, never dropped: nested_run_pending ends with EVENT raised
        if step == "RUN_PENDING":
            assert bool(a[v.requests] & KVM_REQ_EVENT) == bool(b[v.requests] & KVM_REQ_EVENT or b[v.nested_run_pending])

@pytest.mark.parametrize(("name", "faults", "label"), [("v3.10", 1, "L2_RAN"), ("v3.10+8081ad0", 1, "L2_RAN"), ("v3.10+c43203c", 1, None), ("v3.10+c43203c", 2, None)])
def test_a_second_deferral_needs_the_event_of_2016(name, faults, label):
    """After a half-delivered injection the wish is repeated with nested_run_pending clear: only c43203c keeps EVENT."""
    found = explore(immediate_exit(kernel(name), faults=faults))
    assert (found.shortest and found.shortest.property.label) == label

@pytest.mark.parametrize(("name", "verdict"), [("v4.10", "ok"), ("v4.10+no-event", "violated")])
def test_the_request_masks_both_races_if_it_is_tested_before_the_sync(name, verdict):
    """races.md V0 and V1: the same order, with and without the sender's KVM_REQ_EVENT."""
    moved = Patch("V0", "", "", (PathEdit("vcpu_run", Relocate("sync_pir_to_irr", before="MODE_IN")),)).on(kernel(name))
    assert explore(posted_interrupts(moved)).verdict == verdict

def test_after_everything_each_post_is_delivered_once():
    """K.13: at rest every vector posted has been delivered exactly once."""
    for n in (1, 2):
        sc = posted_interrupts(kernel("b95234c"), senders=n)
        for b, move, a in transitions(sc):
            if sc.done(a):
                assert a[sc.records["guest"].delivered] == n and a[sc.records["apicv"].virr] == 0

def test_names_are_used_once():
    """Two cells, two blocks or two actors of one name are an error of the model."""
    lay = Layout(); lay.add("x")
    with pytest.raises(ModelError): lay.add("x")
    s = lambda n: Step(n, lambda s, me: None)
    with pytest.raises(ModelError, match="two blocks"): System(Layout(), [Actor("a", "a", block("p", block("q", s("A")), block("q", s("B"))), None)])
    with pytest.raises(ModelError, match="letters"): System(Layout(), [Actor("a", "a", block("p", s("A")), None), Actor("a", "b", block("q", s("B")), None)])

def test_a_bare_letter_is_not_a_guess():
    """Where choice 0 is closed and two others are open, the letter alone is refused; a priority waits for its frame."""
    no = Step("N", lambda s, me: None, lambda s, me: False)
    x, y = (Step(n, lambda s, me: None) for n in "XY")
    sy = System(Layout(), [Actor("a", "a", block("p", free("R", no, x, y)), None)])
    with pytest.raises(IllegalTransition): sy.find(sy.start, "a")
    lay = Layout(); top = lay.add("top", 1)
    sy = System(lay, [Actor("a", "a", block("p", prioritised("R", x, Step("P", lambda s, me: None, preempts=True))), None, top, 0)])
    assert [m.label for m in sy.enabled(sy.start)] == ["a:P"]
