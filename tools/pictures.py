"""Draw the pictures that the README shows, from the model; with --check only say whether they are current."""

import sys
from pathlib import Path

from kvmlab.show.methods import rows
from kvmlab.show.threshold import threshold_svg

ROOT = Path(__file__).resolve().parents[1]
THRESHOLD = ROOT / "notebooks" / "pictures" / "threshold.svg"


def drawn() -> dict[Path, str]:
    """Return every picture by the file it belongs in."""
    return {THRESHOLD: threshold_svg(rows(1000, True)) + "\n"}


def main(arguments: list[str]) -> int:
    """Write the pictures, or return 1 if one is not what the model draws today."""
    stale = [p for p, svg in drawn().items() if not p.exists() or p.read_text("utf-8") != svg]
    if "--check" not in arguments:
        for path in stale:
            path.parent.mkdir(exist_ok=True)
            path.write_text(drawn()[path], "utf-8", newline="\n")
        return 0
    for path in stale:
        print(f"{path.relative_to(ROOT)} is not what the model draws: run make refresh")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
