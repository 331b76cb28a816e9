"""Posted interrupts: senders post while the vCPU goes round its loop; the guest may stay for ever.

What must hold is asked at rest: the guest runs, every sender has returned, and nothing is pending at
the CPU. Then nobody will come any more, and what is still in PIR is lost until the guest's next exit.
"""

from collections.abc import Sequence

from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import Kernel
from kvmlab.kvm.posted import Post
from kvmlab.kvm.records import Vcpu
from kvmlab.machine.property import Property
from kvmlab.machine.state import Layout
from kvmlab.machine.step import STAY, Step, block
from kvmlab.machine.system import Actor, System
from kvmlab.processor.boundary import APICV_EVENTS, in_guest
from kvmlab.processor.entry import vm_exit
from kvmlab.processor.exits import Exit
from kvmlab.processor.records import ROOT, Apicv, Core, Cpu, Guest, Vmcs, frame
from kvmlab.scenarios.scenario import Scenario

FIRST_VECTOR = 0x31


def _cpuid(s: list[int], me: Guest) -> str:
    s[me.faults] -= 1
    vm_exit(s, me, Exit.CPUID)
    return STAY


GUEST = in_guest(
    block(
        "guest",
        Step("CPUID", _cpuid, lambda s, me: s[me.faults], "the guest leaves on its own, by CPUID"),
    ),
    lambda me: me,
    APICV_EVENTS,
)
"""The guest computes, which nobody else can see; it stays, or leaves while its budget lasts."""


def _records(layout: Layout, kernel: Kernel, exits: int) -> tuple[Core, Cpu, Guest, Vcpu]:
    core = layout.record(Core, "core")
    cpu0, cpu1 = layout.record(Cpu, "L0"), layout.record(Cpu, "L1")
    v01 = layout.record(Vmcs, "vmcs01", owner=0, guest=1, exit_controls=kernel.setting("exit_controls"))
    apicv = layout.record(Apicv, "apicv")
    guest = layout.record(
        Guest, "guest1", level=1, core=core, host=cpu0, cpu=cpu1, vmcs=v01, apicv=apicv, faults=exits
    )
    return core, cpu0, guest, layout.record(Vcpu, "vcpu", level=0, core=core, cpu=cpu0, guests=(guest,))


def posted_interrupts(kernel: Kernel, *, senders: int = 1, exits: int = 0) -> Scenario:
    """Return the scenario on ``kernel``: so many senders, one post each, a vector each.

    ``exits`` limits how often the guest leaves on its own. Raises BadInput for a kernel that is not
    modelled for it or a number of senders that is not 1 to 4.
    """
    kernel.require("posted-interrupts")
    if not 1 <= senders <= 4 or exits < 0:
        raise BadInput("senders: 1 to 4; exits: 0 or more")
    layout = Layout()
    core, cpu0, guest, vcpu = _records(layout, kernel, exits)
    posts = [layout.record(Post, f"post{n}", vcpu=vcpu, vector=FIRST_VECTOR + n) for n in range(senders)]
    actors = [
        Actor("v", "vCPU thread (L0)", kernel.paths["vcpu_run"], vcpu, core.frame, ROOT),
        Actor("h", "host interrupts", kernel.paths["host_irq"], vcpu, core.frame, ROOT + 1),
        Actor("g", "guest", GUEST, guest, core.frame, frame(1)),
        *(
            Actor("abce"[n], f"sender of {post.vector:#x}", kernel.paths["post"], post)
            for n, post in enumerate(posts)
        ),
    ]
    system = System(layout, actors)
    returned = [(system.pc["abce"[n]], len(system.places["abce"[n]])) for n in range(senders)]
    apicv = guest.apicv
    assert apicv is not None

    def at_rest(s: Sequence[int]) -> bool:
        runs = (
            s[core.frame] == frame(1) and not s[cpu0.irr] and not s[apicv.posting] and not s[apicv.recognised]
        )
        return runs and all(s[at] == end for at, end in returned)

    return Scenario(
        "posted-interrupts",
        "other CPUs post interrupts while the vCPU goes round its loop",
        kernel,
        system,
        (
            Property("LOST", "at rest, nothing is left in PIR", lambda s: s[apicv.pir] > 0 and at_rest(s)),
            Property("ON_STUCK", "at rest, ON is not set", lambda s: s[apicv.on] > 0 and at_rest(s)),
        ),
        at_rest,
        "",
        {"senders": senders, "exits": exits},
        {"core": core, "L0": cpu0, "guest": guest, "vcpu": vcpu, "apicv": apicv},
    )
