"""What a judge found about an answer to an exercise."""

from dataclasses import dataclass

from kvmlab.scenarios.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Judgement:
    """The answer, the scenario it was tried in, and a sentence; ``schedule`` is a shortest one that breaks
    ``broken``, both empty if nothing does."""

    answer: str
    scenario: Scenario
    sentence: str
    broken: str = ""
    schedule: str = ""

    @property
    def passed(self) -> bool:
        """Whether every schedule keeps every demand."""
        return not self.broken

    def __repr__(self) -> str:
        verdict = "holds" if self.passed else f"broken ({self.broken})"
        lines = [f"{self.answer}: {verdict}", self.sentence]
        return "\n".join(lines + ([f"schedule {self.schedule}"] if self.schedule else []))
