"""The tables of texts: every layout reads what it writes, and each dialect reads as the kernel prints it."""

import pytest
from hypothesis import given
from trace_strategies import LAYOUTS, UNTIMED, fields_of, printed

from kvmlab.errors import BadInput
from kvmlab.traces import Dialect, Event, TraceError
from kvmlab.traces.formats import FORMATS, parse, render
from kvmlab.traces.template import Template

ZERO = "0000000000000000"
SWITCH = {
    "prev_comm": "a prev_pid=1 prev_prio=1 prev_state=S ==> next_comm=b",
    "prev_pid": 1,
    "prev_prio": 1,
    "prev_state": "S",
    "next_comm": "c",
    "next_pid": 1,
    "next_prio": 1,
}
READINGS = [
    ("kvm_entry", "vcpu 3", {"vcpu_id": 3}),
    ("kvm_entry", "vcpu 0, rip 0x4003c6", {"vcpu_id": 0, "rip": 0x4003C6, "immediate_exit": False}),
    (
        "kvm_entry",
        "vcpu 0, rip 0x40a8af[immediate exit]",
        {"vcpu_id": 0, "rip": 0x40A8AF, "immediate_exit": True},
    ),
    (
        "kvm_entry",
        "vcpu 1, rip 0x10 intr_info 0x800000ef error_code 0x00000000[immediate exit]",
        {"vcpu_id": 1, "rip": 16, "intr_info": 0x800000EF, "error_code": 0, "immediate_exit": True},
    ),
    ("kvm_entry", "vcpu 0 rip 0x10", {"vcpu_id": 0, "rip": 16}),
    (
        "kvm_exit",
        "reason PENDING_INTERRUPT rip 0xffffffff81000000 info 0 800000ef",
        {
            "exit_reason": "PENDING_INTERRUPT",
            "guest_rip": 0xFFFFFFFF81000000,
            "info1": 0,
            "info2": 0x800000EF,
        },
    ),
    (
        "kvm_exit",
        f"vcpu 0 reason HLT rip 0x1 info1 0x{ZERO} info2 0x{ZERO} intr_info 0x000000ef error_code 0x00000000",
        {
            "vcpu_id": 0,
            "exit_reason": "HLT",
            "guest_rip": 1,
            "info1": 0,
            "info2": 0,
            "intr_info": 239,
            "error_code": 0,
        },
    ),
    (
        "kvm_exit",
        f"vcpu 0 reason INVALID_STATE FAILED_VMENTRY rip 0x1 info1 0x{ZERO} info2 0x{ZERO}"
        f" intr_info 0x00000000 error_code 0x00000000 requests 0x{ZERO}",
        {
            "vcpu_id": 0,
            "exit_reason": "INVALID_STATE FAILED_VMENTRY",
            "guest_rip": 1,
            "info1": 0,
            "info2": 0,
            "intr_info": 0,
            "error_code": 0,
            "requests": 0,
        },
    ),
    ("kvm_inj_virq", "irq 239", {"vector": 239}),
    ("kvm_inj_virq", "IRQ 0xef", {"vector": 239, "soft": False, "reinjected": False}),
    ("kvm_inj_virq", "Soft/INTn 0x80 [reinjected]", {"vector": 128, "soft": True, "reinjected": True}),
    ("kvm_inj_exception", "#DB [reinjected]", {"exception": "#DB", "reinjected": True}),
    ("kvm_inj_exception", "#GP (0x8)", {"exception": "#GP", "error_code": 8, "reinjected": False}),
    ("kvm_msr", "msr_write 6e0 = 0x65", {"rw": "write", "ecx": 0x6E0, "data": 0x65, "exception": False}),
    ("kvm_msr", "msr_read ce = 0x0 (#GP)", {"rw": "read", "ecx": 0xCE, "data": 0, "exception": True}),
    ("kvm_apic", "apic_write APIC_EOI = 0x0", {"rw": "write", "reg": "APIC_EOI", "val": 0}),
    (
        "kvm_apic_ipi",
        "dst 1f vec 238 (Fixed|physical|de-assert|edge|all-but-self)",
        {
            "dest_id": 31,
            "vec": 238,
            "delivery_mode": "Fixed",
            "dest_mode": "physical",
            "level": "de-assert",
            "trigger": "edge",
            "shorthand": "all-but-self",
        },
    ),
    ("kvm_eoi", "apicid 1 vector -1", {"apicid": 1, "vector": -1}),
    ("kvm_hv_timer_state", "vcpu_id a hv_timer 1", {"vcpu_id": 10, "hv_timer_in_use": 1}),
    ("kvm_wait_lapic_expire", "vcpu 0: delta -41 (early)", {"vcpu_id": 0, "delta": -41, "when": "early"}),
    ("kvm_vcpu_wakeup", "poll time 7 ns, polling invalid", {"waited": False, "ns": 7, "valid": False}),
    (
        "kvm_nested_vmexit",
        f"rip: 0x{'0' * 15}1 reason: VMCALL ext_inf1: 0x{ZERO} ext_inf2: 0x{ZERO}"
        " ext_int: 0x00000000 ext_int_err: 0x00000000",
        {"guest_rip": 1, "exit_reason": "VMCALL", "info1": 0, "info2": 0, "intr_info": 0, "error_code": 0},
    ),
    (
        "kvm_nested_vmexit",
        "rip fff reason EPT_VIOLATION info1 181 info2 0 int_info 0 int_info_err 0",
        {
            "guest_rip": 0xFFF,
            "exit_reason": "EPT_VIOLATION",
            "info1": 0x181,
            "info2": 0,
            "intr_info": 0,
            "error_code": 0,
        },
    ),
    ("local_timer_entry", "vector=236", {"vector": 236}),
    (
        "kvm_pio",
        "pio_write at 0x80 size 1 count 1 val 0xa0 ",
        {"rw": "write", "port": 128, "size": 1, "count": 1, "val": 160},
    ),
    (
        "sched_switch",
        "CPU 0/KVM:12 [120] S ==> swapper/0:0 [120]",
        {
            "prev_comm": "CPU 0/KVM",
            "prev_pid": 12,
            "prev_prio": 120,
            "prev_state": "S",
            "next_comm": "swapper/0",
            "next_pid": 0,
            "next_prio": 120,
        },
    ),
]


