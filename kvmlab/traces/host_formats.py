"""The texts of the host's own tracepoints that a KVM trace is read with: interrupts, timers, scheduler.

Sources: arch/x86/include/asm/trace/irq_vectors.h, include/trace/events/{irq,timer,sched,power}.h; recorded
traces; plugins/plugin_sched_switch.c of libtraceevent for trace-cmd.
"""

from kvmlab.traces.dialect import Dialect, Layouts, everywhere

_VECTORS = (
    "local_timer",
    "reschedule",
    "call_function",
    "call_function_single",
    "irq_work",
    "x86_platform_ipi",
    "spurious_apic",
    "error_apic",
)
_HRTIMER_START = (
    "hrtimer={hrtimer:w} function={function:s} expires={expires:d} softexpires={softexpires:d} mode={mode:w}"
)
_WAKEUP = "comm={comm:s} pid={pid:d} prio={prio:d} target_cpu={target_cpu:03d}"
_WAKEUP_BY_PLUGIN = "{comm:s}:{pid:d} [{prio:d}]{success? success=1} CPU:{target_cpu:03d}"
_SWITCH = (
    "prev_comm={prev_comm:s} prev_pid={prev_pid:d} prev_prio={prev_prio:d} prev_state={prev_state:w}"
    " ==> next_comm={next_comm:s} next_pid={next_pid:d} next_prio={next_prio:d}"
)
_SWITCH_BY_PLUGIN = (
    "{prev_comm:s}:{prev_pid:d} [{prev_prio:d}] {prev_state:w} ==> {next_comm:s}:{next_pid:d} [{next_prio:d}]"
)

HOST: dict[str, Layouts] = {
    **{
        f"{vector}_{edge}": everywhere("vector={vector:u}")
        for vector in _VECTORS
        for edge in ("entry", "exit")
    },
    "irq_handler_entry": everywhere("irq={irq:d} name={name:s}"),
    "irq_handler_exit": everywhere("irq={irq:d} ret={ret:w}"),
    "hrtimer_start": everywhere(_HRTIMER_START + " was_armed={was_armed:u}", _HRTIMER_START),
    "hrtimer_expire_entry": everywhere("hrtimer={hrtimer:w} function={function:s} now={now:d}"),
    "hrtimer_expire_exit": everywhere("hrtimer={hrtimer:w}"),
    "hrtimer_cancel": everywhere("hrtimer={hrtimer:w}"),
    "sched_switch": {**everywhere(_SWITCH), Dialect.TRACE_CMD: (_SWITCH_BY_PLUGIN,)},
    "sched_wakeup": {**everywhere(_WAKEUP), Dialect.TRACE_CMD: (_WAKEUP_BY_PLUGIN,)},
    "sched_wakeup_new": {**everywhere(_WAKEUP), Dialect.TRACE_CMD: (_WAKEUP_BY_PLUGIN,)},
    "sched_waking": everywhere(_WAKEUP),
    "sched_migrate_task": everywhere(
        "comm={comm:s} pid={pid:d} prio={prio:d} orig_cpu={orig_cpu:d} dest_cpu={dest_cpu:d}"
    ),
    "cpu_idle": everywhere("state={state:u} cpu_id={cpu_id:u}"),
}
"""Event name to its layouts."""
