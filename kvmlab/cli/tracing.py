"""The command that reads a trace."""

import json
import sys
from argparse import Namespace

from kvmlab.traces.ftrace import Reader
from kvmlab.traces.stat import format_table, statistics
from kvmlab.traces.summary import summary


def trace(args: Namespace) -> int:
    """Print the table that ``perf kvm stat report`` prints, or everything as JSON."""
    if args.json:
        print(json.dumps(summary(args.file)))
        return 0
    reader = Reader(args.file)
    table = statistics(reader)
    print(format_table(table, reader.unit))
    for warning in reader.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    return 0
