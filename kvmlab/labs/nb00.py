"""Notebook 00, What does a vCPU do all day?: everything its cells use."""

from kvmlab.errors import unknown
from kvmlab.kernels.names import kernel as named
from kvmlab.labs import beside
from kvmlab.labs import day as days
from kvmlab.labs.needle import KERNEL
from kvmlab.labs.needle_bench import NeedleBench, check_needle
from kvmlab.labs.predict import Predict
from kvmlab.labs.questions00 import QUESTIONS
from kvmlab.labs.scenes00 import SCENES
from kvmlab.labs.watch00 import WATCH
from kvmlab.scenarios.kick import kick
from kvmlab.schedulers.explore import Exploration
from kvmlab.schedulers.explore import explore as explore_all
from kvmlab.show.widgets.board import Switches
from kvmlab.show.widgets.door import Door
from kvmlab.show.widgets.life import LocalApic
from kvmlab.show.widgets.stepper import Stepper
from kvmlab.show.widgets.timeline import Timeline
from kvmlab.show.widgets.trailer import Trailer
from kvmlab.show.widgets.twin import TwinBox
from kvmlab.traces.compare import Comparison, compare

__all__ = [
    "board",
    "check_needle",
    "day",
    "day_table",
    "door",
    "explore",
    "foot",
    "kinds",
    "left_out",
    "local_apic",
    "loop",
    "model",
    "needle",
    "predict",
    "recording",
    "same",
    "trailer",
]


def foot(shown: TwinBox) -> str:
    """Return the sentence under a picture, in lines that fit the page."""
    return repr(shown).rsplit("\n\n", 1)[-1]


def trailer() -> Trailer:
    """Return the trailer: one switch, one schedule."""
    return Trailer()


def door() -> Door:
    """Return the door, before its first line."""
    return Door(days.four_lines())


def predict(number: str) -> Predict:
    """Return the predict box of a question; "Show me" opens what answers it.

    Raises BadInput for a number that is none.
    """
    if number not in QUESTIONS:
        raise unknown("question", number, QUESTIONS)
    return Predict(QUESTIONS[number], SCENES[number])


def day() -> Timeline:
    """Return the halting guest's day."""
    return days.timeline()


def day_table() -> str:
    """Return the exits of that day, how many and how long, by reason."""
    return days.table()


def local_apic() -> LocalApic:
    """Return a guest CPU's local APIC with its three buttons."""
    return LocalApic()


def kinds() -> Timeline:
    """Return a part of the day with interrupts of both kinds."""
    return days.timeline(days.KINDS)


LAP = "vvvvvvvv g g1 vvvvv"
"""One undisturbed lap: in, two instructions of the guest's, out by the second."""


def loop() -> Stepper:
    """Return the run loop and a kicker in a stepper, before a first, undisturbed lap."""
    return Stepper(kick(named(KERNEL)), LAP, "What does the thread do between two entries?", 0, WATCH)


def explore() -> Exploration:
    """Try every schedule of the run loop and the kicker."""
    return explore_all(kick(named(KERNEL)))


def needle() -> NeedleBench:
    """Return the bench of the exercise."""
    return NeedleBench()


def model(rounds: int = 3) -> Timeline:
    """Return the self-IPI guest in the model, as a timeline of so many rounds."""
    note = "1 tick = 1 step of the model: it claims the order, not the durations"
    return Timeline(beside.modelled(rounds), "ticks", "Model: a guest sends itself an interrupt", note)


def recording() -> Timeline:
    """Return the recorded guest, a window of about three rounds."""
    note = "Linux 6.1, enable_apicv=0, on an emulated CPU: 1 tick = 1 instruction, no real time"
    shown = Timeline(beside.recorded(), "ticks", "Recording: a guest sends itself an interrupt", note)
    shown.window = (9_000, 50_000)
    return shown


def same() -> Comparison:
    """Return model and recording aligned event by event, all 16 rounds, without what is left out."""
    return compare(beside.modelled(), beside.kept(beside.recorded()))


def left_out() -> list[str]:
    """Return what of the recording the model does not have, with the number of events."""
    return [f"{why}: {count}" for why, count in beside.left_out(beside.recorded()).items()]


def board() -> Switches:
    """Return the board of the four switches, all of them off."""
    return Switches()
