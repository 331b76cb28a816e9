"""Events as tests write them: one line each, only what matters."""

from kvmlab.traces import Event

VECTOR, LVTT = 0xEF, 0x400EF
"""The vector of the timer, and LVTT with it in TSC-deadline mode."""


def line(time, name, pid=1, **fields):
    """Return an event of the thread `pid`."""
    return Event.of(name, time, fields, pid=pid)


def left(time, reason="MSR_WRITE", pid=1, vcpu=0):
    """Return a kvm_exit."""
    return line(time, "kvm_exit", pid, vcpu_id=vcpu, exit_reason=reason, guest_rip=0)


def entered(time, pid=1, vcpu=0):
    """Return a kvm_entry."""
    return line(time, "kvm_entry", pid, vcpu_id=vcpu, rip=0)


def wrote(time, register, value, pid=1):
    """Return a kvm_msr for a WRMSR."""
    return line(time, "kvm_msr", pid, rw="write", ecx=register, data=value)


def accepted(time, vector=VECTOR, apicid=0, pid=1, name="kvm_apic_accept_irq"):
    """Return an acceptance by the APIC."""
    return line(time, name, pid, apicid=apicid, vec=vector, delivery_mode="Fixed", trigger="edge")


def injected(time, vector=VECTOR, pid=1, **more):
    """Return a kvm_inj_virq."""
    return line(time, "kvm_inj_virq", pid, vector=vector, soft=False, **more)


def eoi(time, vector=VECTOR, apicid=0, pid=1, name="kvm_eoi"):
    """Return a kvm_eoi."""
    return line(time, name, pid, apicid=apicid, vector=vector)


def hv_timer(time, on, pid=1, vcpu=0):
    """Return a kvm_hv_timer_state."""
    return line(time, "kvm_hv_timer_state", pid, vcpu_id=vcpu, hv_timer_in_use=on)


def into_l2(time, pid=1):
    """Return a kvm_nested_vmenter."""
    where = {"rip": 0, "area": "vmcs", "vmcb": 0, "nested_rip": 0, "tdp": "ept", "tdp_enabled": True}
    return line(time, "kvm_nested_vmenter", pid, **where, root="nested_eptp")


def left_l2(time, reason="EPT_VIOLATION", pid=1, vcpu=0):
    """Return a kvm_nested_vmexit."""
    return line(time, "kvm_nested_vmexit", pid, vcpu_id=vcpu, exit_reason=reason, guest_rip=0)


def reflected(time, reason="VMCALL", pid=1):
    """Return a kvm_nested_vmexit_inject."""
    return line(time, "kvm_nested_vmexit_inject", pid, exit_reason=reason)
