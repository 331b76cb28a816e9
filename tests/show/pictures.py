"""What the laws of pictures are tested with: the texts of an SVG, and where they end."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from xml.etree import ElementTree

from kvmlab.show.measure import width
from kvmlab.show.theme import BIG, SIZE

SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Words:
    """A text of a picture: what it says, its baseline, and the room it takes from left to right."""

    says: str
    y: float
    left: float
    right: float


def words(svg: str) -> list[Words]:
    """Return the texts of a picture, as wide as they could be in the widest font."""
    return [_place(node) for node in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def _place(node: ElementTree.Element) -> Words:
    says, classes = node.text or "", node.get("class", "")
    size = BIG if "big" in classes else SIZE
    wide = width(says, size=size, mono="mono" in classes, bold="bold" in classes)
    x = float(node.get("x", "0"))
    left = {"start": x, "middle": x - wide / 2, "end": x - wide}[node.get("text-anchor", "start")]
    return Words(says, float(node.get("y", "0")), left, left + wide)


def alternative(svg: str) -> str:
    """Return what a screen reader says instead of the picture."""
    return ElementTree.fromstring(svg).get("aria-label", "")


def size(svg: str) -> tuple[int, int]:
    """Return width and height."""
    root = ElementTree.fromstring(svg)
    return int(root.get("width", "0")), int(root.get("height", "0"))


def overlaps(svg: str) -> list[tuple[str, str]]:
    """Return pairs of texts of a picture on one line that run into each other."""
    return collisions(words(svg))


def collisions(shown: Iterable[Words]) -> list[tuple[str, str]]:
    """Return pairs of texts on one line that run into each other."""
    some = sorted(shown, key=lambda w: w.left)
    return [
        (a.says, b.says)
        for i, a in enumerate(some, 1)
        for b in takewhile(lambda b, end=a.right - 1: b.left < end, some[i:])
        if abs(a.y - b.y) < 11
    ]


def boxes(svg: str) -> list[tuple[float, float]]:
    """Return left and right edge of every rounded rectangle."""
    found = [node for node in ElementTree.fromstring(svg).iter(f"{SVG}rect") if node.get("rx")]
    edges = [(float(node.get("x", "0")), float(node.get("width", "0"))) for node in found]
    return [(x, x + w) for x, w in edges]
