"""What can be said on the command line."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from kvmlab import __version__
from kvmlab.cli import catalog, exploring, measuring, parameters, tracing, unittests
from kvmlab.cli.defaults import DEFAULT_KERNELS, DEFAULT_PROFILE, EACH
from kvmlab.errors import BadInput
from kvmlab.kernels.orders import EVENTS
from kvmlab.scenarios.benches import BENCHES
from kvmlab.scenarios.posting import SENDERS
from kvmlab.schedulers.profiles.names import PROFILES

FIGURES = (
    "Figures of a measurement are cycles; those behind a + in --profile are whole numbers, 0 or more, and "
    "anything else is refused; one outside its range has a note. The items add up to the mean exactly. "
    "TIME is what passed while nobody on the way did anything: below 0 where a timer fires before its "
    "deadline, for the step that waited for it then counts in full; 0 where early and late cancel. Any "
    "other 0 is a step that is free on that machine. The period, and how far ahead a deadline is set, are "
    "about 200000 cycles and cannot be set here."
)
"""What the numbers of `kvmlab run` mean, and which ones may be said."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is one line with a way on."""

    def error(self, message: str) -> NoReturn:
        """Raise BadInput instead of printing the usage and leaving."""
        raise BadInput(f"{message}; see {self.prog} --help")

    def parse_known_args(
        self, args: Iterable[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Leave nothing over: a command's parser would hand it to the one above, whose help has no answer."""
        found, more = super().parse_known_args(args, namespace)
        if more:
            self.error(f"unrecognized arguments: {' '.join(more)}")
        return found, more


class Joined(argparse.Action):
    """A list with commas in it may be said in pieces: each counts."""

    def __call__(
        self, parser: object, args: argparse.Namespace, piece: Any, option: str | None = None
    ) -> None:
        """Put the next piece behind those that were said."""
        setattr(args, self.dest, ",".join(filter(None, (getattr(args, self.dest), piece))))


def number(text: str) -> int:
    """Return a number as people write vectors: 236 or 0xec."""
    return int(text, 0)


def build() -> Parser:
    """Return the parser; each command sets ``command``, a function of the parsed arguments."""
    parser = Parser(prog="kvmlab", description="KVM's vCPU run loop, step by step, under every schedule.")
    parser.add_argument("--version", action="version", version=f"kvmlab {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    _catalog(commands)
    _run(commands)
    _explore(commands)
    _unittest(commands)
    _trace(commands)
    _lab(commands)
    return parser


def _catalog(commands: "argparse._SubParsersAction[Parser]") -> None:
    kernels = commands.add_parser("kernels", help="list the kernels by name")
    kernels.set_defaults(command=catalog.kernels)
    scenarios = commands.add_parser("scenarios", help="list the scenarios")
    scenarios.set_defaults(command=catalog.scenarios)
    diff = commands.add_parser("diff", help="what a patch changes: two kernels as lists of steps")
    diff.add_argument("a", metavar="A", help="kernel before")
    diff.add_argument("b", metavar="B", help="kernel after")
    diff.set_defaults(command=catalog.diff)
    numbers = commands.add_parser("parameters", help="list the numbers of a machine: range, status, source")
    machine = f"one of {', '.join(PROFILES)} ({DEFAULT_PROFILE}); behind it your own: HSW16+REQ_EVENT=0"
    numbers.add_argument("profile", nargs="?", default=DEFAULT_PROFILE, metavar="P", help=machine)
    numbers.set_defaults(command=parameters.parameters)
    for each in (kernels, scenarios, diff, numbers):
        _json(each)


def _run(commands: "argparse._SubParsersAction[Parser]") -> None:
    run = commands.add_parser(
        "run", help="one run: by the clock, a schedule, or chance; or a measurement", epilog=FIGURES
    )
    run.add_argument("scenario", metavar="SCENARIO", help="a name that `kvmlab scenarios` lists")
    defaults = "; ".join(f"{name}: {kernel}" for name, kernel in DEFAULT_KERNELS.items())
    run.add_argument("--kernel", metavar="K", help=f"a name that `kvmlab kernels` lists ({defaults})")
    how = run.add_mutually_exclusive_group()
    how.add_argument(
        "--schedule",
        metavar="S",
        help="whose step is next, like mvvvvdvv: v vCPU, h host, m L1, g guest, d device, a b c senders",
    )
    how.add_argument("--seed", type=int, metavar="N", help="draw the schedule; the same N, the same run")
    run.add_argument("--cancel", action="store_true", help="another thread may make a request")
    run.add_argument("--inject", choices=("yes", "no"), help="does L1 inject 0x31? (default: a free choice)")
    run.add_argument("--after", type=int, metavar="K", help="L2 leaves on its own after K instructions")
    measured = run.add_argument_group(f"{', '.join(BENCHES)}: measured in cycles")
    measured.add_argument("--guest", metavar="G", help="busy or halt; of cyclictest: idle-poll or halt")
    measured.add_argument("--case", metavar="NAME", help="a case of vmexit.flat, like self_ipi_sti_nop")
    measured.add_argument(
        "--profile",
        metavar="P",
        help="HSW16 (the default), traced (on its own host), nested; or HSW16+REQ_EVENT=0: "
        "your own numbers behind a +, each under a name that `kvmlab parameters P` lists",
    )
    levels = run.add_argument_group("levels, and cpuid: L1 up to LN in exits and in cycles, fitted at L2")
    levels.add_argument("--levels", type=int, metavar="N", help="so many KVMs, one on the other (2)")
    levels.add_argument("--accesses", type=int, metavar="P", help="trapping VMCS accesses a lap (0)")
    levels.add_argument("--kernels", action=Joined, metavar="K", help="a kernel for single levels: L0=v4.18")
    run.set_defaults(command=measuring.run)
    _json(run)


def _explore(commands: "argparse._SubParsersAction[Parser]") -> None:
    explore = commands.add_parser("explore", help="every schedule of a scenario: does the property hold?")
    explore.add_argument("scenario", metavar="SCENARIO", help="a name that `kvmlab scenarios` lists")
    defaults = "; ".join(f"{name}: {DEFAULT_KERNELS[name]}" for name in ("hv-timer", "levels"))
    explore.add_argument("--kernel", metavar="K", help=f"a name that `kvmlab kernels` lists ({defaults})")
    explore.add_argument("--cancel", action="store_const", const=True, help="another thread makes a request")
    explore.add_argument("--limit", type=int, metavar="N", help="stop after about N states, and say so")
    explore.add_argument("--reduce", action="store_true", help="leave out schedules that show nothing new")
    explore.add_argument("--liveness", action="store_true", help="must it come, in the end?")
    explore.add_argument(
        "--fairness", action="extend", nargs="+", metavar="F", help="of runs, delivery, exits; else none"
    )
    explore.add_argument("--count", action="store_true", help="also count interleavings and losing ones")
    _posted(explore.add_argument_group("posted-interrupts"))
    _timer(explore.add_argument_group("hv-timer"))
    _levels(explore.add_argument_group("immediate-exit, on several levels"))
    explore.set_defaults(command=exploring.explore)
    _json(explore)


def _posted(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--order",
        action=Joined,
        metavar="O",
        help="instead of --kernel: the bare entry path in any order, like irq_off,mode,sync[,recheck]",
    )
    group.add_argument("--event", choices=EVENTS, help="with --order: do senders make KVM_REQ_EVENT? (none)")
    group.add_argument("--sender", choices=SENDERS, help="another CPU, VT-d, or both in turn (kvm)")
    group.add_argument("--senders", type=int, metavar="N", help="so many senders, one post each (1)")
    group.add_argument("--preemptions", type=int, metavar="N", help="the thread may lose its CPU N times (0)")
    group.add_argument("--entries", type=int, metavar="N", help="so many VM entries at most (1)")
    group.add_argument("--memory", choices=("sc", "tso"), help="sequential consistency, or x86 (sc)")
    group.add_argument(
        "--no-barrier", dest="barrier", action="store_const", const=False, help="no barrier behind the mode"
    )


def _timer(group: "argparse._ArgumentGroup") -> None:
    each = f"leave steps of the switch code out, each wherever it stands; {EACH}: every one, one at a time"
    group.add_argument("--without", action="extend", nargs="+", metavar="STEP", help=each)
    group.add_argument("--hlt", type=int, metavar="N", help="the guest may halt N times (1)")
    group.add_argument("--wakes", type=int, metavar="N", help="N interrupts of another CPU (1)")
    group.add_argument("--migrations", type=int, metavar="N", help="the thread may be moved N times (0)")
    group.add_argument("--refuse", action="store_const", const=True, help="the deadline is too far for it")
    group.add_argument("--rewrite", metavar="W", help="what the guest writes after it: off or far")


def _levels(group: "argparse._ArgumentGroup") -> None:
    group.add_argument("--levels", type=int, metavar="N", help="so many KVMs, one on the other (2)")
    group.add_argument(
        "--methods", action=Joined, metavar="M", help="how each forces the exit: L0=ipi,L1=timer0"
    )
    group.add_argument(
        "--kernels", action=Joined, metavar="K", help="a kernel for single levels: L0=v4.18+b5861e5"
    )
    group.add_argument(
        "--cpus", action=Joined, metavar="C", help="what a level runs on: L0=no-timer, broken-timer, amd"
    )
    group.add_argument(
        "--no-a1", action="store_const", const=True, help="a self-IPI may reach level 0 after the entry"
    )
    group.add_argument(
        "--around", action=Joined, metavar="O", help="on amd: CLGI,SVM.irq_on,VMRUN,SVM.irq_off,STGI or less"
    )
    group.add_argument("--accesses", type=int, metavar="P", help="trapping VMCS accesses a lap (0)")


def _unittest(commands: "argparse._SubParsersAction[Parser]") -> None:
    unittest = commands.add_parser("unittest", help="kvm-unit-tests as the model's guests: PASS and FAIL")
    unittest.add_argument("name", nargs="?", metavar="NAME", help="one test; without, all of them")
    unittest.add_argument("--level", type=int, default=0, metavar="N", help="KVM at level N is tested (0)")
    unittest.add_argument("--kernel", metavar="K", help="the kernel of every level from 0 to N")
    unittest.add_argument(
        "--kernels", action=Joined, default="", metavar="K", help="of single levels: L0=v4.18,L1=d264ee0"
    )
    unittest.add_argument(
        "--cpus", action=Joined, default="", metavar="C", help="what a level runs on: L0=no-timer"
    )
    unittest.add_argument(
        "--ipi-delay",
        type=int,
        default=0,
        metavar="K",
        help="level 0's IPI to itself comes K instructions late",
    )
    cold = "the guest's first touch of a page is an EPT violation, as in the recorded runs: an exit by luck"
    unittest.add_argument("--cold", action="store_true", help=cold)
    unittest.set_defaults(command=unittests.unittests)
    _json(unittest)


def _trace(commands: "argparse._SubParsersAction[Parser]") -> None:
    trace = commands.add_parser(
        "trace",
        help="read an ftrace text: exits by reason, latency, levels; or compare two",
        usage="%(prog)s [--stat | --latency [--vector N] | --levels] [--json] FILE\n"
        "       %(prog)s [--json] diff A B",
    )
    trace.add_argument("files", metavar="FILE", nargs="+", help="a trace; or: diff A B (a file: ./diff)")
    view = trace.add_mutually_exclusive_group()
    view.add_argument("--stat", action="store_true", help="also exits per interrupt, and missing EOIs")
    view.add_argument("--latency", action="store_true", help="the guest's timer: deadline to injection")
    view.add_argument("--levels", action="store_true", help="which stretch is L1 and which L2")
    vector = "the timer's vector, where the trace begins after LVTT was written (Linux: 236)"
    trace.add_argument("--vector", type=number, metavar="N", help=vector)
    trace.set_defaults(command=tracing.trace)
    _json(trace)


def _lab(commands: "argparse._SubParsersAction[Parser]") -> None:
    lab = commands.add_parser("lab", help="open copies of the notebooks, outputs cleared, in JupyterLab")
    lab.add_argument("--notebooks", type=Path, default=Path("notebooks"), help="where the originals are")
    lab.add_argument("--copies", type=Path, default=Path("my-notebooks"), help="where your copies go")
    lab.add_argument("--no-open", action="store_true", help="only make the copies")
    lab.set_defaults(command=catalog.lab)


def _json(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON; its keys are an interface")
