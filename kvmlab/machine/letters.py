"""The letters that schedules are written in: those of ASCII first, then the others that Unicode has.

One actor has one letter, and a stack of hypervisors has as many actors as it has levels.
"""

from collections.abc import Iterator

UNICODE = 0x110000
"""How many code points there are."""


def capitals() -> Iterator[str]:
    """Yield every capital letter, from A on."""
    return (letter for letter in _letters() if letter.isupper())


def smalls(first: str = "") -> Iterator[str]:
    """Yield those of ``first``, then every small letter that is not ASCII's."""
    yield from first
    yield from (letter for letter in _letters() if letter.islower() and not letter.isascii())


def _letters() -> Iterator[str]:
    return filter(str.isalpha, map(chr, range(UNICODE)))
