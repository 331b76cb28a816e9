"""The stepper's moment, its picture and its twin: they say the same, and nothing is cut or overlaps."""

import re
from dataclasses import replace

import pytest

from kvmlab.kernels.names import kernel
from kvmlab.machine.system import Actor
from kvmlab.scenarios.levels import levels
from kvmlab.scenarios.posted_interrupts import posted_interrupts
from kvmlab.schedulers.replay import replay
from kvmlab.show.measure import width
from kvmlab.show.stepper import stepper_svg, stepper_text, view
from kvmlab.show.stepper.fold import Folded, fold
from kvmlab.show.stepper.frame import HEIGHT, MIDDLE, RIGHT, WIDTH, window
from kvmlab.show.stepper.key import key_svg
from kvmlab.show.stepper.past import MOST, columns
from kvmlab.show.stepper.past_svg import extents
from kvmlab.show.stepper.path_svg import said
from kvmlab.show.stepper.sentences import compared
from tests.show.pictures import alternative, boxes, collisions, overlaps, size, words
from tests.show.stories import CANCELLED, CASES, LATE, counterexample, moments, pictures, runs, scenario


def late(at: int = len(LATE), kernel: str = "v3.2", rival: str = "d6185f2"):  # type: ignore[no-untyped-def]
    """Return a moment of the counterexample of the first lesson."""
    question = scenario(kernel)
    return view(question, replay(question.system, LATE), at, rival=scenario(rival))


# --- the moment -------------------------------------------------------------------------------


def test_the_verdict_names_the_rule_and_the_steps() -> None:
    """At the violation the foot says what was violated, and by which steps of whom."""
    assert late().foot == (
        "Broken (L2_RAN): “L2 executes no instruction while an interrupt for L1 waits”. Decisive: "
        "(1) device IRQ_0x40, (2) vCPU thread CHECK_EVENT, (3) VMENTRY, (4) L2 INSN."
    )


def test_the_foot_says_what_just_happened() -> None:
    """Who, what, and which cells changed."""
    assert late(12).foot == (
        "Step 12, vCPU thread: mode := IN_GUEST_MODE; senders now use IPIs (vcpu.mode OUTSIDE→IN_GUEST)."
    )


def test_at_the_start_the_scenario_is_told() -> None:
    """Before the first step the foot is the scenario's sentence."""
    assert late(0).foot == "Start: L1 launches L2 while L0 gets an interrupt for L1."


def test_a_note_takes_the_foot() -> None:
    """What must be said now is said instead."""
    run = replay(scenario("v3.2").system, "m")
    assert view(scenario("v3.2"), run, 1, note="Look here.").foot == "Look here."


def test_the_signs_in_the_gutter_are_told_above_it() -> None:
    """Beside the path's title: the signs that are drawn, and against which kernel."""
    shown = late()
    signs = {"added": "+", "changed": "~", "moved": "↕"}
    drawn = [sign for mark, sign in signs.items() if mark in {row.mark for row in shown.rows}]
    aside = [w.says for w in words(stepper_svg(shown)) if "d6185f2" in w.says][0]
    assert drawn and aside.startswith(" ".join(drawn))


def test_the_path_shows_where_the_vcpu_is() -> None:
    """Rows of this lap are done, one is next, the others are later; in the guest it waits."""
    when = {row.label: row.when for row in late(12).rows}
    assert (when["CHECK_EVENT"], when["IRQ_OFF"], when["ENTER"]) == ("done", "next", "later")
    assert {row.label for row in late().rows if row.when == "waits"} == {"VMEXIT"}


def test_a_skipped_row_is_not_done() -> None:
    """The entry was not cancelled, so the rows of the cancellation stay quiet."""
    assert {row.when for row in late().rows if row.label.startswith("CANCEL")} == {"later"}


def test_a_new_lap_starts_quiet() -> None:
    """Where the vCPU begins again, nothing of this lap is done."""
    system = scenario("v3.2").system
    lap = view(scenario("v3.2"), replay(system, "mvvvvv"), 6)
    assert {row.when for row in lap.rows} == {"next", "later"}


def test_the_gutter_shows_what_a_patch_did() -> None:
    """Patch 1 adds two rows and changes one; seen from the other side one is changed."""
    marks = {row.label: row.mark for row in late(0, "d6185f2", "v3.2").rows if row.mark}
    assert marks == {"REQ.immediate": "added", "WINDOW": "changed", "CHECK_IMMEDIATE": "added"}
    assert {row.label: row.mark for row in late().rows if row.mark} == {"WINDOW": "changed"}


@pytest.mark.parametrize(("what", "name"), CASES)
def test_columns_hold_everybody_who_moves(what: str, name: str) -> None:
    """There are at most four, and whoever moved has a place in exactly one."""
    for run in runs(what, name):
        letters = "".join(column.letters for column in columns(run))
        assert len(columns(run)) <= MOST and len(set(letters)) == len(letters)
        assert {step.move.actor.letter for step in run.steps} <= set(letters)


