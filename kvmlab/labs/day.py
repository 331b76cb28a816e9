"""A guest's day: the halting trace, for a learner's first look at one.

Lines that need a later lesson's words are left out of the pictures, and the pictures say so; the table
of exits is made of the whole trace.
"""

from kvmlab.show.widgets.timeline import Timeline
from kvmlab.traces import Event, format_table, load, statistics

TRACE = "vmx_pt1_lab_tsc_hlt"
LATER = frozenset({"kvm_hv_timer_state", "kvm_wait_lapic_expire", "kvm_apicv_accept_irq"})
"""Of the preemption timer (notebook 02) and of APICv (notebook 03)."""

TITLE = "A guest that halts: 16 alarms"
NOTE = "recorded on an emulated CPU: 1 tick = 1 instruction; what is for notebooks 02 and 03 is left out"
ROUND = (200_000, 450_000)
"""The second round, from the alarm that ends the first one's sleep to the next."""
KINDS = (208_000, 284_000)
"""An alarm, what it does for the guest, and the host's own tick."""
DOOR = ("kvm_entry", "kvm_exit", "kvm_msr")
"""The events of the first lesson."""


def events() -> list[Event]:
    """Return the events that the pictures of notebook 00 show."""
    return [event for event in load(TRACE) if event.name not in LATER]


def timeline(window: tuple[int, int] | None = None) -> Timeline:
    """Return the day as a timeline, all of it or a window."""
    shown = Timeline(events(), "ticks", TITLE, NOTE)
    if window:
        shown.window = window
    return shown


def table() -> str:
    """Return what `perf kvm stat` would print of the whole trace."""
    return format_table(statistics(load(TRACE)), "ticks")


def four_lines() -> list[Event]:
    """Return the first alarm being set: entry, exit, the MSR, entry."""
    some = [event for event in load(TRACE) if event.name in DOOR]
    at = next(n for n, event in enumerate(some) if event.fields.get("ecx") == TSC_DEADLINE)
    return some[at - 2 : at + 2]


TSC_DEADLINE = 0x6E0
"""IA32_TSC_DEADLINE: writing it sets the alarm. Source: SDM vol. 3 (June 2016), "TSC-Deadline Mode"."""
