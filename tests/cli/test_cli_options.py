"""The options: a list may be said in pieces, and a complaint shows the nearest way on."""

import json

import pytest

from kvmlab.cli import main
from kvmlab.cli.parser import build

EXPLORE, UNITTEST = ("explore", "immediate-exit"), ("unittest",)


def complaint(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Return the one line that a command ends in, which is status 2."""
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    return err.removeprefix("kvmlab: ").removesuffix("\n")


@pytest.mark.parametrize(
    ("command", "option", "pieces"),
    [
        (("explore", "hv-timer"), "--without", ["HV.set", "SW.pending"]),
        (EXPLORE, "--fairness", ["runs", "delivery"]),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_a_list_said_in_pieces_is_the_list(command: tuple[str, ...], option: str, pieces: list[str]) -> None:
    """`--without A --without B` is `--without A B`."""
    first, *rest = pieces
    assert build().parse_args([*command, option, first, option, *rest]) == build().parse_args(
        [*command, option, *pieces]
    )


@pytest.mark.parametrize(
    ("command", "option", "pieces"),
    [
        (("explore", "posted-interrupts"), "--order", ["irq_off,mode", "sync"]),
        (EXPLORE, "--methods", ["L0=ipi", "L1=timer0"]),
        (EXPLORE, "--kernels", ["L0=v4.18", "L1=d264ee0", "L2=v4.18"]),
        (EXPLORE, "--cpus", ["L0=intel", "L1=no-timer"]),
        (EXPLORE, "--around", ["CLGI,SVM.irq_on", "VMRUN"]),
        (("run", "cpuid"), "--kernels", ["L0=v4.18", "L1=v4.19"]),
        (UNITTEST, "--kernels", ["L0=v4.18", "L1=d264ee0"]),
        (UNITTEST, "--cpus", ["L0=no-timer", "L1=no-timer"]),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_so_is_one_with_commas(command: tuple[str, ...], option: str, pieces: list[str]) -> None:
    """`--methods L0=ipi --methods L1=timer0` is `--methods L0=ipi,L1=timer0`."""
    apart = [word for piece in pieces for word in (option, piece)]
    whole = build().parse_args([*command, option, ",".join(pieces)])
    assert build().parse_args([*command, *apart]) == whole
    assert ",".join(pieces) in vars(whole).values()


def test_every_step_left_out_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """The kernel that is explored lacks both."""
    words = ["explore", "hv-timer", "--kernel", "v4.19", "--hlt", "0", "--wakes", "0", "--json"]
    main([*words, "--without", "HV.set", "--without", "SW.pending"])
    assert json.loads(capsys.readouterr().out)["kernel"] == "v4.19 - HV.set - SW.pending"


def test_an_assumption_said_twice_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    """It is not stronger for it."""
    words = ["explore", "immediate-exit", "--methods", "L0=timer0,L1=ipi", "--liveness", "--json"]
    main([*words, "--fairness", "runs", "delivery", "--fairness", "runs"])
    assert json.loads(capsys.readouterr().out)["fairness"] == ["runs", "delivery"]


@pytest.mark.parametrize("more", [["HV.set"], ["each"]])
def test_each_stands_alone(capsys: pytest.CaptureFixture[str], more: list[str]) -> None:
    """Every step is all of them already."""
    words = ["explore", "hv-timer", "--without", "each", "--without", *more]
    assert "name no other" in complaint(capsys, *words)


def test_a_level_said_in_two_pieces_is_there_twice(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither of the two wins."""
    words = [*EXPLORE, "--methods", "L0=ipi", "--methods", "L0=timer0"]
    assert complaint(capsys, *words) == "methods: L0 is there twice"


def test_what_is_known_has_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    """What the guest may write instead is listed by name; to write nothing has none."""
    assert complaint(capsys, "explore", "hv-timer", "--rewrite", "nowhere").endswith("; known: far, off")


COMMANDS = [
    ("kernels",),
    ("scenarios",),
    ("diff", "v3.2", "v3.10"),
    ("parameters",),
    ("run", "kick"),
    ("explore", "hv-timer"),
    ("unittest",),
    ("trace", "FILE"),
    ("lab",),
]


@pytest.mark.parametrize("more", [("--nonsense",), ("--nonsense", "busy"), ("--json=1",)], ids=" ".join)
@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_a_complaint_shows_the_help_of_its_command(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], more: tuple[str, ...]
) -> None:
    """An option that a command does not have is as much its own as one said wrongly."""
    assert complaint(capsys, *words, *more).endswith(f"; see kvmlab {words[0]} --help")


def test_the_help_lists_no_other_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The commands above are all there are."""
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = capsys.readouterr().out.split("COMMAND\n")[1].split("options:")[0].splitlines()
    named = [line.split()[0] for line in listed if line.startswith("    ") and line[4:5].strip()]
    assert named == [words[0] for words in COMMANDS]


@pytest.mark.parametrize("words", [("--nonsense", "kernels"), ("nonsense",), ()], ids=" ".join)
def test_before_a_command_it_is_the_whole_help(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """There is no nearer one."""
    assert complaint(capsys, *words).endswith("; see kvmlab --help")
