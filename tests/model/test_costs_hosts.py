"""The hosts that are measured on: a server, and the one of the recordings."""

from typing import Any

import pytest
from costs_bench import made

from kvmlab.errors import BadInput
from kvmlab.scenarios.benches import BENCHES, knobs_of
from kvmlab.schedulers.measure import measure
from kvmlab.schedulers.profiles.hsw16 import HSW16

ON_A_HOST: dict[str, dict[str, Any]] = {
    "vmexit": {"case": "tscdeadline", "rounds": 8},
    "tscdeadline_latency": {"samples": 8},
    "cyclictest": {"samples": 8},
    "periodic": {"samples": 8},
}


def test_every_measurement_has_a_host_but_that_of_levels() -> None:
    """Whoever measures on a host lets it be chosen."""
    assert [name for name in BENCHES if "host" in knobs_of(name)] == list(ON_A_HOST)


@pytest.mark.parametrize("name", ON_A_HOST)
def test_a_measurement_is_on_a_server_unless_another_host_is_named(name: str) -> None:
    """It says on which; a host that nobody knows is refused."""
    knobs = ON_A_HOST[name]
    assert made(name, "v6.1", **knobs).knobs["host"] == "server"
    assert made(name, "v6.1", **knobs, host="traced").knobs["host"] == "traced"
    with pytest.raises(BadInput, match="unknown host tracd; did you mean traced"):
        made(name, "v6.1", **knobs, host="tracd")


@pytest.mark.parametrize("name", ON_A_HOST)
def test_on_the_recordings_host_the_kernels_own_advance_hides_the_way_to_the_entry(name: str) -> None:
    """v6.1 adapts it there; the server's is 0: on one machine, a guest's interrupt comes sooner."""
    here, there = (
        measure(made(name, "v6.1", **ON_A_HOST[name], host=host), HSW16) for host in ("traced", "server")
    )
    assert here.max < there.min


@pytest.mark.parametrize("name", ["tscdeadline_latency", "cyclictest", "periodic"])
def test_an_advance_that_is_named_is_any_hosts(name: str) -> None:
    """Also 0; what is told is what the host has."""
    knobs = ON_A_HOST[name]
    for host, own in (("server", 0), ("traced", -1)):
        assert made(name, "v6.1", **knobs, host=host).knobs["advance"] == own
        assert made(name, "v6.1", **knobs, host=host, advance=0).knobs["advance"] == 0
    late, early = (measure(made(name, "v6.1", **knobs, host="traced", advance=a), HSW16) for a in (0, 2_000))
    assert late.min > early.max


@pytest.mark.parametrize("host", ["server", "traced"])
def test_a_hosts_preemption_timer_may_be_broken(host: str) -> None:
    """Then the deadline is an hrtimer's, there as here."""
    exits = [
        measure(
            made("vmexit", "v6.1", **ON_A_HOST["vmexit"], host=host, preemption_timer=works), HSW16
        ).counts
        for works in (True, False)
    ]
    assert "PREEMPTION_TIMER" in exits[0] and "EXTERNAL_INTERRUPT" in exits[1] and exits[0] != exits[1]
