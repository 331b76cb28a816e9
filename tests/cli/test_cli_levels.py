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
    ("words", "label"),
    [
        ((), ""),
        (("--kernel", "v4.10"), "DUPLICATE"),
        (("--kernel", "v4.19", "--hlt", "0", "--wakes", "0"), ""),
    ],
)
def test_hv_timer(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], label: str) -> None:
    """v4.19, the default, holds; v4.10 delivers twice after a halt and another wake-up."""
    status, row = data(capsys, "explore", "hv-timer", *words)
    shortest = row["shortest"]
    assert isinstance(shortest, list)
    assert (status, shortest[-1:]) == ((1, [f"check:{label}"]) if label else (0, []))


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
        (("unittest", "--level", "-1"), "0 or more"),
        (("unittest", "--kernels", "L3=v4.18"), "the levels are"),
        (("explore", "immediate-exit", "--levels", "2", "--methods", "L0=smoke"), "method"),
        (("explore", "hv-timer", "--without", "NOBODY"), "NOBODY"),
        (("explore", "kick", "--kernel", "v3.2", "--levels", "2"), "no knob levels"),
    ],
)
def test_what_cannot_be_is_refused(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], why: str
) -> None:
    """Status 2 and one line that says what would do."""
    assert main(words) == 2
    err = capsys.readouterr().err
    assert why in err and err.count("\n") == 1
