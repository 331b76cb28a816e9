"""How many interleavings there are, how many of them lose, and how likely a loss is if chance decides.

One interleaving is one sequence of moves from the first state to an end. An end is a state that breaks a
property (it loses, and nothing behind it counts), or one in which nobody can move any more. Looking
whether a property is broken is no move. Two moves that lead to the same state make two interleavings:
what is counted is who goes when, not what comes of it.

Chance is that of :func:`kvmlab.schedulers.chance.draw`: in every state each enabled move is as likely as
the others. So interleavings are not equally likely, and the probability is no quotient of the two counts.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from kvmlab.errors import BadInput
from kvmlab.machine.property import Question, broken
from kvmlab.schedulers.graph import Edge, graph

Tally = tuple[int, int, int, int]
"""What lies behind a state: interleavings, losing ones, the longest, the chance of a loss.

The chance is a whole number of ``unit ** -longest``: a million fractions would all have to be reduced.
"""


@dataclass(frozen=True, slots=True)
class Count:
    """The number of interleavings, of losing ones, and the probability of a loss if chance decides."""

    interleavings: int
    losing: int
    probability: Fraction

    def __repr__(self) -> str:
        if not self.losing:
            return f"{self.interleavings:,} interleavings, none loses"
        chance = f"probability {float(self.probability):.3f} if chance decides"
        return f"{self.interleavings:,} interleavings, {self.losing:,} lose, {chance}"


def count(question: Question) -> Count:
    """Return the exact numbers for a scenario in which every interleaving ends.

    Raises BadInput if one can go on for ever, ModelError for a state in which nobody can move and that is
    no declared end.
    """
    found = graph(question, ends=lambda s: broken(question.properties, s))
    unit = lcm(*(len(behind) or 1 for behind in found.edges))
    tallies: dict[int, Tally] = {}
    for state in reversed(_in_order(found.edges)):
        behind = [tallies[after] for _, after in found.edges[state]]
        loses = state in found.ended
        tallies[state] = _sum(behind, unit) if behind else (1, loses, 0, loses)
    interleavings, lost, longest, chance = tallies[0]
    return Count(interleavings, int(lost), Fraction(chance, unit**longest))


def _sum(behind: Sequence[Tally], unit: int) -> Tally:
    longest = max(tally[2] for tally in behind)
    chance = sum(tally[3] * unit ** (longest - tally[2]) for tally in behind)
    ways, lost = sum(tally[0] for tally in behind), sum(tally[1] for tally in behind)
    return ways, lost, longest + 1, chance * (unit // len(behind))


def _in_order(edges: Sequence[Sequence[Edge]]) -> list[int]:
    """Return the states so that each one stands in front of all that lie behind it."""
    waits = Counter(after for behind in edges for _, after in behind)
    order = [state for state in range(len(edges)) if not waits[state]]
    for state in order:  # it grows: a state follows once all that lead to it are through
        for _, after in edges[state]:
            waits[after] -= 1
            if not waits[after]:
                order.append(after)
    if len(order) < len(edges):
        raise BadInput(
            "the interleavings cannot be counted: some go round in a circle and never end; "
            "limit what may repeat (by a knob of the scenario), or ask explore(), which needs no end"
        )
    return order
