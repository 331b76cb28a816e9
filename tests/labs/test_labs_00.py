"""Notebook 00: its questions are well made and true, its day and its comparison come out of the traces."""

from collections import Counter

import pytest

pytest.importorskip("ipywidgets")


from kvmlab.errors import BadInput
from kvmlab.kernels.kernel import Patch, PathEdit, swap
from kvmlab.kernels.names import kernel
from kvmlab.labs import beside, day
from kvmlab.labs.needle import KERNEL
from kvmlab.labs.question import Question
from kvmlab.labs.questions00 import DAY, MERGED, OUTSIDE, QUESTIONS
from kvmlab.machine.edit import Relocate
from kvmlab.scenarios.kick import kick
from kvmlab.schedulers.explore import explore
from kvmlab.schedulers.replay import replay
from kvmlab.show.life import Life
from kvmlab.traces import load, statistics
from kvmlab.traces.compare import compare

EACH = pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS.keys())


@EACH
def test_a_question_has_one_right_answer_and_words_for_each(question: Question) -> None:
    """One choice is right; every choice is told something of its own, which ends in the fact that decides."""
    assert sum(choice.right for choice in question.choices) == 1
    told = [question.feedback(n) for n in range(1, len(question.choices) + 1)]
    assert all(text.endswith(question.fact) for text in told) and len(set(told)) == len(told)
    assert not any(word in text.lower() for text in told for word in ("wrong", "incorrect", "sorry"))


@EACH
def test_the_twin_never_gives_the_answer_away(question: Question) -> None:
    """The twin is the question and its choices in at most 80 columns; no feedback, no fact."""
    twin = question.twin()
    flat = " ".join(twin.split())
    assert all(choice.text in flat and choice.feedback not in flat for choice in question.choices)
    assert question.fact not in flat and max(map(len, twin.splitlines())) <= 80


def test_00_1_the_numbers_of_the_day() -> None:
    """17 of 35 and 1.3 % for MSR_WRITE, 98.6 % for HLT, no EXTERNAL_INTERRUPT: as the feedback says."""
    table = statistics(load(day.TRACE))
    samples, time = (sum(getattr(row, name) for row in table.values()) for name in ("samples", "total"))
    share = {reason: f"{100 * row.total / time:.1f} %" for reason, row in table.items()}
    assert f"{table['MSR_WRITE'].samples} of {samples}" in DAY.choice(1).feedback
    assert share["MSR_WRITE"] in DAY.choice(1).feedback and share["HLT"] in DAY.choice(2).feedback
    assert "EXTERNAL_INTERRUPT" not in table and max(share, key=lambda r: table[r].total) == "HLT"


def test_00_1_every_host_interrupt_comes_while_the_vcpu_sleeps() -> None:
    """20 of them, and each time the host's idle task runs."""
    ticks = [event for event in load(day.TRACE) if event.name == "local_timer_entry"]
    assert {event.task for event in ticks} == {"<idle>"}
    assert f"{len(ticks)} of them" in DAY.choice(3).feedback


def test_00_2_two_raises_are_one_run() -> None:
    """The presses of the question: the handler runs once; 16 alarms of the day were 16 runs."""
    life = Life()
    life.raise_vector()
    life.raise_vector()
    life.toggle_if()
    assert life.ran == 1 and MERGED.choice(2).right


def test_00_3_the_recheck_sees_the_request() -> None:
    """The schedule: no IPI is sent, the recheck calls the entry off, the next lap takes the request."""
    (scenario,) = OUTSIDE.scenarios()
    run = replay(scenario.system, OUTSIDE.schedule)
    assert run.stopped == "" and run.count("KICK.ipi") == 0 and run.count("VMENTRY") == 0
    assert run.labels[7:9] == ["v:RECHK.req", "v:CANCEL.mode"]
    assert run.labels[-1] == "v:REQ.other" and not run.state[scenario.records["vcpu"].requests]


def test_00_3_a_recheck_before_mode_in_would_miss_it() -> None:
    """What the third choice is told, and the notebook's last question: then a schedule misses the request."""
    moved = (PathEdit("vcpu_run", Relocate("MODE_IN", after="recheck")), swap("CANCEL.mode"))
    found = explore(kick(Patch("recheck first", "", "", moved).on(kernel(KERNEL)))).counterexample
    assert found is not None
    order = [found.labels.index(label) for label in ("v:RECHK.req", "a:REQUEST", "a:KICK.mode", "v:MODE_IN")]
    assert order == sorted(order) and "a:KICK.ipi" not in found.labels


