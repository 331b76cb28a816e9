"""What became of a kick, read off a run of the scenario ``kick``; steps are counted from 1."""

from kvmlab.machine.run import Run
from kvmlab.processor.records import ROOT
from kvmlab.scenarios.scenario import Scenario

REQUEST, ASK, SEND = "a:REQUEST", "a:KICK.mode", "a:KICK.ipi"
ENTRY, THROWN_OUT, SEEN = "v:VMENTRY", "g:EXIT.EXTERNAL_INTERRUPT", "v:REQ.other"
CANCEL, TAKEN = "v:CANCEL.mode", "h:IRQ.reschedule"
SAW = {"v:RECHK.mode": "the kick (mode is EXITING)", "v:RECHK.req": "the request"}
"""What the recheck has seen, by the step in which it saw it."""


def behind(run: Run, label: str, step: int = 0) -> int:
    """Return the first step called ``label`` behind ``step``; 0 if there is none."""
    return next((n for n, known in enumerate(run.labels, 1) if n > step and known == label), 0)


def why_not(scenario: Scenario, run: Run) -> str:
    """Return why the needle was not threaded; nothing if it was."""
    if not behind(run, ASK):
        done = "made its request, and has not kicked yet" if behind(run, REQUEST) else "has not moved yet"
        return f"The other thread (a) {done}. Its three steps are REQUEST, KICK.mode, KICK.ipi."
    if not behind(run, SEND):
        return _unsent(scenario, run)
    return _sent(scenario, run)


def _unsent(scenario: Scenario, run: Run) -> str:
    """Say why there was no IPI: the kicker was not let, or found nobody to kick."""
    kicker = scenario.system.pc["a"]
    if run.state[kicker] < len(scenario.system.places["a"]):
        return f"The kick of step {behind(run, ASK)} is only half done: KICK.ipi is still to come."
    found = f"The kick of step {behind(run, ASK)} found mode OUTSIDE and sent no IPI"
    return f"{found}; {_seen_by(run)}."


def _sent(scenario: Scenario, run: Run) -> str:
    """Say where the IPI went; nothing if it waited at the door and took the guest out."""
    sent = behind(run, SEND)
    before = run.steps[sent - 1].before
    entered = behind(run, ENTRY, sent)
    if before[scenario.records["core"].frame] != ROOT:
        return (
            f"Step {sent} sent the IPI behind the entry: the guest was in already. It is taken out, but the "
            "kick came too late for the needle."
        )
    if before[scenario.records["L0"].irq]:
        eaten = behind(run, TAKEN, sent)
        host = f"the host took it in step {eaten}" if eaten else "the host takes it"
        return f"IF was 1 at step {sent}: {host}, and {_seen_by(run)}."
    if _called_off(run) or not entered:
        early = "came before the recheck was done" if _called_off(run) else "came behind the guest's own exit"
        return f"IF was 0 at step {sent}, but the kick {early}: {_seen_by(run)}."
    if not before[scenario.records["vcpu"].requests]:
        return f"The kick takes the guest out for nothing: {_seen_by(run)} already."
    return ""


def _called_off(run: Run) -> int:
    """Return the step of the recheck that called an entry off behind the request; 0 if none did."""
    cancelled = behind(run, CANCEL, behind(run, REQUEST))
    return max((n for n, label in enumerate(run.labels[:cancelled], 1) if label in SAW), default=0)


def _seen_by(run: Run) -> str:
    """Say who sees the request: the recheck, or the beginning of a lap."""
    if off := _called_off(run):
        return f"the recheck in step {off} saw {SAW[run.labels[off - 1]]}"
    if lap := behind(run, SEEN, behind(run, REQUEST)):
        return f"step {lap}, at the top of a lap, saw the request"
    return "the next look at the requests will find it"


def praise(scenario: Scenario, run: Run) -> str:
    """Say how the needle was threaded."""
    sent = behind(run, SEND)
    entered = behind(run, ENTRY, sent)
    out = behind(run, THROWN_OUT, entered)
    executed = run.steps[out - 1].before[scenario.records["guest"].insns]
    seen = behind(run, SEEN, out)
    return (
        f"Step {sent} sends the IPI while IF is 0, so it waits at the door. Step {entered} enters the guest, "
        f"step {out} takes it out: EXTERNAL_INTERRUPT, {executed} instructions. In the next lap step {seen} "
        "sees the request."
    )
