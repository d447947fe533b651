"""Scans: every trigger numbered, at its place, none missed, none double, beside sensors at their
full rates. The truth about steps and triggers is what the pins did."""
import time

import wire
from rig import Rig, check, same
from samples import check_sensors, follow

LONG = dict(pattern=0, stop=0, fast=0, slow=1, fast_first=200, slow_first=-30, fast_pitch=4,
            slow_pitch=3, columns=400, rows=40, speed=2000.0)


def points(scan, plan):
    """(fast, slow, row, column) of each trigger in the order of making."""
    for row in range(scan["rows"]):
        turned = row * plan["turns"] * scan["turn"] if scan["pattern"] == 2 else 0
        turned = turned if scan["fast_pitch"] > 0 else -turned
        back = scan["pattern"] == 1 and row % 2 == 1
        for k in range(scan["columns"]):
            column = scan["columns"] - 1 - k if back else k
            for _ in range(max(scan.get("repeats", 1), 1)):
                yield (scan["fast_first"] + turned + column * scan["fast_pitch"],
                       scan["slow_first"] + row * scan["slow_pitch"], row, column)


def prepare(rig, frame_ns=1000000, axes=(0, 1), **axis):
    rig.hub.command("do_trigger_set", frame_ns=frame_ns, pulse_ns=1000)
    for each in axes:
        rig.set_axis(each, **axis)
        rig.place(each)
    rig.stage.read()
    rig.stage.position = [0, 0, 0]


def run_scan(rig, scan, limit_s):
    """Loads and runs it to its end. Returns the mark of its beginning, the plan and the time taken."""
    hub = rig.hub
    at = hub.mark()
    rig.stage.read()
    rig.stage.syncs.clear()
    rig.stage.forget_reach()
    plan, _ = wire.PAYLOADS["plan"].unpack(hub.command("do_program_load", **scan).tail)
    began = time.monotonic()
    hub.command("do_program_start")
    ended = hub.wait("program", lambda v: v["state"] in (4, 5), at, limit_s)
    check(ended, f"the scan did not end in {limit_s} s: "
                 f"{[r.values for r in hub.of('program', at)][-1:]}")
    took = time.monotonic() - began
    rig.settle()
    errors = [(wire.ERRORS[r.values["error"]], r.values) for r in hub.of("error", at)]
    same(ended.values["state"], 4, f"state of the scan at its end, after {took:.1f} s, errors {errors}")
    return at, plan, took


def check_scan(rig, scan, at, plan):
    """Records and pins against the plan; returns the number of triggers."""
    rig.stage.read()
    want = list(points(scan, plan))
    same(plan["triggers"], len(want), "triggers of the plan")
    records = rig.hub.of("trigger", at)
    syncs = rig.stage.syncs
    fast, slow = scan["fast"], scan["slow"]
    same(len(syncs), len(want), "pulses on the SYNC pin")
    same(len(records), len(want), "trigger records")
    same([r.values["number"] for r in records], list(range(len(want))), "numbers of the triggers")
    same([(r.values["position"][fast], r.values["position"][slow], r.values["row"],
           r.values["column"]) for r in records], want, "positions, rows and columns recorded")
    same([(s.position[fast], s.position[slow]) for s in syncs], [w[:2] for w in want],
         "positions at SYNC, by the steps on the pins")
    check(all(a.time_ns < b.time_ns for a, b in zip(records, records[1:])), "stamps do not rise")
    same(rig.stage.odd, 0, "edges of STEP and SYNC without one back")
    for axis, planned in ((fast, plan["fast_range"]), (slow, plan["slow_range"])):
        low, high = rig.stage.reach[axis]
        start = rig.stage.start[axis]
        check(min(start, planned[0]) <= low and high <= max(start, planned[1]),
              f"axis {axis} was at {low} to {high}, and not within the plan's {planned} ({start})")
        last = [r for r in rig.hub.of("axis", at) if r.channel == axis][-1]
        same(last.values["position"], rig.stage.position[axis], f"position of axis {axis} at the end")
    status = rig.hub.status()
    same(status.values["dropped_triggers"], 0, "trigger records dropped")
    return len(want), status


