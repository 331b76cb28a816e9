"""What a patch needs, what it includes, and that nobody can change a kernel for everybody else."""

import pytest

from kvmlab.errors import BadInput, ModelError
from kvmlab.kernels.kernel import Setting
from kvmlab.kernels.names import LISTED, kernel
from kvmlab.machine.edit import find
from kvmlab.machine.step import Row, Step, block


@pytest.mark.parametrize("name", LISTED)
def test_a_kernels_mappings_are_read_only(name: str) -> None:
    """Kernels are shared by name: paths and settings refuse to be changed."""
    shared = kernel(name)
    with pytest.raises(TypeError):
        shared.paths["vcpu_run"] = block("nothing")  # type: ignore[index]
    with pytest.raises(TypeError):
        shared.settings["enable_apicv"] = Setting("enable_apicv", 0, "", "")  # type: ignore[index]
    assert find(shared.paths["vcpu_run"], "ENTER")


@pytest.mark.parametrize("edit", ["noapicv", "preemption-timer=0", "preemption-timer=1"])
@pytest.mark.parametrize("base", ["v3.2", "d6185f2", "v3.10", "v4.10", "b95234c"])
def test_a_module_parameter_needs_a_kernel_that_has_it(base: str, edit: str) -> None:
    """enable_apicv and preemption_timer are modelled in v6.1 and refused before."""
    with pytest.raises(BadInput, match=f"{edit} does not fit {base}"):
        kernel(f"{base}+{edit}")


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        ("v6.1", "enable_apicv", 1),
        ("v6.1+noapicv", "enable_apicv", 0),
        ("v6.1+noapicv", "preemption_timer", 1),
        ("v6.1+preemption-timer=0", "preemption_timer", 0),
        ("v6.1+preemption-timer=0+preemption-timer=1", "preemption_timer", 1),
    ],
)
def test_a_module_parameter_sets_its_setting_and_no_other(name: str, setting: str, value: int) -> None:
    """The edit changes what it names; the preemption timer's changes no path yet."""
    assert kernel(name).setting(setting) == value
    assert (kernel(name).paths == kernel("v6.1").paths) == ("noapicv" not in name)


def test_noapicv_takes_the_sync_away_and_lets_every_apic_write_exit() -> None:
    """Without APICv there is no descriptor to look at, and three registers are KVM's to emulate."""
    run, without = (kernel(name).paths["vcpu_run"] for name in ("v6.1", "v6.1+noapicv"))
    assert find(run, "sync_pir_to_irr")
    with pytest.raises(ModelError, match="0 places called sync_pir_to_irr"):
        find(without, "sync_pir_to_irr")
    exits = [
        [step.label for step in row.steps if step.label.startswith("EXIT.wrmsr")]
        for row in (find(run, "HANDLE_EXIT"), find(without, "HANDLE_EXIT"))
        if isinstance(row, Row)
    ]
    assert exits == [["EXIT.wrmsr_icr"], ["EXIT.wrmsr_icr", "EXIT.wrmsr_self_ipi", "EXIT.wrmsr_eoi"]]


@pytest.mark.parametrize("name", ["v4.10", "b95234c", "v6.1"])
def test_later_kernels_include_the_event_of_2016(name: str) -> None:
    """c43203c is in every kernel from v4.10 on: the self-IPI comes with KVM_REQ_EVENT."""
    later, patched = (find(kernel(k).paths["vcpu_run"], "CHECK_IMMEDIATE") for k in (name, "v3.10+c43203c"))
    assert isinstance(later, Step) and later == patched
    assert later != find(kernel("v3.10").paths["vcpu_run"], "CHECK_IMMEDIATE")


def test_the_fix_of_2020_is_one_step_more() -> None:
    """8081ad0 inserts a step; CANCEL.inject itself stays what it was."""
    fixed, before = (kernel(name).paths["vcpu_run"] for name in ("v3.10+8081ad0", "v3.10"))
    assert find(fixed, "CANCEL.inject") == find(before, "CANCEL.inject")
    assert isinstance(find(fixed, "CANCEL.event"), Step)
