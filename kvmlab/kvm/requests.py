"""vcpu->requests: one bit per kind of work to do before the next entry.

The numbers are the model's own except where a commit names one. Source: include/linux/kvm_host.h;
KVM_REQ_IMMEDIATE_EXIT is bit 15 in d6185f20a0ef.
"""

KVM_REQ_TLB_FLUSH = 1 << 0
"""Stands for every request that is not named here: work for the vCPU, of no other meaning."""
KVM_REQ_MIGRATE_TIMER = 1 << 1
"""The thread has moved to another CPU: its hrtimer must follow."""
KVM_REQ_PENDING_TIMER = 1 << 2
"""The timer has expired: do not enter, go to the tail of vcpu_run. KVM_REQ_UNBLOCK in later kernels."""
KVM_REQ_UNHALT = 1 << 3
"""The blocked thread has become runnable. Gone since v6.1."""
KVM_REQ_EVENT = 1 << 11
KVM_REQ_IMMEDIATE_EXIT = 1 << 15

NAMED = {
    KVM_REQ_TLB_FLUSH: "TLB_FLUSH",
    KVM_REQ_MIGRATE_TIMER: "MIGRATE_TIMER",
    KVM_REQ_PENDING_TIMER: "PENDING_TIMER",
    KVM_REQ_UNHALT: "UNHALT",
    KVM_REQ_EVENT: "EVENT",
    KVM_REQ_IMMEDIATE_EXIT: "IMMEDIATE_EXIT",
}


def show(requests: int) -> str:
    """Print the requests that are set: ``-`` or ``EVENT TLB_FLUSH``."""
    return " ".join(name for mask, name in NAMED.items() if requests & mask) or "-"