def test_guests_share_a_column_and_say_who_they_are() -> None:
    """L1 and L2 run on one CPU, one at a time; a step in their column names its level."""
    guests = next(column for column in late().columns if "g" in column.letters)
    assert (guests.title, guests.letters, guests.text("g", "INSN")) == ("L1, L2", "mg", "L2 INSN")


def test_who_never_moves_makes_room_for_long_steps() -> None:
    """Under nested KVMs the host's interrupts have no column unless one comes, and a step has room."""
    which = levels(kernel("d264ee0"), levels=1, cancel=True)
    run = replay(which.system, "mvvvvvvvvvvvvvavvvvvvvvvvvvvvg")
    assert [column.title for column in columns(run)] == ["KVM at L0", "L1, L2", "another thread"]
    (x, end, _), *_ = [lane for lane in extents(columns(run), MIDDLE) if lane[2].title == "L1, L2"]
    assert width("L2 INSN", mono=True) < end - x


def test_senders_share_a_column_and_are_told_apart_in_a_word() -> None:
    """With host and vCPU there are five: of the senders' names the vector is left, and their texts fit."""
    which = posted_interrupts(kernel("v4.10+no-event"), senders=3)
    others = columns(replay(which.system, "vvvvaaaahvvvvvbbcc"))[-1]
    assert (others.title, others.letters) == ("others", "abc")
    assert others.text("b", "POST.on") == "0x32 POST.on" and others.longest == "0x31 POST.notify"
    alone = columns(replay(posted_interrupts(kernel("b95234c"), memory="tso").system, "aaaavvvvvs"))[-1]
    assert [alone.text(letter, "X") for letter in alone.letters] == ["sender X", "store buffer X"]


def test_two_kernels_are_compared_up_to_where_they_part() -> None:
    """The same schedule is followed as long as both take the same steps."""
    a, b = (replay(scenario(name).system, LATE) for name in ("v3.2", "d6185f2"))
    assert compared(a, b, "v3.2", "d6185f2").startswith(
        "Up to step 8 the same; then d6185f2 takes v:REQ.immediate where v3.2 takes v:CHECK_EVENT. "
        "d6185f2 stops: step 17: g (L2, its guest) cannot move"
    )
    assert compared(a, a, "v3.2", "v3.2") == "v3.2 runs this schedule exactly as v3.2 does."


# --- the picture ------------------------------------------------------------------------------


@pytest.mark.parametrize(("what", "name"), CASES)
def test_nothing_overlaps_or_leaves_the_picture(what: str, name: str) -> None:
    """In no moment do two texts run into each other, even in the widest font."""
    for _, _, shown in pictures(what, name):
        assert collisions(shown) == []
        assert all(0 <= w.left and w.right <= WIDTH and w.y <= HEIGHT - 4 for w in shown)


@pytest.mark.parametrize(("what", "name"), CASES)
def test_the_panels_keep_their_text(what: str, name: str) -> None:
    """No text crosses from one panel into the next; only the foot is as wide as the picture."""
    edges = (MIDDLE.x - 5, RIGHT.x - 5)
    for _, _, shown in pictures(what, name):
        above = [w for w in shown if w.y < HEIGHT - 32]
        assert not [w for w in above for edge in edges if w.left < edge < w.right]


@pytest.mark.parametrize(("what", "name"), CASES)
def test_no_step_and_no_state_is_cut(what: str, name: str) -> None:
    """Nothing that a learner has to read ends in an ellipsis; the foot has at most two lines."""
    for _, _, shown in pictures(what, name):
        assert not [w.says for w in shown if w.says.endswith("…")]
        assert len({w.y for w in shown if w.y > HEIGHT - 30}) <= 2


@pytest.mark.parametrize(("what", "name"), CASES)
def test_a_box_stays_in_its_column(what: str, name: str) -> None:
    """One sees who moved: no box reaches into another column."""
    for moment, svg, _ in pictures(what, name):
        lanes = {(x, end) for x, end, _ in extents(moment.columns, MIDDLE)}
        assert all(any(x - 1 <= left and right <= end + 1 for x, end in lanes) for left, right in boxes(svg))


@pytest.mark.parametrize(("what", "name"), CASES)
def test_what_this_lap_has_taken_is_in_view(what: str, name: str) -> None:
    """Of a path that is too long, rows that nobody has come to are counted; the others stand there.

    What was taken stands beside its row.
    """
    for moment, _, shown in pictures(what, name):
        says = {w.says.split(" → ")[0] for w in shown}
        hidden = {row.label for row in moment.rows} - says
        counted = sum(int(n) for w in shown for n in re.findall(r"^(?:… )?(\d+) more", w.says))
        assert len(hidden) <= counted
        taken = {row.label for row in moment.rows if row.when != "later"}
        assert not hidden & taken or len(taken) > 16


