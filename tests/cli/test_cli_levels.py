"""kvmlab unittest, and explore on several levels and for the two timers: verdicts, status, refusals."""

import json

import pytest

from kvmlab.cli import main


def data(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, object]]:
    """Run one command with --json."""
    status = main((*words, "--json"))
    return status, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("levels", "methods", "more", "verdict"),
    [
        ("1", "L0=ipi", (), "ok"),
        ("1", "L0=ipi", ("--no-a1",), "violated"),
        ("1", "L0=timer0", ("--no-a1",), "ok"),
        ("2", "L0=timer0,L1=ipi", (), "violated"),
        ("2", "L0=ipi,L1=timer0", (), "ok"),
        ("2", "L0=ipi,L1=timer0", ("--no-a1",), "violated"),
        ("3", "L0=timer0,L1=timer0,L2=timer0", ("--no-a1",), "ok"),
        ("2", "L0=ipi,L1=ipi", ("--kernels", "L0=v4.18+b5861e5"), "ok"),
    ],
)
def test_exactness_by_level(
    capsys: pytest.CaptureFixture[str], levels: str, methods: str, more: tuple[str, ...], verdict: str
) -> None:
    """Exact if every level above 0 uses timer 0 or sits on a promise; level 0 may use an IPI, given A1."""
    words = ("explore", "immediate-exit", "--levels", levels, "--methods", methods, *more)
    status, row = data(capsys, *words)
    assert (row["verdict"], status) == (verdict, int(verdict == "violated"))
    assert row["scenario"] == "immediate-exit"


@pytest.mark.parametrize(
    ("methods", "fairness", "loop"),
    [
        ("L0=timer0,L1=ipi", (), ["g:INSN"]),
        ("L0=timer0,L1=ipi", ("runs",), ["g:INSN"]),
        ("L0=timer0,L1=ipi", ("runs", "delivery"), None),
        ("L0=timer0,L1=ipi", ("exits",), None),
        ("L0=ipi,L1=timer0", (), None),
    ],
)
def test_liveness_by_level(
    capsys: pytest.CaptureFixture[str], methods: str, fairness: tuple[str, ...], loop: list[str] | None
) -> None:
    """Late is not lost: a self-IPI at level 1 comes if it is delivered in the end; timer 0 just comes.
    The keys are those of safety."""
    words = ("explore", "immediate-exit", "--levels", "2", "--methods", methods)
    _, safe = data(capsys, *words)
    assumed = ("--fairness", *fairness) if fairness else ()
    status, row = data(capsys, *words, "--liveness", *assumed)
    assert (status, row["verdict"], row["fairness"]) == (
        int(bool(loop)),
        "violated" if loop else "ok",
        [*fairness],
    )
    assert row.keys() == safe.keys() and safe["fairness"] == [] and safe["lasso"] is None
    lasso = row["lasso"]
    assert lasso is None if loop is None else isinstance(lasso, dict) and lasso["loop"] == loop


ONE = ("immediate-exit", "--levels", "1")


