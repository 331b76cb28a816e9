"""The questions of notebook 00 and what is said to each guess.

The numbers of the first are those of the recorded trace, the second is the local APIC's, the third a
schedule of the kick; tests look for all of them where they come from.
"""

from kvmlab.labs.question import Choice, Question

DAY = Question(
    "00.1",
    "The guest does 16 rounds: set an alarm, halt until it rings. Which exit reason takes most of the time?",
    (
        Choice(
            "MSR_WRITE",
            "It is the most frequent one: 17 of 35, for every alarm is an MSR that is written. But a write "
            "is soon done; all 17 take 1.3 % of the time.",
        ),
        Choice(
            "HLT",
            "So it is: 98.6 % of the time. And nobody works in it: the vCPU's thread sleeps.",
            right=True,
        ),
        Choice(
            "EXTERNAL_INTERRUPT",
            "Interrupts for the host do arrive, 20 of them. But none throws the guest out: each comes while "
            "the vCPU sleeps, and there is no guest on the CPU to be left.",
        ),
    ),
    "What decides: the time of an exit runs from leaving the guest to entering it again, whatever happens in "
    "between. Behind HLT that is sleep; a long exit is not always a costly one.",
    (),
    "",
)

MERGED = Question(
    "00.2",
    "0x40 is raised twice while the guest's IF is 0. Then the guest sets IF. How often does its handler run?",
    (
        Choice(
            "never: with IF=0 both are dropped",
            "IF does keep them out. But it only delays: the IRR remembers.",
        ),
        Choice(
            "once",
            "So it is: the IRR has one bit for 0x40, and the second raise finds it set.",
            right=True,
        ),
        Choice(
            "twice",
            "Two were raised, that is so. But one bit cannot count: the two became one.",
        ),
        Choice(
            "only if KVM injects it",
            "Somebody has to take it through the door. Without the processor's help (APICv, notebook 03) it "
            "is KVM that injects; with it the processor does so on its own. Either way it is one interrupt.",
        ),
    ),
    "What decides: a vector that waits is one bit. A device that must not lose count keeps the count itself.",
    (),
    "",
)

OUTSIDE = Question(
    "00.3",
    "A request is set. The kick behind it finds the vCPU in OUTSIDE_GUEST_MODE and sends no IPI. "
    "The request is",
    (
        Choice(
            "lost",
            "The kick has left no trace, that is so. But the request is a bit, and the bit stays.",
        ),
        Choice(
            "seen before the guest is entered again, at the recheck at the latest",
            "So it is: no IPI is needed, because a check is still to come.",
            right=True,
        ),
        Choice(
            "seen only after the guest's next exit",
            "It would be, if the recheck came before mode is set to IN_GUEST_MODE: then the kick could fall "
            "between the two. It comes behind it.",
        ),
        Choice(
            "waited for: the kicker stays until the vCPU has seen it",
            "The kicker does care. But it never waits: it looks at mode, once, and goes.",
        ),
    ),
    "What decides: whoever reads OUTSIDE has set the request before MODE_IN, and the recheck stands behind "
    "MODE_IN. First set your own flag, then look at the other's; both sides do.",
    ("v3.10",),
    "vvaavvvvvvvv",
    scenario="kick",
)

QUESTIONS = {question.id: question for question in (DAY, MERGED, OUTSIDE)}
