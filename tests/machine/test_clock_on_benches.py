"""The clock that remembers, on whole kernels: it goes step by step the way of one that asks everybody."""

import pytest
from plain_clock import plain_steps

from kvmlab.kernels.names import kernel
from kvmlab.scenarios.benches import bench
from kvmlab.schedulers.clock import Clock
from kvmlab.schedulers.profiles.hsw16 import HSW16

STEPS = 700


@pytest.mark.parametrize("on", ["v4.7", "64672c9", "v4.19"])
@pytest.mark.parametrize(
    ("name", "knobs"),
    [
        ("tscdeadline_latency", {"guest": "busy"}),
        ("tscdeadline_latency", {"guest": "halt", "poll": False}),
        ("cyclictest", {"guest": "halt"}),
        ("periodic", {}),
        ("vmexit", {"case": "self_ipi_tpr_sti_hlt"}),
        ("vmexit", {"case": "tscdeadline_immed"}),
    ],
    ids=str,
)
def test_nothing_that_is_remembered_is_out_of_date(on: str, name: str, knobs: dict[str, object]) -> None:
    """Every step, its time, and the state behind it."""
    made = bench(name, kernel(on), **knobs)
    taken = [(step.time, step.label, step.after) for step in Clock(made.system, HSW16, made.now).steps(STEPS)]
    assert taken == list(plain_steps(made.system, STEPS, HSW16, made.now))
    assert len(taken) == STEPS