def scan(folder):
    """A raster of 40 rows with 400 triggers each, beside IMU 200 Hz, flow 50 Hz, GNSS 10 Hz."""
    with Rig("stm32f405", folder, limit_s=400, pulse=True) as rig:
        rig.wait_running()
        prepare(rig)
        first = follow(rig)
        rig.hub.clear()
        at, plan, took = run_scan(rig, LONG, 240)
        triggers, status = check_scan(rig, LONG, at, plan)
        arrived = check_sensors(rig, first)
        account = rig.accounted()
        same(account.dropped, 0, "records dropped")
        values = status.values
        print(f"  {triggers} triggers of 40 x 400 in {took:.1f} s: none missed, none double, all at"
              f" their steps; {rig.stage.steps[0]} + {rig.stage.steps[1]} steps")
        print(f"  records made {account.made} = received {account.received} + dropped"
              f" {account.dropped}; {rig.hub.bytes} bytes")
        print(f"  samples: {arrived}")
        print(f"  queue at most {values['queue_worst']} of {values['queue_size']} B, triggers waiting"
              f" {values['trigger_worst']}, stack free {values['stack_free']} B, bytes lost"
              f" {values['bytes_lost']}")


SMALL = {
    "serpentine": dict(LONG, pattern=1, columns=50, rows=6, fast_pitch=3, slow_pitch=-2),
    "backwards": dict(LONG, columns=40, rows=4, fast_first=-100, fast_pitch=-5, slow_pitch=7),
    "stop and go": dict(LONG, stop=1, columns=6, rows=3, fast_pitch=25, repeats=3, settle_ms=10),
    "stop and go, serpentine": dict(LONG, pattern=1, stop=1, columns=5, rows=3, fast_pitch=-20,
                                    settle_ms=5),
    "turntable": dict(LONG, pattern=2, fast=2, slow=1, columns=100, rows=4, fast_pitch=8, turn=1600,
                      speed=1500.0),
    "turntable, stop and go": dict(LONG, pattern=2, stop=1, fast=2, slow=0, columns=8, rows=2,
                                   fast_pitch=-100, turn=800, repeats=2),
    "play of both axes": dict(LONG, columns=30, rows=3, fast_backlash=15, slow_backlash=9),
    "one point": dict(LONG, columns=1, rows=1),
    "as fast as axis and radar can": dict(LONG, columns=100, rows=3, speed=0.0),
}


def small_scans(folder):
    """Serpentine, backwards, stop and go, turntable, one point, the fastest: one after the other."""
    for board in ("stm32f405", "mps2-an386"):
        with Rig(board, folder, sensors=()) as rig:
            prepare(rig)
            rig.set_axis(2, endless=1)
            rig.place(2)
            for name, what in SMALL.items():
                at, plan, took = run_scan(rig, what, 60)
                triggers, _ = check_scan(rig, what, at, plan)
                print(f"  {board}, {name}: {triggers} triggers in {took:.1f} s")
            scans = [r.values["scan"] for r in rig.hub.of("program")
                     if r.values["state"] == 4]
            same(scans, list(range(scans[0], scans[0] + len(SMALL))), "numbers of the scans")
            rig.accounted()


def check_period(records, period_ns):
    """Emulated interrupts come late at times, never early: the earliest stamps of the first and of
    the last quarter are a whole number of periods apart."""
    late = [r.time_ns - i * period_ns for i, r in enumerate(records)]
    quarter = len(late) // 4
    off = min(late[-quarter:]) - min(late[:quarter])
    between = (len(late) - quarter) * period_ns
    check(abs(off) < 300000, f"stamps drift: {off / 1e3:.0f} us in {between / 1e9:.1f} s")
    late = sorted(x - min(late) for x in late)
    return (f"drift {1e6 * off / between:+.2f} ppm; half of them within {late[len(late) // 2] / 1e3:.0f}"
            f" us, 95 % within {late[len(late) * 95 // 100] / 1e3:.0f} us, the latest"
            f" {late[-1] / 1e3:.0f} us after the first possible moment")


def period(folder):
    """Triggers by period: every one comes, the stamps keep the period, nothing drifts."""
    with Rig("stm32f405", folder, sensors=()) as rig:
        hub = rig.hub
        hub.command("do_trigger_set", frame_ns=2000000, pulse_ns=1000)
        for period_ns, count in ((20000000, 250), (7777777, 600)):
            at = hub.mark()
            rig.stage.read()
            rig.stage.syncs.clear()
            hub.command("do_trigger_arm", mode=1, period_ns=period_ns, count=count)
            last = hub.wait("trigger", lambda v: v["number"] == count - 1, at, 60)
            errors = [wire.ERRORS[r.values["error"]] for r in hub.of("error", at)]
            check(last, f"trigger {count - 1} did not come; errors {errors}")
            rig.settle(0.2)
            rig.stage.read()
            records = hub.of("trigger", at)
            same([r.values["number"] for r in records], list(range(count)), "numbers")
            same(len(rig.stage.syncs), count, "pulses on SYNC")
            print(f"  {count} triggers every {period_ns / 1e6} ms: {check_period(records, period_ns)}")
        rig.accounted()


CASES = [scan, small_scans, period]
