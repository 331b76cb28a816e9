"""The statistics once more, by plain string handling: for whole traces of tracefs, one vCPU per thread.

Nothing of kvmlab is used here, and nothing is done as kvmlab does it: a trace is a list, and what belongs
together is looked for by its place in it.
"""


def cut(lines):
    """Return (pid, time, name, text) for each event line; microseconds become ns."""
    found = []
    for line in lines:
        if line.startswith("#") or not line.strip():
            continue
        head, name, text = line.split(": ", 2)
        pid = head.split(" [")[0].strip().split("-")[-1]
        stamp = head.split()[-1]
        time = int(stamp.replace(".", "")) * 1000 if "." in stamp else int(stamp)
        found.append((int(pid), time, name, text.rstrip()))
    return found


def spread(numbers):
    """Return number, sum, smallest and largest, or None."""
    return (len(numbers), sum(numbers), min(numbers), max(numbers)) if numbers else None


def word(text, before):
    """Return the word behind `before`."""
    return text.split(before, 1)[1].split()[0].rstrip(",)")


def delivery(rows):
    """Return which line means that an interrupt was delivered in this trace."""
    names = {name for _, _, name, _ in rows}
    best = [name for name in ("kvm_inj_virq", "kvm_apicv_accept_irq") if name in names]
    return (best or ["kvm_apic_accept_irq"])[0]


def vector(name, text):
    """Return the vector that a line delivers."""
    return int(text.split("0x")[1], 16) if name == "kvm_inj_virq" else int(word(text, "vec "))


def rounds(rows):
    """Return (deadline, time of the write, time of the delivery) for each write of TSC_DEADLINE."""
    lvtt = [text for _, _, name, text in rows if name == "kvm_apic" and "APIC_LVTT" in text]
    end, found = delivery(rows), []
    for place, (_, time, name, text) in enumerate(rows):
        if name != "kvm_msr" or "msr_write 6e0" not in text:
            continue
        exits = [at for at in range(place) if rows[at][2] == "kvm_exit"]
        start, began = (exits[-1], rows[exits[-1]][1]) if exits else (place, time)
        wanted = int(lvtt[0].split("0x")[1], 16) & 255
        ends = [row[1] for row in rows[start:] if row[2] == end and vector(end, row[3]) == wanted]
        found.append((int(text.split("0x")[1], 16), began, ends[0]))
    return end, found


def latency(lines):
    """Return {(from, to): spread} and the interval of the offset; nothing for a trace without the timer."""
    rows = cut(lines)
    end, armed = rounds(rows)
    if not armed:
        return {}, None
    deltas, low, high = [], [], []
    for place, (_, time, name, text) in enumerate(rows):
        if name == "kvm_wait_lapic_expire":
            assert rows[place - 1][2] == "kvm_entry"
            guest = armed[len(deltas)][0] + int(word(text, "delta "))
            deltas.append(int(word(text, "delta ")))
            low.append(guest - time)
            high.append(guest - rows[place - 1][1])
    found = {("arming", end): spread([end_ - began for _, began, end_ in armed])}
    if deltas:
        middle = (max(low) + min(high)) // 2
        found["deadline", "kvm_entry"] = spread(deltas)
        found["deadline", end] = spread([end_ + middle - deadline for deadline, _, end_ in armed])
    return found, (max(low), min(high)) if deltas else None


def exits_per_interrupt(lines):
    """Return {vcpu: (delivered, spread of its own exits, spread of all exits)}; None for no exits."""
    rows = cut(lines)
    end = delivery(rows)
    number = {}
    for pid, _, name, text in rows:
        if name in ("kvm_entry", "kvm_eoi"):
            number[pid] = int(word(text, "vcpu " if name == "kvm_entry" else "apicid "))
    found = {}
    for place, (pid, _, name, text) in enumerate(rows):
        if name == end:
            who = number[pid] if name == "kvm_inj_virq" else int(word(text, "apicid "))
            found.setdefault(who, []).append(place)
    left = [(place, number[row[0]]) for place, row in enumerate(rows) if row[2] == "kvm_exit"]
    result = {}
    for who, places in found.items():
        own, both = [], []
        for begin, end_ in zip(places, places[1:], strict=False):
            between = [whose for place, whose in left if begin < place < end_]
            own.append(between.count(who))
            both.append(len(between))
        result[who] = (len(places), spread(own) if left else None, spread(both) if left else None)
    return result


