"""Levels on top of each other: who runs, on which card, and which card makes its guest leave at once.

A *card* is a VMCS, V[owner -> guest]. The CPU has one slot, and what an entry obeys is the card in it; the
others lie in level 0's drawer. A hypervisor above level 0 has a slot and a drawer too: its cards are forms
in its memory, which the one below reads. Everything here is read off one state of a model run.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kvmlab.errors import BadInput
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.state import State
from kvmlab.processor.controls import (
    ACTIVATE_PREEMPTION_TIMER,
    INTERRUPT_WINDOW_EXITING,
    MONITOR_TRAP_FLAG,
    NMI_WINDOW_EXITING,
)
from kvmlab.processor.records import Apicv, Vmcs
from kvmlab.processor.vectors import show_set
from kvmlab.scenarios.scenario import Scenario

KVM, HYPERVISOR, GUEST = "KVM", "hypervisor", "guest"

WINDOWS = {
    MONITOR_TRAP_FLAG: "MTF",
    INTERRUPT_WINDOW_EXITING: "window",
    NMI_WINDOW_EXITING: "NMI window",
}
"""Processor-based controls that make a guest leave as soon as it can."""


@dataclass(frozen=True, slots=True)
class Card:
    """V[owner -> guest]; ``wish`` is what makes its guest leave at once (empty: nothing does).

    ``kept``: the guest has left because of it, and nothing is left to do.
    """

    owner: int
    guest: int
    loaded: bool
    wish: str = ""
    kept: bool = False

    @property
    def name(self) -> str:
        """How the course names it."""
        return f"V[{self.owner}→{self.guest}]"

    @property
    def relative(self) -> str:
        """How its owner's kernel names it."""
        return "vmcs01" if self.guest == self.owner + 1 else "vmcs02"

    @property
    def says(self) -> str:
        """The card in words."""
        wish = f"{self.wish}, kept" if self.kept else self.wish
        return f"{self.name} ({wish})" if self.wish else self.name


@dataclass(frozen=True, slots=True)
class Floor:
    """The code at one level: who it is, whether it runs, and its cards; ``note`` is the caller's."""

    level: int
    who: str
    running: bool
    cards: tuple[Card, ...]
    note: str = ""

    @property
    def name(self) -> str:
        """``L1``."""
        return f"L{self.level}"

    @property
    def slot(self) -> Card | None:
        """The card it has loaded."""
        return next((card for card in self.cards if card.loaded), None)

    @property
    def drawer(self) -> tuple[Card, ...]:
        """Its other cards."""
        return tuple(card for card in self.cards if not card.loaded)


@dataclass(frozen=True, slots=True)
class Tower:
    """The levels from 0 up; ``ipi`` are the vectors for the CPU itself, and ``ipi_state`` what became of
    them: pending, under way, taken (empty: there are none)."""

    floors: tuple[Floor, ...]
    ipi: str = ""
    ipi_state: str = ""

    def card(self, owner: int, guest: int) -> Card:
        """Return V[owner -> guest]."""
        return next(card for card in self.floors[owner].cards if card.guest == guest)

    @property
    def running(self) -> Floor:
        """Whose code runs."""
        return next(floor for floor in self.floors if floor.running)

    @property
    def foot(self) -> str:
        """What an entry would obey."""
        slot = self.floors[0].slot
        assert slot is not None
        found = [f"{slot.wish} on its card"] if slot.wish and not slot.kept else []
        found += [f"{self.ipi} at the CPU"] if self.ipi_state == "pending" else []
        left = [c.says for floor in self.floors for c in floor.drawer if c.wish and not c.kept]
        unseen = f" In a drawer, unseen: {', '.join(left)}." if left else ""
        runs = f"{self.running.name} runs; {slot.name} is in the slot"
        return f"{runs}. An entry finds {' and '.join(found) or 'no wish to leave'}.{unseen}"


def tower(scenario: Scenario, state: State, notes: Mapping[int, str] | None = None) -> Tower:
    """Return the levels of ``scenario`` in ``state``; ``notes`` say something about single levels.

    Raises BadInput for a scenario without a KVM.
    """
    vcpus, running = _vcpus(scenario), state[scenario.records["core"].frame] // 2
    top = vcpus[0].level + len(vcpus[0].guests)
    said = notes or {}
    floors = tuple(
        Floor(level, _who(vcpus, level, top), level == running, cards, said.get(level, ""))
        for level, cards in enumerate(_cards(vcpus, state))
    )
    return Tower(floors, *_ipi(vcpus[0], state))


def _vcpus(scenario: Scenario) -> Sequence[Vcpu]:
    """Return KVM's record of each level; a scenario has a stack of them, or one at level 0."""
    records = scenario.records
    if "stack" in records:
        found: Sequence[Vcpu] = records["stack"].vcpus
        return found
    if "vcpu" in records:
        return (records["vcpu"],)
    raise BadInput(f"{scenario.name} has no levels to show")


def _who(vcpus: Sequence[Vcpu], level: int, top: int) -> str:
    if level < len(vcpus):
        return KVM
    return GUEST if level == top else HYPERVISOR


def _cards(vcpus: Sequence[Vcpu], s: State) -> Iterator[tuple[Card, ...]]:
    """Yield the cards of each level, from 0 up; the guest on top has none."""
    for vcpu in vcpus:
        yield tuple(
            _card(s, guest.vmcs, None if vcpu.level else guest.apicv, loaded=n == s[vcpu.current])
            for n, guest in enumerate(vcpu.guests)
        )
    if vcpus[-1].forms:
        yield tuple(_card(s, form, None, loaded=True) for form in vcpus[-1].forms)
    yield ()


def _card(s: State, vmcs: Vmcs, page: Apicv | None, *, loaded: bool) -> Card:
    return Card(vmcs.owner, vmcs.guest, loaded, _wish(s, vmcs, page))


def _wish(s: State, vmcs: Vmcs, page: Apicv | None) -> str:
    """Return what makes the card's guest leave, or take an interrupt, before its first instruction."""
    if vmcs.pin is not None and vmcs.timer is not None:
        if s[vmcs.pin] & ACTIVATE_PREEMPTION_TIMER and not s[vmcs.timer]:
            return "timer 0"
    if page is not None and s[page.rvi]:
        return f"RVI {s[page.rvi]:#x}"
    return next((word for control, word in WINDOWS.items() if s[vmcs.proc] & control), "")


def _ipi(vcpu: Vcpu, s: State) -> tuple[str, str]:
    """Return the interrupts for the physical CPU, and where they are."""
    sets = [("pending", vcpu.cpu.irr), ("taken", vcpu.cpu.isr)]
    sets += [("under way", vcpu.wire.vectors)] if vcpu.wire is not None else []
    return next(((show_set(s[cell]), state) for state, cell in sets if s[cell]), ("", ""))
