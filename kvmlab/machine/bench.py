"""What a measurement needs to know of a system: its clock cell, and where a sample begins and ends.

A *sample* ends whenever the step ``end`` begins. It began where ``begins`` says: a point in time that the
state holds right behind that step (a deadline, say), or where the sample before it ended.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kvmlab.machine.state import Cell
from kvmlab.machine.system import Move, System

Begins = Callable[[Sequence[int]], int]
Tally = Callable[[Move, Sequence[int]], str]
"""(step that was taken, state behind it) -> the name under which it is counted."""

ABOVE = ".above"
"""The end of a step's label if who takes it runs on top of somebody who takes the same steps."""


@dataclass(frozen=True, slots=True)
class Bench:
    """A system that measures something: ``skip`` samples warm it up, ``samples`` are kept.

    ``now`` is the cell that shows the time to the system, if it has one. A step called a key of ``tallies``
    is counted under the name that its function gives. A sample's first step may come ``early`` cycles before
    the sample begins: a counter that counts in quanta. After ``patience`` steps without an end of a
    sample, none will come.
    """

    name: str
    sentence: str
    system: System
    end: str
    samples: int
    begins: Begins | None = None
    early: int = 0
    skip: int = 0
    patience: int = 10_000
    now: Cell | None = None
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    knobs: Mapping[str, Any] = field(default_factory=dict)
    records: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Headline:
    """A figure made of the means of a few benches, by key; ``published`` is what was said of it."""

    name: str
    sentence: str
    benches: Mapping[str, Bench]
    value: Callable[[Mapping[str, Any]], Any]
    published: int
    unit: str
    source: str
