"""The board: four patches, four switches, and what the model does with each of them off and on.

Titles and hashes are those of the commits: d6185f20a0ef, 64672c95ea4c (with ce7a058a2117), b95234c84004,
d264ee0c2ed2. What stands in the last column is a run of the model, or a search, made when it is looked at.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from textwrap import wrap

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.scenarios.tsc_deadline import tsc_deadline
from kvmlab.schedulers.clock import Clock
from kvmlab.schedulers.explore import explore
from kvmlab.show.cards import Mix
from kvmlab.show.cards_story import story
from kvmlab.show.foot import foot_svg
from kvmlab.show.methods import count
from kvmlab.show.outcome import outcome
from kvmlab.show.svg import circle, document, line, rect, text
from kvmlab.show.titles import plural

FAR = 1000
"""After how many instructions a guest's guest would leave on its own."""


@dataclass(frozen=True, slots=True)
class Switch:
    """One patch: the kernels without and with it, what they do in words, and what the model makes of them."""

    before: str
    commit: str
    year: int
    without: str
    with_it: str
    lesson: str
    measure: Callable[[str], str]

    def name(self, on: bool) -> str:
        """Return the kernel that runs."""
        return self.commit if on else self.before

    def words(self, on: bool) -> str:
        """Return what that kernel does."""
        return self.with_it if on else self.without


def _left(name: str) -> str:
    """Patch 1: how far the guest's guest gets although its hypervisor has an interrupt."""
    return f"the guest's guest executes {count(outcome(kernel(name), True, FAR).instructions)}"


def _rung(name: str) -> str:
    """Patch 2: by which exit a busy guest's alarm is noticed."""
    scenario = tsc_deadline(kernel(name), mode="busy", rounds=1)
    reason = ""
    now = scenario.system.layout.index("now")
    for step in Clock(scenario.system, now=now).steps(10_000):
        for event, fields in step.events:
            if event == "kvm_apic_accept_irq":
                return f"the alarm's exit: {reason}"
            reason = str(fields["exit_reason"]) if event == "kvm_exit" else reason
    raise AssertionError("the alarm never rings")


def _posted(name: str) -> str:
    """Patch 3: whether an interrupt that a device posts can get lost."""
    found = explore(posted_interrupts(kernel(name), sender="vtd"))
    if found.shortest is None:
        return f"a device's interrupt: never lost, {plural(found.states, 'state')} tried"
    return f"a device's interrupt: lost in {plural(len(found.shortest.labels) - 1, 'step')}"


def _promised(name: str) -> str:
    """Patch 4: how far a guest gets that KVM, itself in a guest, is to leave at once."""
    way = {"v4.18": "ipi", "d264ee0": "timer0"}[name]
    told = story(Mix(("ipi", way), FAR))
    return f"KVM in a guest: its guest's guest executes {count(told.instructions)}"


SWITCHES = (
    Switch(
        "v3.2", "d6185f2", 2011, "the guest's guest runs on", "it is entered, and left at once", "01", _left
    ),
    Switch(
        "v4.7",
        "64672c9",
        2016,
        "a host timer interrupt rings",
        "the processor's own timer rings",
        "02",
        _rung,
    ),
    Switch(
        "v4.10",
        "b95234c",
        2017,
        "each interrupt costs a request",
        "two steps moved, no request",
        "03",
        _posted,
    ),
    Switch("v4.18", "d264ee0", 2018, "“at once” by good timing", "“at once” by promise", "04", _promised),
)
OFF = (False,) * len(SWITCHES)


@lru_cache(16)
def measured(n: int, on: bool) -> str:
    """Return what the model makes of switch ``n``, off or on."""
    switch = SWITCHES[n]
    return switch.measure(switch.name(on))


@dataclass(frozen=True, slots=True)
class Board:
    """Which switches are on, and which one was turned last (None: none yet)."""

    on: tuple[bool, ...] = OFF
    turned: int | None = None

    def turn(self, n: int, on: bool) -> "Board":
        """Return the board with switch ``n`` off or on; raise BadInput if there is none."""
        if not 0 <= n < len(SWITCHES):
            raise BadInput(f"switch {n}: 0 to {len(SWITCHES) - 1}")
        return Board((*self.on[:n], on, *self.on[n + 1 :]), n)

    @property
    def foot(self) -> str:
        """What the last switch did."""
        if self.turned is None:
            return "Each switch has its notebook. Turn one, and see what the model makes of it."
        n, on = self.turned, self.on[self.turned]
        return f"{SWITCHES[n].commit} {_state(on)}: {measured(n, on)}."


def _state(on: bool) -> str:
    return "on" if on else "off"


WIDTH, PITCH, TOP = 960, 44, 48
SWITCH, LABEL, WORDS, MODEL, LESSON = 16.0, 66.0, 196.0, 476.0, 920.0


def board_svg(shown: Board) -> str:
    """Return the picture; its alternative text is the foot."""
    height = TOP + PITCH * len(SWITCHES) + 40
    rows = "".join(part for n in range(len(SWITCHES)) for part in _row(shown, n, TOP + PITCH * n))
    body = (*_heads(), rows, *foot_svg(shown.foot, height - 34, WIDTH))
    return document(WIDTH, height, "The board", shown.foot, "".join(body))


def _heads() -> Iterator[str]:
    heads = ((LABEL, "patch"), (WORDS, "what it does"), (MODEL, "in the model"), (LESSON, "in"))
    yield from (text(x, 24, words, bold=True) for x, words in heads)
    yield line(0, 34, WIDTH, 34, tone="quiet", thickness=1)


def _row(shown: Board, n: int, y: float) -> Iterator[str]:
    one, on = SWITCHES[n], shown.on[n]
    if shown.turned == n:
        yield rect(MODEL - 8, y - 2, LESSON - MODEL - 8, PITCH - 5, "changed", outline=0)
    yield rect(SWITCH, y + 9, 38, 18, "ink" if on else "paper", r=9)
    yield circle(SWITCH + (29 if on else 9), y + 18, 6)
    yield text(LABEL, y + 15, f"{one.commit} ({one.year})", mono=True)
    yield text(LABEL, y + 32, _state(on), bold=on)
    for row, side in enumerate((False, True)):
        mark = "→ " if side == on else ""
        yield text(WORDS, y + 15 + 17 * row, mark + one.words(side), bold=side == on)
    yield text(MODEL, y + 15, measured(n, on))
    yield text(MODEL, y + 32, one.name(on), mono=True)
    yield text(LESSON, y + 15, one.lesson)


def board_text(shown: Board) -> str:
    """Return the picture in words, at most 80 columns wide, the foot last."""
    rows = (line for n in range(len(SWITCHES)) for line in _told(shown, n))
    return "\n".join(["The board", *rows, "", *wrap(shown.foot, 80)])


def _told(shown: Board, n: int) -> Sequence[str]:
    one, on = SWITCHES[n], shown.on[n]
    return (
        f"[{_state(on)}] {one.commit} ({one.year}), notebook {one.lesson}",
        f"      {one.words(on)}",
        f"      {one.name(on)}: {measured(n, on)}",
    )
