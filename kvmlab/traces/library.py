"""The recorded traces that come with kvmlab; `data/README.md` says what each shows and what was cut."""

from collections.abc import Iterator
from importlib.resources import files

from kvmlab.errors import unknown
from kvmlab.traces.event import Comment, Event, Item
from kvmlab.traces.ftrace import Reader

_SUFFIX = ".trace.txt"
_DATA = files("kvmlab.traces") / "data"


def names() -> list[str]:
    """Return the names that `load` knows, sorted."""
    return sorted(file.name.removesuffix(_SUFFIX) for file in _DATA.iterdir() if file.name.endswith(_SUFFIX))


def lines(name: str) -> list[str]:
    """Return a trace word for word, as lines without their ends.

    Raises BadInput with the nearest name if there is no such trace.
    """
    if name not in names():
        raise unknown("trace", name, names())
    return (_DATA / (name + _SUFFIX)).read_text(encoding="utf-8").splitlines()


def load(name: str) -> list[Event]:
    """Return the events of a trace; times in ticks, which are instructions of an emulated CPU.

    Raises BadInput with the nearest name if there is no such trace.
    """
    return [item for item in _items(name) if isinstance(item, Event)]


def facts(name: str) -> list[str]:
    """Return what must be said beside a trace: its comment lines (host, parameters, cut, guest's verdict).

    Raises BadInput with the nearest name if there is no such trace.
    """
    return [item.raw.removeprefix("#").strip() for item in _items(name) if isinstance(item, Comment)]


def _items(name: str) -> Iterator[Item]:
    return iter(Reader(lines(name)))