@pytest.mark.parametrize(
    "words",
    [
        ("immediate-exit", "--kernel", "v3.2"),
        (*ONE, "--cpus", "L0=amd"),
        (*ONE, "--reduce"),
        (*ONE, "--limit", "9"),
        (*ONE, "--count"),
        ("hv-timer",),
        ("posted-interrupts", "--order", "irq_off,mode,sync"),
    ],
)
def test_every_exploration_has_the_same_keys(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """With a monitor or without, complete or not, counted or not."""
    _, row = data(capsys, "explore", *words)
    assert row.keys() == data(capsys, "explore", *ONE)[1].keys()
    assert isinstance(row["mechanisms"], list) and ((row["losing"] is None) == ("--count" not in words))


def test_a_schedule_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    """The mechanism of the counterexample refers to it: it may be very long."""
    _, row = data(capsys, "explore", "immediate-exit", "--levels", "2")
    main(("explore", "immediate-exit", "--levels", "2"))
    assert capsys.readouterr().out.count(str(row["schedule"])) == 1


def test_a_reduction_that_is_not_possible_is_no_error_of_python(capsys: pytest.CaptureFixture[str]) -> None:
    """It is said in words why nothing was left out."""
    main(("explore", "immediate-exit", "--levels", "2", "--reduce"))
    out = capsys.readouterr().out
    assert "no local rows: a step has no answer to values that never meet" in out and "Error" not in out


@pytest.mark.parametrize(("more", "verdict"), [((), "ok"), (("--no-a1",), "violated")])
def test_amd_at_level_0(capsys: pytest.CaptureFixture[str], more: tuple[str, ...], verdict: str) -> None:
    """The self-IPI is exact there, given A1."""
    status, row = data(capsys, "explore", "immediate-exit", "--cpus", "L0=amd", *more)
    assert (row["scenario"], row["kernel"]) == ("immediate-exit", "v4.19")
    assert (status, row["verdict"]) == (int(verdict == "violated"), verdict)


def test_the_steps_around_vmrun_in_another_order(capsys: pytest.CaptureFixture[str]) -> None:
    """Without CLGI the host takes the IPI between IF := 1 and VMRUN."""
    words = ("--cpus", "L0=amd", "--around", "SVM.irq_on,VMRUN,SVM.irq_off,STGI")
    status, row = data(capsys, "explore", "immediate-exit", *words)
    assert status == 1 and isinstance(row["shortest"], list)
    assert row["shortest"][-5:] == ["v:SVM.irq_on", "h:IRQ.reschedule", "v:VMRUN", "g:INSN", "check:LATE"]


def test_a_lasso_is_printed_with_the_place_where_it_goes_round(capsys: pytest.CaptureFixture[str]) -> None:
    """And with what was assumed."""
    words = ("immediate-exit", "--levels", "2", "--methods", "L0=timer0,L1=ipi", "--liveness", "--fairness")
    assert main(("explore", *words, "runs")) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("assumed: whoever can move")
    at = lines.index("from here on, for ever:")
    assert [line.split()[-1] for line in lines[at - 1 : at + 3]] == [
        "g:INSN",
        lines[at].split()[-1],
        "g:INSN",
        "check:NEVER",
    ]


@pytest.mark.parametrize(
    ("words", "label"),
    [
        ((), ""),
        (("--kernel", "v4.10"), "TWICE"),
        (("--kernel", "v4.19", "--hlt", "0", "--wakes", "0"), ""),
    ],
)
def test_hv_timer(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], label: str) -> None:
    """v4.19, the default, holds; v4.10 delivers twice after a halt and another wake-up."""
    status, row = data(capsys, "explore", "hv-timer", *words)
    shortest = row["shortest"]
    assert isinstance(shortest, list)
    assert (status, shortest[-1:]) == ((1, [f"check:{label}"]) if label else (0, []))
    assert [how["property"] for how in row["mechanisms"]] == ([label] if label else [])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("hv-timer", "--wakes", "0", "--without", "SW.switch"), "asleep with the preemption timer"),
        (("immediate-exit", "--kernel", "v3.2"), "nobody asked for an exit"),
        (
            ("immediate-exit", "--levels", "2", "--methods", "L0=timer0,L1=ipi"),
            "L1's IPI stayed behind in L0",
        ),
        (("hv-timer", "--wakes", "0", "--without", "HV.expired", "--limit", "520"), "and fired again"),
    ],
)
def test_what_breaks_says_why(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], why: str) -> None:
    """The mechanism behind the counterexample; where the search was cut short, that of what it found."""
    assert main(("explore", *words)) == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("mechanism: ")]
    assert len(lines) == 1 and why in lines[0]


def test_a_unit_test_prints_what_the_real_one_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """A late self-IPI at level 0 fails the zero value, under the name that the real test prints."""
    late = ("--kernel", "v6.1+noapicv+preemption-timer=0", "--ipi-delay", "2000")
    assert main(("unittest", "preemption timer", *late)) == 1
    out = capsys.readouterr().out
    assert "FAIL: preemption timer with 0 value (vmcall stage 5)" in out
    assert main(("unittest", "preemption timer")) == 0
    assert "FAIL" not in capsys.readouterr().out


