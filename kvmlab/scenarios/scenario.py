"""A scenario: a system on one kernel, the ends that are meant to be ends, and what must hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kvmlab.kernels.kernel import Kernel
from kvmlab.machine.monitor import Monitor
from kvmlab.machine.property import Eventually, Fairness, Predicate, Property
from kvmlab.machine.system import System


@dataclass(frozen=True, slots=True)
class Scenario:
    """A runnable question. ``knobs`` are the values it was built with; ``records`` its records by name.

    ``story`` is the schedule that tells it: the one that a stepper opens with. ``symmetry`` groups the
    letters of actors that may change places; ``monitor`` watches by which mechanism a property gets broken.
    ``liveness`` is what must come in the end, ``fairness`` what may be assumed for it.
    """

    name: str
    sentence: str
    kernel: Kernel
    system: System
    properties: tuple[Property, ...]
    done: Predicate
    story: str
    knobs: Mapping[str, Any] = field(default_factory=dict)
    records: Mapping[str, Any] = field(default_factory=dict)
    symmetry: tuple[tuple[str, ...], ...] = ()
    monitor: Monitor | None = None
    liveness: tuple[Eventually, ...] = ()
    fairness: tuple[Fairness, ...] = ()

    @property
    def property(self) -> str:
        """What must hold, in one sentence."""
        return "; ".join(p.sentence for p in self.properties)
