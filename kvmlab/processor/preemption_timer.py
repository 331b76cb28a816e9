"""The VMX-preemption timer: a counter that runs in VMX non-root operation only and takes the guest out at 0.

It is loaded from the VMCS at every entry and drops by 1 each time bit X of the TSC changes, X being
IA32_VMX_MISC[4:0]. So the phase is the TSC's, not the entry's, and when it will expire is known at the entry.
Neither RFLAGS.IF nor a shadow of STI or MOV SS holds its exit back.
Source: SDM vol. 3 (June 2016), "VMX-Preemption Timer", "Saving Non-Register State", "Pin-Based VM-Execution
Controls", "VM-Exit Controls".
"""

from collections.abc import Sequence

from kvmlab.errors import ModelError
from kvmlab.machine.state import Cell
from kvmlab.processor.controls import ACTIVATE_PREEMPTION_TIMER
from kvmlab.processor.records import Guest, PreemptionTimer, Vmcs

SAVE_PREEMPTION_TIMER = 1 << 22
"""VM-exit control."""
INVALID_CONTROL_FIELDS = 7
"""VM-instruction error: VM entry with invalid control field(s)."""
MAX_TICKS = (1 << 32) - 1
DEEPEST_COUNTING_C_STATE = 2


def expiry(entry: int, ticks: int, rate: int) -> int:
    """Return the TSC at which a counter loaded with ``ticks`` at TSC ``entry`` reaches 0."""
    return ((entry >> rate) + ticks) << rate


def ticks_left(now: int, deadline: int, rate: int) -> int:
    """Return what a counter that reaches 0 at ``deadline`` shows at TSC ``now``."""
    return max((deadline >> rate) - (now >> rate), 0)


def instruction_error(pin: int, exit_controls: int) -> int:
    """Return the VM-instruction error that an entry with these controls fails with, 0 if it does not."""
    saves, counts = exit_controls & SAVE_PREEMPTION_TIMER, pin & ACTIVATE_PREEMPTION_TIMER
    return INVALID_CONTROL_FIELDS if saves and not counts else 0


def arm(s: list[int], vmcs: Vmcs, ticks: int) -> None:
    """VMWRITE: the control is on, with this value."""
    s[_pin(vmcs)] |= ACTIVATE_PREEMPTION_TIMER
    s[_value(vmcs)] = ticks


def disarm(s: list[int], vmcs: Vmcs) -> None:
    """VMWRITE: the control is off; the value stays what it is."""
    s[_pin(vmcs)] &= ~ACTIVATE_PREEMPTION_TIMER


def load(s: list[int], guest: Guest, timer: PreemptionTimer) -> None:
    """VM entry: start counting, if the timer is on.

    Raises ModelError if the entry would fail: KVM never asks for such a one.
    """
    pin = s[_pin(guest.vmcs)]
    if instruction_error(pin, guest.vmcs.exit_controls):
        raise ModelError("VMfailValid 7: saving the timer's value needs the timer active")
    if pin & ACTIVATE_PREEMPTION_TIMER:
        s[timer.deadline] = expiry(s[timer.tsc], s[_value(guest.vmcs)], timer.rate)


def stop(s: list[int], guest: Guest, timer: PreemptionTimer) -> None:
    """VM exit: stop counting; what is left is written back only if the exit control asks for it.

    A CPU that sleeps too deep to count is awake at its exit, and what stood still is left.
    """
    if timer.frozen is not None:
        leave_c_state(s, timer)
    if guest.vmcs.exit_controls & SAVE_PREEMPTION_TIMER:
        s[_value(guest.vmcs)] = ticks_left(s[timer.tsc], s[timer.deadline], timer.rate)
    s[timer.deadline] = -1


def expired(s: Sequence[int], guest: Guest) -> bool:
    """Whether the counter runs and has reached 0; where no time is modelled, only a value of 0 ever has."""
    if guest.timer is not None:
        return 0 <= s[guest.timer.deadline] <= s[guest.timer.tsc]
    v = guest.vmcs
    return v.pin is not None and bool(s[v.pin] & ACTIVATE_PREEMPTION_TIMER) and not s[_value(v)]


def enter_c_state(s: list[int], timer: PreemptionTimer, depth: int) -> None:
    """The CPU goes to sleep within the guest, C1 or deeper: below C2 the counter stands still."""
    if depth > DEEPEST_COUNTING_C_STATE and s[timer.deadline] >= 0:
        s[_frozen(timer)] = ticks_left(s[timer.tsc], s[timer.deadline], timer.rate)
        s[timer.deadline] = -1


def leave_c_state(s: list[int], timer: PreemptionTimer) -> None:
    """The CPU wakes: a counter that stood still goes on."""
    if s[_frozen(timer)] >= 0:
        s[timer.deadline] = expiry(s[timer.tsc], s[_frozen(timer)], timer.rate)
        s[_frozen(timer)] = -1


def _pin(vmcs: Vmcs) -> Cell:
    return _allocated(vmcs.pin, "pin-based controls")


def _value(vmcs: Vmcs) -> Cell:
    return _allocated(vmcs.timer, "timer value")


def _frozen(timer: PreemptionTimer) -> Cell:
    return _allocated(timer.frozen, "frozen count")


def _allocated(place: Cell | None, what: str) -> Cell:
    if place is None:
        raise ModelError(f"nobody has allocated a cell for the {what}")
    return place
