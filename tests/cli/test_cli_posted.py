"""kvmlab explore posted-interrupts: the published table, mechanisms, counts, and what it refuses."""

import json

import pytest

from kvmlab.cli import main

PUBLISHED = {
    "V0": ("sync,mode,irq_off", "check-first", "kvm", "ok", 249, 402, 0),
    "V0r": ("sync,mode,irq_off", "sync-first", "kvm", "violated", 299, 472, 13),
    "V1": ("sync,mode,irq_off", "none", "kvm", "violated", 145, 220, 11),
    "V2": ("sync,irq_off,mode", "none", "kvm", "violated", 129, 195, 11),
    "V4": ("irq_off,mode,sync", "none", "kvm", "ok", 108, 162, 0),
    "V6/V1": ("sync,mode,irq_off", "none", "vtd", "violated", 56, 80, 10),
}
"""Name -> order, event, sender, verdict, states, transitions, length: Spin's and a second tool's."""


def found(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    """Return the JSON of one exploration of posted-interrupts."""
    status = main(("explore", "posted-interrupts", *words, "--json"))
    row = json.loads(capsys.readouterr().out)
    assert status == (row["verdict"] == "violated")
    return row  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_table_comes_out(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Verdict, states, transitions and shortest length are those of two other tools, exactly."""
    order, event, sender, *expected = PUBLISHED[name]
    row = found(capsys, "--order", order, "--event", event, "--sender", sender)
    assert [row[key] for key in ("verdict", "states", "transitions", "length")] == expected


@pytest.mark.parametrize(
    ("words", "interleavings", "losing", "probability"),
    [
        (("--order", "sync,mode,irq_off"), 641, 7, 0.102),
        (("--order", "irq_off,mode,sync"), 564, 0, 0),
        (("--order", "sync,mode,irq_off", "--senders", "2"), 68_711_056, 26_924, 0.117),
        (
            ("--order", "sync,mode,irq_off", "--senders", "2", "--entries", "2"),
            134_983_024,
            41_442,
            0.117,
        ),
    ],
)
def test_the_published_interleavings_come_out(
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    interleavings: int,
    losing: int,
    probability: float,
) -> None:
    """The number of interleavings, of losing ones, and the chance of a loss under a random scheduler."""
    row = found(capsys, *words, "--count")
    assert (row["interleavings"], row["losing"]) == (interleavings, losing)
    assert row["probability"] == pytest.approx(probability, abs=0.0005)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("--kernel", "v4.10"), ["request consumed"]),
        (
            ("--kernel", "v4.10+no-event"),
            ["kick that found nobody", "notification eaten by the host"],
        ),
        (("--kernel", "v4.10", "--sender", "vtd"), ["notification eaten by the host"]),
        (("--kernel", "b95234c", "--sender", "both", "--senders", "2"), []),
        (("--order", "irq_off,mode,sync", "--memory", "tso", "--no-barrier"), ["stale mode"]),
        (("--order", "irq_off,mode,sync", "--memory", "tso"), []),
        (("--kernel", "b95234c", "--sender", "vtd", "--memory", "tso", "--no-barrier"), []),
    ],
)
def test_mechanisms_are_told_apart(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], names: list[str]
) -> None:
    """One bad end, several ways into it: each is reported with a schedule of its own."""
    row = found(capsys, *words)
    how = row["mechanisms"]
    assert isinstance(how, list) and [each["name"] for each in how] == names
    assert min((each["length"] for each in how), default=0) == row["length"]


@pytest.mark.parametrize("words", [("--kernel", "v4.10"), ("--order", "sync,mode,irq_off")])
def test_a_reduced_search_says_so_and_finds_the_same(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """Fewer states, the same verdict; what was left out is named."""
    whole, less = (found(capsys, *words, "--senders", "2", *r) for r in ((), ("--reduce",)))
    assert less["verdict"] == whole["verdict"] == "violated"
    assert whole["reduced"] == "" and "a=b" in str(less["reduced"]) and "fails" not in str(less["reduced"])
    assert int(str(less["states"])) < int(str(whole["states"]))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--order", "sync,mode"), "name irq_off, mode and sync once each"),
        (("--order", "sync,mode,irq_off,event"), "leave event out"),
        (("--order", "sync,mode,irq_off", "--kernel", "v4.10"), "instead of --kernel"),
        (("--kernel", "v4.10", "--event", "none"), "belongs to --order"),
        (("--kernel", "v4.10", "--senders", "5"), "1 to 4"),
        (("--kernel", "v4.10", "--sender", "both"), "at least 2"),
        (("--kernel", "v4.10", "--entries", "0"), "entries: 1 or more"),
        (("--kernel", "b95234c", "--no-barrier"), "--memory tso"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], why: str
) -> None:
    """Status 2, one line, and what to do."""
    assert main(("explore", "posted-interrupts", *words)) == 2
    out, err = capsys.readouterr()
    assert not out and why in err and err.count("\n") == 1


def test_a_circle_cannot_be_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """--count refuses a scenario in which some interleaving never ends."""
    assert main(("explore", "immediate-exit", "--kernel", "v3.10", "--count")) == 2
    assert "circle" in capsys.readouterr().err
