"""Say the rule: the judge. Every mix of methods to a depth, with and without A1, against every schedule."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel
from kvmlab.scenarios.levels import levels
from kvmlab.scenarios.mixes import METHODS
from kvmlab.schedulers.explore import Exploration, explore
from kvmlab.show.titles import plural

DEPTH = 4
"""Levels of the deepest mixes."""
LETTERS = {"ipi": "I", "timer0": "T"}

Methods = tuple[str, ...]
Rule = Callable[[Methods, bool], bool]
"""``exact(methods, a1)``: the methods from level 0 up, and whether A1 holds."""


@dataclass(frozen=True, slots=True)
class Case:
    """One question to a rule, in the order in which they are asked: the shortest mixes first, A1 first."""

    methods: Methods
    a1: bool

    @property
    def found(self) -> Exploration:
        """What trying every schedule gives."""
        return tried(self.methods, self.a1)

    @property
    def exact(self) -> bool:
        """Whether no schedule lets the guest execute an instruction, or its hypervisor be told otherwise."""
        return self.found.shortest is None

    @property
    def says(self) -> str:
        """The case as a call of the rule."""
        methods = ", ".join(map(repr, self.methods))
        return f"exact(({methods}{',' if len(self.methods) == 1 else ''}), {self.a1})"


@lru_cache(256)
def tried(methods: Methods, a1: bool) -> Exploration:
    """Try every schedule of a mix; remembered."""
    named = ",".join(f"L{level}={way}" for level, way in enumerate(methods))
    base = kernel(METHODS["timer0"])
    return explore(levels(base, levels=len(methods), methods=named, no_a1=not a1))


def mixes(levels: int) -> list[Methods]:
    """Return every mix for so many levels."""
    return list(product(METHODS, repeat=levels))


def cases(depth: int = DEPTH) -> list[Case]:
    """Return every case to a depth."""
    return [Case(methods, a1) for n in range(1, depth + 1) for methods in mixes(n) for a1 in (True, False)]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found about a rule: the first case in which it differs (None: none), and in how many of all
    it was right."""

    differs: Case | None
    right: int
    asked: int

    @property
    def passed(self) -> bool:
        """Whether the rule says what every schedule says, in every case."""
        return self.differs is None

    @property
    def sentence(self) -> str:
        """The verdict with its reason."""
        return (
            self._found
            if self.passed
            else f"{self._found} It is right in {self.right} of {self.asked} cases."
        )

    @property
    def _found(self) -> str:
        if self.differs is None:
            states = sum(case.found.states for case in cases())
            return f"Your rule agrees with every schedule of {self.asked} cases, {states} states."
        case, found = self.differs, self.differs.found
        yours = f"Your {case.says} is {not case.exact}"
        if found.shortest is None:
            return f"{yours}, but every schedule was tried, {plural(found.states, 'state')}: it is exact."
        steps = plural(len(found.shortest.labels) - 1, "step")
        return f"{yours}, but a schedule of {steps} breaks it: {found.shortest.property.label}."

    def __repr__(self) -> str:
        return f"{'holds' if self.passed else 'differs'}: {self.sentence}"


def judge(rule: Rule) -> Answer:
    """Ask the rule every case, and keep the first in which it is not what every schedule says.

    Raises BadInput for a rule that fails or answers neither True nor False.
    """
    every = cases()
    differs = [case for case in every if _asked(rule, case) != case.exact]
    return Answer(next(iter(differs), None), len(every) - len(differs), len(every))


def _asked(rule: Rule, case: Case) -> bool:
    try:
        said = rule(case.methods, case.a1)
    except Exception as why:  # Whatever the learner's code raises is for the learner to read.
        raise BadInput(f"{case.says} fails with {type(why).__name__}: {why}") from why
    if not isinstance(said, bool):
        raise BadInput(f"{case.says} is {said!r}; answer True or False")
    return said


def proof(depth: int = DEPTH) -> str:
    """Return the table of the exact mixes, a line a depth: level 0's method first, I or T."""
    form = "{:<8}{:>6}   {:<19}{:<19}{:>8}".format
    lines = ["I: self-IPI, T: timer 0; level 0 first"]
    lines.append(form("levels", "mixes", "exact, with A1", "without A1", "states"))
    for n in range(1, depth + 1):
        some = mixes(n)
        exact = [_spelled(m for m in some if Case(m, a1).exact) for a1 in (True, False)]
        states = sum(Case(m, a1).found.states for m in some for a1 in (True, False))
        lines.append(form(n, len(some), *exact, states))
    return "\n".join(lines)


def _spelled(some: Iterable[Methods]) -> str:
    return " ".join("".join(LETTERS[way] for way in methods) for methods in some)
