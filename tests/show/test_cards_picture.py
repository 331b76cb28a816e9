"""The card in the slot as a picture and in words: both say the same, and what is wrong is a word."""

from functools import cache
from itertools import product

import pytest
from pictures import alternative, overlaps, size, words

from kvmlab.show import marks
from kvmlab.show.cards import ENTRY, EXIT, NEWS, TASK, TURN, WISH, Mix, Story
from kvmlab.show.cards_ruler_svg import LEGEND, ZERO
from kvmlab.show.cards_says import foot
from kvmlab.show.cards_story import story
from kvmlab.show.cards_svg import cards_svg
from kvmlab.show.cards_text import cards_text
from kvmlab.show.methods import count
from kvmlab.show.ruler import Ruler
from kvmlab.show.svg import arrow, num

METHODS = ("ipi", "timer0")
MIXES = [Mix(methods, 30) for n in range(1, 4) for methods in product(METHODS, repeat=n)]
MORE = [
    Mix(("timer0", "ipi")),
    Mix(("ipi", "timer0", "ipi", "timer0"), 300),
    Mix(("ipi", "timer0"), a1=False),
    Mix(("timer0", "ipi", "ipi", "ipi"), 10000, looks="window"),
    Mix(("ipi", "ipi", "timer0", "ipi"), 1, looks="window and RVI", apicv=True),
    Mix(("timer0", "ipi", "timer0"), 3, apicv=True),
    Mix(("timer0", "ipi", "timer0", "timer0"), 3),
    Mix(("timer0", "ipi", "ipi", "timer0"), 3, looks=("window and RVI", "window", "", ""), apicv=True),
]
Frame = tuple[Story, int, str]


@cache
def frames() -> list[Frame]:
    """Return every moment of every mix, and its picture."""
    stories = map(story, [*MIXES, *MORE])
    return [(told, at, cards_svg(told, at)) for told in stories for at in range(1, len(told.moments) + 1)]


def test_picture_and_twin_end_in_the_same_sentence() -> None:
    """The foot, the alternative text and the end of the twin are one sentence, and it is whole."""
    for told, at, svg in frames():
        says = foot(told, told.moments[at - 1])
        under = [w for w in words(svg) if w.y > 400]
        assert alternative(svg) == says == " ".join(w.says for w in sorted(under, key=lambda w: w.y))
        assert " ".join(cards_text(told, at).split()).endswith(says)


def test_nothing_is_clipped_and_no_texts_collide() -> None:
    """Every text lies inside the picture and clear of every other, in the widest font."""
    for _, _, svg in frames():
        assert size(svg) == (960, 440)
        assert all(0 <= w.left and w.right <= 960 and 0 < w.y <= 436 for w in words(svg))
        assert overlaps(svg) == []
        assert not any("…" in w.says for w in words(svg))


def test_the_twin_is_at_most_80_columns_wide() -> None:
    """It fits a terminal."""
    assert max(len(line) for told, at, _ in frames() for line in cards_text(told, at).splitlines()) <= 80


def test_every_card_that_matters_is_in_both() -> None:
    """A loaded card, one of level 0 and one with a wish are told by name; a wish of level 0 is a word."""
    for told, at, svg in frames():
        says, twin = [w.says for w in words(svg)], " ".join(cards_text(told, at).split())
        for card in (c for floor in told.moments[at - 1].tower.floors for c in floor.cards):
            if card.loaded or card.wish or not card.owner:
                assert card.says in twin
            if card.loaded or not card.owner:
                assert card.name in says
            if card.wish and not card.owner:
                assert ("kept" if card.kept else card.wish) in says


def test_one_box_is_outlined_thick_and_the_twin_points_at_it() -> None:
    """Whose code runs is told by the outline, and by one mark in the twin."""
    for told, at, svg in frames():
        running = told.moments[at - 1].tower.running
        assert svg.count('stroke-width="4"') == 1
        pointed = [line for line in cards_text(told, at).splitlines() if line.startswith("> ")]
        assert [line.split()[1] for line in pointed] == [running.name]


