import json
import pytest
from kvmlab.cli import main
from kvmlab.machine.state import Layout
from kvmlab.machine.step import Step, block, loop
from kvmlab.machine.system import Actor, System
from kvmlab.schedulers.clock import Clock, Profile, clocked
from kvmlab.schedulers.readable import fewest_switches

def test_two_threads_on_one_cpu_wait_for_each_other():
    """A step occupies its CPU: the handler on the same CPU starts when the slow step ends."""
    lay = Layout(); top, hit = lay.add("top"), lay.add("hit")
    def raise_(s, me): s[hit] = 1
    def take(s, me): s[hit] = 2
    slow = Step("SLOW", raise_); irq = Step("TAKE", take, lambda s, me: s[hit] == 1, preempts=True)
    sy = System(lay, [Actor("v", "v", block("p", slow), None, top, 0), Actor("h", "h", block("q", irq), None, top, 1)])
    assert [(t.label, t.time) for t in clocked(sy, Profile("x", {"SLOW": 50})).steps] == [("v:SLOW", 0), ("h:TAKE", 50)]

def test_time_stops_at_a_deadline_before_a_later_step():
    """A deadline at or before the next start comes first, though somebody could go on."""
    lay = Layout(); now = lay.add("now"); due = lay.add("due", 20, deadline=True)
    def fire(s, me): s[due] = -1
    work = [Step(f"W{i}", lambda s, me: None) for i in range(3)]
    sy = System(lay, [Actor("w", "w", block("p", *work), None), Actor("a", "alarm", block("q", Step("RING", fire, lambda s, me: 0 <= s[due] <= s[now])), None)])
    got = [(t.label, t.time) for t in Clock(sy, Profile("x", {}, 15), now=now).steps(9)]
    assert got == [("w:W0", 0), ("w:W1", 15), ("a:RING", 20), ("w:W2", 30)]

def test_the_calmest_of_the_shortest():
    """a2 waits for b1: a b a b is found first, b b a a switches least."""
    lay = Layout(); x, y = lay.add("x"), lay.add("y")
    def inc(c):
        def fn(s, me): s[c] += 1
        return fn
    a = block("a", Step("A1", inc(x)), Step("A2", inc(x), lambda s, me: s[y]))
    sy = System(lay, [Actor("a", "a", a, None), Actor("b", "b", block("b", Step("B1", inc(y)), Step("B2", inc(y))), None)])
    assert fewest_switches(sy, lambda s: s[x] == 2 and s[y] == 2, 4) == "bbaa"

def js(capsys, *w):
    code = main((*w, "--json")); return code, json.loads(capsys.readouterr().out)

def test_run_options_do_what_they_say(capsys):
    """--seed draws, --inject fixes the choice, a property broken on the way counts."""
    base = ("run", "immediate-exit", "--kernel", "v3.2")
    assert len({js(capsys, *base, "--seed", str(n))[1]["schedule"] for n in range(5)}) > 1
    assert js(capsys, *base, "--inject", "yes")[1]["steps"][0]["step"] == "m:VMRESUME+0x31"
    assert js(capsys, *base, "--inject", "no")[1]["steps"][0]["step"] == "m:VMRESUME"
    code, run = js(capsys, *base, "--inject", "no")
    assert (code, run["verdict"], run["steps"][-1]["step"]) == (1, "violated", "m:L1.HANDLER")
