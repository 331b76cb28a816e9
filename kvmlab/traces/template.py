"""One template per line layout, good for both directions: it reads a text and it writes one.

A template is the text a tracepoint prints, with a placeholder for each field:

    {rip:x}            a number; the kind is C's own: u, d, x, and 08x or 016x where zeros are printed
    {info1:016x=0}     the same, zero when the writer says nothing
    {exit_reason:s}    words, spaces included; {reg:w} is one word, {trigger:p} one part of a list (a|b|c)
    {waited?wait:poll} a truth value printed as one of two texts
    {reinjected? [reinjected]}  a truth value printed as this text or as nothing (false if not given)

Reading is lenient about zeros in front and blanks at the end, never about anything else.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

Value = int | str
"""A field's value: an int for numbers (whatever base was printed), a bool for truths, else a str."""

_PLACEHOLDER = re.compile(r"\{(\w+)(?::(\w+)(?:=(\d+))?|\?([^}:]*)(?::([^}]*))?)\}")


def _hex(text: str) -> int:
    return int(text, 16)


# Digits are bounded: 64-bit values need no more, and int() refuses thousands of them with an error.
_KINDS: dict[str, tuple[str, Callable[[str], Value]]] = {
    "u": (r"(\d{1,20})", int),
    "d": (r"(-?\d{1,20})", int),
    "x": (r"([0-9a-fA-F]{1,16})", _hex),
    "s": (r"(.{1,64}?)", str),
    "w": (r"(\S+?)", str),
    "p": (r"([^\s|()]+)", str),  # Cannot hold its own end: five of these in a row stay linear in any text.
}


class _Field(NamedTuple):
    """One placeholder: how it looks, how it is read and shown, and what it is if nobody says."""

    name: str
    regex: str
    read: Callable[[str], Value]
    show: Callable[[Value], str]
    default: int | None


def _number_or_words(name: str, kind: str, default: str | None) -> _Field:
    regex, read = _KINDS[kind[-1]]
    if read is str:
        return _Field(name, regex, read, str, None)
    spec = kind.replace("u", "d")
    return _Field(name, regex, read, lambda value: format(value, spec), int(default) if default else None)


def _truth(name: str, yes: str, no: str) -> _Field:
    either = f"(?:({re.escape(yes)})|{re.escape(no)})"
    default = None if no else False
    return _Field(name, either, bool, lambda value: yes if value else no, default)


def _field(found: re.Match[str]) -> _Field:
    name, kind, default, yes, no = found.groups()
    return _number_or_words(name, kind, default) if kind else _truth(name, yes, no or "")


def _pieces(template: str) -> Iterator[str | _Field]:
    """Yield the literal texts and the fields of a template, in order."""
    end = 0
    for found in _PLACEHOLDER.finditer(template):
        yield template[end : found.start()]
        yield _field(found)
        end = found.end()
    yield template[end:].rstrip()


class Template:
    """One compiled layout.

    `names` are the fields it prints, `required` those that have no default.
    """

    __slots__ = ("names", "required", "_fields", "_last", "_match", "_readers", "_skeleton")

    def __init__(self, template: str) -> None:
        pieces = list(_pieces(template))
        self._fields = tuple(piece for piece in pieces if isinstance(piece, _Field))
        regex = "".join(re.escape(piece) if isinstance(piece, str) else piece.regex for piece in pieces)
        self._last = next((p for p in reversed(pieces) if isinstance(p, str) and p), "")
        self._match = re.compile(regex + r"\s*", re.ASCII).fullmatch
        self._readers = tuple((field.name, field.read) for field in self._fields)
        self._skeleton = _PLACEHOLDER.sub(r"{\1}", template)
        self.names = frozenset(field.name for field in self._fields)
        self.required = frozenset(field.name for field in self._fields if field.default is None)

    def parse(self, text: str) -> dict[str, Value] | None:
        """Return the fields that `text` shows, or None if it has another layout."""
        if self._last not in text:  # Told without a search, which is dear where it fails late.
            return None
        found = self._match(text)
        if found is None:
            return None
        shown = zip(self._readers, found.groups(""))  # noqa: B905  (a group a field; strict costs time)
        return {name: read(text) for (name, read), text in shown}

    def complete(self, given: Mapping[str, Value]) -> dict[str, Value]:
        """Return the values of this layout's fields, defaults filled in, what it does not print left out."""
        defaults = {field.name: field.default for field in self._fields if field.default is not None}
        return defaults | {name: value for name, value in given.items() if name in self.names}

    def render(self, values: Mapping[str, Value]) -> str:
        """Return the text that shows `values`, which must be complete.

        Raises ValueError for a value of another type than the field's.
        """
        shown = {field.name: field.show(values[field.name]) for field in self._fields}
        return self._skeleton.format_map(shown)
