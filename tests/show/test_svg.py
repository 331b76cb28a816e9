"""The shapes: text is data, pictures share a page, and nothing is wider than it claims."""

from xml.etree import ElementTree

import pytest

from kvmlab.show import marks, svg
from kvmlab.show.measure import ellipsize, width, wrap
from tests.show.pictures import alternative

EVIL = '<script>alert("&")</script>'

MARKS = {
    **{f"guest {state}": marks.square(8, 8, state) for state in marks.GUESTS},
    **{f"cpu {state}": marks.diamond(8, 8, state) for state in marks.CPUS},
    "request": marks.note(8, 8, "EVENT"),
    "wish": marks.wish(8, 8),
    "deadline": marks.flag(8, 0, 16),
    "rings": marks.bell(8, 8),
    "wrong": marks.cross(8, 8),
    "right": marks.check(8, 8),
    "neither": marks.dash(8, 8),
    "IF=0": marks.hatch(8, 8, 60),
    "decisive": marks.numbered(8, 8, 1),
    "next": marks.next_step(8, 8),
    "waits": marks.next_step(8, 8, waits=True),
}


def document(body: str) -> str:
    """Return a small picture."""
    return svg.document(100, 50, EVIL, EVIL, body)


def test_text_is_never_markup() -> None:
    """What comes from a trace or a learner is shown as it is, wherever it stands."""
    root = ElementTree.fromstring(document(svg.text(0, 0, EVIL) + svg.group(title=EVIL)))
    texts = [node.text for node in root.iter() if node.text and "alert" in node.text]
    assert texts == [EVIL] * 3
    assert root.get("aria-label") == EVIL


def test_a_picture_speaks_for_itself() -> None:
    """It is an image with a title and an alternative text."""
    root = ElementTree.fromstring(document(""))
    assert (root.get("role"), alternative(document("")), root[0].tag[-5:]) == ("img", EVIL, "title")


def test_pictures_on_a_page_cannot_refer_to_each_other() -> None:
    """There are no ids, no references, and no class without our prefix."""
    picture = document("".join(MARKS.values()) + svg.arrow(0, 0, 9, 9, "dashed") + svg.rect(0, 0, 9, 9, "l1"))
    nodes = list(ElementTree.fromstring(picture).iter())
    classes = {name for node in nodes for name in node.get("class", "").split()}
    assert all(name.startswith("kvmlab") for name in classes)
    assert not any(node.get("id") or "url(" in str(node.attrib) for node in nodes)


def test_every_mark_is_a_drawing_of_its_own() -> None:
    """No two marks look the same, titles aside."""
    assert len(set(MARKS.values())) == len(MARKS)


@pytest.mark.parametrize("name", MARKS)
def test_every_mark_is_well_formed(name: str) -> None:
    """A mark can stand in a picture as it is."""
    ElementTree.fromstring(document(MARKS[name]))


@pytest.mark.parametrize("room", (0, 20, 60, 200))
def test_ellipsized_text_fits(room: float) -> None:
    """What is cut ends in an ellipsis and is no wider than its room, down to the ellipsis itself."""
    short = ellipsize("vmx_cancel_injection", room, mono=True)
    assert short == "vmx_cancel_injection" or short.endswith("…")
    assert width(short, mono=True) <= max(room, width("…", mono=True))


def test_wrapped_text_fits_and_loses_no_word() -> None:
    """Lines are as long as the room allows; joined by blanks they are the text."""
    words = "L2 executes no instruction while an interrupt for L1 waits"
    lines = wrap(words, 120)
    assert " ".join(lines) == words
    assert all(width(line) <= 120 for line in lines)


def test_bold_is_wider_and_mono_is_even() -> None:
    """Widths are rather too large than too small; in mono every letter is as wide as any other."""
    assert width("VMENTRY", bold=True) > width("VMENTRY")
    assert width("iiii", mono=True) == width("WWWW", mono=True)
