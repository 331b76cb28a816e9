"""`kvmlab parameters`: what may stand behind the + of a profile, how well it is known, and from where."""

import json
from typing import Any

import pytest

from kvmlab.cli import main
from kvmlab.schedulers.profiles.names import PROFILES, profile

OWN = "HSW16+REQ_EVENT=0+RESID=84"
OUTSIDE = "REQ_EVENT=0 is outside its range, 200 to 400 cycles"
ROW_KEYS = {"cycles", "low", "high", "status", "source", "says", "outside"}


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Return what a command that succeeds prints."""
    assert main(words) == 0
    return capsys.readouterr().out


def data(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """Return the same as JSON."""
    return json.loads(printed(capsys, *words, "--json"))


def squeezed(text: str) -> str:
    """Return the words of a text however its lines are broken."""
    return " ".join(text.split())


@pytest.mark.parametrize("name", [*PROFILES, OWN])
def test_json_is_the_machine(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Every number of the machine, as it is; the keys are an interface."""
    out, machine = data(capsys, "parameters", name), profile(name)
    assert (out["profile"], out["unit"], list(out["parameters"])) == (
        name,
        "cycles",
        list(machine.parameters),
    )
    for parameter in machine.parameters.values():
        row = out["parameters"][parameter.name]
        assert row.keys() >= ROW_KEYS and row["status"] == parameter.status.value
        assert all(row[key] == getattr(parameter, key) for key in ROW_KEYS - {"status"})


@pytest.mark.parametrize("name", [*PROFILES, OWN])
def test_the_text_says_as_much(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """A row for each, its source below it, no line longer than a terminal, none that ends in blanks."""
    text = printed(capsys, "parameters", name)
    assert all(len(line) <= 80 and line == line.rstrip() for line in text.splitlines())
    said = squeezed(text)
    for p in profile(name).parameters.values():
        row = f"{p.name} {p.cycles} {p.low} to {p.high} {p.status.value} {p.says} {p.source}"
        assert squeezed(row) in said


def test_without_a_name_it_is_the_machine_that_measures(capsys: pytest.CaptureFixture[str]) -> None:
    """The default of `kvmlab run --profile`, which is told there."""
    assert data(capsys, "parameters") == data(capsys, "parameters", "HSW16")
    assert data(capsys, "run", "cyclictest")["profile"] == data(capsys, "parameters")["profile"]


@pytest.mark.parametrize("command", [("parameters", OWN), ("run", "cyclictest", "--profile", OWN)])
def test_a_number_outside_its_range_is_told_not_refused(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    """In one line, and in the JSON; one inside is nothing to tell."""
    notes = [note for note in data(capsys, *command)["notes"] if "range" in note]
    assert notes == [OUTSIDE]
    lines = printed(capsys, *command).splitlines()
    assert [line for line in lines if "outside" in line] == [f"note: {OUTSIDE}"]


@pytest.mark.parametrize(("cycles", "outside"), [(199, True), (200, False), (400, False), (401, True)])
def test_the_ends_of_a_range_are_in_it(
    capsys: pytest.CaptureFixture[str], cycles: int, outside: bool
) -> None:
    """From the lowest to the highest."""
    out = data(capsys, "parameters", f"HSW16+REQ_EVENT={cycles}")
    assert out["parameters"]["REQ_EVENT"]["outside"] == outside == bool(out["notes"])


@pytest.mark.parametrize("name", PROFILES)
def test_no_machine_strays_by_itself(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Its own numbers lie in their own ranges."""
    assert data(capsys, "parameters", name)["notes"] == []


def test_the_help_of_profile_points_here(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever may set a number is told where they are listed."""
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    assert "`kvmlab parameters P` lists" in squeezed(capsys.readouterr().out)


def test_an_unknown_machine_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """With the nearest one there is."""
    assert main(["parameters", "HSW"]) == 2
    assert capsys.readouterr().err == "kvmlab: unknown profile HSW; did you mean HSW16?\n"
