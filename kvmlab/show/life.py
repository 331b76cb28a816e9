"""An interrupt's life: raised, waiting, in service, done; a vector on its way through a local APIC.

What the APIC does is :mod:`kvmlab.processor.lapic`, the one that KVM's model uses; here are only three
presses and the rule of the processor: it takes what is deliverable while IF is 1, and the interrupt
gate clears IF. Source: SDM vol. 3 (June 2016), "Interrupt Acceptance for Fixed Interrupts",
"Masking Maskable Hardware Interrupts", "Signaling Interrupt Servicing Completion".
"""

from textwrap import wrap

from kvmlab.machine.state import Layout
from kvmlab.processor import lapic
from kvmlab.processor.records import Cpu
from kvmlab.processor.vectors import bit, show_set

VECTOR = 0x40
SHOWN = 4
"""So many presses before the last one are told."""


class Life:
    """One guest CPU with its local APIC; it begins with IF=0 and nothing raised."""

    def __init__(self) -> None:
        layout = Layout()
        self._cpu = layout.record(Cpu, "guest", irq=0)
        self._state = list(layout.start())
        self._before = tuple(self._state)
        self.raised = self.ran = 0
        self.told: list[str] = []

    @property
    def interrupts_on(self) -> bool:
        """The guest's IF."""
        return bool(self._state[self._cpu.irq])

    @property
    def waits(self) -> bool:
        """Whether the vector is in the IRR."""
        return bool(self._state[self._cpu.irr] & bit(VECTOR))

    @property
    def served(self) -> bool:
        """Whether the vector is in the ISR."""
        return bool(self._state[self._cpu.isr] & bit(VECTOR))

    @property
    def irr(self) -> str:
        """The IRR as text."""
        return show_set(self._state[self._cpu.irr])

    @property
    def isr(self) -> str:
        """The ISR as text."""
        return show_set(self._state[self._cpu.isr])

    @property
    def news(self) -> set[str]:
        """Which of IRR, ISR and IF the last press has changed."""
        cells = {"IRR": self._cpu.irr, "ISR": self._cpu.isr, "IF": self._cpu.irq}
        return {name for name, cell in cells.items() if self._state[cell] != self._before[cell]}

    def raise_vector(self) -> None:
        """Let a device raise the vector."""
        again = self.waits
        self._before = tuple(self._state)
        lapic.accept(self._state, self._cpu, VECTOR)
        self.raised += 1
        self._tell(f"{VECTOR:#x} is raised: " + ("its bit is set already." if again else "its bit is set."))

    def toggle_if(self) -> None:
        """Let the guest allow interrupts, or forbid them."""
        self._before = tuple(self._state)
        self._state[self._cpu.irq] ^= 1
        self._tell(f"The guest {'sets' if self.interrupts_on else 'clears'} IF.")

    def end(self) -> None:
        """Let the guest's handler write EOI."""
        self._before = tuple(self._state)
        ended = lapic.end_of_interrupt(self._state, self._cpu)
        self._tell("EOI: nothing was in service." if ended < 0 else f"EOI: {ended:#x} leaves the ISR.")

    def _tell(self, says: str) -> None:
        """Let the processor take what it may, and keep the sentence of this press."""
        self.told.append(f"{says} {self._taken() or self._why_not()}".strip())

    def _taken(self) -> str:
        s, cpu = self._state, self._cpu
        if not (s[cpu.irq] and lapic.deliverable(s, cpu)):
            return ""
        vector = lapic.acknowledge(s, cpu)
        s[cpu.irq] = 0
        self.ran += 1
        return f"The processor takes {vector:#x}: out of the IRR, into the ISR; the handler runs, with IF=0."

    def _why_not(self) -> str:
        if not self.waits:
            return ""
        reasons = ["IF is 0"] if not self.interrupts_on else []
        reasons += [f"{VECTOR:#x} is still in service"] if self.served else []
        return f"{VECTOR:#x} waits: {' and '.join(reasons)}."

    @property
    def past(self) -> list[tuple[int, str]]:
        """The presses before the last one, each with its number."""
        return list(enumerate(self.told[:-1], 1))[-SHOWN:]

    @property
    def foot(self) -> str:
        """What the last press did; the last sentence of picture and twin."""
        return self.told[-1] if self.told else f"Nothing is raised yet, and the guest's IF is {self._if}."

    @property
    def _if(self) -> int:
        return int(self.interrupts_on)

    def __repr__(self) -> str:
        past = [row for n, says in self.past for row in _numbered(n, says)]
        state = f"IRR {_none(self.irr)}; IF {self._if}; ISR {_none(self.isr)}"
        counts = f"raised {self.raised}, handler ran {self.ran}"
        return "\n".join(["The guest's local APIC", *past, state, counts, "", *wrap(self.foot, 80)])


def _none(vectors: str) -> str:
    return "empty" if vectors == "-" else vectors


def _numbered(n: int, says: str) -> list[str]:
    return wrap(f"{n:>3}  {says}", 80, subsequent_indent="     ")
