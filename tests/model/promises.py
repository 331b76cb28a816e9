"""A second model of the forced exit, of another making: one level's loop by hand, the levels below as a
promise.

It shares no code with kvmlab. A level forces the exit of its guest; what it forces with is kept at once,
or at any later time, or never: that is all it knows of what lies below. A level's promise is the outcome
of the search one level down. Steps are those of vcpu_enter_guest as they can be seen from outside; the
last step is the check that the next injection makes.
"""

from collections.abc import Collection, Sequence

IPI, TIMER0 = "ipi", "timer0"

LOOP = ("REQUESTS", "NO_WISH", "EVENT", "IRQ_OFF", "RECHECK", "FORCE", "ENTER", "GUEST", "HANDLED")
"""Where the level's thread stands; in GUEST the guest runs."""

World = tuple[int, bool, bool, bool, int, bool]
"""(place, wish, sent, arrived, instructions up to 1, has the guest been left)."""


def successors(world: World, in_time: bool) -> list[World]:
    """Return what may happen next; the adversary owns the arrival unless it is promised ``in_time``."""
    at, wish, sent, arrived, ran, left = world
    after: list[World] = []
    if sent and not arrived:
        after.append((at, wish, sent, True, ran, left))
    place = LOOP[at]
    if place == "GUEST":
        if arrived:
            after.append((at + 1, wish, sent, arrived, ran, True))
        else:
            after.append((at, wish, sent, arrived, 1, left))
    elif place == "NO_WISH":
        after.append((at + 1, False, sent, arrived, ran, left))
    elif place == "EVENT":
        after.append((at + 1, not left, sent, arrived, ran, left))
    elif place == "FORCE":
        after.append((at + 1, wish, wish, wish and in_time, ran, left))
    elif place == "HANDLED":
        after.append((0, wish, False, False, ran, left))
    else:
        after.append((at + 1, wish, sent, arrived, ran, left))
    return after


def shortest_late(in_time: bool) -> int | None:
    """Return the steps of a shortest late exit, the check included; ``None`` if there is none."""
    layer: set[World] = {(0, False, False, False, 0, False)}
    seen = set(layer)
    steps = 0
    while layer:
        steps += 1
        if any(LOOP[at] == "EVENT" and left and ran for at, _, _, _, ran, left in layer):
            return steps
        layer = {after for world in layer for after in successors(world, in_time)} - seen
        seen |= layer
    return None


def exact(methods: Sequence[str], *, a1: bool = True, looks: Sequence[bool] = ()) -> bool:
    """Return whether the topmost level of ``methods`` keeps "no instruction", searched level by level.

    ``looks[n]``: level n looks, at a nested entry, for what waits for its guest (b5861e5cf2fc).
    """
    top = len(methods) - 1
    if methods[top] == TIMER0:
        in_time = top == 0 or exact(methods[:top], a1=a1, looks=looks)
    elif top == 0:
        in_time = a1
    else:
        in_time = bool(looks and looks[top - 1]) and exact(methods[:top], a1=a1, looks=looks)
    return shortest_late(in_time) is None


def way(methods: Sequence[str], *, a1: bool = True, looks: Sequence[bool] = ()) -> str:
    """Return how what the topmost level forces with comes: ``in time``, by a ``wire``, or ``kept`` below.

    What is kept comes with the next exit, whatever that is for.
    """
    top = len(methods) - 1
    if top == 0:
        return "in time" if methods[0] == TIMER0 or a1 else "wire"
    if methods[top] == TIMER0 or (looks and looks[top - 1]):
        return way(methods[:top], a1=a1, looks=looks)
    return "kept"


PAID = {
    "in time": {"runs", "delivery", "exits"},
    "wire": {"runs", "delivery", "exits"},
    "kept": {"delivery", "exits"},
}
"""The assumptions under which it comes in the end; or, of an exit for another reason, what does instead."""


def comes(how: str, fairness: Collection[str]) -> bool:
    """Return whether the guest is left in the end, in every run in which nothing is withheld that is owed.

    Every loop of the step table is tried: from a world back to itself, the guest not left yet.
    """
    in_time, owed = how == "in time", bool(PAID[how] & set(fairness))

    def behind(world: World) -> list[World]:
        """Where a run may go that need not leave the guest and withholds nothing that is owed."""
        withheld = owed and world[2] and not world[3]
        return [] if withheld else [after for after in successors(world, in_time) if not after[5]]

    todo, seen = [(0, False, False, False, 0, False)], set[World]()
    while todo:
        world = todo.pop()
        round_, reached = behind(world), set[World]()
        while round_:
            at = round_.pop()
            if at == world:
                return False
            if at not in reached:
                reached.add(at)
                round_ += behind(at)
        seen.add(world)
        todo += [after for after in successors(world, in_time) if after not in seen]
    return True
