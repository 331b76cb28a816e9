"""Registers for the laws: any of them, with any values that fit."""

from dataclasses import fields

from hypothesis import strategies as st

from kvmlab.processor.vectors import bit
from kvmlab.show.registers import TABLE, Moment, Register, Registers

SETS = [register for register in TABLE if register.says]


def vectors(*numbers: int) -> int:
    """Return the set of these vectors."""
    return sum(map(bit, numbers))


def _values(register: Register) -> st.SearchStrategy[int]:
    if register.says:
        return st.sets(st.integers(0, 255), max_size=6).map(lambda some: vectors(*some))
    return st.integers(0, (1 << register.bits) - 1)


@st.composite
def _pairs(draw: st.DrawFn) -> Moment:
    """Draw which registers are looked at, then what they hold and, sometimes, what they held before."""
    names = draw(st.sets(st.sampled_from([f.name for f in fields(Registers)]), min_size=1))
    names -= {"ppr"} if "vppr" in names else set()
    looked_at = [register for register in TABLE if register.field in names]
    now, was = (Registers(**{r.field: draw(_values(r)) for r in looked_at}) for _ in range(2))
    return Moment(now, draw(st.sampled_from([None, was, now])))


MOMENTS = _pairs()

CROWDED = Moment(
    Registers(
        pir=(1 << 256) - 1, on=1, sn=1, nv=255, ndst=2**32 - 1, virr=2**255, visr=2**256 - 1,
        vtmr=1, vtpr=255, vppr=255, rvi=1, svi=255, irr=2**256 - 1, isr=0, tmr=2**256 - 1, tpr=0,
    ),
    Registers(
        pir=0, on=0, sn=0, nv=0, ndst=0, virr=2**256 - 1, visr=0,
        vtmr=2**256 - 1, vtpr=0, vppr=0, rvi=0, svi=0, irr=0, isr=2**256 - 1, tmr=0, tpr=15,
    ),
)  # fmt: skip
"""Everything, as full as it can be, and all of it has just changed."""
