"""The README: its picture is what the model draws, and what it names is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from kvmlab.cli.parser import build

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def test_its_picture_is_current() -> None:
    """The saved SVG equals a fresh drawing, byte for byte."""
    command = [sys.executable, str(ROOT / "tools" / "pictures.py"), "--check"]
    done = subprocess.run(command, capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"")


def test_its_table_of_lessons_is_current() -> None:
    """The table is what the notebooks' metadata say, and it lists every notebook."""
    command = [sys.executable, str(ROOT / "tools" / "lessons.py"), "--check"]
    assert subprocess.run(command).returncode == 0
    listed = set(re.findall(r"\(notebooks/([^)]+\.ipynb)\)", README))
    assert listed == {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\((?!http)([^)#]+)\)", README))))
def test_its_links_lead_somewhere(link: str) -> None:
    """Every relative link names a file of the repository."""
    assert (ROOT / link).exists()


COMMANDS = [line.split("#")[0].split()[1:] for line in README.splitlines() if line.startswith("kvmlab ")]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_its_commands_are_understood(words: list[str]) -> None:
    """Every command line of the README parses."""
    assert build().parse_args(words).command


def test_its_make_targets_exist() -> None:
    """Every `make x` it mentions is a target."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)  ", README)) <= targets
    assert {"lab", "test"} <= targets
