"""The command line.

Exit status: 0 it holds (of one run: nothing was violated in it), 1 a property is violated, 2 bad input
or a bound that left the question open, said in one line, 3 an error of the model itself.
The keys of every ``--json`` are an interface: add, never rename.
"""

import io
import os
import sys
from collections.abc import Sequence

from kvmlab.cli.parser import build
from kvmlab.errors import BadInput, KvmlabError

HOLDS, VIOLATED, BAD_INPUT, BUG = 0, 1, 2, 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    _print_anywhere()
    try:
        args = build().parse_args(argv)
        return int(args.command(args))
    except (BadInput, OSError) as why:
        if isinstance(why, BrokenPipeError):  # the reader (head, less) has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return HOLDS
        print(f"kvmlab: {_one_line(why)}", file=sys.stderr)
        return BAD_INPUT
    except KvmlabError as why:
        print(f"kvmlab: this is a bug in kvmlab, please report it: {_one_line(why)}", file=sys.stderr)
        return BUG


def _one_line(why: Exception) -> str:
    if isinstance(why, OSError) and why.strerror:
        return f"{why.filename}: {why.strerror}" if why.filename else why.strerror
    return " ".join(str(why).split())


def _print_anywhere() -> None:
    """A terminal that lacks a character gets a question mark, not an exception."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
