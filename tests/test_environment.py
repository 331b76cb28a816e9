"""What is written down twice says the same twice."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import kvmlab

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest brings it to the Pythons that lack tomllib.

ROOT = Path(__file__).parents[1]
# conda-forge's `matplotlib` also brings Qt; the notebooks draw inline.
CONDA_NAME = {"matplotlib": "matplotlib-base"}


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def as_conda(requirement: str) -> str:
    """Spell a requirement of pyproject.toml as environment.yml has to."""
    name = re.match(r"[\w-]+", requirement).group()
    return CONDA_NAME.get(name, name) + requirement.removeprefix(name)


def conda_dependencies() -> list[str]:
    """Return the list items below `dependencies:`; the file is too plain to need a YAML parser."""
    _, listed = (ROOT / "environment.yml").read_text("utf-8").split("\ndependencies:\n")
    return [line.strip().removeprefix("- ") for line in listed.splitlines()]


def test_conda_users_get_what_pip_users_get() -> None:
    """environment.yml names Python and the `lab` extra with pyproject's bounds, then the project itself."""
    wanted = [as_conda(requirement) for requirement in project()["optional-dependencies"]["lab"]]
    python = "python" + project()["requires-python"]
    assert conda_dependencies() == [python, *wanted, "pip", "pip:", "-e ."]


def test_the_model_needs_only_python() -> None:
    """Installing kvmlab without extras installs nothing else, and no future Python is ruled out."""
    assert project()["dependencies"] == []
    assert re.fullmatch(r">=3\.\d+", project()["requires-python"])


def test_one_version() -> None:
    """The package, its metadata and its citation name the same version."""
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text("utf-8"), re.MULTILINE)
    assert kvmlab.__version__ == project()["version"] == cited.group(1)
