"""Which mark an event gets, and its few words: the table of everything a timeline can say of one event.

Labels keep the kernel's own words, without ``kvm_``, so that they can be grepped. A label is text from a
trace, so it is made printable here and escaped when it is drawn.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from kvmlab.show.marks import Guests
from kvmlab.show.timeline_data import Look
from kvmlab.traces.event import Event
from kvmlab.traces.template import Value

Fields = Mapping[str, Value]


class Meaning(NamedTuple):
    """What one event is drawn as (see :class:`kvmlab.show.timeline_data.Mark`)."""

    look: Look
    label: str
    rank: int = 5
    state: Guests = "pending"


SCHEDULER = ("sched_switch", "sched_wakeup", "sched_wakeup_new", "sched_waking", "sched_migrate_task")
"""What the bands show already: these get a tick and no words."""


def meaning(event: Event) -> Meaning:
    """Return the mark of an event."""
    fields = event.fields
    if event.name in _LOOKS and fields:
        return _LOOKS[event.name](fields)
    if event.name.endswith("_entry") and "vector" in fields:
        return Meaning("host interrupt", f"{event.name.removesuffix('_entry')} {vector(fields['vector'])}", 1)
    if event.name.endswith("_exit") and "vector" in fields or event.name in SCHEDULER:
        return Meaning("tick", "", 9)
    rank, words = _TICKS.get(event.name, (7, _name_alone))
    label = words(fields) if fields else ""
    return Meaning("tick", printable(label or event.name.removeprefix("kvm_")), rank)


def vector(number: Value | None) -> str:
    """Return a vector as the course writes it, ``0x31``; -1 is no vector."""
    return f"0x{number:02x}" if isinstance(number, int) and number >= 0 else "no vector"


def printable(text: str) -> str:
    """Return ``text`` with what cannot be seen, or turns the reading direction, as ``\\xNN``."""
    return (
        text
        if text.isprintable()
        else "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
    )


def _exit(fields: Fields) -> Meaning:
    reason, info = printable(str(fields["exit_reason"])), fields.get("intr_info")
    if reason == "EXTERNAL_INTERRUPT" and isinstance(info, int) and info >> 31:
        return Meaning("exit", f"{reason} {vector(info & 0xFF)}")
    return Meaning("exit", reason)


def _entry(fields: Fields) -> Meaning:
    forced = bool(fields.get("immediate_exit"))
    return Meaning("wish", "immediate exit", 0) if forced else Meaning("tick", "", 9)


def _host_handler(fields: Fields) -> Meaning:
    return Meaning("host interrupt", printable(f"irq {fields['irq']} {fields['name']}"), 1)


def _guest_interrupt(state: Guests, field: str) -> Callable[[Fields], Meaning]:
    return lambda fields: Meaning("interrupt", vector(fields[field]), 0, state)


_LOOKS: dict[str, Callable[[Fields], Meaning]] = {
    "kvm_exit": _exit,
    "kvm_entry": _entry,
    "kvm_apic_accept_irq": _guest_interrupt("pending", "vec"),
    "kvm_apicv_accept_irq": _guest_interrupt("posted", "vec"),
    "kvm_inj_virq": _guest_interrupt("in entry field", "vector"),
    "irq_handler_entry": _host_handler,
}
"""Events with a mark of their own."""


def _name_alone(fields: Fields) -> str:
    return ""


def _ipi(fields: Fields) -> str:
    to = fields["shorthand"] if fields["shorthand"] != "dst" else f"APIC {fields['dest_id']}"
    return f"IPI {vector(fields['vec'])} to {to}"


def _eoi(fields: Fields) -> str:
    known = isinstance(fields["vector"], int) and fields["vector"] >= 0
    return f"EOI {vector(fields['vector'])}" if known else "EOI"


_TICKS: dict[str, tuple[int, Callable[[Fields], str]]] = {
    "kvm_nested_vmexit_inject": (0, lambda f: f"L1 told {f['exit_reason']}"),
    "kvm_nested_vmenter": (1, _name_alone),
    "kvm_nested_vmrun": (1, _name_alone),
    "kvm_nested_vmexit": (8, _name_alone),
    "kvm_hv_timer_state": (1, lambda f: f"hv_timer {f['hv_timer_in_use']}"),
    "kvm_apic_ipi": (1, _ipi),
    "kvm_eoi": (2, _eoi),
    "kvm_pv_eoi": (2, _eoi),
    "kvm_inj_exception": (1, lambda f: f"inject {f['exception']}"),
    "kvm_vcpu_wakeup": (3, _name_alone),
    "kvm_wait_lapic_expire": (3, lambda f: f"delta {f['delta']} {f['when']}"),
    "kvm_msr": (4, lambda f: f"msr_{f['rw']} {f['ecx']:x}"),
    "kvm_apic": (5, lambda f: f"{f['reg']}"),
    "kvm_pio": (4, lambda f: f"pio_{f['rw']} 0x{f['port']:x}"),
    "kvm_userspace_exit": (5, lambda f: f"{f['reason']}"),
    "kvm_halt_poll_ns": (6, lambda f: f"halt_poll_ns {f['new']}"),
    "kvm_ple_window_update": (6, lambda f: f"ple_window {f['new']}"),
    "kvm_page_fault": (6, _name_alone),
    "hrtimer_start": (4, lambda f: f"start {_function(f)}"),
    "hrtimer_expire_entry": (3, lambda f: _function(f)),
    "hrtimer_expire_exit": (9, _name_alone),
    "hrtimer_cancel": (4, _name_alone),
}
"""Events that get a tick: the rank of their words, and the words (none: the event's name)."""


def _function(fields: Fields) -> str:
    return str(fields["function"]).split(" ", 1)[0]
