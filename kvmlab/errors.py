"""Every error a user of kvmlab can meet; each message says what to do about it."""

from collections.abc import Iterable
from difflib import get_close_matches


class KvmlabError(Exception):
    """The root of all errors that kvmlab raises on purpose."""


class BadInput(KvmlabError, ValueError):
    """Something handed in from outside (a name, a schedule, a knob) cannot be used as it is."""


class IllegalTransition(KvmlabError):
    """The model was asked for a move that its tables do not allow; the state is unchanged."""


class ModelError(KvmlabError):
    """The model itself is wrong: a jump to nowhere, a deadlock, an edit that fits no step."""


def unknown(kind: str, name: str, known: Iterable[str]) -> BadInput:
    """Return the error for a name nobody knows, with the nearest one that exists."""
    names = sorted(set(known))
    spelled = {known.lower(): known for known in names}
    close = get_close_matches(name.lower(), spelled, n=1, cutoff=0.3)
    hint = f"did you mean {spelled[close[0]]}?" if close else f"known: {', '.join(names)}"
    return BadInput(f"unknown {kind} {name}; {hint}")
