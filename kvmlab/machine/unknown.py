"""Values that will be others the next time: what is computed with them, or asked about them, is noted.

Steps that run on such values do what they do with those of now, so they go one way. The notes say on which
conditions they would go this way again, and what they would leave behind then.
"""

import operator
from collections.abc import Callable
from typing import Any

Notes = dict[str, str | bool]
"""In order, each once: an expression and the name of what it gives, or a question and the answer to it.

Both are Python, of numbers, such names, and those of what is unknown.
"""

ARITHMETIC = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "floordiv": "//",
    "mod": "%",
    "lshift": "<<",
    "rshift": ">>",
    "and": "&",
    "or": "|",
    "xor": "^",
}
COMPARISONS = {"lt": "<", "le": "<=", "eq": "==", "ne": "!=", "gt": ">", "ge": ">="}


class Unknown:
    """A value that is only called by its ``name``; for now it is ``value``.

    It can be computed with, compared, and asked whether it is 0, which goes into the ``notes``. Anything
    else, as to look for something at this place of a list, is a TypeError: that cannot be written down.
    """

    __slots__ = ("name", "notes", "value")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, name: str, value: int, notes: Notes) -> None:
        self.name, self.value, self.notes = name, value, notes

    def __bool__(self) -> bool:
        self.notes[self.name] = bool(self.value)
        return bool(self.value)


def value_of(x: Any) -> Any:
    """Return the value for now."""
    return x.value if isinstance(x, Unknown) else x


def name_of(x: Any) -> str:
    """Return what to call a value: a number by itself."""
    return x.name if isinstance(x, Unknown) else str(int(x))


def _computed(sign: str, compute: Callable[[int, int], int], x: Any, y: Any) -> Unknown:
    value, notes = compute(value_of(x), value_of(y)), (x if isinstance(x, Unknown) else y).notes
    name = notes.setdefault(f"{name_of(x)} {sign} {name_of(y)}", f"x{len(notes)}")
    return Unknown(str(name), value, notes)


def _arithmetic(sign: str, compute: Callable[[int, int], int]) -> tuple[Any, Any]:
    """Return the operator, and the one for an unknown value on its right."""
    return (
        lambda x, y: _computed(sign, compute, x, y) if isinstance(y, int | Unknown) else NotImplemented,
        lambda x, y: _computed(sign, compute, y, x) if isinstance(y, int) else NotImplemented,
    )


def _comparison(sign: str, compare: Callable[[int, int], bool]) -> Any:
    def ask(x: Unknown, y: Any) -> Any:
        if not isinstance(y, int | Unknown):
            return NotImplemented
        answer = x.notes[f"{x.name} {sign} {name_of(y)}"] = compare(x.value, value_of(y))
        return answer

    return ask


for _name, _sign in ARITHMETIC.items():
    _compute = getattr(operator, f"__{_name}__")
    for _prefix, _method in zip(("", "r"), _arithmetic(_sign, _compute), strict=True):
        setattr(Unknown, f"__{_prefix}{_name}__", _method)
for _name, _sign in COMPARISONS.items():
    setattr(Unknown, f"__{_name}__", _comparison(_sign, getattr(operator, _name)))
