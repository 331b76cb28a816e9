"""`kvmlab trace`: what each view prints, its JSON keys, its exit status."""

import json
from importlib.resources import files
from pathlib import Path

import pytest

from kvmlab.cli import main

DATA = Path(str(files("kvmlab.traces") / "data"))
COMMON = {"events", "warnings", "unit"}


def packaged(name: str) -> str:
    """Return the path of a packaged trace."""
    return str(DATA / f"{name}.trace.txt")


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run one command; return its status, what it printed, and what it complained of."""
    status = main(("trace", *words))
    out, err = capsys.readouterr()
    return status, out, err


def data(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, object]]:
    """Run one command with --json."""
    status, out, _ = said(capsys, *words, "--json")
    return status, json.loads(out)


@pytest.mark.parametrize(
    ("view", "more", "line"),
    [
        ((), {"exits"}, "HLT                 16  45.71%"),
        (("--stat",), {"exits", "per_interrupt", "interrupts"}, "EOIs are virtualized here, not traced"),
        (("--latency",), {"latency", "hv_timer"}, "latency is deadline to kvm_entry, measured by KVM"),
        (("--levels",), {"levels", "reflected", "unannounced", "stretches"}, "one level"),
    ],
)
def test_each_view_has_its_text_and_its_keys(
    capsys: pytest.CaptureFixture[str], view: tuple[str, ...], more: set[str], line: str
) -> None:
    """Without a wish the four keys of the summary, exactly; each view adds its own to the common ones."""
    file = packaged("vmx_pt1_lab_tsc_hlt")
    status, found = data(capsys, file, *view)
    assert (status, found.keys(), found["events"], found["unit"]) == (0, COMMON | more, 283, "ticks")
    status, out, err = said(capsys, file, *view)
    assert (status, err) == (0, "") and line in out


def test_the_vector_may_be_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A trace that begins behind the write of LVTT has latencies once it is; decimal or hexadecimal."""
    whole = Path(packaged("vmx_pt0_lab_tsc_hlt")).read_text(encoding="utf-8").splitlines()
    late = tmp_path / "late.txt"
    late.write_text("\n".join(line for line in whole if "LVTT" not in line and " 832 " not in line))
    assert "say the vector" in said(capsys, str(late), "--latency")[1]
    for vector in ("239", "0xef"):
        _, found = data(capsys, str(late), "--latency", "--vector", vector)
        latency = found["latency"]
        assert isinstance(latency, dict) and latency["delivered"] == 16


def test_levels_tell_l1_from_l2(capsys: pytest.CaptureFixture[str]) -> None:
    """Both levels, and how L1 was told of each exit that was reflected."""
    _, found = data(capsys, packaged("nested_pt0_ipidelay2000_preemption_timer"), "--levels")
    stretches = found["stretches"]
    assert isinstance(stretches, list)
    assert [row["left_by"] for row in stretches if row["level"] == 2][-1] == "VMCALL"


def test_diff_of_equal_runs_is_status_0(capsys: pytest.CaptureFixture[str]) -> None:
    """The same run with another timer setting that it never uses: no divergence."""
    one = packaged("vmx_pt1_lab_self_ipi")
    status, out, _ = said(capsys, "diff", one, one)
    assert status == 0 and out.splitlines()[-1] == "no divergence: 120 of 120 rows are the same"


def test_diff_of_other_runs_is_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    """The rule stands where they part; JSON has the rows, and where the first one differs."""
    files_ = packaged("vmx_noapicv_lab_self_ipi"), packaged("vmx_pt1_lab_self_ipi")
    status, out, _ = said(capsys, "diff", *files_)
    assert status == 1 and out.count(" first divergence ") == 1
    status, found = data(capsys, "diff", *files_)
    rows = found["rows"]
    assert isinstance(rows, list) and isinstance(found["first"], int)
    assert (status, found.keys()) == (1, {"a", "b", "warnings", "same", "shared", "first", "rows"})
    assert rows[found["first"]] == {
        "a": None,
        "b": "kvm_apicv_accept_irq: apicid 0 vec 239 (Fixed|edge)",
        "same": False,
    }


def test_a_file_named_diff_is_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """./diff is the file, diff the comparison."""
    monkeypatch.chdir(tmp_path)
    text = Path(packaged("vmx_pt1_lab_self_ipi")).read_text(encoding="utf-8")
    Path("diff").write_text(text, encoding="utf-8")
    assert said(capsys, "./diff")[0] == 0
    assert said(capsys, "diff", "diff", "./diff")[0] == 0
    assert "a file: ./diff" in said(capsys, "diff")[2]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("diff",), "diff takes two files"),
        (("diff", "a"), "diff takes two files"),
        (("diff", "a", "b", "c"), "diff takes two files"),
        (("diff", "a", "b", "--stat"), "no statistics"),
        (("a", "b"), "one FILE at a time"),
        (("a", "--stat", "--levels"), "not allowed with argument"),
        (("a", "--vector", "236"), "--vector is the timer's"),
        (("a", "--latency", "--vector", "ten"), "invalid number"),
        (("no-such-file", "--levels"), "no-such-file"),
        (("diff", "no-such-file", "b"), "no-such-file"),
        ((str(DATA / "README.md"), "--latency"), "holds no trace line"),
        (("diff", str(DATA / "README.md"), "b"), "holds no trace line"),
        ((), "FILE"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], why: str
) -> None:
    """One clear line on standard error, nothing on standard output."""
    status, out, err = said(capsys, *words)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("kvmlab: ") and why in err


def test_warnings_are_said_with_their_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A broken line is a warning in every view; a comparison says whose it is."""
    broken = tmp_path / "broken.txt"
    text = Path(packaged("vmx_pt1_lab_self_ipi")).read_text(encoding="utf-8")
    broken.write_text(text + "no trace line\n", encoding="utf-8")
    for view in ((), ("--stat",), ("--latency",), ("--levels",)):
        status, _, err = said(capsys, str(broken), *view)
        assert (status, err.count("\n")) == (0, 1) and err.startswith("warning: line ")
    status, _, err = said(capsys, "diff", packaged("vmx_pt1_lab_self_ipi"), str(broken))
    assert (status, err.count("\n")) == (0, 1) and "broken.txt: line " in err
    _, found = data(capsys, "diff", str(broken), str(broken))
    assert {len(each) for each in found["warnings"].values()} == {1}  # type: ignore[attr-defined]
