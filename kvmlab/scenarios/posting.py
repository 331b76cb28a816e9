"""Who posts: the senders of a posted-interrupt scenario, a vector each, one post each."""

from collections.abc import Sequence
from dataclasses import dataclass

from kvmlab.errors import BadInput
from kvmlab.kvm.posted import Post, pid
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.state import Cell, Layout
from kvmlab.machine.step import Block
from kvmlab.machine.system import Actor, System
from kvmlab.processor.vtd import VTD_POST, VtdPost

FIRST_VECTOR = 0x31

LETTERS = "abce"
"""The senders' letters; d is a device."""

SENDERS = ("kvm", "vtd", "both")
"""Another CPU through KVM, VT-d, or the two in turn."""


@dataclass(frozen=True, slots=True)
class Senders:
    """The actors that post; where each has returned, and who may change places."""

    actors: tuple[Actor, ...]
    hardware: int

    def returned(self, system: System) -> tuple[tuple[Cell, int], ...]:
        """Return each sender's position and where it stands when it has returned."""
        return tuple((system.pc[a.letter], len(system.places[a.letter])) for a in self.actors)

    @property
    def alike(self) -> tuple[tuple[str, ...], ...]:
        """The letters of those that may change places."""
        paths = {id(a.path): a.path for a in self.actors}
        groups = (tuple(a.letter for a in self.actors if a.path is path) for path in paths.values())
        return tuple(group for group in groups if len(group) > 1)


def senders(layout: Layout, vcpu: Vcpu, software: Block, kind: str, number: int) -> Senders:
    """Return ``number`` senders of ``kind``; raise BadInput for a kind or a number that cannot be.

    "both" takes turns, software first, and so needs two at least.
    """
    if kind not in SENDERS:
        raise BadInput(f"sender {kind}: one of {', '.join(SENDERS)}")
    if not (2 if kind == "both" else 1) <= number <= len(LETTERS):
        raise BadInput(f"senders: 1 to {len(LETTERS)}, and at least 2 if there are both kinds")
    hard = [kind == "vtd" or (kind == "both" and n % 2 == 1) for n in range(number)]
    make = [_vtd if h else _software for h in hard]
    return Senders(tuple(m(layout, vcpu, software, n) for n, m in enumerate(make)), sum(hard))


def _software(layout: Layout, vcpu: Vcpu, path: Block, n: int) -> Actor:
    post = layout.record(Post, f"post{n}", vcpu=vcpu, vector=FIRST_VECTOR + n)
    return Actor(LETTERS[n], f"sender of {post.vector:#x}", path, post)


def _vtd(layout: Layout, vcpu: Vcpu, path: Block, n: int) -> Actor:
    post = VtdPost(pid=pid(vcpu), host=vcpu.cpu, vector=FIRST_VECTOR + n)
    return Actor(LETTERS[n], f"VT-d, {post.vector:#x}", VTD_POST, post)


def all_returned(s: Sequence[int], returned: Sequence[tuple[Cell, int]]) -> bool:
    """Whether every sender has returned."""
    return all(s[at] == end for at, end in returned)
