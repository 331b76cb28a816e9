"""The questions of notebook 04 and what is said to each guess."""

from kvmlab.labs.question import Choice, Question

FOUR = Question(
    "04.1",
    "Given A1. There are two ways of forcing an exit: v4.18's, the self-IPI, and the patch's, a preemption "
    "timer of 0. There are two places for the KVM that uses it: level 0, or level 1 over a level 0 that is "
    "exact itself. Of these four, how many are exact, so that the guest never executes an instruction?",
    (
        Choice(
            "1",
            "Timer 0 on hardware is one, by definition. But what of timer 0 one level up, and what of the "
            "IPI that notebook 01 proved exact?",
        ),
        Choice(
            "2",
            "Level 0 has two: its IPI is at the CPU before the entry, by A1, and its timer is hardware's. "
            "But at level 1 one of them is kept as well.",
        ),
        Choice("3", "All but one, and the one is what patch 4 is about.", right=True),
        Choice(
            "4",
            "If an IPI were an IPI at every level, yes. At level 0 it lies at the CPU, and each entry sees "
            "it, whichever card is in the slot.",
        ),
    ),
    "What decides: the IPI of level 1 is an interrupt for L1. L0 notes it on V[0→1], and V[0→1] lies in the "
    "drawer when the guest is entered. Step through it below.",
    (),
    "",
)

OLD_L0 = Question(
    "04.2",
    "Given A1. L0 is an old kernel: it forces exits by self-IPI. L1 has patch 4 and uses timer 0. L1 enters "
    "L3 and wants it to leave at once. Is that exact?",
    (
        Choice(
            "no: L0 does not have the patch",
            "L0's own method is the old one. But L0 is at level 0, where the IPI lies at the CPU itself; and "
            "it is L0 that keeps the promise.",
        ),
        Choice(
            "yes, if L0's preemption timer counts at the right rate",
            "There are CPUs whose timer has a wrong rate. But 0 is no rate, and here nobody even counts: "
            "L0 emulates L1's timer.",
        ),
        Choice(
            "yes, if L3 can take interrupts (its IF is 1)",
            "The IPI is a physical interrupt: it throws the guest out whatever the guest's IF says.",
        ),
        Choice(
            "yes, whatever timer and IF are like",
            "L0 reads timer 0 on V[1→3], has to obey, and does so by an IPI to its own CPU.",
            right=True,
        ),
    ),
    "What decides: a promise does not say how. Each level may keep it by its own means, if these are good "
    "where it stands. At level 0 both are, one of them by A1.",
    (),
    "",
)

ONE = Question(
    "04.3",
    "On hardware, with a timer that ticks once in 2^X cycles: KVM writes 1 instead of 0. When does the guest "
    "leave?",
    (
        Choice(
            "at once, as with 0",
            "An emulated timer did treat 1 like 0, until 4c008127e471 (2018): an hrtimer is no good for so "
            "short a time. Hardware counts.",
        ),
        Choice(
            "never: the timer is off",
            "Off is another thing: a control bit beside the value. Since 804939ea200d (2019) KVM may leave "
            "that bit on and write the largest value instead, which is as good as never. 1 is the opposite.",
        ),
        Choice(
            "2^X cycles after the entry",
            "A tick does take so long. But the counter drops when bit X of the cycle counter changes, and "
            "that does not wait for an entry: of the first tick only a rest may be left.",
        ),
        Choice(
            "within the next 2^X cycles",
            "So it is: the counter drops when bit X of the cycle counter changes, and that does not wait for "
            "an entry.",
            right=True,
        ),
        Choice(
            "after exactly one instruction",
            "That is roughly what the monitor trap flag does. The timer does not count instructions.",
        ),
    ),
    "What decides: 0 is not a very small number. It is the one value for which there is no tick to wait for, "
    "and the architecture says what it does: the exit comes before the first instruction.",
    (),
    "",
)

QUESTIONS = {question.id: question for question in (FOUR, OLD_L0, ONE)}
