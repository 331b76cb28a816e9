"""A person: press whose step is next, go back, go on."""

from kvmlab.errors import IllegalTransition
from kvmlab.machine.run import Run, taken
from kvmlab.machine.state import State
from kvmlab.machine.system import Move, System
from kvmlab.schedulers.replay import replay


class Session:
    """A schedule under construction and a cursor in it; the state is always ``replay(schedule[:n])``."""

    def __init__(self, system: System, text: str = "") -> None:
        self.load(system, text)

    def load(self, system: System, text: str) -> None:
        """Start over with another system or schedule, the cursor at the end of what is possible."""
        self.run: Run = replay(system, text)
        self.at = len(self.run.steps)

    @property
    def system(self) -> System:
        """The system being run."""
        return self.run.system

    @property
    def state(self) -> State:
        """The state at the cursor."""
        return self.run.steps[self.at - 1].after if self.at else self.system.start

    @property
    def moves(self) -> list[Move]:
        """What is possible at the cursor."""
        return self.system.enabled(self.state)

    @property
    def past(self) -> Run:
        """The run up to the cursor."""
        return Run(self.system, self.run.steps[: self.at])

    def press(self, token: str) -> None:
        """Take one move; what lay ahead stays if it begins with the same move, else it is forgotten.

        Raises IllegalTransition and changes nothing if the move is not possible.
        """
        move = self.system.find(self.state, token)
        ahead = self.run.steps[self.at :]
        if not (ahead and ahead[0].move == move):
            self.run = Run(self.system, (*self.run.steps[: self.at], taken(move, self.state)))
        self.at += 1

    def step(self) -> bool:
        """Go on along the schedule, or with the only possible move; return False if there is neither."""
        if self.at < len(self.run.steps):
            self.at += 1
            return True
        if len(moves := self.moves) == 1:
            self.press(moves[0].token)
            return True
        return False

    def seek(self, at: int) -> None:
        """Put the cursor behind step ``at``."""
        if not 0 <= at <= len(self.run.steps):
            raise IllegalTransition(f"step {at} is not in this schedule of {len(self.run.steps)} steps")
        self.at = at