def test_a_row_says_which_alternative_was_taken() -> None:
    """So that the path's row and the step in the middle are connected."""
    rows = {row.label: row for row in late().rows}
    assert [rows[x].taken for x in ("INJECT", "ENTER", "MODE_IN")] == ["INJECT.none", "VMENTRY", ""]
    assert said(rows["INJECT"], 300) == "INJECT → INJECT.none"
    assert said(replace(rows["HANDLE_EXIT"], taken="EXIT.external_interrupt"), 256) == (
        "HANDLE_EXIT → external_interrupt"
    )


def test_the_key_has_room_for_its_words() -> None:
    """Nothing overlaps or leaves the legend; its alternative text names every mark."""
    drawn = key_svg()
    assert overlaps(drawn) == [] and all(w.right <= WIDTH for w in words(drawn))
    assert all(w.says in alternative(drawn) for w in words(drawn) if len(w.says) > 1)


def test_a_picture_has_one_size() -> None:
    """960 by 440."""
    assert size(stepper_svg(late())) == (960, 440)


def test_the_next_row_and_the_newest_step_are_in_view() -> None:
    """A path longer than its panel scrolls to the next row, a long past to its end."""
    for moment, _, shown in pictures(CANCELLED, "v3.10+8081ad0"):
        says = {w.says for w in shown}
        assert {row.label for row in moment.rows if row.when in ("next", "waits")} <= says
        assert not moment.happened or str(moment.happened[-1].n) in says


def test_decisive_steps_are_always_in_view() -> None:
    """What scrolled away is fetched back for the verdict, and the rest is counted."""
    run = counterexample(CANCELLED, "d6185f2")
    assert run is not None
    moment = view(scenario("d6185f2", CANCELLED), run, len(run.steps))
    seen = fold(moment.happened, 17)
    kept = [x for x in seen if not isinstance(x, Folded)]
    assert {x.decisive for x in kept} == {x.decisive for x in moment.happened} and len(seen) <= 17


@pytest.mark.parametrize("room", range(3, 25))
def test_what_is_folded_is_counted_where_it_was(room: int) -> None:
    """Numbers go on by one from line to line, a fold counting for as many as it hides."""
    moment = late()
    at = 0
    seen = fold(moment.happened, room)
    for item in seen:
        at += item.count if isinstance(item, Folded) else 1
        assert isinstance(item, Folded) or item.n == at
    assert at == len(moment.happened) and len(seen) <= room


@pytest.mark.parametrize("focus", range(30))
def test_a_window_shows_its_focus(focus: int) -> None:
    """It never has more lines than room, its two remarks included, and holds its focus."""
    seen = window(30, focus, 12)
    assert seen.start <= focus < seen.end
    assert seen.end - seen.start + (seen.above > 0) + (seen.below > 0) <= 12


# --- the twin ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("what", "name"), CASES)
def test_picture_and_twin_end_in_the_same_sentence(what: str, name: str) -> None:
    """The foot is the alternative text, stands in the picture, and ends the twin."""
    for moment, svg, shown in pictures(what, name):
        drawn = " ".join(w.says for w in shown if w.y > HEIGHT - 30)
        assert alternative(svg) == drawn == moment.foot
        assert " ".join(stepper_text(moment).split("\n\n")[-1].split()) == moment.foot


@pytest.mark.parametrize(("what", "name"), CASES)
def test_the_twin_is_at_most_80_columns_wide(what: str, name: str) -> None:
    """Also where names and changes are long."""
    for moment in moments(what, name):
        assert max(map(len, stepper_text(moment).splitlines())) <= 80


def test_the_twin_has_a_line_per_step() -> None:
    """Number, who, step, and what changed."""
    lines = stepper_text(late()).splitlines()
    assert "  3 vCPU thread  MODE_OUT       vcpu.mode IN_GUEST→OUTSIDE" in lines
    assert "  6 device       IRQ_0x40       (1) L1.irr none→0x40, vcpu.requests none→EVENT" in lines
    assert sum(bool(re.match(r" *\d+ ", line)) for line in lines) == len(LATE)


def test_picture_and_twin_are_the_same_on_every_run() -> None:
    """Both are functions of the moment."""
    assert (stepper_svg(late()), stepper_text(late())) == (stepper_svg(late()), stepper_text(late()))


def test_names_from_outside_are_data() -> None:
    """A question with markup in it stays text."""
    run = replay(scenario("v3.2").system, "m")
    moment = view(scenario("v3.2"), run, 1, question="<b>?", note="<i>&")
    assert alternative(stepper_svg(moment)) == "<i>&"
    assert "question: <b>?" in stepper_text(moment)


def test_an_actors_explanation_is_not_its_name() -> None:
    """Titles are short: what follows a comma or a bracket is left out."""
    from kvmlab.show.stepper.past import short

    actors: list[Actor] = list(scenario("v3.2").system.actors.values())
    assert [short(x) for x in actors] == ["vCPU thread", "host interrupts", "L1", "L2", "device"]
