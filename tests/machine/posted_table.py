"""The published step table of posted interrupts: vcpu_enter_guest, the senders, and the published counts.

The step table is that of vcpu_enter_guest and vmx_deliver_posted_interrupt (v4.10 and b95234c840), one
row an atomic step. Spin 6.5.2 and a separate search counted states, transitions, shortest lengths and
interleavings for it; they stand in PUBLISHED and INTERLEAVINGS. Conventions of those counts:

* a cancel is three transitions; no spontaneous exit; the local APIC's priorities are a free choice;
* after G.exit, MODE_OUT and IRQ_ON the vCPU's path ends, unless it has an entry left;
* a quiet end (guest running, all senders returned, nothing pending) is looked at once, by a transition of
  its own, and then it is an end like that behind an exit: two ends are one state if requests, PIR and ON
  are the same, whichever way the guest went.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kvmlab.machine.property import Property
from kvmlab.machine.state import Cell, Layout, cell
from kvmlab.machine.step import STAY, Block, Node, Step, block, free, loop
from kvmlab.machine.system import Actor, System

OUTSIDE, IN, EXITING = range(3)
EVENT = 1
PI, RS = 1, 2  # pending at the CPU: notification, reschedule IPI
ROOT, HANDLER, GUEST, DONE = range(4)  # frames; DONE: the path has ended


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All shared state of one vCPU and its senders."""

    senders: int
    mode: Cell = cell()
    requests: Cell = cell()
    irq: Cell = cell(1)
    pending: Cell = cell()
    frame: Cell = cell()
    on: Cell = cell()
    pir: Cell = cell()
    returned: Cell = cell()
    entries: Cell = cell()


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One sender: its bit in PIR, and what its test-and-set of ON returned."""

    world: World
    bit: int
    was_on: Cell = cell()


def act(label: str, fn: object, when: object = None, leaves: tuple[str, ...] = (), **more: object) -> Step:
    """Return a step; the table below is read more easily without types."""
    return Step(label, fn, when, leaves=leaves, **more)  # type: ignore[arg-type]


def put(**values: int) -> Callable[[list[int], World], None]:
    """Return an effect that sets cells by name."""

    def fn(s: list[int], me: World) -> None:
        for name, value in values.items():
            s[getattr(me, name)] = value

    return fn


def check_event(s: list[int], me: World) -> None:
    s[me.requests] &= ~EVENT


def recheck_mode(s: list[int], me: World) -> str | None:
    return "tests" if s[me.mode] == EXITING else None


def recheck_requests(s: list[int], me: World) -> str | None:
    return None if s[me.requests] else "recheck"


def cancel(s: list[int], me: World) -> str:
    s[me.irq] = 1
    return "run"


CHECK_EVENT = act("CHECK_EVENT", check_event)
SYNC = block(
    "sync",
    act("SYNC.test", lambda s, me: None if s[me.on] else "sync", leaves=("sync",)),
    act("SYNC.clear", put(on=0)),
    act("SYNC.copy", put(pir=0)),
)
MODE_IN = act("MODE_IN", put(mode=IN))
IRQ_OFF = act("IRQ_OFF", put(irq=0))


def enter(s: list[int], me: World) -> None:
    s[me.frame] = GUEST
    s[me.entries] -= 1


def receiver(*order: Node) -> Block:
    """Return vcpu_enter_guest with its movable steps in ``order``."""
    tests = block(
        "tests",
        act("RECHK.mode", recheck_mode, leaves=("tests",)),
        act("RECHK.req", recheck_requests, leaves=("recheck",)),
    )
    out = (act("CANCEL.mode", put(mode=OUTSIDE)), act("CANCEL.top", cancel, leaves=("run",)))
    lap = block("run", *order, block("recheck", tests, *out), act("VMENTRY", enter), *AFTER)
    return block("vcpu", loop("laps", lap))


def end(s: list[int], me: World) -> str:
    s[me.irq] = 1
    if s[me.entries]:
        return "run"
    s[me.frame] = DONE
    return "laps"


AFTER = (act("MODE_OUT", put(mode=OUTSIDE)), act("IRQ_ON", end, leaves=("run", "laps")))


def notify(s: list[int], me: World) -> None:
    s[me.pending] &= ~PI
    s[me.on] = 0


def resched(s: list[int], me: World) -> str:
    s[me.pending] &= ~RS
    s[me.frame] = ROOT
    return STAY


GUEST_PATH = loop(
    "guest",
    free(
        "G",
        act("G.notify", notify, lambda s, me: s[me.pending] & PI),
        act("G.exit", resched, lambda s, me: s[me.pending] & RS),
    ),
    act("G.copy", put(pir=0)),
)


def takes(label: str, bit: int) -> Step:
    """Return the host's handler of one vector: it is consumed and nothing else happens."""

    def fn(s: list[int], me: World) -> None:
        s[me.pending] &= ~bit

    return act(
        label, fn, lambda s, me: s[me.frame] == ROOT and s[me.irq] and s[me.pending] & bit, preempts=True
    )


HOST = loop("host", free("H", takes("H.PI", PI), takes("H.resched", RS)))


def set_pir(s: list[int], me: Post) -> None:
    s[me.world.pir] |= me.bit


def set_on(s: list[int], me: Post) -> None:
    s[me.was_on], s[me.world.on] = s[me.world.on], 1


def set_on_or_return(s: list[int], me: Post) -> str | None:
    taken, s[me.world.on] = s[me.world.on], 1
    return done(s, me) if taken else None


def done(s: list[int], me: Post) -> str:
    s[me.world.returned] += 1
    return "post"


def request(s: list[int], me: Post) -> None:
    s[me.world.requests] |= EVENT