def test_a_cold_page_exits_by_luck(capsys: pytest.CaptureFixture[str]) -> None:
    """The recorded run passed a test with a late IPI because its first touch of a page exited."""
    late = ("--kernel", "v6.1+noapicv+preemption-timer=0", "--ipi-delay", "2000")
    words = ("unittest", "vmx_pending_event_test", *late)
    assert [main(words), main((*words, "--cold"))] == [1, 0]
    capsys.readouterr()


def test_a_failure_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    """A line under it, and a key."""
    words = ("unittest", "vmx_mtf_test", "--kernel", "v4.19")
    assert main(words) == 1
    assert "\n  why: known: an instruction of L2" in capsys.readouterr().out
    row = data(capsys, *words)[1]
    assert row["tests"][0]["why"][0].startswith("known: ")  # type: ignore[index]


def test_kernels_lists_what_may_stand_behind_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    """Options of a kernel that fit it: module parameters, commits."""
    assert main(("kernels",)) == 0
    out = capsys.readouterr().out
    assert "\n+preemption-timer=0 " in out and "\n+noapicv " in out
    assert main(("kernels", "--json")) == 0
    options = {row["name"]: row["options"] for row in json.loads(capsys.readouterr().out)}
    assert "preemption-timer=0" in options["v6.1"] and "noapicv" not in options["v4.10"]
    assert "noapicv" not in options["v6.1+noapicv"]


def test_one_kernel_for_every_level(capsys: pytest.CaptureFixture[str]) -> None:
    """--kernel means every level from 0 to N; --kernels says it for single ones."""
    status, row = data(capsys, "unittest", "preemption timer", "--level", "1", "--kernel", "v4.18")
    assert (status, row["kernels"]) == (1, "L0=v4.18,L1=v4.18")
    words = ("--level", "1", "--kernel", "v4.18", "--kernels", "L1=d264ee0")
    status, row = data(capsys, "unittest", "preemption timer", *words)
    assert (status, row["kernels"]) == (0, "L0=v4.18,L1=d264ee0")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("unittest", "preemption"), "did you mean preemption timer"),
        (("unittest", "vmx_zero"), "did you mean vmx_preemption_timer_zero_test?"),
        (("unittest", "nosuch"), "unknown unit test nosuch; known: preemption timer"),
        (
            ("explore", *ONE, "--cpus", "L0=broken-timer", "--methods", "L0=timer0"),
            "d264ee0 at L0 forces an exit by ipi on broken-timer, which has no timer",
        ),
        (("unittest", "--level", "-1"), "0 or more"),
        (("unittest", "--kernels", "L3=v4.18"), "the levels are"),
        (("explore", "immediate-exit", "--levels", "2", "--methods", "L0=smoke"), "method"),
        (("explore", "hv-timer", "--without", "NOBODY"), "NOBODY"),
        (("explore", "kick", "--kernel", "v3.2", "--levels", "2"), "no knob levels"),
        (("explore", "kick", "--kernel", "v3.2", "--liveness"), "nothing that must come"),
        (("explore", "immediate-exit", "--liveness", "--fairness", "luck"), "delivery, exits, runs"),
        (("explore", "immediate-exit", "--liveness", "--fairness", "exit"), "did you mean exits"),
        (("explore", "immediate-exit", "--levels", "2", "--fairness", "runs"), "assumption of --liveness"),
        (("explore", "immediate-exit", "--liveness", "--count"), "no --count"),
        (("explore", "immediate-exit", "--cpus", "L0=amd", "--levels", "2"), "nested SVM is not modelled"),
        (("explore", "immediate-exit", "--cpus", "L1=amd"), "nested SVM is not modelled"),
        (("explore", "immediate-exit", "--cpus", "L0=amd", "--methods", "L0=timer0"), "no timer"),
        (("unittest", "--cpus", "L0=amd"), "nested SVM is not modelled"),
    ],
)
def test_what_cannot_be_is_refused(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], why: str
) -> None:
    """Status 2 and one line that says what would do."""
    assert main(words) == 2
    err = capsys.readouterr().err
    assert why in err and err.count("\n") == 1
