"""The questions of notebook 01b and what is said to each guess."""

from kvmlab.labs.question import Choice, Question

LIVELOCK = Question(
    "01b.1",
    "L1 injects 0x31, the wish to leave is still a request bit, and an entry that is called off now raises "
    "KVM_REQ_EVENT when it takes 0x31 back. How often is L2 entered in 1000 laps?",
    (
        Choice(
            "once, in the second lap",
            "That is d6185f2: its second lap has no KVM_REQ_EVENT, asks for nothing, and enters.",
        ),
        Choice(
            "500 times, in every other lap",
            "Two laps did take turns in d6185f2: one asks, one enters. Here the second one asks as well.",
        ),
        Choice(
            "never",
            "So it is: every lap asks for an exit and thereby calls its own entry off.",
            right=True,
        ),
        Choice(
            "1000 times",
            "Every lap does want to enter. And every lap finds a fresh request at the recheck: its own.",
        ),
    ),
    "What decides: each cancelled lap raises KVM_REQ_EVENT, so the next one looks for events, finds 0x40 "
    "waiting, sets the request bit behind its test, and is cancelled in turn.",
    ("d6185f2+5f3d579",),
    "mvvd" + "v" * 39,
    knobs={"inject": True},
)

MASKED = Question(
    "01b.2",
    "v3.10, and L1 injects 0x31. L0 has decided on an immediate exit when another thread's request calls the "
    "entry off. What does the next lap do?",
    (
        Choice(
            "it enters L2 and lets it run: KVM_REQ_EVENT is used up",
            "It was used up, that is so, and with nothing to inject this is what happens. But 0x31 had to be "
            "taken back out of the entry field, and taking it back raises KVM_REQ_EVENT.",
        ),
        Choice(
            "it looks for events again and asks for the exit again",
            "So it is: taking 0x31 back raises KVM_REQ_EVENT.",
            right=True,
        ),
        Choice(
            "it enters L2 without 0x31",
            "0x31 did leave the entry field. It went into the queue, and the next lap injects it again.",
        ),
        Choice(
            "it delivers 0x31 a second time",
            "It injects 0x31 a second time. It is delivered once: the first entry never took place.",
        ),
    ),
    "What decides: somebody must raise KVM_REQ_EVENT once more, or the next lap does not look. Here that "
    "somebody is there by accident.",
    ("v3.10", "v3.10+8081ad0"),
    "mvvdvvvvvvvvvvavvvvvvvvvvvvvvg",
    knobs={"inject": True, "cancel": True},
)

QUESTIONS = {question.id: question for question in (LIVELOCK, MASKED)}
