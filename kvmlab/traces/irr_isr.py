"""One vector in one APIC: its bits in IRR and ISR, as far as a trace shows them change."""

from dataclasses import dataclass
from typing import Literal

State = Literal["answered", "waiting", "in service", "unanswered", "virtualized", "not traced"]
"""What became of the last interrupt of a vector; `answers.py` says how it is known."""

OPEN: tuple[State, ...] = ("waiting", "in service", "unanswered")
"""The states that accuse: an EOI would have been traced, and was not."""


@dataclass(slots=True)
class Bits:
    """The running account of one vector; `irr` and `isr` since when the bit is set."""

    accepted: int = 0
    injected: int = 0
    eois: int = 0
    virtual: bool = False
    irr: int | None = None
    isr: int | None = None

    def accept(self, now: int) -> None:
        """Set the bit in IRR, if it is not set yet."""
        self.accepted += 1
        self.irr = now if self.irr is None else self.irr

    def inject(self, now: int) -> None:
        """Move the bit from IRR to ISR."""
        self.injected += 1
        self.irr, self.isr = None, now

    def eoi(self) -> None:
        """Clear the bit in ISR; if no injection was seen, the one in IRR was injected unseen."""
        self.eois += 1
        self.irr, self.isr = (None if self.isr is None else self.irr), None

    def state(self, traced: bool, injections: bool) -> State:
        """Return what became of the last one; `traced`: the trace has EOIs or injections at all."""
        if self.virtual:
            return "virtualized"
        if self.isr is not None:
            return "in service"
        if self.irr is None:
            return "answered"
        return "not traced" if not traced else "waiting" if injections else "unanswered"
