"""An interrupt's life: whatever is pressed, the local APIC decides, and the words say what happened."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import alternative, overlaps, size, words

from kvmlab.machine.state import Layout
from kvmlab.processor import lapic
from kvmlab.processor.records import Cpu
from kvmlab.show.life import VECTOR, Life
from kvmlab.show.life_svg import life_svg

PRESSES = st.lists(st.sampled_from("rie"), max_size=12)


def pressed(presses: str) -> Life:
    """Return a life after presses: r raises, i toggles IF, e writes EOI."""
    life = Life()
    act = {"r": life.raise_vector, "i": life.toggle_if, "e": life.end}
    for press in presses:
        act[press]()
    return life


def test_from_left_to_right_is_one_life() -> None:
    """Raise: it waits. IF: it is taken and served. EOI: it is done."""
    where = [(life.waits, life.served, life.ran) for life in map(pressed, ("", "r", "ri", "rie"))]
    assert where == [(False, False, 0), (True, False, 0), (False, True, 1), (False, False, 1)]


@pytest.mark.parametrize(
    "presses, ran",
    [
        ("rri", 1),
        ("rrriei", 1),
        ("rir", 1),
        ("riri", 1),
        ("ririe", 2),
        ("rireei", 2),
        ("iirie", 1),
        ("eee", 0),
    ],
)
def test_how_often_the_handler_runs(presses: str, ran: int) -> None:
    """Raised twice before it is taken: once. Raised again while it is served: once more, behind the EOI."""
    assert pressed(presses).ran == ran


@given(PRESSES)
def test_it_is_the_local_apic_of_the_model(presses: list[str]) -> None:
    """The same presses on the APIC itself: the same IRR, ISR and IF."""
    layout = Layout()
    cpu = layout.record(Cpu, "cpu", irq=0)
    s = list(layout.start())
    for press in presses:
        if press == "r":
            lapic.accept(s, cpu, VECTOR)
        elif press == "i":
            s[cpu.irq] ^= 1
        else:
            lapic.end_of_interrupt(s, cpu)
        if s[cpu.irq] and lapic.deliverable(s, cpu):
            lapic.acknowledge(s, cpu)
            s[cpu.irq] = 0
    life = pressed("".join(presses))
    assert (life.waits, life.served, life.interrupts_on) == tuple(
        map(bool, (s[cpu.irr], s[cpu.isr], s[cpu.irq]))
    )


@given(PRESSES)
def test_nothing_is_lost_and_nothing_made_up(presses: list[str]) -> None:
    """What was raised ran, or waits, or was merged into one that waited."""
    life = pressed("".join(presses))
    merged = sum("set already" in says for says in life.told)
    assert life.raised == life.ran + life.waits + merged


@given(PRESSES)
def test_picture_and_twin_end_in_the_same_sentence(presses: list[str]) -> None:
    """The alternative text is the foot; the twin ends in it; nothing overlaps or runs over the edge."""
    life = pressed("".join(presses))
    svg, twin = life_svg(life), repr(life)
    assert alternative(svg) == life.foot and " ".join(twin.split()).endswith(life.foot)
    assert max(map(len, twin.splitlines())) <= 80
    assert overlaps(svg) == [] and all(0 <= w.left and w.right <= size(svg)[0] for w in words(svg))


def test_what_has_just_changed_is_marked() -> None:
    """The last press alone: a merged raise changes nothing, being taken changes both registers."""
    assert [pressed(p).news for p in ("r", "rr", "ri", "i", "rie")] == [
        {"IRR"},
        set(),
        {"IRR", "ISR"},
        {"IF"},
        {"ISR"},
    ]


def test_the_buttons_do_the_same() -> None:
    """Three buttons; the second one says what it would do."""
    pytest.importorskip("ipywidgets")
    from kvmlab.show.widgets.life import LocalApic

    shown = LocalApic()
    assert shown._toggle.description == "IF := 1"
    for control in (shown._raise, shown._toggle):
        control.click()
    assert repr(shown) == repr(pressed("ri")) and shown.ran == 1 and shown.foot == pressed("ri").foot
    shown._toggle.click()
    assert shown._toggle.description == "IF := 0"
    shown.end()
    assert not shown.life.served and shown.foot in shown._picture.value
