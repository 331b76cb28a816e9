"""kvmlab explore hv-timer --without each: what every step of the switch is for."""

import json

import pytest

from kvmlab.cli import main

ASK = ["explore", "hv-timer", "--kernel", "v6.1", "--wakes", "0", "--without", "each"]


def test_every_step_is_left_out_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A row for each, with verdict and mechanism; the status is that of the whole kernel."""
    assert main([*ASK, "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["whole"]["label"] == "" and len(row["ablations"]) == 30
    assert {each["without"] for each in row["ablations"] if each["label"]} >= {"SW.switch", "HV.set"}
    assert all(bool(each["label"]) == bool(each["mechanism"]) for each in row["ablations"])


def test_the_table_ends_in_what_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    """The text is the same table, no wider than a terminal."""
    assert main(ASK) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "9 of 30 are needed. Every schedule was tried."
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("more", [["--limit", "9"], ["--reduce"], ["--count"]])
def test_each_goes_with_every_schedule_only(more: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A bound would make a table of half-truths."""
    assert main([*ASK, *more]) == 2
    assert "--without each" in capsys.readouterr().err
