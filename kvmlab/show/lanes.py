"""Swim lanes: who took which step, downwards; beside it what the same schedule does on the kernel that holds.

Both sides are runs. The numbers ①②③ stand on the steps that decided the verdict (decisive), on the sync
whose look at ON came too early, and on the step that made the sender's effort vain.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kvmlab.machine.run import Run, Taken, divergence
from kvmlab.machine.system import Actor
from kvmlab.machine.watch import footprint
from kvmlab.scenarios.scenario import Scenario
from kvmlab.show.decisive import verdict
from kvmlab.show.nets import FALLS, VECTOR
from kvmlab.show.places import EMPTY, spoken
from kvmlab.show.races import Told
from kvmlab.show.stepper.past import role, short
from kvmlab.show.titles import title

CHANGES = {
    "vcpu.mode": "mode",
    "apicv.on": "ON",
    "apicv.rvi": "RVI",
    "apicv.pir": "PIR",
    "vcpu.requests": "requests",
    "L0.irq": "IF",
    "L0.irr": "pending",
    "buffer0": "buffered mode",
}
"""The cells whose changes a lane tells, the most telling first."""

LOOKS = {"vcpu.mode": "mode", "buffer0": "mode", "apicv.on": "ON", "vcpu.requests": "requests"}
"""The cells that a step which changes nothing has looked at."""

BARRIER = {"MB": "every store has been seen"}
"""What a step does that neither changes nor looks at any of them, but matters."""

BESIDE = {"REQ.other"}
"""A step that looks at what plays no part here."""


@dataclass(frozen=True, slots=True)
class Beat:
    """Step ``n`` of a run: whose (letter, and the theme's role), what it did, its number ①②③ (0: none)."""

    n: int
    letter: str
    role: str
    step: str
    does: str
    number: int


@dataclass(frozen=True, slots=True)
class Side:
    """One kernel's run: the steps worth telling, how many others there were, and how it ended."""

    kernel: str
    beats: tuple[Beat, ...]
    others: int
    lost: bool

    @property
    def end(self) -> str:
        """What became of the interrupt, in words."""
        return f"{VECTOR} is {'LOST' if self.lost else 'delivered'}"


@dataclass(frozen=True, slots=True)
class Lanes:
    """A race: the lanes (letter -> name), the kernel that loses, and the one that holds.

    Up to step ``common`` both took the same steps.
    """

    name: str
    mechanism: str
    names: dict[str, str]
    left: Side
    right: Side
    common: int

    def tells(self, beat: Beat) -> bool:
        """Whether a step decides: it has a number, or is one that has, but did otherwise on the right."""
        rivals = [other for other in self.left.beats if other.number and other.step == beat.step]
        return bool(beat.number) or any(other.does != beat.does for other in rivals)

    @property
    def foot(self) -> str:
        """The verdict on both sides, with the steps that decided it."""
        steps, last = [], ""
        for beat in self.left.beats:
            if beat.number:
                who = f"{self.names[beat.letter]} " if beat.letter != last else ""
                steps.append(f"({beat.number}) {who}{beat.step}")
                last = beat.letter
        why = FALLS[self.mechanism]
        return (
            f"{self.left.kernel}: {self.left.end} ({why}): {', '.join(steps)}."
            f" Same schedule on {self.right.kernel}: {self.right.end}."
        )


def lanes(told: Told) -> Lanes:
    """Return the picture of a race as data."""
    runs = told.run, told.rival_run
    moved = {step.move.actor.letter for run in runs for step in run.steps}
    actors = {**told.scenario.system.actors, **told.rival.system.actors}
    names = {letter: _name(actor) for letter, actor in actors.items() if letter in moved}
    numbers = {n: i for i, n in enumerate(deciding(told.scenario, told.run), 1)}
    left, right = _side(told.scenario, told.run, numbers), _side(told.rival, told.rival_run, {})
    return Lanes(told.name, told.mechanism, names, left, right, divergence(*runs))


def _name(actor: Actor) -> str:
    """Return what a lane is called: "sender of 0x31" is the sender."""
    return short(actor).split(" of ")[0]


def _side(scenario: Scenario, run: Run, numbers: Mapping[int, int]) -> Side:
    beats = [_beat(run, n, numbers.get(n, 0)) for n in range(1, len(run.steps) + 1)]
    told = tuple(beat for beat in beats if beat.number or (beat.does and beat.step not in BESIDE))
    return Side(title(scenario.kernel), told, len(beats) - len(told), verdict(scenario, run) is not None)


def deciding(scenario: Scenario, run: Run) -> tuple[int, ...]:
    """Return the numbers (from 1) of the steps that tell the race."""
    found = verdict(scenario, run)
    steps = found.steps if found else ()
    return tuple(sorted({*steps, _last_look(run), _in_vain(scenario, run)} - {0}))


def _last_look(run: Run) -> int:
    """Return the last step that asked whether ON is set; 0 if none did."""
    looks = [n for n, step in enumerate(run.steps, 1) if step.move.step.label == "SYNC.test"]
    return looks[-1] if looks else 0


def _in_vain(scenario: Scenario, run: Run) -> int:
    """Return the last step with which the monitor began to explain the loss; 0 if there is none."""
    bits, last, monitor = 0, 0, scenario.monitor
    assert monitor is not None
    for n, step in enumerate(run.steps, 1):
        before, bits = bits, monitor.update(bits, step.move, step.before, step.after)
        if monitor.explain(before)[:1] != monitor.explain(bits)[:1]:
            last = n
    return last


def _beat(run: Run, n: int, number: int) -> Beat:
    step = run.steps[n - 1]
    actor = step.move.actor
    return Beat(n, actor.letter, role(actor), step.move.step.label, _does(run, step), number)


def _does(run: Run, step: Taken) -> str:
    """Return what a step changed, or what it looked at, in a few words."""
    layout = run.system.layout
    changes = {cell: spoken(now) for cell, _, now in layout.changes(step.before, step.after)}
    if "guest1.delivered" in changes:
        return f"{VECTOR} is delivered"
    if changes.get("core.frame") == "L1":
        return "the guest runs"
    if step.move.step.preempts:
        return f"{layout.text(step.move.me.cpu.irr, step.before)} is eaten"
    told = [f"{name} := {changes[cell]}" for cell, name in CHANGES.items() if cell in changes]
    both = {"apicv.on", "apicv.pir"} <= changes.keys()
    return ", ".join(told[: 1 + both]) or BARRIER.get(step.move.step.label, "") or next(_looks(run, step), "")


def _looks(run: Run, step: Taken) -> Iterator[str]:
    layout = run.system.layout
    read, _ = footprint(run.system, step.move, step.before)
    seen = {layout.cells[cell].name: layout.text(cell, step.before) for cell in read}
    for cell, name in LOOKS.items():
        if cell in seen and not (cell == "buffer0" and seen[cell] == EMPTY):
            yield f"{name}? {spoken(seen[cell])}"