def test_the_four_lines_are_the_first_alarm() -> None:
    """Entry, exit, the MSR of the deadline, entry; only a line for a later lesson is between them."""
    lines, trace = day.four_lines(), load(day.TRACE)
    assert tuple(event.name for event in lines) == ("kvm_entry", "kvm_exit", "kvm_msr", "kvm_entry")
    assert lines[2].fields["ecx"] == day.TSC_DEADLINE
    between = trace[trace.index(lines[0]) : trace.index(lines[3]) + 1]
    assert {event.name for event in between if event not in lines} == {"kvm_hv_timer_state"}


def test_the_pictures_leave_out_later_lessons_and_nothing_else() -> None:
    """Every other event of the trace is in them, in order."""
    assert day.events() == [event for event in load(day.TRACE) if event.name not in day.LATER]
    assert {event.name for event in load(day.TRACE)} > day.LATER


def test_the_second_part_has_one_interrupt_of_each_kind() -> None:
    """In its window: an alarm of the host's, the guest's interrupt it leads to, and the host's own tick."""
    zero, (start, end) = day.events()[0].time, day.KINDS
    seen = [e for e in day.events() if start <= e.time - zero <= end]
    marked = [
        e for e in seen if e.name in ("hrtimer_expire_entry", "kvm_apic_accept_irq", "local_timer_entry")
    ]
    assert [(e.name, str(e.fields.get("function", ""))[:9]) for e in marked] == [
        ("local_timer_entry", ""),
        ("hrtimer_expire_entry", "apic_time"),
        ("kvm_apic_accept_irq", ""),
        ("local_timer_entry", ""),
        ("hrtimer_expire_entry", "tick_sche"),
    ]


def test_model_and_recording_are_the_same_event_by_event() -> None:
    """All 16 rounds, 225 events; one round more or less is seen."""
    found = compare(beside.modelled(), beside.kept(beside.recorded()))
    assert found.same and len(found.rows) == 225
    assert not compare(beside.modelled(15), beside.kept(beside.recorded())).same


def test_what_is_left_out_is_counted_and_is_the_rest() -> None:
    """Kept and left out together are the recording; the model's own run has nothing to leave out."""
    trace = beside.recorded()
    assert len(beside.kept(trace)) + sum(beside.left_out(trace).values()) == len(trace)
    assert beside.kept(beside.modelled(2)) == beside.modelled(2)
    gone = Counter(e.name for e in trace) - Counter(e.name for e in beside.kept(trace))
    assert gone["local_timer_entry"] == beside.left_out(trace)[beside.TICK] == 1


def test_the_facade_has_what_it_promises() -> None:
    """Every name in __all__ can be called; an unknown question is refused with the nearest one."""
    pytest.importorskip("ipywidgets")
    from kvmlab.labs import nb00

    assert all(callable(getattr(nb00, name)) for name in nb00.__all__)
    assert nb00.SCENES.keys() == QUESTIONS.keys()
    with pytest.raises(BadInput, match="unknown question 00.4; did you mean"):
        nb00.predict("00.4")


@pytest.mark.parametrize("number", QUESTIONS)
def test_show_me_opens_what_answers_the_question(number: str) -> None:
    """The scene is at the answer: the sleep behind HLT, one run of the handler, the request taken."""
    pytest.importorskip("ipywidgets")
    from kvmlab.labs import nb00

    box = nb00.predict(number)
    box.answer(1)
    (scene,) = box.children[-1].children
    answer = {"00.1": "asleep 218614 ticks", "00.2": "handler ran 1", "00.3": "CANCEL.mode"}[number]
    assert answer in repr(scene)


def test_a_lap_is_as_long_as_the_notebook_says() -> None:
    """The stepper's lap: the ten steps in their order, in one undisturbed round."""
    pytest.importorskip("ipywidgets")
    from kvmlab.labs import nb00

    steps = [label.split(":")[1].split(".")[0] for label in nb00.loop().desk.session.run.labels]
    ten = (
        "REQ",
        "CHECK_EVENT",
        "MODE_IN",
        "IRQ_OFF",
        "RECHK",
        "VMENTRY",
        "VMEXIT",
        "MODE_OUT",
        "IRQ_ON",
        "EXIT",
    )
    assert tuple(dict.fromkeys(step for step in steps if step in ten)) == ten
    assert set(steps) - set(ten) == {"CHECK_IMMEDIATE", "RUN_PENDING", "INSN", "CPUID"}
