"""The order of the steps in each kernel, and which vectors its host has a handler for."""

import pytest

from kvmlab.kernels.names import LISTED, kernel
from kvmlab.machine.edit import find
from kvmlab.machine.step import Block, Row, Step

REQUESTS, INJECTION = "REQ.other", "CHECK_EVENT INJECT WINDOW"
SYNC = "SYNC.test SYNC.clear SYNC.copy"
RECHECK = "RECHK.mode RECHK.req CANCEL.mode CANCEL.irq_on CANCEL.inject"
RECHECK_2020 = "RECHK.mode RECHK.req CANCEL.mode CANCEL.irq_on CANCEL.event CANCEL.inject"
MODE_FIRST, IF_FIRST = "MODE_IN IRQ_OFF", "IRQ_OFF MODE_IN"
ENTRY = "CHECK_IMMEDIATE ENTER"
EXIT = "VMEXIT MODE_OUT IRQ_ON RUN_PENDING HANDLE_EXIT"
EXIT_2017 = "VMEXIT RUN_PENDING MODE_OUT IRQ_ON HANDLE_EXIT"
EXIT_2018, LOOKS = f"{EXIT_2017} NESTED.timer", "NESTED.evaluate NESTED.timer"
SYNC_LAP = f"{SYNC} SYNC.lap"
ENTRY_2018 = "CHECK_IMMEDIATE HV_TIMER ENTER"

ORDER: dict[str, tuple[str, ...]] = {
    "v3.2": (REQUESTS, INJECTION, MODE_FIRST, RECHECK, "ENTER", EXIT),
    "d6185f2": (REQUESTS, "REQ.immediate", INJECTION, MODE_FIRST, RECHECK, ENTRY, EXIT),
    "v3.10": (REQUESTS, INJECTION, MODE_FIRST, RECHECK, ENTRY, EXIT),
    "v3.10+8081ad0": (REQUESTS, INJECTION, MODE_FIRST, RECHECK_2020, ENTRY, EXIT),
    "v4.10": (REQUESTS, SYNC, INJECTION, MODE_FIRST, RECHECK, ENTRY, EXIT_2017),
    "b95234c": (REQUESTS, INJECTION, IF_FIRST, SYNC, RECHECK, ENTRY, EXIT_2017),
    "v4.18": (REQUESTS, INJECTION, IF_FIRST, SYNC_LAP, RECHECK, ENTRY, EXIT_2018),
    "v4.18+b5861e5": (REQUESTS, INJECTION, IF_FIRST, SYNC_LAP, RECHECK, ENTRY, EXIT_2017, LOOKS),
    "d264ee0": (REQUESTS, INJECTION, IF_FIRST, SYNC_LAP, RECHECK, ENTRY_2018, EXIT_2018),
    "v6.1": (REQUESTS, INJECTION, IF_FIRST, SYNC, RECHECK_2020, ENTRY, EXIT_2017),
    "v6.1+noapicv": (REQUESTS, INJECTION, IF_FIRST, RECHECK_2020, ENTRY, EXIT_2017),
}


def labels(path: Block) -> list[str]:
    """Return the labels of a path's steps and rows, in order."""
    return [node.label for node in path.walk() if isinstance(node, (Step, Row))]


@pytest.mark.parametrize("name", ORDER)
def test_the_steps_stand_in_the_kernels_order(name: str) -> None:
    """The run loop of each kernel is its source's, line by line."""
    assert labels(kernel(name).paths["vcpu_run"]) == " ".join(ORDER[name]).split()


@pytest.mark.parametrize("name", LISTED)
def test_a_host_has_handlers_for_the_vectors_of_its_time(name: str) -> None:
    """Reschedule always, the notification from v4.7, the top vector only where it forces the exit."""
    row = find(kernel(name).paths["host_irq"], "HOST_IRQ")
    assert isinstance(row, Row)
    top = ["IRQ.top"] if name.endswith("+ack-top-vector") else []
    posted = [] if name.startswith(("v3.", "d6185f2")) else ["IRQ.posted"]
    assert [step.label for step in row.steps] == [*top, "IRQ.reschedule", *posted]
