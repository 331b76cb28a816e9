"""Exercise of notebook 04b, Repair it from below: the judge.

Two levels send letters, and are not the learner's to patch. Who looks for what on a card that it puts away,
so that the guest on top leaves at once all the same, without APICv and with it, and nothing is looked for in
vain?
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kvmlab.errors import BadInput, unknown
from kvmlab.kernels.names import kernel
from kvmlab.scenarios.levels import levels
from kvmlab.scenarios.mixes import METHODS
from kvmlab.schedulers.explore import Exploration, explore
from kvmlab.show.cards import LOOKS, Mix
from kvmlab.show.titles import plural

METHOD = ("timer0", "ipi", "ipi", "timer0")
"""The stack: L1 and L2 have the self-IPI, the others patch 4."""
NAMES = tuple(f"L{level}" for level in range(len(METHOD)))

Repair = Mapping[str, str]
"""Level -> what it looks for on a card that it puts away."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found about a repair: the mix that breaks, or a level that looks in vain, or neither."""

    sentence: str
    breaks: Mix | None = None
    spare: bool = False

    @property
    def passed(self) -> bool:
        """Whether it holds, and nothing can be left out."""
        return self.breaks is None and not self.spare

    def __repr__(self) -> str:
        verdict = "holds" if self.passed else "too much" if self.spare else "late"
        return f"{verdict}: {self.sentence}"


def judge(repair: Repair) -> Found:
    """Try every schedule of the repaired stack, without APICv and with it; then, of each smaller repair.

    Raises BadInput for a level that is none or a word that nobody can look for.
    """
    tried = [(mix, _tried(mix)) for mix in _mixes(_checked(repair))]
    for mix, found in tried:
        if found.shortest is not None:
            steps = plural(len(found.shortest.labels) - 1, "step")
            late = f"a schedule of {steps} breaks it: {found.shortest.property.label}"
            return Found(f"{_company(mix)} {late}.", mix)
    for words, smaller in _smaller(repair):
        if all(_tried(mix).shortest is None for mix in _mixes(smaller)):
            return Found(f"It is exact in every schedule, but also without {words}.", spare=True)
    states = sum(found.states for _, found in tried)
    return Found(f"Exact in every schedule, without APICv and with it: {states} states. No word is too many.")


def _checked(repair: Repair) -> Repair:
    for name, what in repair.items():
        if name not in NAMES:
            raise unknown("level", name, NAMES)
        if what not in LOOKS or not what:
            raise BadInput(f"{name}: {what!r} is nothing to look for; write {' or '.join(map(repr, WORDS))}")
    return repair


WORDS = tuple(filter(None, LOOKS))


def _mixes(repair: Repair) -> list[Mix]:
    looks = tuple(repair.get(name, "") for name in NAMES)
    return [Mix(METHOD, looks=looks, apicv=apicv) for apicv in (False, True)]


def _company(mix: Mix) -> str:
    return "With APICv" if mix.apicv else "Without APICv"


def _tried(mix: Mix) -> Exploration:
    both = zip(NAMES, mix.methods, mix.looking, strict=True)
    kernels = ",".join(f"{name}={METHODS[way]}{LOOKS[what]}" for name, way, what in both)
    return explore(levels(kernel(METHODS["timer0"]), levels=len(METHOD), kernels=kernels, apicv=mix.apicv))


def _smaller(repair: Repair) -> Iterator[tuple[str, Repair]]:
    """Yield what can be left out: a level, or RVI."""
    for name, what in repair.items():
        others = {each: words for each, words in repair.items() if each != name}
        yield f"{name}'s {what!r}", others
        if what == "window and RVI":
            yield f"{name}'s RVI", {**repair, name: "window"}
