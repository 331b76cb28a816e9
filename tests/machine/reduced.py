"""What a search finds, as far as somebody tells states apart: whole and reduced ones are compared by it."""

from collections.abc import Callable, Hashable
from typing import Any

from kvmlab.machine.property import broken
from kvmlab.machine.state import State
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.replay import replay

Key = Callable[[State], Hashable]


def found(question: Any, key: Key, reduce: bool) -> tuple[str, set[Hashable]]:
    """Return the verdict and the violating states, as far as ``key`` tells them apart."""
    search = explore(question, reduce=reduce)
    ends = [replay(question.system, violation.schedule).state for violation in search.violations]
    assert all(broken(question.properties, state) for state in ends)  # every schedule is a real one
    return search.verdict, {key(state) for state in ends}