def eois(lines):
    """Return {(vcpu, vector): (accepted, eois, all answered?, virtualized?)}."""
    rows = cut(lines)
    names = [name for _, _, name, _ in rows]
    found = {}
    for text in [text for _, _, name, text in rows if name == "kvm_apic_accept_irq"]:
        found[int(word(text, "apicid ")), int(word(text, "vec "))] = None
    for vcpu, vec in found:
        accept, eoi = f"apicid {vcpu:x} vec {vec} (", f"apicid {vcpu:x} vector {vec}"
        accepted = [
            at for at, row in enumerate(rows) if names[at] == "kvm_apic_accept_irq" and accept in row[3]
        ]
        ended = [at for at, row in enumerate(rows) if names[at] == "kvm_eoi" and row[3] == eoi]
        virtual = any(row[2] == "kvm_apicv_accept_irq" and accept in row[3] for row in rows)
        answered = bool(ended) and ended[-1] > accepted[-1]
        found[vcpu, vec] = (len(accepted), len(ended), answered, virtual)
    return found


def alarms(lines):
    """Return {pid: (lines, spread of the spans, cancelled, fired)}; spans end at a 0 or a timer exit."""
    rows = cut(lines)
    found = {}
    for pid in {row[0] for row in rows if row[2] == "kvm_hv_timer_state"}:
        own = [row for row in rows if row[0] == pid]
        spans, ends, on = [], [], None
        for place, (_, time, name, text) in enumerate(own):
            if name == "kvm_hv_timer_state" and text.endswith("hv_timer 1") and on is None:
                on = time
            zero = name == "kvm_hv_timer_state" and text.endswith("hv_timer 0")
            timer = name == "kvm_exit" and " reason PREEMPTION_TIMER " in text
            if timer:
                entries = [row for row in own[:place] if row[2] == "kvm_entry"]
                timer = not entries[-1][3].endswith("[immediate exit]")
            if on is not None and (zero or timer):
                spans.append(time - on)
                ends.append("cancelled" if zero else "fired")
                on = None
        count = sum(row[2] == "kvm_hv_timer_state" for row in own)
        found[pid] = (count, spread(spans), ends.count("cancelled"), ends.count("fired"), on)
    return found


NESTED = ("kvm_nested_vmenter", "kvm_nested_vmexit", "kvm_nested_vmexit_inject")


def levels(lines):
    """Return {level: (exits, time running)}, L0's time, reflected exits, and the times of the borders."""
    rows = [row for row in cut(lines) if row[2] in ("kvm_entry", "kvm_exit", *NESTED)]
    exits, running, whole = {1: 0, 2: 0}, {1: 0, 2: 0}, 0
    for pid in {row[0] for row in rows}:
        own = [row for row in rows if row[0] == pid]
        whole += own[-1][1] - own[0][1]
        for place, (_, time, name, _) in enumerate(own):
            if name == "kvm_exit":
                level = 2 if place + 1 < len(own) and own[place + 1][2] == "kvm_nested_vmexit" else 1
                exits[level] += 1
                if place and own[place - 1][2] == "kvm_entry":
                    running[level] += time - own[place - 1][1]
    borders = [row[1] for row in rows if row[2] in ("kvm_nested_vmenter", "kvm_nested_vmexit_inject")]
    told = [word(row[3], "reason: ") for row in rows if row[2] == "kvm_nested_vmexit_inject"]
    both = {level: (exits[level], running[level]) for level in (1, 2)}
    return both, whole - sum(running.values()), told, borders
