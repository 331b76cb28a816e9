"""`kvmlab run` of a measurement: latency, exits, and items that add up to the mean."""

import json
from typing import Any

import pytest

from kvmlab.cli import main

RUNS = [
    ["tscdeadline_latency", "--guest", "busy", "--kernel", "v4.7"],
    ["tscdeadline_latency", "--guest", "busy", "--kernel", "64672c9"],
    ["tscdeadline_latency", "--guest", "halt", "--kernel", "64672c9"],
    ["tscdeadline_latency", "--kernel", "v6.1", "--profile", "traced"],
    ["cyclictest", "--guest", "idle-poll", "--kernel", "v4.10"],
    ["cyclictest", "--guest", "halt", "--kernel", "v4.7"],
    ["periodic", "--kernel", "v4.10"],
    ["vmexit", "--case", "self_ipi_sti_hlt", "--kernel", "b95234c"],
    ["vmexit", "--case", "tscdeadline", "--kernel", "v4.19"],
]


def said(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    """Return what a measurement prints as JSON."""
    assert main(["run", *argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("argv", RUNS, ids=" ".join)
def test_the_items_add_up_to_the_mean(capsys: pytest.CaptureFixture[str], argv: list[str]) -> None:
    """By step and by parameter, exactly, though JSON has no fractions; the mean lies between the ends."""
    out = said(capsys, *argv)
    latency = out["latency"]
    assert sum(out["items"].values()) == latency["mean"]
    assert sum(p["cycles"] for p in out["parameters"].values()) == latency["mean"]
    assert latency["min"] <= latency["mean"] <= latency["max"]


def test_the_keys_are_an_interface(capsys: pytest.CaptureFixture[str]) -> None:
    """Add, never rename."""
    out = said(capsys, *RUNS[0])
    assert out.keys() >= {"scenario", "kernel", "profile", "knobs", "samples", "latency", "exits", "items"}
    assert (out["scenario"], out["kernel"], out["profile"]) == ("tscdeadline_latency", "v4.7", "HSW16")
    assert out["latency"] == {"min": 3200, "mean": 3200, "max": 3200}
    assert out["exits"] == {"MSR_WRITE": 64, "EXTERNAL_INTERRUPT": 64}
    assert out["items"]["LAPIC.fire"] == 60
    assert out["parameters"]["REQ_EVENT"] == {"cycles": 300, "status": "fitted"}


@pytest.mark.parametrize(
    ("machine", "host"), [("HSW16", "server"), ("traced", "traced"), ("traced+INJ=9", "traced")]
)
@pytest.mark.parametrize(
    "argv", [["tscdeadline_latency"], ["cyclictest"], ["periodic"], ["vmexit", "--case", "ipi"]]
)
def test_a_machine_is_measured_on_its_own_host(
    capsys: pytest.CaptureFixture[str], argv: list[str], machine: str, host: str
) -> None:
    """A TSC of 200 MHz belongs to the recorded instructions, one of 2.3 GHz to a server's cycles.

    Where it is not the server's, that is noted."""
    out = said(capsys, *argv, "--profile", machine)
    assert out["knobs"]["host"] == host
    assert any("the host is traced" in note for note in out["notes"]) == (host == "traced")


def test_a_learners_number_is_part_of_the_machines_name(capsys: pytest.CaptureFixture[str]) -> None:
    """What is set by hand is assumed, whatever it was before."""
    out = said(capsys, *RUNS[0], "--profile", "HSW16+REQ_EVENT=0+RESID=84")
    assert (out["profile"], out["latency"]["mean"]) == ("HSW16+REQ_EVENT=0+RESID=84", 2600)
    assert out["parameters"]["RESID"] == {"cycles": 84, "status": "assumed"}


def test_the_text_says_how_well_each_number_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    """One line a number, fitted ones named so; no line is longer than a terminal."""
    assert main(["run", *RUNS[1]]) == 0
    text = capsys.readouterr().out
    assert "2419 cycles on average of 64 samples, 2402 to 2436\n" in text
    assert "exits: MSR_WRITE 64, PREEMPTION_TIMER 64\n" in text
    assert "     384  GAP.cold                 RESID (fitted)\n" in text
    assert "      29  TIME                     time passes\n" in text
    assert max(map(len, text.splitlines())) <= 90


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["vmexit", "--kernel", "v4.10"], "vmexit: say --case NAME, one of cpuid, vmcall"),
        (["vmexit", "--kernel", "v4.10", "--case", "cpuidd"], "unknown case cpuidd; did you mean cpuid?"),
        (["vmexitt", "--kernel", "v4.10"], "unknown scenario vmexitt; did you mean vmexit?"),
        (["cyclictest", "--kernel", "v4.10", "--guest", "busy"], "guest busy: one of idle-poll, halt"),
        (["cyclictest", "--kernel", "v4.10", "--case", "cpuid"], "cyclictest has no knob case"),
        (["cyclictest", "--kernel", "v3.10"], "v3.10 cannot be measured; v4.7 and later"),
        (
            ["cyclictest", "--kernel", "v4.10", "--seed", "1"],
            "--seed is not for cyclictest; it is for one run",
        ),
        (["kick", "--kernel", "v3.2", "--guest", "busy"], "--guest is not for kick; it is for vmexit,"),
        (["cyclictest", "--kernel", "v4.7", "--profile", "HSW"], "unknown profile HSW; did you mean HSW16?"),
        (["cyclictest", "--kernel", "v4.7", "--profile", "HSW16+INJ"], "INJ: write PARAMETER=CYCLES"),
        (["cyclictest", "--profile", "HSW16+"], "kvmlab: +: write PARAMETER=CYCLES"),
        (["cyclictest", "--profile", "HSW16+INJ=1+INJ=2"], "INJ is there twice, as 1 and as 2"),
        (["cyclictest", "--profile", "HSW16+INJ=1+ACK=1+INJ=1"], "INJ is there twice, as 1 and as 1"),
        (["cyclictest", "--kernel", "v4.7", "--profile", "HSW16+IJN=1"], "unknown parameter IJN; did you"),
        (["cpuid", "--kernel", "d264ee0", "--guest", "busy"], "cpuid has no knob guest; it has levels,"),
        (["cpuid", "--kernel", "d264ee0", "--profile", "HSW16"], "HSW16 knows no nesting; nested does"),
        (["cpuid", "--kernel", "d264ee0", "--accesses", "9"], "no N_SUM makes 13142, with 0 it is 13465"),
        (["vmexit", "--kernel", "v4.10", "--case", "cpuid", "--levels", "2"], "vmexit has no knob levels"),
        (["kick", "--kernel", "v3.2", "--levels", "2"], "kick has no knob levels; it has"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_what_cannot_be_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], argv: list[str], says: str
) -> None:
    """A measurement takes no schedule, one run no machine."""
    assert main(["run", *argv]) == 2
    err = capsys.readouterr().err
    assert says in err and err.count("\n") == 1


@pytest.mark.parametrize(
    "argv", [["cyclictest", "--guest", "halt"], ["vmexit", "--case", "cpuid"]], ids=" ".join
)
def test_a_measurement_needs_no_kernel(capsys: pytest.CaptureFixture[str], argv: list[str]) -> None:
    """The default gives what it gives by its name, and is said to be the default."""
    out = said(capsys, *argv)
    assert "default" in out["notes"][0]
    assert out["latency"] == said(capsys, *argv, "--kernel", out["kernel"])["latency"]
    assert main(["run", *argv]) == 0
    assert f"note: {out['kernel']} is the default" in capsys.readouterr().out


def test_one_run_needs_a_kernel(capsys: pytest.CaptureFixture[str]) -> None:
    """Unless its scenario has a default of its own."""
    assert main(["run", "kick"]) == 2
    assert "say which kernel" in capsys.readouterr().err
    assert said(capsys, "hv-timer")["kernel"] == "v4.19"


@pytest.mark.parametrize(("on", "too_many"), [("v4.7", 0), ("v4.10", 1), ("b95234c", 1), ("v4.19", 0)])
def test_an_exit_that_warms_up_only_has_a_note(
    capsys: pytest.CaptureFixture[str], on: str, too_many: int
) -> None:
    """v4.10's first halt arms a timer that nobody has set; that is seen in the run, not known by its name."""
    out = said(capsys, "vmexit", "--case", "ipi", "--kernel", on)
    assert (
        out["notes"]
        == ["1 x PREEMPTION_TIMER in the 8 rounds that warm up, none behind: in no figure"] * too_many
    )
    assert "PREEMPTION_TIMER" not in out["exits"]


def test_help_says_what_the_figures_mean(capsys: pytest.CaptureFixture[str]) -> None:
    """Which kernel is the default, what is refused, and why an item may be below 0: one is."""
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "cyclictest: v4.19" in text and "below 0 where a timer fires before its deadline" in text
    assert said(capsys, "tscdeadline_latency", "--kernel", "v6.1", "--profile", "traced")["items"]["TIME"] < 0
    assert main(["run", "cyclictest", "--profile", "HSW16+INJ=-1"]) == 2
    assert "whole numbers, 0 or more" in capsys.readouterr().err


def test_the_list_of_scenarios_names_the_measurements(capsys: pytest.CaptureFixture[str]) -> None:
    """They are found where the others are."""
    assert main(["scenarios"]) == 0
    assert "vmexit, tscdeadline_latency, cyclictest, periodic, cpuid: measured" in capsys.readouterr().out


def test_levels_have_exits_cycles_and_a_status(capsys: pytest.CaptureFixture[str]) -> None:
    """Keys that are an interface; the measurement of the deepest level is there as any other's."""
    out = said(capsys, "cpuid", "--kernel", "d264ee0", "--levels", "3", "--accesses", "1")
    assert [row["level"] for row in out["levels"]] == [1, 2, 3]
    assert [row["exits"] for row in out["levels"]] == [1, 3, 9]
    assert [row["status"] for row in out["levels"]] == ["measured", "fitted", "predicted"]
    assert out["levels"][1]["cycles"] == 13142
    assert out["levels"][2]["cycles"] == out["latency"]["mean"] == sum(out["items"].values())
    assert out["exits"] == {"CPUID": 1, "VMREAD": 4, "VMRESUME": 4}
    assert out["parameters"]["N_SUM"]["status"] == "fitted"


def test_one_run_of_levels_takes_them_too(capsys: pytest.CaptureFixture[str]) -> None:
    """The letters of its schedule are those of three KVMs and what stands on them."""
    out = said(capsys, "levels", "--kernel", "d264ee0", "--levels", "3")
    assert out["verdict"] == "ok" and set(out["schedule"]) == set("vABmg")


def test_the_text_of_levels_begins_with_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Without --levels it is L1 and L2, by one kernel each if that is said."""
    assert main(["run", "cpuid", "--kernel", "d264ee0", "--kernels", "L0=v4.18"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("One CPUID of Ln on d264ee0 (L0=v4.18), under nested+N_SUM=10081;\n")
    assert "  L1         1      1313  measured\n  L2         2     13130  predicted\n" in text
    assert "\n   10081  EXIT.vmresume            N_SUM (fitted)\n" in text
