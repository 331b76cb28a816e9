"""The picture of an interrupt's life: two places with a door between them, and what the presses did."""

from collections.abc import Iterator

from kvmlab.show import marks
from kvmlab.show.life import VECTOR, Life
from kvmlab.show.measure import width
from kvmlab.show.svg import arrow, document, line, rect, text
from kvmlab.show.theme import BIG

WIDTH, HEIGHT = 960, 270
TOP, TALL = 62, 64
"""Upper edge and height of the places."""
IRR, DOOR, ISR, DONE = 200.0, 440.0, 500.0, 790.0
"""Left edges of the stations, and where the door is."""
WIDE = 180.0
PITCH = 19


def life_svg(life: Life) -> str:
    """Return the moment as a picture; its alternative text is the foot."""
    body = (*_stations(life), *_door(life), *_counts(life), *_told(life), *_foot(life.foot))
    return document(WIDTH, HEIGHT, "An interrupt's life", life.foot, "".join(body))


def _stations(life: Life) -> Iterator[str]:
    """Yield the two registers with what is in them, and the event that a trace prints on the way in."""
    yield text(8, 22, "The guest's local APIC", big=True, bold=True)
    middle = TOP + TALL / 2
    for x, name, event, state, there in (
        (IRR, "IRR: waits", "kvm_apic_accept_irq", "pending", life.waits),
        (ISR, "ISR: in service", "kvm_inj_virq", "delivered", life.served),
    ):
        yield rect(x, TOP, WIDE, TALL)
        yield rect(x + 8, TOP + 32, 80, 24, "changed", outline=0) if name[:3] in life.news else ""
        yield text(x + 10, TOP + 20, name, bold=True)
        yield text(x, TOP + TALL + 18, event, mono=True, quiet=True)
        if there:
            mark = marks.square(x + 22, TOP + 44, "pending" if state == "pending" else "delivered")
            yield mark + text(x + 36, TOP + 49, f"{VECTOR:#x}", mono=True)
    yield arrow(IRR - 52, middle, IRR - 2, middle)
    yield arrow(ISR + WIDE, middle, DONE - 20, middle)
    yield text(ISR + WIDE + 12, middle - 8, "EOI", bold=True)
    yield text(ISR + WIDE + 10, TOP + TALL + 18, "kvm_eoi", mono=True, quiet=True)
    yield text(8, TOP + TALL + 18, "in a trace:", quiet=True)


def _door(life: Life) -> Iterator[str]:
    """Yield the door between the registers: a bar across the way while IF is 0."""
    middle = TOP + TALL / 2
    yield arrow(IRR + WIDE, middle, ISR - 2, middle, "solid" if life.interrupts_on else "dotted")
    yield rect(DOOR - 24, TOP - 22, 48, 18, "changed", outline=0) if "IF" in life.news else ""
    yield text(DOOR, TOP - 8, f"IF={int(life.interrupts_on)}", mono=True, bold=True, anchor="middle")
    if life.interrupts_on:
        yield line(DOOR, TOP, DOOR, TOP + 16, thickness=5) + line(
            DOOR, TOP + TALL - 16, DOOR, TOP + TALL, thickness=5
        )
    else:
        yield line(DOOR, TOP, DOOR, TOP + TALL, thickness=5)


def _counts(life: Life) -> Iterator[str]:
    middle = TOP + TALL / 2
    yield text(8, middle - 4, f"raised {life.raised}", bold=True)
    yield text(8, middle + 14, "by a device")
    yield text(DONE - 10, middle - 4, f"handler ran {life.ran}", bold=True)


def _told(life: Life) -> Iterator[str]:
    """Yield the presses before the last one, which is the foot."""
    for row, (n, says) in enumerate(life.past):
        y = TOP + TALL + 44 + PITCH * row
        yield text(34, y, str(n), quiet=True, anchor="end")
        yield text(46, y, says, room=WIDTH - 60)


def _foot(sentence: str) -> Iterator[str]:
    yield line(0, HEIGHT - 34, WIDTH, HEIGHT - 34, tone="quiet", thickness=1)
    yield text(8, HEIGHT - 12, sentence, big=width(sentence, size=BIG) <= WIDTH - 16, room=WIDTH - 16)
