"""The questions of notebook 02 and what is said to each guess.

The numbers of the first two are those of the recorded traces, the third is the countdown's arithmetic; tests
look for all of them where they come from.
"""

from kvmlab.labs.question import Choice, Question

EXITS = Question(
    "02.1",
    "The guest arms its timer and computes on, 16 times. Without the preemption timer each round has these "
    "exits: the write of the deadline, and a host interrupt when it has come. And with it?",
    (
        Choice(
            "one exit fewer: nobody has to interrupt the guest",
            "The host's interrupt is gone, that is so. But the guest has to be left somehow, or KVM could "
            "not hand it its interrupt.",
        ),
        Choice(
            "the same number",
            "So it is. One exit reason takes the place of another; what changes is what comes behind the "
            "exit.",
            right=True,
        ),
        Choice(
            "none: the CPU delivers the interrupt by itself",
            "That would be best of all, and it came later: a timer's interrupt that is posted to a guest "
            "that runs (2019). Here KVM still hands it over, outside the guest.",
        ),
        Choice(
            "one exit more: the countdown has to be started",
            "It has to be started, that is so. But the guest is out already when KVM does it: writing the "
            "deadline is an exit.",
        ),
    ),
    "What decides: here the vCPU's own thread makes the timer's interrupt, and it runs outside the guest. So "
    "each round has an exit at the deadline, whoever makes it: 48 entries in both recordings.",
    (),
    "",
)

HALTED = Question(
    "02.2",
    "Now the guest arms its timer and halts, 16 times, on the same KVM with the preemption timer. How many "
    "exits have the reason PREEMPTION_TIMER?",
    (
        Choice(
            "16: one for each deadline",
            "There are 16 deadlines, and each is given to the preemption timer first. But it counts only "
            "while the guest runs, and this guest has left.",
        ),
        Choice(
            "0",
            "So it is: a halt is an exit, and outside the guest nothing counts. Somebody else must have "
            "the alarm by then.",
            right=True,
        ),
        Choice(
            "32: armed and fired",
            "There are 32 lines about it in the trace, two a round: it is given the deadline, and it is "
            "taken away. Neither is an exit of its own.",
        ),
        Choice(
            "1: behind the first halt KVM takes the hrtimer at once",
            "KVM does not learn from round to round. In each of them the guest arms, and then halts.",
        ),
    ),
    "What decides: the preemption timer counts in the guest only. A halted guest is a thread that waits in "
    "the host, and only the host's own timer can wake that.",
    (),
    "",
)

COUNTDOWN = Question(
    "02.3",
    "The timer counts ticks of 32 cycles: it drops one whenever bit 5 of the TSC changes, that is, at "
    "multiples of 32. At TSC 1000 KVM wants to be woken at 1100, and writes 100 / 32 = 3 ticks. The guest "
    "is entered at 1010. When does the timer fire?",
    (
        Choice(
            "at 1100, as it was told",
            "That was the wish. But 100 is no multiple of 32: it could not be written down.",
        ),
        Choice(
            "at 1106: three ticks after the entry",
            "Three ticks it is. But the first of them is over at 1024 already: the phase is that of the "
            "TSC, not that of the entry.",
        ),
        Choice(
            "at 1088",
            "So it is, 12 cycles early: at 1024, 1056 and 1088 a tick is over.",
            right=True,
        ),
        Choice(
            "at 1120",
            "So it would be for an entry at 1030: a multiple of 32 later. The same three ticks are then 20 "
            "late.",
        ),
    ),
    "What decides: the counter drops when the TSC's bit changes, wherever the entry was. So it may fire up "
    "to two ticks too early, and as late as the entry was.",
    (),
    "",
)

QUESTIONS = {question.id: question for question in (EXITS, HALTED, COUNTDOWN)}
