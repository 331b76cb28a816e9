"""The step table as a scenario: the bare path, explored under the conventions of the published counts.

After its last exit the vCPU's path ends, and the host's handlers run no more. Ends are merged: of a quiet
one (the guest runs, every sender has returned, no vector pends) and of an ended path only the requests, PIR
and ON are kept. A step CHECK of its own does so for the quiet ones, a transition like any other. So verdict
and shortest length come from the search that stops at a loss, states and transitions from :func:`uncut`,
which goes on through it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import Kernel
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.edit import Swap, apply, find
from kvmlab.machine.property import Predicate
from kvmlab.machine.state import Cell, Layout
from kvmlab.machine.step import Block, Guard, Row, Step, block
from kvmlab.machine.store_buffer import EMPTY
from kvmlab.machine.system import Actor, System
from kvmlab.processor.boundary import APICV_EVENTS
from kvmlab.processor.records import frame
from kvmlab.processor.vectors import POSTED_INTR_VECTOR, RESCHEDULE_VECTOR, bit
from kvmlab.scenarios.mechanisms import MONITOR
from kvmlab.scenarios.posted_interrupts import actors, parts, properties, remembered
from kvmlab.scenarios.posting import all_returned
from kvmlab.scenarios.posting import senders as posters
from kvmlab.scenarios.scenario import Scenario


def _pends(vector: int) -> Guard:
    return lambda s, me: s[me.host.irr] & bit(vector)


GUEST: Block = block(
    "guest",
    Row(
        "G",
        first=(APICV_EVENTS["POSTED.copy"],),
        free=(
            replace(APICV_EVENTS["POSTED.notify"], when=_pends(POSTED_INTR_VECTOR)),
            replace(APICV_EVENTS["EXTERNAL_INTERRUPT"], when=_pends(RESCHEDULE_VECTOR)),
        ),
    ),
)
"""The guest leaves only for the reschedule IPI. Which of two pending vectors comes first is a free choice
here; a local APIC takes the higher one."""


ENDED = 99
"""The frame of a core on which nobody runs any more."""


@dataclass(slots=True)
class Ends:
    """How ends are merged: the cells whose values are kept, and where every actor then stands."""

    kept: tuple[Cell, ...]
    returned: tuple[tuple[Cell, int], ...] = ()
    finished: dict[Cell, int] = field(default_factory=dict)
    at_rest: Predicate = bool

    def merge(self, s: list[int]) -> None:
        """Forget everything else."""
        after = {cell: s[cell] for cell in self.kept} | self.finished
        for cell in range(len(s)):
            s[cell] = after.get(cell, EMPTY)


def _check(s: list[int], me: Ends) -> None:
    me.merge(s)


CHECK: Block = block("check", Step("CHECK", _check, lambda s, me: me.at_rest(s), "a quiet end is looked at"))


def _ending(path: Block, ends: Ends) -> Block:
    """Return the path with an end behind its last exit."""
    last = find(path, "IRQ_ON")
    assert isinstance(last, Step)

    def irq_on(s: list[int], me: Vcpu) -> str | None:
        last.fn(s, me)
        left = me.guests[0].faults
        if s[left]:
            s[left] -= 1
            return None
        s[me.core.frame] = ENDED
        if all_returned(s, ends.returned):
            ends.merge(s)
        return path.name

    return apply(path, Swap("IRQ_ON", (replace(last, fn=irq_on, leaves=(path.name,)),)))


def step_table(
    kernel: Kernel,
    *,
    senders: int = 1,
    entries: int = 1,
    sender: str = "kvm",
    memory: str = "sc",
    barrier: bool = True,
) -> Scenario:
    """Return the bare path of ``kernel`` (of kernels.step_table) as a scenario.

    After ``entries`` VM entries the vCPU's path ends; the other knobs are those of posted_interrupts.
    Raises BadInput for a knob that cannot be.
    """
    if entries < 1:
        raise BadInput("entries: 1 or more")
    run = remembered(kernel, memory, barrier)
    layout = Layout()
    the = parts(layout, run, entries - 1, memory)
    posting = posters(layout, the.vcpu, run.paths["post"], sender, senders)
    ends = Ends((the.vcpu.requests, the.apicv.pir, the.apicv.on))
    vcpu, *others = actors(run, the, GUEST, posting)
    vcpu = replace(vcpu, path=_ending(vcpu.path, ends))
    system = System(layout, [vcpu, *others, Actor("q", "check", CHECK, ends)])
    core, cpu0, apicv, at = the.core, the.cpu0, the.apicv, system.pc["q"]
    ends.returned = posting.returned(system)
    ends.finished = {system.pc[letter]: len(places) for letter, places in system.places.items()}

    def at_rest(s: Sequence[int]) -> bool:
        """The guest has no program, so what is recognised need not be delivered."""
        runs = s[core.frame] == frame(1) and not s[cpu0.irr] and not s[apicv.posting]
        return runs and s[at] == 0 and all_returned(s, ends.returned)

    ends.at_rest = at_rest
    said = {"senders": senders, "entries": entries, "sender": sender, "memory": memory, "barrier": barrier}
    return Scenario(
        "posted-interrupts",
        "the step table: senders post while the vCPU goes round its bare path",
        run,
        system,
        properties(the.apicv, at_rest),
        lambda s: s[at] or s[core.frame] == ENDED,
        "",
        said,
        {"core": the.core, "L0": the.cpu0, "guest": the.guest, "vcpu": the.vcpu, "apicv": the.apicv},
        symmetry=posting.alike,
        monitor=MONITOR,
    )


def uncut(table: Scenario) -> Scenario:
    """Return the table without properties: its search goes on through a loss and counts all of it."""
    return replace(table, properties=())
