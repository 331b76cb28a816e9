"""A memory for System.enabled: what was asked once need not be asked again.

Which moves are possible is a function of the places that :meth:`System.enabled` looks at. First it is asked
on a recording list, which tells them; as long as they hold the same values, the answer is the same. The
places differ from situation to situation, so the memory has drawers: one for each place in a path to which
an actor has come last. Any drawer is right; a small one is fast.

Time stands apart, or nothing would ever be the same again. A guard may compare ``now`` with deadlines only,
that is the law for all steps; so between two deadlines it matters only whether each of them is unarmed, to
come, or over.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Generic, TypeVar

from kvmlab.machine.state import Cell
from kvmlab.machine.system import System
from kvmlab.machine.watch import Recorder

LIMIT = 64
"""So many answers in one drawer: there is a counter among its places; then it is asked every time."""

NEVER = 1 << 62

T = TypeVar("T")
Key = tuple[int, ...]


def look_at(places: Sequence[Cell]) -> Any:
    """Return the function that takes these places out of a state, as a tuple."""
    if len(places) > 1:
        return itemgetter(*places)
    return (lambda s: (s[places[0]],)) if places else (lambda s: ())


Drawer = tuple[Callable[[Sequence[int]], Key], dict[Key, T], frozenset[Cell]]
"""A function that takes out of a state what counts here, the answers known for its values, and the places."""


class Memory(Generic[T]):
    """What ``find`` has found, by what it looked at on the recording list that it was given.

    Where there is too much to remember, ``ask`` is asked of the state itself; the places that vary so much
    are ``restless``, and ``find`` does well not to look at them without need. ``now`` is the cell that shows
    the time, if there is one. A memory is of one state, which changes in place.
    """

    def __init__(
        self,
        system: System,
        find: Callable[[Recorder], T],
        ask: Callable[[Sequence[int]], T],
        now: Cell | None = None,
    ) -> None:
        self.find, self.ask = find, ask
        self.deadlines = tuple(i for i, info in enumerate(system.layout.cells) if info.deadline)
        self.apart = frozenset({*self.deadlines, *(() if now is None else (now,))})
        self.restless = set[Cell]()
        self._rooms: dict[int, dict[int, Drawer[T]]] = {}

    def room(self, armed: Sequence[int], time: int) -> tuple[int, dict[int, Drawer[T]]]:
        """Return the first deadline to come, and the drawers that are right until it does, by place.

        ``armed`` is what the deadlines hold; when one of them changes, other drawers are right.
        """
        due, status = NEVER, 0
        for deadline in armed:
            status *= 3
            if deadline > time:
                status += 1
                due = min(due, deadline)
            elif deadline >= 0:
                status += 2
        return due, self._rooms.setdefault(status, {})

    def learn(self, s: Sequence[int], room: dict[int, Drawer[T]], place: int) -> T:
        """Return what is found in ``s``, and remember it in the drawer of ``place``."""
        recorder = Recorder(s)
        answer = self.find(recorder)
        looked = frozenset(recorder.reads - self.apart)
        if place not in room or not looked <= room[place][2]:
            looked |= room[place][2] if place in room else looked
            room[place] = look_at(sorted(looked)), {}, looked
        key, answers, looked = room[place]
        answers[key(s)] = answer
        if len(answers) > LIMIT:
            room[place] = look_at(()), Always(lambda: self.ask(s)), looked
            self._rest(dict(zip(sorted(looked), map(set, zip(*answers, strict=True)), strict=True)))
        return answer

    def _rest(self, values: Mapping[Cell, set[int]]) -> None:
        """Forget everything if there are places of which one did not know yet how much they vary."""
        restless = {place for place, seen in values.items() if len(seen) > LIMIT // 4} - self.restless
        self.restless |= restless
        for room in self._rooms.values() if restless else ():
            room.clear()


class Always(dict[Key, Any]):
    """What stands for the answers where they are too many: it is asked every time."""

    def __init__(self, ask: Callable[[], Any]) -> None:
        super().__init__()
        self.ask = ask

    def __missing__(self, key: Key) -> Any:
        return self.ask()
