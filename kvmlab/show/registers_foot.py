"""The foot of the registers: one sentence on what is posted, what is pending, and what is in service."""

from collections.abc import Iterator

from kvmlab.processor import priority
from kvmlab.processor.vectors import bit, members, top
from kvmlab.show.registers import Moment

STATES = ("posted", "pending", "in service")


def foot(moment: Moment) -> str:
    """Return the sentence; of many vectors it names the most urgent one and counts the others."""
    found = {says: union for says in STATES if (union := _union(moment, says)) is not None}
    said = [f"{_some(vectors)} {says}{_more(moment, says)}" for says, vectors in found.items() if vectors]
    empty = [says for says, vectors in found.items() if not vectors]
    said += [f"nothing is {_either(empty)}"] if empty else []
    words = ", but ".join(["; ".join(said) or "no set of vectors is looked at", *_odd(moment)])
    return f"{words[0].upper()}{words[1:]}."


def _union(moment: Moment, says: str) -> int | None:
    """Return the vectors in that state, ``None`` if no register is looked at that could hold one."""
    sets = [reading.value for reading in moment.readings if reading.register.says == says]
    return sum(sets[:1]) | sum(sets[1:]) if sets else None


def _some(vectors: int) -> str:
    first, *others = (f"{vector:#x}" for vector in reversed(members(vectors)))
    if len(others) == 1:
        return f"{first} and {others[0]} are"
    return f"{first} and {len(others)} more are" if others else f"{first} is"


def _either(words: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _more(moment: Moment, says: str) -> str:
    """Return what else decides: of a post whether ON is set, of what is pending whether it gets through."""
    now, level = moment.now, moment.threshold
    if says == "posted":
        flags = {"ON": now.on, "SN": now.sn or None}
        return "".join(f", {name}={flag}" for name, flag in flags.items() if flag is not None)
    if says != "pending" or level is None:
        return ""
    pending = _union(moment, says) or 0
    passes = priority.passes(top(pending), level.value)
    first = f"{top(pending):#x} " if passes and pending != bit(top(pending)) else ""
    return f", {first}{'above' if passes else 'held back by'} {level.register.name} {level.text}"


def _odd(moment: Moment) -> Iterator[str]:
    """Yield what does not fit together: that is where an interrupt gets lost."""
    now = moment.now
    if now.pir == 0 and now.on:
        yield "ON=1"
    pending = now.irr if now.virr is None else now.virr
    if now.rvi is not None and pending is not None and now.rvi != top(pending):
        yield f"RVI is {now.rvi and hex(now.rvi)}, and RVI decides"
