"""The registers that an interrupt for a guest passes on its way: what is in them, and what has just changed.

Theory of operation
-------------------
A vector is posted (PIR), then pending (IRR; with APICv VIRR, the virtual-APIC page's), then in service
(ISR, VISR). :class:`Registers` are those of one guest CPU as plain integers, sets of vectors as bitmaps;
whatever a notebook does not talk about is left out::

    Registers(irr=bit(0x31), isr=0, ppr=0x20)                   # by hand
    registers_source.of_descriptor(descriptor.unpack(memory))   # from 64 bytes
    registers_source.of_scenario(scenario, state)               # from a state of the model

:class:`Moment` puts beside them what they were before. All that is shown is made of it: a line and the text
twin (:mod:`kvmlab.show.registers_text`), the grid of 256 vectors (:mod:`kvmlab.show.registers_grid`), the
picture (:mod:`kvmlab.show.registers_svg`), the widget that may follow a stepper
(:mod:`kvmlab.show.widgets.registers`). Source: SDM vol. 3 (June 2016), "Local APIC", "Virtual APIC State",
"Guest Interrupt Status", and table "Format of Posted-Interrupt Descriptor".
"""

from dataclasses import dataclass
from functools import cached_property

from kvmlab.errors import BadInput
from kvmlab.processor.vectors import members

LOCAL, DESCRIPTOR, PAGE, STATUS = "local APIC", "descriptor", "virtual-APIC page", "VMCS"
"""The units that have registers."""

VECTORS = 256


@dataclass(frozen=True, slots=True)
class Register:
    """A register: its name, whose it is, its number of bits; of a set, what a bit ``says`` of its vector."""

    name: str
    unit: str
    bits: int
    says: str = ""

    @property
    def field(self) -> str:
        """The attribute of :class:`Registers` that holds it."""
        return self.name.lower()

    def text(self, value: int) -> str:
        """Print a value of it: ``{0x31 0x40}``, ``0xf2``, ``0``."""
        if self.says:
            return f"{{{' '.join(f'{vector:#x}' for vector in members(value))}}}"
        return f"{value:#x}" if value > 1 else str(value)


TABLE = (
    Register("IRR", LOCAL, VECTORS, "pending"),
    Register("ISR", LOCAL, VECTORS, "in service"),
    Register("TMR", LOCAL, VECTORS, "level-triggered"),
    Register("TPR", LOCAL, 8),
    Register("PPR", LOCAL, 8),
    Register("PIR", DESCRIPTOR, VECTORS, "posted"),
    Register("ON", DESCRIPTOR, 1),
    Register("SN", DESCRIPTOR, 1),
    Register("NV", DESCRIPTOR, 8),
    Register("NDST", DESCRIPTOR, 32),
    Register("VIRR", PAGE, VECTORS, "pending"),
    Register("VISR", PAGE, VECTORS, "in service"),
    Register("VTMR", PAGE, VECTORS, "level-triggered"),
    Register("VTPR", PAGE, 8),
    Register("VPPR", PAGE, 8),
    Register("RVI", STATUS, 8),
    Register("SVI", STATUS, 8),
)
"""All there are, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Registers:
    """The values of those registers that are looked at.

    Raises BadInput if there is none, for a value that a register's bits cannot hold, and for PPR beside VPPR:
    one grid has one threshold.
    """

    irr: int | None = None
    isr: int | None = None
    tmr: int | None = None
    tpr: int | None = None
    ppr: int | None = None
    pir: int | None = None
    on: int | None = None
    sn: int | None = None
    nv: int | None = None
    ndst: int | None = None
    virr: int | None = None
    visr: int | None = None
    vtmr: int | None = None
    vtpr: int | None = None
    vppr: int | None = None
    rvi: int | None = None
    svi: int | None = None

    def __post_init__(self) -> None:
        values = {register: self.value(register) for register in TABLE}
        for register, value in values.items():
            if value is not None and value >> register.bits:
                raise BadInput(f"{register.name} has {register.bits} bits; {value:#x} does not fit")
        if set(values.values()) == {None}:
            raise BadInput("no register is given: give at least one")
        if self.ppr is not None and self.vppr is not None:
            raise BadInput("give PPR or VPPR, not both: one grid has one threshold")

    def value(self, register: Register) -> int | None:
        """Return what a register holds, ``None`` if it is not looked at."""
        found: int | None = getattr(self, register.field)
        return found


@dataclass(frozen=True, slots=True)
class Reading:
    """A register with its value; ``was`` is the value before, if it has just changed."""

    register: Register
    value: int
    was: int | None = None

    @property
    def text(self) -> str:
        """The value as text."""
        return self.register.text(self.value)

    @property
    def before(self) -> str:
        """What it was, as text; nothing if it has not changed."""
        return "" if self.was is None else f"was {self.register.text(self.was)}"


@dataclass(frozen=True)
class Moment:
    """Registers as they are, and as they were a step before (``None``: nothing has just changed)."""

    now: Registers
    was: Registers | None = None

    @cached_property
    def readings(self) -> tuple[Reading, ...]:
        """What is looked at, in the order of :data:`TABLE`; what was not there before has not changed."""
        return tuple(reading for register in TABLE if (reading := self._reading(register)) is not None)

    def _reading(self, register: Register) -> Reading | None:
        value = self.now.value(register)
        was = None if self.was is None else self.was.value(register)
        return None if value is None else Reading(register, value, None if was == value else was)

    @property
    def units(self) -> tuple[tuple[Reading, ...], ...]:
        """The readings, unit by unit."""
        units = dict.fromkeys(reading.register.unit for reading in self.readings)
        return tuple(tuple(r for r in self.readings if r.register.unit == unit) for unit in units)

    @property
    def threshold(self) -> Reading | None:
        """The processor priority, PPR or VPPR, if it is looked at."""
        return next((r for r in self.readings if r.register.name in ("PPR", "VPPR")), None)
