"""The rows of tests/data/conformance.json: each is a test under its id, or is listed with a reason."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

ROWS: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parents[1] / "data" / "conformance.json").read_text("utf-8")
)
"""Row -> area, case, given, when, then, source."""

Test = Callable[..., None]


class Rows:
    """The rows of some areas, in one test file; ``listed`` says why the model cannot express a row."""

    def __init__(self, areas: set[str], listed: Mapping[str, str]) -> None:
        self.areas, self.listed = areas, listed
        self.tested: set[str] = set()

    def __call__(self, name: str) -> Callable[[Test], Test]:
        """Mark the test of a row: it is given the row, and the row's id stands in its own."""
        self.tested.add(name)
        return pytest.mark.parametrize("row", [ROWS[name]], ids=[name])

    def check(self) -> None:
        """Assert that no row of these areas is forgotten, none is both, and each says where it comes from."""
        mine = {name for name, case in ROWS.items() if case["area"] in self.areas}
        assert self.tested | set(self.listed) == mine and not self.tested & set(self.listed)
        for name in mine:
            assert all(ROWS[name][key] for key in ("case", "given", "when", "then", "source")), name