@pytest.mark.parametrize(("name", "text", "fields"), READINGS)
def test_each_dialect_reads_as_the_kernel_means_it(name, text, fields):
    """A text gives the values its tracepoint recorded, numbers in the base they are printed in."""
    assert dict(parse(name, text)) == fields


@UNTIMED
@given(printed())
def test_every_layout_of_the_tables_reads_back_what_it_writes(case):
    """Fields written in any dialect are the fields read, whatever their values; or the writer refuses."""
    name, dialect, fields = case
    try:
        text = render(name, fields, dialect)
    except TraceError as refused:
        assert "reads" in str(refused)
    else:
        read = parse(name, text)
        assert {field: read[field] for field in fields} == fields


def plain_fields(template):
    """Return one value for each field of a layout."""
    plain = {"u": 7, "d": 7, "x": 7, "w": "word", "p": "part", "s": "words", None: True}
    return {field: plain[kind] for field, kind in fields_of(template).items()}


@pytest.mark.parametrize(("name", "dialect", "template"), LAYOUTS)
def test_every_layout_is_written_by_some_fields(name, dialect, template):
    """No row of the tables is dead: plain values of its own fields are written, and by its dialect."""
    fields = plain_fields(template)
    assert parse(name, Template(template).render(fields)) == parse(name, render(name, fields, dialect))


def test_no_layout_of_a_kernel_hides_behind_another():
    """A text is read the same by every layout of its event that accepts it, extra truths apart."""
    for name, _, template in LAYOUTS:
        fields = plain_fields(template)
        text = Template(template).render(fields)
        readings = [Template(other).parse(text) for same, _, other in LAYOUTS if same == name]
        for reading in filter(None, readings):
            assert all(reading.get(field, value) == value for field, value in fields.items())


def test_what_the_kernel_prints_as_zero_need_not_be_said():
    """Information fields default to zero and marks to absent, so a model says only what it knows."""
    exit_fields = {"vcpu_id": 0, "exit_reason": "HLT", "guest_rip": 0x10}
    short = render("kvm_exit", exit_fields, Dialect.V6_1)
    assert short == render("kvm_exit", exit_fields | {"info1": 0, "intr_info": 0}, Dialect.V6_1)
    assert render("kvm_entry", {"vcpu_id": 0, "rip": 1}, Dialect.V6_1) == "vcpu 0, rip 0x1"


def test_one_event_is_worded_by_each_kernel_in_its_own_way():
    """The same fields give each dialect's text; what a dialect does not print is left out."""
    fields = {"vcpu_id": 0, "rip": 0x4003C6, "immediate_exit": True}
    assert [render("kvm_entry", fields, dialect) for dialect in Dialect] == [
        "vcpu 0 rip 0x4003c6",
        "vcpu 0",
        "vcpu 0, rip 0x4003c6[immediate exit]",
        "vcpu 0, rip 0x4003c6 intr_info 0x00000000 error_code 0x00000000[immediate exit]",
    ]


@pytest.mark.parametrize(
    ("name", "fields", "dialect", "says"),
    [
        ("kvm_exiit", {}, Dialect.V4, "did you mean kvm_exit?"),
        ("kvm_entry", {"vcpu": 0}, Dialect.V4, "did you mean vcpu_id?"),
        ("kvm_entry", {"rip": 1}, Dialect.V6_1, "also needs vcpu_id"),
        ("kvm_apicv_accept_irq", {}, Dialect.V4, "no text of its own in 4.x; it has one in 6.16, 6.1"),
        ("kvm_entry", {"vcpu_id": "zero"}, Dialect.V4, "cannot print"),
        ("kvm_entry", {"vcpu_id": -1}, Dialect.V4, "reads None"),
        ("sched_switch", SWITCH, Dialect.V6_1, "reads 'a'"),
    ],
)
def test_what_cannot_be_written_faithfully_is_refused_with_a_reason(name, fields, dialect, says):
    """An unknown name, a missing field, a value that would read as another: each raises and says which."""
    with pytest.raises(BadInput) as refused:
        render(name, fields, dialect)
    assert says in str(refused.value)


def test_unknown_events_and_layouts_have_no_fields_but_keep_their_text():
    """Nothing is guessed: an event we have no table for is its text."""
    event = Event(1, 0, "a", 1, "", "kvm_new_thing", "x=1")
    assert (dict(event.fields), event.text, event.key()) == ({}, "x=1", ("kvm_new_thing", "x=1"))
    assert not Event(1, 0, "a", 1, "", "kvm_exit", "some future layout").fields


def test_the_table_says_nothing_twice():
    """Each event has at least one dialect, and no dialect lists the same layout twice."""
    for name, layouts in FORMATS.items():
        assert layouts, name
        assert all(len(set(templates)) == len(templates) for templates in layouts.values()), name
