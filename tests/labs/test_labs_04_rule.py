"""Say the rule: the judge knows every mix, and shows the smallest in which a rule differs."""

import pytest

pytest.importorskip("ipywidgets")

from kvmlab.errors import BadInput
from kvmlab.labs.rule import DEPTH, Case, Methods, Rule, cases, judge, proof
from kvmlab.labs.rule_bench import check_rule


def right(methods: Methods, a1: bool) -> bool:
    """Timer 0 all the way down; at level 0 a self-IPI will do, if A1 holds."""
    if methods[-1] == "timer0":
        return len(methods) == 1 or right(methods[:-1], a1)
    return len(methods) == 1 and a1


def test_every_mix_is_asked_with_and_without_a1() -> None:
    """2 + 4 + 8 + 16 mixes, twice; the shorter ones first."""
    every = cases()
    assert len(every) == len(set(every)) == 60
    assert [len(case.methods) for case in every] == sorted(len(case.methods) for case in every)
    assert max(len(case.methods) for case in every) == DEPTH


def test_the_rule_agrees_with_every_schedule() -> None:
    """The recursion of the lesson, and the same without one, are right in all cases."""
    for rule in (right, lambda methods, a1: "ipi" not in methods[1:] and (a1 or methods[0] == "timer0")):
        found = judge(rule)
        assert found.passed and found.asked == 60
        assert repr(found).startswith("holds: Your rule agrees with every schedule of 60 cases")


@pytest.mark.parametrize(
    ("rule", "methods", "a1"),
    [
        (lambda methods, a1: True, ("ipi",), False),
        (lambda methods, a1: False, ("ipi",), True),
        (lambda methods, a1: methods[-1] == "timer0", ("ipi",), True),
        (lambda methods, a1: right(methods, True), ("ipi",), False),
        (lambda methods, a1: len(methods) == 1 and right(methods, a1), ("ipi", "timer0"), True),
        (lambda methods, a1: right(methods[-2:], a1), ("ipi", "ipi", "timer0"), True),
        (lambda methods, a1: right(methods[-3:], a1), ("ipi", "ipi", "timer0", "timer0"), True),
        (lambda methods, a1: right(methods, a1) or methods == ("timer0", "ipi"), ("timer0", "ipi"), True),
    ],
)
def test_the_first_case_that_differs_is_the_smallest(rule: Rule, methods: Methods, a1: bool) -> None:
    """What a half-right rule misses is named, with what it said and what is so."""
    found = judge(rule)
    assert found.differs == Case(methods, a1) and not found.passed
    assert f"{Case(methods, a1).says} is {not right(methods, a1)}" in found.sentence
    agrees = sum(rule(case.methods, case.a1) == right(case.methods, case.a1) for case in cases())
    assert found.sentence.endswith(f" It is right in {agrees} of 60 cases.") and found.right == agrees < 60


def test_what_differs_is_shown_as_cards() -> None:
    """The mix, at the exit; the cards agree with the case, and with what the rule missed."""
    shown = check_rule(lambda methods, a1: methods[-1] == "timer0" or a1)
    assert shown.cards is not None and shown.cards.methods == ("ipi", "ipi")
    assert (shown.cards.at, shown.cards.told.exact, shown.passed) == (4, False, False)
    assert repr(shown).startswith("differs: Your exact(('ipi', 'ipi'), True) is True")
    assert "broken at L1" in repr(shown)
    without = check_rule(lambda methods, a1: right(methods, True))
    assert without.cards is not None and not without.cards.a1


def test_a_rule_that_holds_needs_no_cards() -> None:
    """Only the sentence is left."""
    shown = check_rule(right)
    assert shown.passed and shown.cards is None
    assert len(shown.children) == 1 and max(map(len, repr(shown).splitlines())) <= 80


def fails(methods: Methods, a1: bool) -> bool:
    """A rule that runs into an index that is not there."""
    return methods[1] == "timer0"


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (fails, r"exact\(\('ipi',\), True\) fails with IndexError"),
        (lambda methods, a1: None, "is None; answer True or False"),
        (lambda methods, a1: 1, "is 1; answer True or False"),
    ],
)
def test_a_rule_that_is_none_is_told_so(rule: Rule, why: str) -> None:
    """It fails or answers something else: one clear error with the call that shows it."""
    with pytest.raises(BadInput, match=why):
        judge(rule)


def test_the_proof_names_the_exact_mixes() -> None:
    """A line a depth: timer 0 everywhere above level 0; without A1 there too."""
    lines = proof().splitlines()
    assert [line.split()[:-1] for line in lines[2:]] == [
        ["1", "2", "I", "T", "T"],
        ["2", "4", "IT", "TT", "TT"],
        ["3", "8", "ITT", "TTT", "TTT"],
        ["4", "16", "ITTT", "TTTT", "TTTT"],
    ]
    assert max(map(len, lines)) <= 80