def trigger(s: list[int], me: Post) -> str | None:
    return None if s[me.world.mode] == IN and not s[me.was_on] else "trigger"


def send(bit: int) -> object:
    """Return the effect of an IPI after which the sender returns."""

    def fn(s: list[int], me: Post) -> str:
        s[me.world.pending] |= bit
        return done(s, me)

    return fn


def kick(s: list[int], me: Post) -> str | None:
    if s[me.world.mode] != IN:
        return done(s, me)
    s[me.world.mode] = EXITING
    return None


KICK = (act("KICK", kick, leaves=("post",)), act("KICK.ipi", send(RS), leaves=("post",)))
SEND = act("SEND", send(PI), leaves=("post",))
TRIGGER = block("trigger", act("READ_MODE", trigger, leaves=("trigger",)), SEND)
SOFTWARE = block(
    "post", act("SET_PIR", set_pir), act("SET_ON", set_on_or_return, leaves=("post",)), TRIGGER, *KICK
)


def skip_if_on(s: list[int], me: Post) -> str | None:
    return "fresh" if s[me.was_on] else None


def set_on_and_skip(s: list[int], me: Post) -> str | None:
    set_on(s, me)
    return skip_if_on(s, me)


def request_then(s: list[int], me: Post) -> str | None:
    request(s, me)
    return skip_if_on(s, me)


SOFTWARE_EVENT = block(
    "post",
    act("SET_PIR", set_pir),
    act("SET_ON", set_on),
    block("fresh", act("REQUEST", request_then, leaves=("fresh",)), TRIGGER),
    *KICK,
)
SOFTWARE_KICK = block(
    "post",
    act("SET_PIR", set_pir),
    block("fresh", act("SET_ON", set_on_and_skip, leaves=("fresh",)), TRIGGER),
    *KICK,
)
"""The sender of v4.10 without its request: it kicks even if ON was set already."""


def post_hw(s: list[int], me: Post) -> str | None:
    set_pir(s, me)
    return set_on_or_return(s, me)


VTD = block("post", act("POST", post_hw, leaves=("post",)), SEND)


def quiet(s: Sequence[int], me: World, at: Cell) -> bool:
    """The guest runs (and is not between notify and copy), all senders have returned, nothing pends."""
    return s[me.frame] == GUEST and s[at] == 0 and s[me.returned] == me.senders and not s[me.pending]


def system(path: Block, sender: Block, senders: int = 1, entries: int = 1) -> tuple[System, World, Cell]:
    """Return receiver, host, guest, senders, and the check at quiescence."""
    layout = Layout()
    world = layout.record(World, "w", senders=senders, entries=entries)
    posts = [layout.record(Post, f"s{n}", world=world, bit=1 << n) for n in range(senders)]
    ends: list[Cell] = []

    def end_here(s: list[int], me: World) -> None:
        put(mode=OUTSIDE, irq=1, frame=DONE)(s, me)
        s[the.pc["v"]] = len(the.places["v"])

    check = act("CHECK", end_here, lambda s, me: quiet(s, me, ends[0]))
    actors = [
        Actor("v", "vCPU", path, world, world.frame, ROOT),
        Actor("h", "host", HOST, world, world.frame, HANDLER),
        Actor("g", "guest", GUEST_PATH, world, world.frame, GUEST),
        *(Actor("abc"[n], "sender", sender, post) for n, post in enumerate(posts)),
        Actor("q", "check", loop("check", check), world),
    ]
    the = System(layout, actors)
    ends.append(the.pc["g"])
    return the, world, the.pc["g"]


@dataclass(frozen=True)
class Quiescence:
    """The question; without the property the ends are explored too."""

    system: System
    properties: tuple[Property, ...] = ()

    @staticmethod
    def done(s: Sequence[int]) -> bool:
        return True


def losing(order: Sequence[Node], sender: Block, senders: int = 1, entries: int = 1) -> Quiescence:
    """Return the question whether a vector is left in PIR at a quiet end."""
    the, world, at = system(receiver(*order), sender, senders, entries)
    lost = Property("LOST", "PIR is empty", lambda s: s[world.pir] > 0 and quiet(s, world, at))
    return Quiescence(the, (lost,))


OLD, FIXED = (SYNC, MODE_IN, IRQ_OFF), (IRQ_OFF, MODE_IN, SYNC)
PUBLISHED = {
    "V0": ((CHECK_EVENT, SYNC, MODE_IN, IRQ_OFF), SOFTWARE_EVENT, 249, 402, None),
    "V0r": ((SYNC, CHECK_EVENT, MODE_IN, IRQ_OFF), SOFTWARE_EVENT, 299, 472, 13),
    "V1": (OLD, SOFTWARE, 145, 220, 11),
    "V2": ((SYNC, IRQ_OFF, MODE_IN), SOFTWARE, 129, 195, 11),
    "V4": (FIXED, SOFTWARE, 108, 162, None),
    "V6/V1": (OLD, VTD, 56, 80, 10),
    "V6/V4": (FIXED, VTD, None, None, None),
}
"""Name -> (order, sender, states, transitions, steps of a shortest counterexample or None if it holds)."""

INTERLEAVINGS = (
    (OLD, SOFTWARE, 1, 1, 641, 7, 0.102),
    (FIXED, SOFTWARE, 1, 1, 564, 0, 0.0),
    (OLD, SOFTWARE, 2, 1, 68_711_056, 26_924, 0.117),
    (OLD, SOFTWARE, 2, 2, 134_983_024, 41_442, 0.117),
    (OLD, SOFTWARE_KICK, 2, 2, None, 40_634, 0.035),
)
"""(order, sender, senders, entries, interleavings, losing ones, the chance of a loss as printed)."""
