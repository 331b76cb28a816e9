"""Two kernels as one list of steps: what a patch adds, removes, changes and moves.

Lines are compared by label. A step is *changed* if one of that label does, asks or says something
else; another source alone is no change. A line is *moved* if both kernels have it, but in another
order or in other blocks. The list follows the kernel after; what only the kernel before has stands
where it was taken out, and a moved line stands twice, where it was and where it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from kvmlab.kernels.kernel import Kernel
from kvmlab.machine.step import Node, Row, Step

Status = Literal["same", "added", "removed", "changed", "moved"]

SETTINGS = "settings"
"""The head above what setup code writes once."""

HEADS = {"sequence": "", "loop": "again and again", "cases": "one of these"}
"""What the head of a block says, by its kind."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a listed kernel: a step, or the head of a row or block; ``within`` are the heads around."""

    label: str
    within: tuple[str, ...]
    says: str = ""
    source: str = ""
    step: Step | None = None

    @property
    def depth(self) -> int:
        """How far the line is indented."""
        return len(self.within)

    @property
    def path(self) -> str:
        """The path that the line belongs to."""
        return self.within[0] if self.within else self.label

    @property
    def place(self) -> tuple[str, str, bool]:
        """What makes lines of two kernels the same place, wherever it is in its path."""
        return self.path, self.label, self.step is None

    @property
    def seat(self) -> tuple[tuple[str, ...], str, bool]:
        """The same place in the same blocks: what may be lined up."""
        return self.within, self.label, self.step is None

    @property
    def noun(self) -> str:
        """What kind of line this is."""
        return "step" if self.step else "setting" if self.path == SETTINGS else "block"

    @property
    def meaning(self) -> tuple[object, ...]:
        """What the line does, asks and says."""
        step = self.step
        return (self.says, step and (step.fn, step.when, step.leaves, step.preempts))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a comparison: the entry before and the entry after, as far as it stands there."""

    status: Status
    before: Entry | None
    after: Entry | None

    @property
    def entry(self) -> Entry:
        """The entry after, or the one before if there is none."""
        entry = self.after or self.before
        assert entry is not None
        return entry

    @property
    def silent(self) -> str:
        """What changed without a word ("another effect"), empty if the words changed too."""
        a, b = self.before, self.after
        if a is None or b is None or self.status != "changed" or a.says != b.says:
            return ""
        x, y = a.step, b.step
        return "another condition" if x and y and x.fn is y.fn else "another effect"


def listing(kernel: Kernel) -> list[Entry]:
    """Return every path of ``kernel`` as lines, its settings last."""
    lines = [entry for path in kernel.paths.values() for entry in _entries(path, ())]
    if kernel.settings:
        lines.append(Entry(SETTINGS, ()))
    written = sorted(kernel.settings.values(), key=lambda setting: setting.name)
    return lines + [Entry(x.name, (SETTINGS,), x.says, x.source) for x in written]


def _entries(node: Node, within: tuple[str, ...]) -> Iterator[Entry]:
    if isinstance(node, Step):
        yield Entry(node.label, within, node.says, node.source, node)
    elif isinstance(node, Row):
        yield Entry(node.label, within, "the first that applies" if node.first else "any of these")
        for step in node.steps:
            yield from _entries(step, (*within, node.label))
    else:
        yield Entry(node.name, within, HEADS[node.kind])
        for item in node.items:
            yield from _entries(item, (*within, node.name))


def diff(before: Kernel, after: Kernel) -> list[Line]:
    """Return every line of both kernels, in the order of ``after``, and what became of it."""
    a, b = listing(before), listing(after)
    in_a, in_b = ({entry.place for entry in side} for side in (a, b))
    match = SequenceMatcher(None, [x.seat for x in a], [y.seat for y in b], autojunk=False)
    lines: list[Line] = []
    for tag, i, i_end, j, j_end in match.get_opcodes():
        if tag == "equal":
            pairs = zip(a[i:i_end], b[j:j_end], strict=True)
            lines += [Line("same" if x.meaning == y.meaning else "changed", x, y) for x, y in pairs]
            continue
        lines += [Line("moved" if x.place in in_b else "removed", x, None) for x in a[i:i_end]]
        lines += [Line("moved" if y.place in in_a else "added", None, y) for y in b[j:j_end]]
    return lines
