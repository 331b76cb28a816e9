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


NEAR = 0.45
"""How alike two names are, from 0 to 1, for the one to be a slip of the other."""


def unknown(kind: str, name: str, known: Iterable[str]) -> BadInput:
    """Return the error for a name nobody knows, with the nearest one that exists.

    That is one with every part of the name in it, or else one that is spelled much like it.
    """
    names = sorted(set(known))
    spelled = {known.lower(): known for known in names}
    parts = name.lower().replace("_", " ").replace("-", " ").split()
    within = [each for each in spelled if parts and all(part in each for part in parts)]
    close = get_close_matches(name.lower(), within or spelled, n=1, cutoff=0 if within else NEAR)
    hint = f"did you mean {spelled[close[0]]}?" if close else f"known: {', '.join(names)}"
    return BadInput(f"unknown {kind} {name}; {hint}")
