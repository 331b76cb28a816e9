"""A halted guest in v6.1, step by step: who holds the deadline meanwhile, and what ends a wait.

The oracle is a truth table of what v6.1 says (x86.c vcpu_block, kvm_main.c kvm_vcpu_check_block).
"""

from itertools import product

import pytest
from functions_bench import DEADLINE, START, Bench, bench

from kvmlab.kernels.v6_1_halt import CHECK, POLL_END
from kvmlab.kvm.requests import KVM_REQ_EVENT, KVM_REQ_PENDING_TIMER
from kvmlab.kvm.timer_records import BROKEN, HALTED, RUNNABLE
from kvmlab.machine.step import Step
from kvmlab.processor.apic_timer import MASKED, Mode
from kvmlab.processor.apicv import page
from kvmlab.processor.vectors import bit
from kvmlab.scenarios.timer_parts import VECTOR


def halted(rate: int = 0, *, irq: bool = False, expired: bool = False, asked: bool = False) -> Bench:
    """Return a halted vCPU with a deadline to come, and what may end its wait."""
    made = bench("v6.1", Mode.TSC_DEADLINE, rate=rate)
    made.write("d", DEADLINE)
    vcpu = made.vcpu
    made.s[vcpu.halt.mp_state], made.s[vcpu.guests[0].cpu.irq] = HALTED, 1
    made.s[page(vcpu.guests[0]).virr] = bit(VECTOR + 1) * irq
    made.s[made.timer.pending] = expired
    made.s[vcpu.requests] = KVM_REQ_EVENT | KVM_REQ_PENDING_TIMER * asked
    return made


@pytest.mark.parametrize("rate", [0, BROKEN])
def test_who_holds_the_deadline_during_a_wait(rate: int) -> None:
    """The hrtimer; behind it the hv timer again, if it was in use before, and nothing else is switched."""
    made = halted(rate, asked=True)
    made.until("b", "POLL.start")
    assert made.holders() == (False, True) and made.s[made.vcpu.halt.hv] == (rate == 0)
    made.rest("b")
    assert made.holders() == (rate == 0, rate != 0) and made.ends() == DEADLINE
    assert made.s[made.vcpu.halt.mp_state] == HALTED and not made.s[made.vcpu.halt.waiting]


@pytest.mark.parametrize("before", [0, 1])
def test_what_an_earlier_halt_remembered_is_forgotten(before: int) -> None:
    """A vCPU whose deadline an hrtimer holds stays with it, whatever there was the last time."""
    made = halted(asked=True)
    made.s[made.vcpu.halt.hv] = before
    made.s[made.timer.in_use], made.s[made.timer.hv_deadline] = 0, -1
    made.s[made.timer.hrtimer.expires] = DEADLINE
    made.call("b")
    assert made.holders() == (False, True)


@pytest.mark.parametrize("expired", [False, True])
def test_an_interrupt_makes_it_run_an_expiry_does_not(expired: bool) -> None:
    """The lap behind an expiry makes the interrupt; until then the guest stays halted."""
    for irq in (False, True):
        made = halted(expired=expired, asked=True)
        made.until("b", "SWAIT.prepare")
        made.s[page(made.vcpu.guests[0]).virr] = bit(VECTOR + 1) * irq  # another CPU's, meanwhile
        made.rest("b")
        assert made.s[made.vcpu.halt.mp_state] == (RUNNABLE if irq else HALTED)


def test_who_is_runnable_does_not_wait() -> None:
    """kvm_arch_vcpu_runnable first: no switch, no request is spent, and it runs."""
    made = halted(irq=True, asked=True)
    before = made.holders(), made.s[made.vcpu.requests], made.s[made.vcpu.halt.start]
    made.s[made.timer.tsc.host] += 5
    made.call("b")
    after = made.holders(), made.s[made.vcpu.requests], made.s[made.vcpu.halt.start]
    assert after == before and made.s[made.vcpu.halt.mp_state] == RUNNABLE


@pytest.mark.parametrize(("step", "leaves"), [(CHECK, "swait"), (POLL_END, "wait")])
def test_what_ends_a_wait(step: Step, leaves: str) -> None:
    """An interrupt, an expiry, or KVM_REQ_UNBLOCK, which is spent only if neither is there; no other request.

    KVM_REQ_UNHALT is gone.
    """
    for irq, expired, masked, asked in product((False, True), repeat=4):
        made = halted(irq=irq, expired=expired, asked=asked)
        made.s[made.timer.lvtt] |= MASKED * masked
        there = irq or (expired and not masked)
        assert step.fn(made.s, made.vcpu) == (leaves if there or asked else None)
        kept = KVM_REQ_PENDING_TIMER if there and asked else 0
        assert made.s[made.vcpu.requests] == KVM_REQ_EVENT | kept


def test_what_ends_polling() -> None:
    """The same three, or the end of its time."""
    for irq, expired, asked, over in product((False, True), repeat=4):
        made = halted(irq=irq, expired=expired, asked=asked)
        made.s[made.vcpu.halt.stop] = START + (0 if over else 1)
        assert POLL_END.when is not None
        assert bool(POLL_END.when(made.s, made.vcpu)) == (irq or expired or asked or over)
