"""The command line: what it prints, its JSON keys, its exit status."""

import json
import os
import subprocess
import sys

import pytest

from kvmlab.cli import main


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run one command; return its status, what it printed, and what it complained of."""
    status = main(words)
    out, err = capsys.readouterr()
    return status, out, err


def data(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, object]]:
    """Run one command with --json."""
    status, out, _ = said(capsys, *words, "--json")
    return status, json.loads(out)


EXPLORE_KEYS = {
    "verdict",
    "property",
    "complete",
    "states",
    "transitions",
    "violations",
    "shortest",
    "length",
}


def test_explore_reports_a_violation(capsys: pytest.CaptureFixture[str]) -> None:
    """A violated property is status 1, its keys are complete, its shortest list ends in the check."""
    status, found = data(capsys, "explore", "immediate-exit", "--kernel", "v3.2")
    assert status == 1 and found.keys() >= EXPLORE_KEYS
    shortest = found["shortest"]
    assert isinstance(shortest, list) and shortest[-1] == "check:L2_RAN"
    assert found["length"] == len(shortest) == 18
    assert (found["verdict"], found["complete"], found["violations"]) == ("violated", True, 2)


@pytest.mark.parametrize(
    ("kernel", "cancel", "status"),
    [
        ("d6185f2", False, 0),
        ("d6185f2", True, 1),
        ("v3.10", False, 0),
        ("v3.10", True, 1),
        ("v3.10+8081ad0", True, 0),
        ("v3.2+fake-exit", False, 1),
    ],
)
def test_explore_status_is_the_verdict(
    capsys: pytest.CaptureFixture[str], kernel: str, cancel: bool, status: int
) -> None:
    """0 holds, 1 violated; without a counterexample the list is empty."""
    words = ["explore", "immediate-exit", "--kernel", kernel] + ["--cancel"] * cancel
    got, found = data(capsys, *words)
    assert got == status
    assert (found["verdict"] == "violated") == bool(status) == bool(found["shortest"])


def test_a_bound_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """A bounded search is not complete."""
    _, found = data(capsys, "explore", "immediate-exit", "--kernel", "v3.10", "--limit", "50")
    assert (found["complete"], found["bound"]) == (False, 50)


def test_a_schedule_printed_is_a_schedule_taken(capsys: pytest.CaptureFixture[str]) -> None:
    """The schedule that explore prints, run again, violates the same property."""
    _, found = data(capsys, "explore", "immediate-exit", "--kernel", "v3.10", "--cancel")
    words = ("run", "immediate-exit", "--kernel", "v3.10", "--cancel", "--schedule", str(found["schedule"]))
    status, run = data(capsys, *words)
    assert (status, run["verdict"], run["property"]) == (1, "violated", found["property"])
    steps = run["steps"]
    assert isinstance(steps, list) and [s["step"] for s in steps] == found["shortest"][:-1]  # type: ignore[index]


def test_run_by_the_clock_tells_the_story(capsys: pytest.CaptureFixture[str]) -> None:
    """Without schedule or seed the clock runs to L1's handler, with the tracepoints on the way."""
    status, run = data(capsys, "run", "immediate-exit", "--kernel", "d6185f2", "--inject", "yes")
    events = run["events"]
    assert isinstance(events, list) and status == 0
    names = [e["name"] for e in events if e["name"] != "kvm_entry"]
    assert names[:3] == ["kvm_exit", "kvm_exit", "reschedule_entry"]
    assert "kvm_nested_vmexit_inject" in names


def test_a_seed_names_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    """The same seed draws the same schedule."""
    words = ("run", "immediate-exit", "--kernel", "v3.10", "--seed", "7")
    assert data(capsys, *words) == data(capsys, *words)


