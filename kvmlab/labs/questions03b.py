"""The questions of notebook 03b and what is said to each guess."""

from kvmlab.labs.question import Choice, Question

CHANCE = Question(
    "03b.1",
    "One post on the bare entry path of v4.10, without the request: 641 interleavings, 7 of them lose. A "
    "scheduler draws lots: in every state each possible move has the same chance. After how many runs do you "
    "expect a loss?",
    (
        Choice("about 10", "So it is: the probability of a loss is 0.102.", right=True),
        Choice(
            "about 90",
            "7 of 641 is one in 92, and so it would be if every interleaving were as likely as every other. "
            "They are not.",
        ),
        Choice(
            "about 640",
            "One particular interleaving may well need so many. But seven lose, and they are among the "
            "likeliest.",
        ),
        Choice(
            "practically never",
            "That is what years of testing say. But testing does not draw lots, as you are about to see.",
        ),
    ),
    "What decides: lots are drawn only where there is a choice. Once the sender is done only the vCPU can "
    "move; so a loss is made of few draws, and is drawn often.",
    ("v4.10+no-event", "b95234c"),
    "vvvaaaavvvvvv",
    "posted-interrupts",
)

BARRIER = Question(
    "03b.2",
    "b95234c without the barrier behind MODE_IN, on x86: the store to vcpu->mode may wait in the CPU's store "
    "buffer while the CPU goes on to the sync. Who can lose an interrupt?",
    (
        Choice(
            "nobody",
            "The steps stand in the right order, that is so, and x86 keeps the order of stores among "
            "themselves and of reads among themselves. But a read may overtake an earlier store.",
        ),
        Choice(
            "a CPU that posts, but not VT-d",
            "So it is: who reads the mode can read an old one.",
            right=True,
        ),
        Choice(
            "VT-d, but not a CPU",
            "VT-d's writes are seen late by nobody, and it reads no mode: nothing of it waits in this store "
            "buffer.",
        ),
        Choice(
            "both",
            "A CPU can. VT-d does not read vcpu->mode, so it is all the same to it when the store is seen.",
        ),
    ),
    "What decides: the sync reads ON=0 while MODE_IN waits in the buffer; the sender sets ON and reads "
    "OUTSIDE. Each has looked before it could see the other's deed.",
    ("b95234c",),
    "vvvvvvvvvaaaasv",
    "posted-interrupts",
    {"memory": "tso", "barrier": False},
)

QUIET = Question(
    "03b.3",
    "The vCPU's thread loses its CPU, and KVM sets SN in the descriptor: “keep quiet”. VT-d posts 0x31. The "
    "thread gets its CPU back, clears SN, and goes to enter the guest. What does the sync do?",
    (
        Choice(
            "it finds 0x31 in PIR and copies it",
            "0x31 is in PIR, and there it would be found. But the sync looks at PIR only if ON is set.",
        ),
        Choice(
            "it finds ON=1, clears it, and copies PIR",
            "That is what it does for every other post. With SN set VT-d leaves ON alone.",
        ),
        Choice(
            "it finds ON=0 and skips the rest", "So it is, and the guest is entered without 0x31.", right=True
        ),
        Choice(
            "it waits until VT-d notifies",
            "A notification would come, had SN been clear. VT-d kept quiet and has nothing more to do.",
        ),
    ),
    "What decides: the sync takes “PIR is not empty” to mean “ON is set”. SN is where that stops being true.",
    ("b95234c", "b95234c+c112b5f"),
    "v1avvvvvv",
    "posted-interrupts",
    {"sender": "vtd", "preemptions": 1},
)

QUESTIONS = {question.id: question for question in (CHANCE, BARRIER, QUIET)}
