"""The texts of KVM's tracepoints, one row per event, one entry per dialect.

Fields carry the kernel's names, and one thing has one name in all events and dialects: the nested exits
print what kvm_exit prints (exit_reason, guest_rip, info1, info2, intr_info, error_code), so they are
called that even where the tracepoint says exit_code or exit_int_info.

Sources: arch/x86/kvm/trace.h and include/trace/events/kvm.h of 4.11, 4.19, 5.10 and 6.16; recorded traces
for 6.1; plugins/plugin_kvm.c of libtraceevent for trace-cmd.
"""

from kvmlab.traces.dialect import Dialect, Layouts, everywhere, since_6_1

TRACE_CMD, V4, V6_1, V6_16 = Dialect

_EXIT_V4 = "reason {exit_reason:s} rip 0x{guest_rip:x} info {info1:x=0} {info2:x=0}"
_EXIT_V6_1 = (
    "vcpu {vcpu_id:u} reason {exit_reason:s} rip 0x{guest_rip:x} info1 0x{info1:016x=0}"
    " info2 0x{info2:016x=0} intr_info 0x{intr_info:08x=0} error_code 0x{error_code:08x=0}"
)
_EXIT_V6_16 = _EXIT_V6_1 + " requests 0x{requests:016x=0}"
_REFLECTED = (
    "reason: {exit_reason:s} ext_inf1: 0x{info1:016x=0} ext_inf2: 0x{info2:016x=0}"
    " ext_int: 0x{intr_info:08x=0} ext_int_err: 0x{error_code:08x=0}"
)
_REFLECTED_BY_PLUGIN = (
    "reason {exit_reason:s} info1 {info1:x=0} info2 {info2:x=0}"
    " int_info {intr_info:x=0} int_info_err {error_code:x=0}"
)
_NESTED_ENTRY = (
    "rip: 0x{rip:016x} {area:w}: 0x{vmcb:016x} nested_rip: 0x{nested_rip:016x} int_ctl: 0x{int_ctl:08x=0}"
    " event_inj: 0x{event_inj:08x=0} nested_{tdp:w}={tdp_enabled?y:n} {root:w}: 0x{root_address:016x=0}"
)
_ACCEPT = "apicid {apicid:x} vec {vec:u} ({delivery_mode:p}|{trigger:p})"
_EXCEPTION = "{exception:w}{reinjected? [reinjected]}"
_IRTE = (
    "PI is {set?enabled and being updated:disabled} for irq {host_irq:u}, vcpu {vcpu_id:u}, gsi: 0x{gsi:x},"
    " gvec: 0x{gvec:x}, pi_desc_addr: 0x{pi_desc_addr:x}"
)
_PIO = "pio_{rw:w} at 0x{port:x} size {size:u} count {count:u} val 0x{val:x} "

