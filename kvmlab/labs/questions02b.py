"""The questions of notebook 02b and what is said to each guess; tests hold them against what is measured."""

from kvmlab.labs.question import Choice, Question

RESTS = Question(
    "02b.1",
    "The patch gains 24.4 % of a busy guest's latency in the model. Turn one of these numbers up by a "
    "tenth. Which one moves the 24.4 % most?",
    (
        Choice(
            "RESID, 384 cycles: of which nobody knows what they are",
            "It is large, and nobody knows it. But both kernels pay it: it only makes the whole longer, of "
            "which the gain is a share.",
        ),
        Choice(
            "HW_EXIT, 330 cycles: the processor leaves the guest",
            "Both kernels leave the guest once. It makes the whole longer, and does nothing for the gain.",
        ),
        Choice(
            "HRT_INT, 360 cycles: the host looks through its timers",
            "So it is: only the kernel before pays it. It is the gain, or almost half of it.",
            right=True,
        ),
        Choice(
            "H_PREEMPT, 30 cycles: KVM handles the preemption timer's exit",
            "Only the patch pays it, so all of it counts. But a tenth of 30 cycles is three.",
        ),
    ),
    "What decides: in the gain what both kernels pay cancels, and in a percentage it only stretches the "
    "whole. So it rests on what one of them does alone, and here the largest part of that is a number "
    "which was fitted to this very gain.",
    (),
    "",
)

EARLY = Question(
    "02b.2",
    "v4.19 on a CPU with the preemption timer, lapic_timer_advance_ns = 1500 (3450 cycles): what does a "
    "busy guest with a periodic timer see?",
    (
        Choice(
            "the interrupt exactly when its period ends",
            "That is the idea, and it takes a wait: KVM must spin until then, just before it enters the "
            "guest. For a TSC deadline it does.",
        ),
        Choice(
            "the interrupt before its period ends",
            "So it is. The timer was advanced, and nobody waits: what there is to wait for KVM remembers of "
            "a TSC deadline only.",
            right=True,
        ),
        Choice(
            "the interrupt later than without an advance: KVM spins",
            "Spinning costs time, that is so. But it ends when the period does, never behind it.",
        ),
        Choice(
            "the same as without an advance",
            "It would be with an hrtimer: KVM moves those for a TSC deadline only. But a preemption timer it "
            "sets earlier in every mode.",
        ),
    ),
    "What decides: firing early is half of it, waiting is the other half. c5ce8235cffa (2018) brought the "
    "first one to the preemption timer in every mode, ee66e453db13 (2019) the second.",
    (),
    "",
)

QUESTIONS = {question.id: question for question in (RESTS, EARLY)}
