"""The house: which room may import which, and that the core needs nothing but Python."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import kvmlab

ROOT = Path(kvmlab.__file__).parent
ABOVE: dict[str, set[str]] = {
    "machine": set(),
    "processor": {"machine"},
    "kvm": {"machine", "processor"},
    "kernels": {"machine", "processor", "kvm"},
    "scenarios": {"machine", "processor", "kvm", "kernels"},
    "schedulers": {"machine"},
    "traces": set(),
    "show": {"machine", "processor", "kvm", "kernels", "scenarios", "schedulers", "traces"},
    "labs": {"machine", "processor", "kvm", "kernels", "scenarios", "schedulers", "traces", "show"},
}
"""Room -> the rooms it may know; errors may be imported anywhere."""

CORE = ("machine", "processor", "kvm", "kernels", "scenarios", "schedulers", "traces")
IMPURE = {"time", "datetime", "os", "io", "pathlib", "socket", "subprocess", "sys", "threading", "random"}
ALLOWED = {
    "schedulers/chance.py": {"random"},  # a seeded generator of its own
    "traces/ftrace.py": {"os"},  # reads files: PathLike
    "traces/line.py": {"sys"},  # interns names
}


def imported(file: Path) -> set[str]:
    """Return every module that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: write imports in full"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return found


FILES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.relative_to(ROOT).as_posix())
def test_rooms_import_only_from_rooms_above(file: Path) -> None:
    """A room knows the rooms that the design names, and no other."""
    parts = file.relative_to(ROOT).parts
    if len(parts) == 1 or parts[0] == "cli":
        return  # the command line knows all
    rooms = {name.split(".")[1] for name in imported(file) if name.startswith("kvmlab.")}
    assert rooms - {"errors", parts[0]} <= ABOVE[parts[0]], f"{file.name} looks into {rooms}"


@pytest.mark.parametrize(
    "file",
    [f for f in FILES if f.relative_to(ROOT).parts[0] in CORE],
    ids=lambda f: f.relative_to(ROOT).as_posix(),
)
def test_the_core_is_pure_standard_library(file: Path) -> None:
    """No third-party module, no clock, no I/O, no chance without a seed."""
    tops = {name.split(".")[0] for name in imported(file)} - {"kvmlab"}
    assert tops <= set(sys.stdlib_module_names)
    assert tops & IMPURE <= ALLOWED.get(file.relative_to(ROOT).as_posix(), set())


def test_import_kvmlab_loads_no_third_party_module() -> None:
    """Importing the package and its core leaves ipywidgets, numpy, matplotlib and all others out."""
    code = (
        "import sys; before = set(sys.modules); import kvmlab, kvmlab.scenarios.names, kvmlab.kernels.names;"
        "print(*sorted({m.split('.')[0] for m in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= set(sys.stdlib_module_names) | {"kvmlab"}


def test_no_file_is_more_than_one_concept() -> None:
    """300 lines is a smell."""
    assert [f.name for f in FILES if len(f.read_text("utf-8").splitlines()) > 300] == []