KVM: dict[str, Layouts] = {
    # Around the guest.
    "kvm_entry": {
        V4: ("vcpu {vcpu_id:u}",),
        V6_1: ("vcpu {vcpu_id:u}, rip 0x{rip:x}{immediate_exit?[immediate exit]}",),
        V6_16: (
            "vcpu {vcpu_id:u}, rip 0x{rip:x} intr_info 0x{intr_info:08x=0} error_code 0x{error_code:08x=0}"
            "{immediate_exit?[immediate exit]}",
        ),
        TRACE_CMD: ("vcpu {vcpu_id:u} rip 0x{rip:x}",),
    },
    "kvm_exit": {V4: (_EXIT_V4,), V6_1: (_EXIT_V6_1,), V6_16: (_EXIT_V6_16,), TRACE_CMD: (_EXIT_V4,)},
    "kvm_userspace_exit": everywhere("reason {reason:s} ({number:d})"),
    "kvm_vcpu_wakeup": everywhere("{waited?wait:poll} time {ns:d} ns, polling {valid?valid:invalid}"),
    "kvm_halt_poll_ns": everywhere("vcpu {vcpu_id:u}: halt_poll_ns {new:u} ({grow?grow:shrink} {old:u})"),
    "kvm_ple_window_update": since_6_1("vcpu {vcpu_id:u} old {old:u} new {new:u} ({grow?growed:shrinked})"),
    # Interrupts and the local APIC.
    "kvm_inj_virq": {
        V4: ("irq {vector:u}",),
        **since_6_1("{soft?Soft/INTn:IRQ} 0x{vector:x}{reinjected? [reinjected]}"),
    },
    "kvm_inj_exception": {
        V4: ("{exception:w} (0x{error_code:x=0})",),
        **since_6_1("{exception:w} (0x{error_code:x}){reinjected? [reinjected]}", _EXCEPTION),
    },
    "kvm_apic": everywhere("apic_{rw:w} {reg:w} = 0x{val:x}"),
    "kvm_apic_ipi": everywhere(
        "dst {dest_id:x} vec {vec:u} ({delivery_mode:p}|{dest_mode:p}|{level:p}|{trigger:p}|{shorthand:p})"
    ),
    "kvm_apic_accept_irq": everywhere(_ACCEPT),
    "kvm_apicv_accept_irq": {V6_16: (_ACCEPT,), V6_1: (_ACCEPT,)},
    "kvm_eoi": everywhere("apicid {apicid:x} vector {vector:d}"),
    "kvm_pv_eoi": everywhere("apicid {apicid:x} vector {vector:d}"),
    "kvm_pi_irte_update": {V4: ("VT-d " + _IRTE,), V6_1: ("VT-d " + _IRTE,), V6_16: (_IRTE,)},
    "kvm_set_irq": everywhere("gsi {gsi:u} level {level:d} source {irq_source_id:d}"),
    "kvm_pic_set_irq": everywhere(
        "chip {chip:u} pin {pin:u} ({trigger:p}{masked?|masked}){coalesced? (coalesced)}"
    ),
    "kvm_ioapic_set_irq": everywhere(
        "pin {pin:u} dst {dst:x} vec {vec:u} ({delivery_mode:p}|{dest_mode:p}|{trigger:p}{masked?|masked})"
        "{coalesced? (coalesced)}"
    ),
    # Timers and registers.
    "kvm_msr": everywhere("msr_{rw:w} {ecx:x} = 0x{data:x}{exception? (#GP)}"),
    "kvm_hv_timer_state": everywhere("vcpu_id {vcpu_id:x} hv_timer {hv_timer_in_use:x}"),
    "kvm_wait_lapic_expire": everywhere("vcpu {vcpu_id:u}: delta {delta:d} ({when:w})"),
    # Guests of guests.
    "kvm_nested_vmrun": {
        V4: (
            "rip: 0x{rip:016x} vmcb: 0x{vmcb:016x} nrip: 0x{nested_rip:016x} int_ctl: 0x{int_ctl:08x=0}"
            " event_inj: 0x{event_inj:08x=0} npt: {npt?on:off}",
        )
    },
    "kvm_nested_vmenter": since_6_1(_NESTED_ENTRY),
    "kvm_nested_vmexit": {
        V4: ("rip: 0x{guest_rip:016x} " + _REFLECTED,),
        V6_1: (_EXIT_V6_1,),
        V6_16: (_EXIT_V6_16,),
        TRACE_CMD: ("rip {guest_rip:x} " + _REFLECTED_BY_PLUGIN,),
    },
    "kvm_nested_vmexit_inject": {**everywhere(_REFLECTED), TRACE_CMD: (_REFLECTED_BY_PLUGIN,)},
    "kvm_nested_intr_vmexit": everywhere("rip: 0x{rip:016x}"),
    # Memory and ports.
    "kvm_page_fault": {
        V4: ("address {fault_address:x} error_code {error_code:x}",),
        **since_6_1(
            "vcpu {vcpu_id:u} rip 0x{guest_rip:x} address 0x{fault_address:016x} error_code 0x{error_code:x}"
        ),
    },
    "kvm_age_hva": since_6_1("mmu notifier age hva: 0x{start:014x} -- 0x{end:014x}"),
    "kvm_test_age_hva": since_6_1("mmu notifier test age hva: 0x{hva:014x}"),
    "kvm_pio": everywhere(_PIO, _PIO + "(...)"),
}
"""Event name to its layouts; the second kvm_pio marks more values than the one shown."""
