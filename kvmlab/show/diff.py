"""What a patch does to a kernel, for people: the comparison folded, in words and as a picture.

Unchanged stretches are folded; what is left of them is a line before and a line behind each change,
and the heads around it. A path in which nothing changed is only named in the foot.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from textwrap import wrap

from kvmlab.kernels.kernel import Kernel
from kvmlab.show.listing import Line, Status, diff
from kvmlab.show.titles import plural, title

__all__ = ["LEGEND", "SIGNS", "Fold", "KernelDiff", "Line", "diff", "diff_text", "folded", "summary", "where"]

SIGNS: dict[Status, str] = {"same": " ", "added": "+", "removed": "−", "changed": "~", "moved": "↕"}
LEGEND = "+ added   − removed   ~ changed   ↕ moved"
COLUMNS = 80


@dataclass(frozen=True, slots=True)
class Fold:
    """A stretch of unchanged steps that is not shown."""

    steps: int
    depth: int

    def __str__(self) -> str:
        return f"… {plural(self.steps, 'step')} unchanged"


def folded(lines: Sequence[Line]) -> list[Line | Fold]:
    """Return the paths that changed, with each longer stretch of unchanged lines folded."""
    shown = _shown(lines)
    out: list[Line | Fold] = []
    for path in changed_paths(lines):
        mine = [n for n, line in enumerate(lines) if line.entry.path == path]
        for keep, stretch in groupby(mine, shown.__contains__):
            some = [lines[n] for n in stretch]
            steps = sum(line.entry.step is not None for line in some)
            out += some if keep or steps < 2 else [Fold(steps, min(line.entry.depth for line in some))]
    return out


def changed_paths(lines: Sequence[Line]) -> list[str]:
    """Return the paths with a difference, in order."""
    return list(dict.fromkeys(line.entry.path for line in lines if line.status != "same"))


def _shown(lines: Sequence[Line]) -> set[int]:
    """Return the lines to show: changes, their neighbours, and the heads around what is shown."""
    touched = {n for n, line in enumerate(lines) if line.status != "same"}
    shown = {n + by for n in touched for by in (-1, 0, 1)} & set(range(len(lines)))
    heads = {head for n in shown for head in (lines[n].entry.path, *lines[n].entry.within)}
    around = {n for n, line in enumerate(lines) if line.entry.step is None and line.entry.label in heads}
    return shown | around


def summary(before: Kernel, after: Kernel, lines: Sequence[Line]) -> str:
    """Return the foot: how much of what kind, and which paths stay as they are."""
    moved_away = {id(line) for line in lines if line.status == "moved" and line.after is None}
    counts = Counter(
        (line.entry.noun, line.status)
        for line in lines
        if line.status != "same" and id(line) not in moved_away and line.entry.within
    )
    found = [f"{plural(n, noun)} {status}" for (noun, status), n in counts.items()]
    names = f"{title(before)} to {title(after)}"
    kept = [line.entry.path for line in lines if not line.entry.within]
    rest = [path for path in dict.fromkeys(kept) if path not in changed_paths(lines)]
    same = f"; {', '.join(rest)} unchanged" if rest and found else ""
    return f"{names}: {', '.join(found) or 'no difference'}{same}."


def diff_text(before: Kernel, after: Kernel) -> str:
    """Return the comparison in words, at most 80 columns wide, the foot sentence last."""
    lines = diff(before, after)
    body = [words for item in folded(lines) for words in _words(item)]
    head = [f"before: {title(before)}   after: {title(after)}", LEGEND, ""]
    return "\n".join([*head, *body, "", *wrap(summary(before, after, lines), COLUMNS)])


def _words(item: Line | Fold) -> Iterator[str]:
    """Yield the text of one line: sign and label, then what it says if that is news."""
    if isinstance(item, Fold):
        yield f"  {'  ' * item.depth}{item}"
        return
    entry = item.entry
    indent = "  " * entry.depth
    yield f"{SIGNS[item.status]} {indent}{entry.label}{where(item)}"
    for words in news(item):
        yield from wrap(words, COLUMNS, initial_indent=indent + " " * 6, subsequent_indent=indent + " " * 8)


def where(line: Line) -> str:
    """Return which of its two places a moved line shows."""
    if line.status != "moved":
        return ""
    return " (is here)" if line.after else " (was here)"


def news(line: Line) -> list[str]:
    """Return what a touched line says, before and after if that differs.

    An unchanged line has no news, nor has a call that says its own name.
    """
    if line.status == "same" or line.entry.says in ("", line.entry.label):
        return []
    if line.silent:
        return [line.entry.says, f"({line.silent}: {line.entry.source})"]
    if line.status == "changed" and line.before and line.after:
        return [f"before: {line.before.says}", f"after: {line.after.says}"]
    return [line.entry.says]


class KernelDiff:
    """Two kernels side by side: a picture where pictures are shown, else the same in words."""

    def __init__(self, before: Kernel, after: Kernel) -> None:
        self.before, self.after = before, after

    def __repr__(self) -> str:
        return diff_text(self.before, self.after)

    def svg(self) -> str:
        """Return the picture: before on the left, after on the right."""
        from kvmlab.show.diff_svg import diff_svg  # Here, because the picture draws what this module folds.

        return diff_svg(self.before, self.after)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self.svg()}
