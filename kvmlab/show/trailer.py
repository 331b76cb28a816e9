"""The trailer: one schedule on two kernels, and what the guest's counter reads in the end.

A schedule says who moves next, and no more: which step that is, the kernel's path says. So "the same
schedule" is the same letters. Where they end before everything is at rest, the run goes on only as
long as exactly one move is possible: nothing is decided that the schedule did not decide.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import wrap

from kvmlab.kernels.names import kernel
from kvmlab.machine.run import Run, Taken, taken
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.scenarios.posting import FIRST_VECTOR
from kvmlab.scenarios.scenario import Scenario
from kvmlab.schedulers.replay import replay
from kvmlab.show import marks
from kvmlab.show.svg import document, line, rect, text
from kvmlab.show.titles import title

SCHEDULE = "vvvaaaavvvvvv"
"""A shortest loss: it ends with the guest running and nobody on the way."""

OFF, ON = "v4.10+no-event", "b95234c"
WHO = {"v": "the vCPU's thread", "a": f"another CPU, which sends {FIRST_VECTOR:#x}", "g": "the guest"}
ROLES = {"v": "paper", "a": "other", "g": "l1"}


@dataclass(frozen=True, slots=True)
class Take:
    """One of the two runs: its first ``common`` steps are the schedule's, the others had no rival."""

    kernel: str
    run: Run
    common: int
    counter: int

    @property
    def letters(self) -> str:
        """Who moved, a letter a step."""
        return "".join(step.move.actor.letter for step in self.run.steps)

    @property
    def foot(self) -> str:
        """What came of it; the last sentence of picture and twin."""
        end = "" if self.counter else " Nobody is on the way with it any more."
        return f"{FIRST_VECTOR:#x} was sent once; the guest's counter reads {self.counter}.{end}"


def take(fixed: bool) -> Take:
    """Return the run with or without the fix, up to where everything is at rest."""
    which = kernel(ON if fixed else OFF)
    scenario = posted_interrupts(which)
    run = to_rest(scenario, SCHEDULE)
    return Take(title(which), run, len(SCHEDULE), run.state[scenario.records["guest"].delivered])


def to_rest(scenario: Scenario, schedule: str) -> Run:
    """Replay ``schedule``, then go on to rest as long as exactly one move is possible."""
    run = replay(scenario.system, schedule)
    steps: list[Taken] = list(run.steps)
    state = run.state
    while not scenario.done(state) and len(moves := scenario.system.enabled(state)) == 1:
        steps.append(taken(moves[0], state))
        state = steps[-1].after
    return Run(scenario.system, tuple(steps), run.stopped)


# --- the picture ------------------------------------------------------------------------------

WIDTH, HEIGHT = 960, 172
CELL, GAP = 30, 4
TAPE = 60
"""Upper edge of the tape."""
BOX = 730
"""Left edge of the guest's counter."""


def trailer_svg(shown: Take) -> str:
    """Return the tape of who moved, and the counter; its alternative text is the foot."""
    body = (*_head(shown), *_tape(shown), *_legend(), *_counter(shown), *_foot(shown.foot))
    return document(WIDTH, HEIGHT, "The trailer", shown.foot, "".join(body))


def _head(shown: Take) -> Iterator[str]:
    yield text(8, 22, "Who moves next", big=True, bold=True)
    yield text(BOX - 20, 22, f"kernel {shown.kernel}", mono=True, anchor="end")
    yield text(8, TAPE - 10, "the schedule", quiet=True)
    if len(shown.letters) > shown.common:
        yield text(_x(shown.common), TAPE - 10, "nobody else could move", quiet=True)


def _x(n: int) -> float:
    return 8 + n * (CELL + GAP) + (18 if n >= len(SCHEDULE) else 0)


def _tape(shown: Take) -> Iterator[str]:
    for n, letter in enumerate(shown.letters):
        yield rect(_x(n), TAPE, CELL, CELL, ROLES[letter])
        yield text(_x(n) + CELL / 2, TAPE + 20, letter, mono=True, bold=True, anchor="middle")


def _legend() -> Iterator[str]:
    x = 8.0
    for letter, who in WHO.items():
        yield rect(x, 108, 16, 16, ROLES[letter])
        yield text(x + 8, 120, letter, mono=True, anchor="middle")
        yield text(x + 24, 120, who)
        x += 44 + 8 * len(who)


def _counter(shown: Take) -> Iterator[str]:
    """Yield the counter, with the interrupt beside it as what became of it."""
    yield rect(BOX, 34, WIDTH - BOX - 8, 90)
    yield text(BOX + 16, 60, "the guest's counter")
    yield text(WIDTH - 34, 60, str(shown.counter), big=True, bold=True, mono=True, anchor="end")
    yield marks.square(BOX + 24, 94, "delivered" if shown.counter else "lost")
    word = "delivered" if shown.counter else "LOST"
    yield text(BOX + 40, 99, f"{FIRST_VECTOR:#x} {word}", bold=not shown.counter)


def _foot(sentence: str) -> Iterator[str]:
    yield line(0, HEIGHT - 34, WIDTH, HEIGHT - 34, tone="quiet", thickness=1)
    yield text(8, HEIGHT - 12, sentence, big=True)


def trailer_text(shown: Take) -> str:
    """Return the picture in words, at most 80 columns wide, the foot last."""
    letters = " ".join(shown.letters[: shown.common])
    rest = " ".join(shown.letters[shown.common :])
    lines = [f"The trailer, on kernel {shown.kernel}", f"the schedule: {letters}"]
    lines += [f"then, nobody else could move: {rest}"] if rest else []
    lines += [f"{letter}: {who}" for letter, who in WHO.items()]
    return "\n".join([*lines, f"the guest's counter: {shown.counter}", "", *wrap(shown.foot, 80)])
