"""The questions of notebook 03 and what is said to each guess."""

from kvmlab.kernels.orders import parse_order, reordered
from kvmlab.labs.own_path import BASE
from kvmlab.labs.question import Choice, Question

IRQ_OFF_FIRST = reordered(BASE, parse_order("irq_off,sync,mode"), "irq_off, sync, mode")
"""Only irq_off moved, to the very front: not the patch's first half, which leaves the sync in front of it."""

KICKED = Question(
    "03.1",
    "Nobody makes KVM_REQ_EVENT any more. A post falls between the sync and MODE_IN: PIR is set, ON is set, "
    "and then the sender kicks the vCPU. What does the kick do?",
    (
        Choice(
            "it sends an IPI, which will be taken at the entry",
            "An IPI would save the day, and at the entry it would be taken. But a kick sends one only if it "
            "reads IN_GUEST_MODE, and here the vCPU's thread has not got that far.",
        ),
        Choice(
            "nothing",
            "So it is. The vCPU is OUTSIDE, and to the sender that means: it has yet to look.",
            right=True,
        ),
        Choice(
            "it waits until the vCPU has entered, and sends an IPI then",
            "Waiting would help. No sender waits: it would have to wait for as long as the vCPU sleeps.",
        ),
        Choice(
            "it leaves a request, and the recheck finds it",
            "v4.10's sender does make a request, and then kicks. That request is what has just been taken "
            "away; a kick by itself leaves nothing behind.",
        ),
    ),
    "What decides: OUTSIDE promises a look at ON still to come. The sync was that look, and it is over.",
    ("v4.10+no-event", "b95234c"),
    "vvvaaaa",
    "posted-interrupts",
)

DEAF = Question(
    "03.2",
    "0x31 has been lost: it is in PIR, ON is 1, and the guest runs. Now a device posts another vector, 0x32. "
    "Which of the two does the guest get?",
    (
        Choice(
            "both: the processor takes all of PIR at once",
            "It does take all of PIR at once, when a notification comes. None comes.",
        ),
        Choice(
            "only 0x32, the new one",
            "It would take a notification, and a notification takes all of PIR, 0x31 too. None comes.",
        ),
        Choice(
            "neither",
            "So it is. One interrupt was lost, and with it all that follow.",
            right=True,
        ),
        Choice(
            "both, because the guest exits",
            "An exit would repair everything: the next sync finds ON set. But nobody asked for an exit, and "
            "a guest that computes may stay for long.",
        ),
    ),
    "What decides: ON=1 means “somebody has been told”, so whoever finds it set does not notify. It stays "
    "set until somebody looks.",
    ("v4.10+no-event", "b95234c"),
    "vvvaaaavvvvvvb",
    "posted-interrupts",
    {"senders": 2, "sender": "both"},
)

HALF = Question(
    "03.3",
    "Only IRQ_OFF moves, and to the very front, further than in the patch: IRQ_OFF, sync, MODE_IN. Who can "
    "still lose an interrupt?",
    (
        Choice(
            "nobody",
            "The host can eat nothing any more, that is so. But there were two races.",
        ),
        Choice(
            "a CPU that posts, but not VT-d",
            "So it is: behind the sync, and before MODE_IN, the kick of a CPU finds nobody.",
            right=True,
        ),
        Choice(
            "VT-d, but not a CPU",
            "VT-d lost where the host ate its notification. With interrupts off before the sync the host "
            "cannot, and VT-d never looks at vcpu->mode.",
        ),
        Choice(
            "both",
            "In v4.10's order both can. But VT-d sends its notification whatever vcpu->mode says, and from "
            "IRQ_OFF on it waits at the door.",
        ),
    ),
    "What decides: a CPU's notification depends on two things, vcpu->mode and IF; VT-d's on IF alone. The "
    "sync must stand behind all that its sender depends on.",
    (IRQ_OFF_FIRST, "b95234c"),
    "vvvvaaaavvvvv",
    "posted-interrupts",
)

QUESTIONS = {question.id: question for question in (KICKED, DEAF, HALF)}
