"""The questions of notebook 04b and what is said to each guess."""

from kvmlab.labs.question import Choice, Question

MULTIPLIED = Question(
    "04b.1",
    "L4 executes CPUID, which always exits. Every KVM above level 0 reads or writes a form twice in each "
    "lap, and each of these accesses exits as well. How many exits to level 0 are there until L4 goes on, "
    "the CPUID's own included?",
    (
        Choice("4", "One exit for each level on the way, if every KVM could handle it in one piece."),
        Choice(
            "12",
            "An exit, a read, a write and an entry for each of the three KVMs in between. But each of these "
            "happens in a guest again, and is an exit with laps of its own.",
        ),
        Choice("64", "So it is: each level in between makes four out of one, 4 × 4 × 4.", right=True),
        Choice(
            "256",
            "That is one level more: L1's exit costs one, so four levels multiply three times.",
        ),
    ),
    "What decides: every exit goes to level 0, and each KVM in between makes p + 2 of it: the exit itself, p "
    "accesses, and its VMRESUME. So it is (p + 2)^(n - 1) for Ln.",
    (),
    "",
)

BROKEN = Question(
    "04b.2",
    "The patch's message says that a value of 0 works on such a CPU too. How does KVM with the patch force "
    "an exit there?",
    (
        Choice(
            "by timer 0: the rate does not matter",
            "The argument is good: where nothing is counted, no rate can be wrong. But somebody has to act "
            "on it.",
        ),
        Choice("by self-IPI, as before", "So it is.", right=True),
        Choice(
            "by the monitor trap flag", "That lets one instruction through, unless something is injected."
        ),
        Choice(
            "not at all: such a CPU runs no guests of guests",
            "It does, and it did so before the patch. Only deadlines are not given to its timer.",
        ),
    ),
    "What decides: the control is struck out first. So the hook finds no timer, and gets the self-IPI.",
    (),
    "",
)

QUESTIONS = {question.id: question for question in (MULTIPLIED, BROKEN)}