def test_a_run_that_cannot_go_on_says_where(capsys: pytest.CaptureFixture[str]) -> None:
    """A schedule that does not fit the kernel is carried out up to there; it proves nothing, status 2."""
    words = ("run", "immediate-exit", "--kernel", "v3.2", "--schedule", "mg")
    status, out, _ = said(capsys, *words)
    assert status == 2 and "up to here; step 2: g (L2, its guest) cannot move" in out
    assert "incomplete" in out and data(capsys, *words)[1]["verdict"] == "incomplete"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("explore", "immediate-exit", "--kernel", "v4.1"), "unknown kernel v4.1; did you mean v"),
        (("explore", "immediate-exits", "--kernel", "v3.2"), "unknown scenario immediate-exits"),
        (("explore", "immediate-exit"), "say which kernel"),
        (("run", "immediate-exit", "--kernel", "v3.2", "--schedule", "m?"), "'?' is no actor"),
        (("run", "immediate-exit", "--kernel", "v3.2", "--after", "-1"), "0 or more"),
        (("diff", "v3.2", "v3.2+mtf"), "mtf does not fit v3.2"),
        (("trace", "no-such-file"), "no-such-file"),
        (("nonsense",), "nonsense"),
        ((), "COMMAND"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], why: str
) -> None:
    """One clear line on standard error, nothing on standard output."""
    status, out, err = said(capsys, *words)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("kvmlab: ") and why in err


def test_catalogues(capsys: pytest.CaptureFixture[str]) -> None:
    """kernels, scenarios and diff list what there is."""
    assert said(capsys, "kernels")[1].startswith("v3.2 ")
    assert "immediate-exit" in said(capsys, "scenarios")[1]
    changed = said(capsys, "diff", "v3.2", "d6185f2")[1].splitlines()
    added = [line.strip("+ ").split(":")[0] for line in changed if line.startswith("+  ")]
    assert added == ["REQ.immediate", "WINDOW.nested", "CHECK_IMMEDIATE"]
    assert "take the same steps" in said(capsys, "diff", "v3.2", "v3.2")[1]
    assert [k["name"] for k in json.loads(said(capsys, "kernels", "--json")[1])][0] == "v3.2"


REST = "info1 0x0 info2 0x0 intr_info 0x0 error_code 0x0"
TRACE = f"""\
 qemu-1 [000] d..1. 100: kvm_entry: vcpu 0, rip 0x1000
 qemu-1 [000] d..1. 150: kvm_exit: vcpu 0 reason HLT rip 0x1001 {REST}
 qemu-1 [000] d..1. 950: kvm_entry: vcpu 0, rip 0x1002
"""


def test_trace_summary(capsys: pytest.CaptureFixture[str], tmp_path: object) -> None:
    """The exits are paired with the next entry; a broken line is a warning, not a failure."""
    file = os.path.join(str(tmp_path), "t.txt")
    with open(file, "w", encoding="utf-8") as out:
        out.write(TRACE + "this is no trace line\n")
    status, found = data(capsys, "trace", file)
    hlt = {"samples": 1, "time": 800, "min": 800, "max": 800, "mean": 800}
    assert (status, found["events"], found["unit"]) == (0, 3, "ticks")
    assert found["exits"] == {"HLT": hlt}
    assert len(found["warnings"]) == 1 and "4" in found["warnings"][0]  # type: ignore[arg-type, index]
    assert "HLT" in said(capsys, "trace", file)[1]


def test_it_prints_on_any_terminal() -> None:
    """A terminal that knows only ASCII gets question marks, not a traceback; python -m works."""
    env = dict(os.environ, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    for words in (["kernels"], ["run", "immediate-exit", "--kernel", "v3.10"], ["diff", "v3.2", "v3.10"]):
        done = subprocess.run([sys.executable, "-m", "kvmlab", *words], capture_output=True, env=env)
        assert (done.returncode, done.stderr) == (0, b"")
        done.stdout.decode("ascii")


def test_a_closed_pipe_is_no_error() -> None:
    """`kvmlab run … | head -1` ends quietly."""
    command = f"{sys.executable} -m kvmlab run immediate-exit --kernel v3.10 | head -1"
    done = subprocess.run(["sh", "-c", command], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