@pytest.mark.parametrize("mix", [*MIXES, *MORE], ids=str)
def test_a_broken_chain_is_crossed_and_named(mix: Mix) -> None:
    """Where the promise ends the chain is dotted under a cross; the twin names the level."""
    told = story(mix)
    broken = [link.level for link in told.moment(ENTRY).chain if link.fate == "broken"]
    at = told.number(ENTRY)
    svg, twin = cards_svg(told, at), " ".join(cards_text(told, at).split())
    assert ('stroke-dasharray="1.5 3"' in svg) == bool(broken)
    assert all(f"broken at L{level}" in twin for level in broken)
    assert ("broken at" in twin) == bool(broken)


def test_the_bar_ends_where_the_guest_left() -> None:
    """The verdict stands right of the count on notebook 01's ruler, from the exit on and not before."""
    ruler = Ruler(ZERO)
    for told, at, svg in frames():
        verdicts = [w for w in words(svg) if w.says in ("LATE", "EXACT")]
        assert [w.says for w in verdicts] == ([told.word] if at >= told.number(EXIT) else [])
        assert all(0 < w.left - ruler.x(told.instructions) < 40 for w in verdicts)


def test_what_the_entry_finds_is_a_mark_before_the_door() -> None:
    """From the entry on the slot's triangle or the CPU's diamond, else "none"; before it nothing is said."""
    for told, at, svg in frames():
        entry, seen = told.moment(ENTRY).tower, at >= told.number(ENTRY)
        slot = entry.floors[0].slot
        assert slot is not None
        wish, bell = marks.wish(148, 316), marks.diamond(206, 316, "pending")
        assert (wish in svg) == (seen and bool(slot.wish))
        assert (bell in svg) == (seen and entry.ipi_state == "pending")
        nothing = [w.says for w in words(svg)].count("none")
        assert nothing == seen * (2 - bool(slot.wish) - (entry.ipi_state == "pending"))


def test_an_entry_that_finds_nothing_looks_different_at_once() -> None:
    """The arrow through the door stops before the first instruction, or goes on, dashed: under way."""
    for told, at, svg in frames():
        if at == told.number(ENTRY):
            stops, on = arrow(233, 316, ZERO, 316), arrow(233, 316, Ruler(ZERO).x(2), 316, "dashed")
            assert (stops in svg, on in svg) == (told.exact, not told.exact)


def test_every_mark_has_a_legend() -> None:
    """One line below the ruler says what a triangle, a diamond, a dashed card and a cross are."""
    for _, _, svg in frames():
        assert [w.says for w in words(svg) if w.y == 389] == [says for _, says in LEGEND]


def test_an_ipi_starts_at_who_sends_it() -> None:
    """Its way begins behind the word "self-IPI", not at a card."""
    told = story(Mix(("timer0", "ipi")))
    word = next(w for w in words(cards_svg(told, 2)) if w.says == "self-IPI")
    assert f'x1="{num(word.right + 3)}" y1="{num(word.y - 5)}"' in cards_svg(told, 2)


def test_the_sentences_say_what_the_states_say() -> None:
    """Where the wish is, what the entry finds, why and how late the guest left, what was told."""
    for told, at, _ in frames():
        says, seen, mix = foot(told, told.moments[at - 1]), told.moments[at - 1].tower, told.mix
        slot = seen.floors[0].slot
        assert slot is not None
        moment = told.moments[at - 1]
        assert (moment.name == TASK) == (at == 1)
        if moment.name in (WISH, TURN):
            level = moment.level
            cards = [(level, mix.guest), *([(level - 1, level)] if level else [])]
            marked = [card for card in (seen.card(*pair) for pair in cards) if card.wish]
            wanted = [(card.name, card.wish) for card in marked] or [(seen.ipi, "its own CPU")]
            assert any(where in says and what in says for where, what in wanted) and all(wanted[0])
        if moment.name == ENTRY:
            found = slot.wish or (seen.ipi if seen.ipi_state == "pending" else "no wish")
            assert f"The entry finds {found}" in says
        if moment.name == EXIT:
            far = f"executes {told.instructions} " if told.instructions else "before its first instruction"
            assert far in says and says.endswith(f"{told.reason}.")
        if moment.name == NEWS:
            assert f"L{mix.asks} is told {told.told}." in says
            assert says.endswith(f"{told.word}: {count(told.instructions)}.")
