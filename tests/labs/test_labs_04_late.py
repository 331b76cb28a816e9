"""The forced entry that comes too late: recording and model agree, but for when the IPI is taken."""

import pytest

pytest.importorskip("ipywidgets")

from kvmlab.errors import BadInput, ModelError
from kvmlab.labs.late import NOTES, both_real, modelled, real_and_model, recorded, stretch
from kvmlab.traces import Event


def told(events: list[Event]) -> list[tuple[object, ...]]:
    """Return name and reason of each event."""
    return [(event.name, event.fields.get("exit_reason")) for event in events]


@pytest.mark.parametrize("how", ["self-IPI", "timer 0"])
def test_the_model_tells_what_was_recorded(how: str) -> None:
    """Event by event the same, without the host's handler of the IPI, whose moment is a matter of costs."""
    real = [event for event in recorded(how) if event.name != "reschedule_entry"]
    assert told(real) == told(modelled(how))


def test_the_guest_has_run_if_the_wish_was_an_ipi() -> None:
    """The exit is VMCALL, further on than the entry; the IPI is taken behind it. By timer 0 neither."""
    late, exact = recorded("self-IPI"), recorded("timer 0")
    names = [event.name for event in late]
    assert names.index("kvm_exit", 1) < names.index("reschedule_entry")
    for events, moved in (
        (late, True),
        (exact, False),
        (modelled("self-IPI"), True),
        (modelled("timer 0"), False),
    ):
        entry = next(event for event in events if event.name == "kvm_entry")
        left = next(event for event in events[1:] if event.name == "kvm_exit")
        assert entry.fields["immediate_exit"]
        assert (left.fields["guest_rip"] != entry.fields["rip"]) == moved
        assert left.fields["exit_reason"] == ("VMCALL" if moved else "PREEMPTION_TIMER")


def test_real_and_model_part_only_where_the_ipi_is_taken() -> None:
    """One row of the picture differs, and it is the third decisive one."""
    text = repr(real_and_model("self-IPI"))
    assert "1 of 8 rows differ." in text
    assert "(3) 6: the IPI" in text and "6 reschedule_entry" in text


def test_both_recordings_part_at_the_exit() -> None:
    """The same entry, then VMCALL against PREEMPTION_TIMER."""
    flat = " ".join(repr(both_real()).split())
    assert "The first 3 events agree; then KVM 6.1, self-IPI has kvm_exit VMCALL" in flat
    assert all(" ".join(says.split()) in flat for says in NOTES.values())


def test_what_was_not_recorded_is_refused() -> None:
    """One clear error with the nearest name."""
    with pytest.raises(BadInput, match="did you mean self-IPI"):
        recorded("self-ipi")
    with pytest.raises(BadInput, match="did you mean timer 0"):
        modelled("timer0")
    with pytest.raises(ModelError, match="no exit of L2"):
        stretch(recorded("timer 0")[:3])
