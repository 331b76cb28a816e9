"""Latencies drawn one by one: cyclictest on the model's steps, with what varies from sample to sample.

The steps and their mean cycles are the clock's. What varies is assumed, and all of it stands here: every
number by a tenth, independently; how long the guest halts; how long a sleeping CPU takes to wake, which is
no step of the model.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from random import Random

from kvmlab.errors import BadInput
from kvmlab.kernels.names import kernel as named
from kvmlab.kvm.lapic_advance import ADVANCE_MAX
from kvmlab.scenarios.latency import POLLS, cyclictest
from kvmlab.schedulers.chance import normal
from kvmlab.schedulers.measure import measure
from kvmlab.schedulers.profiles.hsw16 import HSW16
from kvmlab.schedulers.sensitivity import as_sum

JITTER = 10
"""Percent by which a step's cycles vary from sample to sample, one deviation."""
LONGEST = 400
"""The guest halts for up to so many microseconds, each length as likely as any other."""
SAMPLES = 16
"""To measure one mean; the phases of the preemption timer differ by less than a bin."""
MHZ = POLLS.khz // 1000
KEPT = 128
"""So many of the settings that were drawn last are kept: a knob that is turned back shows one at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is drawn: what the ``guest`` does, and the host.

    ``window`` is for how many microseconds the host polls for a halted guest, ``c_state`` how many it takes
    to wake a CPU that sleeps; ``isolated``: the CPU is nohz_full. ``advance`` is lapic_timer_advance_ns.
    Raises BadInput for a number below 0, or an advance that KVM would not take.
    """

    guest: str = "idle-poll"
    window: int = 200
    c_state: int = 0
    isolated: bool = True
    advance: int = 0

    def __post_init__(self) -> None:
        if min(self.window, self.c_state) < 0 or not 0 <= self.advance <= ADVANCE_MAX:
            raise BadInput(f"window and c_state: 0 us or more; advance: 0 to {ADVANCE_MAX} ns")


def drawn(kernel: str, setting: Setting, number: int = 1000, seed: int = 0) -> list[int]:
    """Return so many latencies in cycles; the same seed draws the same for every kernel, everywhere.

    However early the timer fires, a kernel that waits for the deadline is no faster than what comes behind:
    what is left with the greatest advance. Raises BadInput for a kernel or a guest that cannot be measured.
    """
    chance = _draws(number, seed)
    polling = [setting.guest != "halt" or halted <= setting.window for _, halted in chance]
    ways = {
        polls: [
            _way(kernel, setting.guest, polls, setting.isolated, n, number, seed)
            for n in (setting.advance, ADVANCE_MAX)
        ]
        for polls in set(polling)
    }
    latencies = []
    for at, polls in enumerate(polling):
        soon, at_once = (way[at] for way in ways[polls])
        wakes = 0 if polls else setting.c_state * MHZ
        latencies.append(round(max(soon + wakes, at_once)))
    return latencies


@lru_cache(KEPT)
def _way(
    kernel: str, guest: str, poll: bool, isolated: bool, advance: int, number: int, seed: int
) -> tuple[float, ...]:
    """Return the latency of every draw if the host polls in all of them, or in none, and nothing sleeps."""
    release = named(kernel)
    bench = cyclictest(release, guest=guest, samples=SAMPLES, poll=poll, isolated=isolated, advance=advance)
    found = as_sum(measure(bench, HSW16))
    times, rest = {name: float(n) for name, n in found.times.items()}, float(found.rest)
    return tuple(
        rest + sum(n * cycles[name] for name, n in times.items()) for cycles, _ in _draws(number, seed)
    )


@cache
def _draws(number: int, seed: int) -> tuple[tuple[dict[str, float], float], ...]:
    """Draw so many samples: the cycles of every parameter, and for how many microseconds the guest halts."""
    chance, halts, known = normal(seed), Random(seed), sorted(HSW16.parameters.items())
    return tuple(
        (
            {name: p.cycles * max(1 + JITTER / 100 * next(chance), 0) for name, p in known},
            halts.random() * LONGEST,
        )
        for _ in range(number)
    )
