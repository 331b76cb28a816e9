"""What makes two events of two runs the same: the name, and the fields that a second run would repeat.

Left out are times, durations, addresses, rips, thread ids and register contents that hold one of these. So
two exits are the same if their reasons are, and two entries if both or neither are forced.
"""

from collections.abc import Hashable, Mapping, Sequence

from kvmlab.traces.event import Event
from kvmlab.traces.formats import FORMATS

_IRQ = ("apicid", "vec", "delivery_mode", "trigger")
_EXIT = ("exit_reason",)

_KVM: Mapping[str, tuple[str, ...]] = {
    "kvm_entry": ("vcpu_id", "immediate_exit"),
    "kvm_exit": _EXIT,
    "kvm_userspace_exit": ("reason",),
    "kvm_vcpu_wakeup": ("waited",),
    "kvm_halt_poll_ns": ("vcpu_id", "grow"),
    "kvm_ple_window_update": ("vcpu_id", "grow"),
    "kvm_inj_virq": ("vector",),
    "kvm_inj_exception": ("exception",),
    "kvm_apic": ("rw", "reg", "val"),
    "kvm_apic_ipi": ("dest_id", "vec", "delivery_mode", "shorthand"),
    "kvm_apic_accept_irq": _IRQ,
    "kvm_apicv_accept_irq": _IRQ,
    "kvm_eoi": ("apicid", "vector"),
    "kvm_pv_eoi": ("apicid", "vector"),
    "kvm_pi_irte_update": ("set", "vcpu_id", "gvec"),
    "kvm_set_irq": ("gsi", "level"),
    "kvm_pic_set_irq": ("chip", "pin"),
    "kvm_ioapic_set_irq": ("pin", "vec"),
    "kvm_msr": ("rw", "ecx", "exception"),
    "kvm_hv_timer_state": ("vcpu_id", "hv_timer_in_use"),
    "kvm_wait_lapic_expire": ("vcpu_id",),
    "kvm_nested_vmrun": ("event_inj",),
    "kvm_nested_vmenter": ("event_inj",),
    "kvm_nested_vmexit": _EXIT,
    "kvm_nested_vmexit_inject": _EXIT,
    "kvm_nested_intr_vmexit": (),
    "kvm_page_fault": ("error_code",),
    "kvm_age_hva": (),
    "kvm_test_age_hva": (),
    "kvm_pio": ("rw", "port", "size"),
}
_HOST: Mapping[str, tuple[str, ...]] = {
    "irq_handler_entry": ("irq", "name"),
    "irq_handler_exit": ("irq",),
    "hrtimer_start": ("function",),
    "hrtimer_expire_entry": ("function",),
    "hrtimer_expire_exit": (),
    "hrtimer_cancel": (),
    "sched_switch": ("prev_comm", "prev_state", "next_comm"),
    "sched_wakeup": ("comm",),
    "sched_wakeup_new": ("comm",),
    "sched_waking": ("comm",),
    "sched_migrate_task": ("comm",),
    "cpu_idle": ("state",),
}
KEYS: Mapping[str, tuple[str, ...]] = {
    **{name: ("vector",) for name in FORMATS if name not in _KVM and name not in _HOST},
    **_KVM,
    **_HOST,
}
"""Event name to the fields that count; an event that is not listed counts by its name alone."""

NOISE = frozenset(
    {
        *(name for name in _HOST),
        *("local_timer_entry", "local_timer_exit", "irq_work_entry", "irq_work_exit"),
        *("kvm_age_hva", "kvm_test_age_hva"),
    }
)
"""What the host does on its own account: its tick and timers, its scheduler, the ageing of its memory."""

_ONE: Mapping[Hashable, Hashable] = {"PENDING_INTERRUPT": "INTERRUPT_WINDOW", None: False}
"""Two words for one thing: exit 7 was renamed after 4.19, and a mark that a dialect lacks is not there."""

_Key = tuple[Hashable, ...]


def keys(events: Sequence[Event], registers: bool) -> list[_Key]:
    """Return the key of each event of a run.

    With `registers` an exit for RDMSR or WRMSR also counts by its register, which only the kvm_msr line
    behind it prints; without, as it must be where one of two runs lacks these lines, all are alike.
    """
    found, left = list(map(key, events)), dict[int, int]()
    for place, event in enumerate(events) if registers else ():
        if event.name == "kvm_exit":
            left[event.pid] = place
        elif event.name in ("kvm_msr", "kvm_entry") and event.pid in left:
            exit_place = left.pop(event.pid)
            found[exit_place] += (event.fields.get("ecx"),) if event.name == "kvm_msr" else ()
    return found


def key(event: Event) -> _Key:
    """Return what two events must share to be the same event of two runs."""
    fields = event.fields
    values = (fields.get(name) for name in KEYS.get(event.name, ()))
    return (event.name, *(_ONE.get(value, value) for value in values))
