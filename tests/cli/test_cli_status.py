"""Exit status: what is no proof is 2, a bug of the model is 3; and run's options do what they say."""

import json

import pytest

from kvmlab.cli import exploring, main
from kvmlab.errors import IllegalTransition, KvmlabError, ModelError

EXPLORE = ("explore", "immediate-exit", "--kernel")
RUN = ("run", "immediate-exit", "--kernel", "v3.2")


def data(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, object]]:
    """Run one command with --json."""
    status = main((*words, "--json"))
    return status, json.loads(capsys.readouterr().out)


def first_step(run: dict[str, object]) -> object:
    """Return the label of a run's first step."""
    return run["steps"][0]["step"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("kernel", "limit", "status", "verdict"),
    [
        ("v3.10", "50", 2, "ok"),
        ("v3.10", "5000", 0, "ok"),
        ("v3.2", "20", 2, "ok"),
        ("v3.2", "320", 1, "violated"),
        ("v3.2", "5000", 1, "violated"),
    ],
)
def test_a_bound_that_left_the_question_open_is_status_2(
    capsys: pytest.CaptureFixture[str], kernel: str, limit: str, status: int, verdict: str
) -> None:
    """Nothing found in a part is no proof; a violation is one, bounded or not."""
    got, found = data(capsys, *EXPLORE, kernel, "--limit", limit)
    assert (got, found["verdict"]) == (status, verdict)
    assert main((*EXPLORE, kernel, "--limit", limit)) == status
    assert ("no proof" in capsys.readouterr().out) == (status == 2)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((*EXPLORE, "v3.10", "--limit", "0"), "1 or more"),
        ((*EXPLORE, "v3.10", "--limit", "-3"), "1 or more"),
        ((*RUN, "--seed", "-1"), "seed -1: 0 or more"),
        ((*EXPLORE, "v4.10+noapicv"), "noapicv does not fit v4.10"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], why: str
) -> None:
    """A number out of range or an edit that does not fit is said, not carried out."""
    status = main(words)
    out, err = capsys.readouterr()
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("kvmlab: ") and why in err


@pytest.mark.parametrize("error", [ModelError, IllegalTransition])
def test_an_error_of_the_model_is_status_3(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: type[KvmlabError]
) -> None:
    """It is reported as a bug in one line, never as a verdict or as the user's fault."""

    def fails(*given: object) -> None:
        raise error("deadlock: nobody can\nmove")

    monkeypatch.setattr(exploring, "explore_all", fails)
    status = main((*EXPLORE, "v3.10"))
    out, err = capsys.readouterr()
    assert (status, out) == (3, "")
    assert err == "kvmlab: this is a bug in kvmlab, please report it: deadlock: nobody can move\n"


def test_seeds_draw_different_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """Five seeds draw more than one schedule."""
    assert len({str(data(capsys, *RUN, "--seed", str(n))[1]["schedule"]) for n in range(5)}) > 1


def test_inject_fixes_l1s_choice(capsys: pytest.CaptureFixture[str]) -> None:
    """--inject says whether L1 injects 0x31 with its VMRESUME."""
    assert first_step(data(capsys, *RUN, "--inject", "yes")[1]) == "m:VMRESUME+0x31"
    assert first_step(data(capsys, *RUN, "--inject", "no")[1]) == "m:VMRESUME"


def test_a_property_broken_on_the_way_counts(capsys: pytest.CaptureFixture[str]) -> None:
    """The run goes on to L1's handler, and is violated all the same."""
    status, run = data(capsys, *RUN, "--inject", "no")
    assert (status, run["verdict"]) == (1, "violated")
    assert run["steps"][-1]["step"] == "m:L1.HANDLER"  # type: ignore[index]
