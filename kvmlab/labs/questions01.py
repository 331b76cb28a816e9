"""The questions of notebook 01 and what is said to each guess.

The schedules are the honest runs and the shortest loss; a test replays them and looks for the facts.
"""

from kvmlab.labs.question import Choice, Question

FAKED = Question(
    "01.1",
    "L0 takes the shortcut: it never enters L2 and tells L1 that L2 exited for an external interrupt. "
    "What is lost?",
    (
        Choice(
            "nothing: L1 handles 0x40 and resumes L2 again",
            "L1 does handle 0x40, and it does resume L2 again. But it does not inject 0x31 again: it reads "
            "its form, finds the valid bit clear, and takes 0x31 for delivered.",
        ),
        Choice(
            "0x31, the interrupt that L1 injected into L2",
            "So it is. The valid bit is clear, as after a real exit, and no entry was there to deliver 0x31.",
            right=True,
        ),
        Choice(
            "L2's registers",
            "L2's registers would be a loss indeed, but they are safe: L2 executed nothing, and vmcs12 still "
            "holds them.",
        ),
        Choice(
            "only time",
            "L2 does lose time. But wait as long as you like: nobody holds 0x31 any more.",
        ),
    ),
    "What decides: an injection is one-shot. The entry delivers the event, the exit clears the valid bit; an "
    "exit without an entry does only the second half.",
    ("v3.2+fake-exit", "d6185f2"),
    "mvvdvvvvvvvvvvvv",
    knobs={"inject": True},
)

EXIT_STATE = Question(
    "01.2",
    "L1 injects 0x31 and L0 has planted its self-IPI. At L2's exit, where does RIP point, and how many "
    "instructions has L2 executed?",
    (
        Choice(
            "where it was before; 0 instructions",
            "No instruction has run, that is so. But RIP has moved: delivering 0x31 is part of the entry.",
        ),
        Choice(
            "to L2's handler of 0x31; 0 instructions",
            "So it is: the frame is on L2's stack, RIP points to the handler, and nothing has run.",
            right=True,
        ),
        Choice(
            "into L2's handler of 0x31; 1 instruction",
            "RIP is in that handler, yes. But delivery executes no instruction, and the IPI already waits.",
        ),
        Choice(
            "to a handler of 0x40; 0 instructions",
            "0x40 is what all this is for. But it is a vector of L1's; L2 never sees it.",
        ),
    ),
    "What decides: the processor delivers the injected event before the first instruction boundary in L2, "
    "and it is at that boundary that it notices the IPI.",
    ("d6185f2", "v3.2"),
    "mvvdvvvvvvvvvvvvvvvvvvvvvvvvg",
    knobs={"inject": True},
)

LAPS = Question(
    "01.3",
    "In d6185f2 a lap first tests the request bit (REQ.immediate) and only later sets it (WINDOW.nested). "
    "How many laps of vcpu_run are needed until L1 runs again?",
    (
        Choice(
            "1",
            "One lap would be ideal, but L2 has to be entered in between: one lap enters L2, a later one "
            "enters L1.",
        ),
        Choice(
            "2",
            "Two laps are all that is needed, and since v3.10 two is what it takes. There the wish is a "
            "return value. Here it is a request, and a new request is exactly what the recheck looks for.",
        ),
        Choice(
            "3",
            "So it is: one lap that cancels itself, one that enters L2, one that enters L1.",
            right=True,
        ),
        Choice(
            "it goes round for ever",
            "It could, if something set KVM_REQ_EVENT in every lap; the companion notebook makes it happen. "
            "Here the second lap has no KVM_REQ_EVENT, asks for nothing, and enters.",
        ),
    ),
    "What decides: the bit is set behind its own test, so the recheck before the entry finds it and cancels "
    "the first lap.",
    ("d6185f2", "v3.10"),
    "mvvdvvvvvvvvvvvvvvvvvvvvvvvvgvvvhvvvvvvvvvvvvv",
    knobs={"inject": True},
)

QUESTIONS = {question.id: question for question in (FAKED, EXIT_STATE, LAPS)}
