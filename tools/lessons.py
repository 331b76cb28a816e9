"""Write the README's table of lessons from the notebooks' own metadata; with --check only compare."""

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
BEGIN, END = "<!-- lessons: written by make refresh -->", "<!-- end of lessons -->"


def table() -> str:
    """Return one row a notebook: number, question, minutes, what it leaves behind."""
    head = "| notebook | question | minutes | leaves behind |\n|---|---|---|---|\n"
    return head + "".join(_row(path) for path in sorted((ROOT / "notebooks").glob("*.ipynb")))


def _row(path: Path) -> str:
    about: dict[str, Any] = json.loads(path.read_text("utf-8"))["metadata"]["kvmlab"]
    star = " ★" if about["kind"] == "star" else ""
    link = f"[{path.stem.split('-')[0]}](notebooks/{path.name}){star}"
    return f"| {link} | {about['question']} | {about['minutes']} | {about['leaves_behind']} |\n"


def written(readme: str) -> str:
    """Return the README with today's table between its two marks."""
    pattern = re.compile(re.escape(BEGIN) + ".*" + re.escape(END), re.DOTALL)
    return pattern.sub(lambda _: f"{BEGIN}\n{table()}{END}", readme)


def main(arguments: list[str]) -> int:
    """Write the table, or return 1 if it is not current."""
    before = README.read_text("utf-8")
    after = written(before)
    if "--check" in arguments:
        return int(before != after)
    README.write_text(after, "utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
