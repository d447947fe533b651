"""Scans: every trigger numbered, at its place, none missed, none double, beside sensors at their
full rates. The truth about steps and triggers is what the pins did."""
import time

import flow
import gnss
import imu
import wire
from rig import Rig, check, same

LONG = dict(pattern=0, stop=0, fast=0, slow=1, fast_first=200, slow_first=-30, fast_pitch=4,
            slow_pitch=3, columns=400, rows=40, speed=2000.0)


def points(scan):
    """(fast, slow, row, column) of each trigger in the order of making."""
    for row in range(scan["rows"]):
        back = scan["pattern"] == 1 and row % 2 == 1
        for k in range(scan["columns"]):
            column = scan["columns"] - 1 - k if back else k
            for _ in range(max(scan.get("repeats", 1), 1)):
                yield (scan["fast_first"] + column * scan["fast_pitch"],
                       scan["slow_first"] + row * scan["slow_pitch"], row, column)


def prepare(rig, frame_ns=1000000, axes=(0, 1), **axis):
    rig.hub.command("do_trigger_set", frame_ns=frame_ns, pulse_ns=1000)
    for each in axes:
        rig.set_axis(each, **axis)
        rig.place(each)
    rig.stage.read()
    rig.stage.position = [0, 0, 0]


def run_scan(rig, scan, limit_s):
    """Loads and runs it to its end. Returns the mark of its beginning, and how long it took."""
    hub = rig.hub
    at = hub.mark()
    rig.stage.read()
    rig.stage.syncs.clear()
    hub.command("do_program_load", **scan)
    began = time.monotonic()
    hub.command("do_program_start")
    ended = hub.wait("program", lambda v: v["state"] in (4, 5), at, limit_s)
    check(ended, f"the scan did not end in {limit_s} s: "
                 f"{[r.values for r in hub.of('program', at)][-1:]}")
    took = time.monotonic() - began
    rig.settle()
    errors = [(wire.ERRORS[r.values["error"]], r.values) for r in hub.of("error", at)]
    same(ended.values["state"], 4, f"state of the scan at its end, after {took:.1f} s, errors {errors}")
    return at, took


def check_scan(rig, scan, at):
    """Records and pins against the plan; returns the number of triggers."""
    rig.stage.read()
    want = list(points(scan))
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
    for axis in (fast, slow):
        last = [r for r in rig.hub.of("axis", at) if r.channel == axis][-1]
        same(last.values["position"], rig.stage.position[axis], f"position of axis {axis} at the end")
    status = rig.hub.status()
    same(status.values["dropped_triggers"], 0, "trigger records dropped")
    return len(want), status


def follow(rig):
    """Numbers that the sensors have come to: what is sent from here on must arrive. A frame or two
    may be under way."""
    return {name: part.number + 1 for name, part in rig.parts.items()}


# Record, part that makes it, number of a sample in it, and when numbers begin again.
SAMPLES = (("imu", "imu", imu.number_of, imu.SPAN), ("flow", "flow", flow.flow_number, flow.SPAN**2),
           ("range", "flow", flow.range_number, flow.RANGES),
           ("gnss", "gnss", gnss.number_of, gnss.SPAN))


def numbers(records, decode, span):
    """Of the samples that records carry, counted on where the sensor's begin again."""
    found, round_ = [], 0
    for record in records:
        number = decode(record.values)
        check(number is not None and 0 <= number < span, f"a mixed sample: {record.values}")
        number += round_
        if found and number < found[-1] - span // 2:
            round_ += span
            number += span
        found.append(number)
    return found


def check_samples(kind, sent, got, counters):
    """Once each, in order, and all of them."""
    missing = sorted(set(sent) - set(got))
    check(not missing, f"{kind}: {len(missing)} of {len(sent)} samples missing: {missing[:8]} ...;"
                       f" the hub's counters: {counters}")
    check(all(a < b for a, b in zip(got, got[1:])), f"{kind}: samples twice or out of order")


def check_sensors(rig, first):
    """Ends the sensors; every sample they sent since `first` must have arrived, once and whole."""
    for part in rig.parts.values():
        part.end()
    rig.settle(0.6)
    text = []
    for kind, name, decode, span in SAMPLES:
        if name not in rig.parts:
            continue
        part = rig.parts[name]
        records = [r for r in rig.hub.of(kind) if r.channel != 255]
        states = rig.hub.of("sensor", channel=wire.SENSORS.index(name.upper()))
        sent = [n for n in part.numbers if n >= first[name]]
        check(sent, f"{name} sent nothing")
        got = numbers(records, decode, span)
        # A sensor may have begun again in its numbers before the hub first heard it.
        before = (part.numbers[-1] - got[-1]) // span * span if got else 0
        check_samples(kind, sent, [n + before for n in got], states[-1].values if states else {})
        late = f" (late {1e3 * part.latest_s:.0f} ms at most)" if kind == name else ""
        text.append(f"{kind} {len(sent)} of {len(sent)}{late}")
    return "; ".join(text)


SMALL = {
    "serpentine": dict(LONG, pattern=1, columns=50, rows=6, fast_pitch=3, slow_pitch=-2),
    "backwards": dict(LONG, columns=40, rows=4, fast_first=-100, fast_pitch=-5, slow_pitch=7),
    "stop and go": dict(LONG, stop=1, columns=6, rows=3, fast_pitch=25, repeats=3, settle_ms=10),
    "stop and go, serpentine": dict(LONG, pattern=1, stop=1, columns=5, rows=3, fast_pitch=-20,
                                    settle_ms=5),
    "one point": dict(LONG, columns=1, rows=1),
    "as fast as axis and radar can": dict(LONG, columns=100, rows=3, speed=0.0),
}


def small_scans(folder):
    """Serpentine, backwards, stop and go, one point, the fastest: one after the other."""
    for board in ("stm32f405", "mps2-an386"):
        with Rig(board, folder, sensors=()) as rig:
            prepare(rig)
            for name, what in SMALL.items():
                at, took = run_scan(rig, what, 60)
                triggers, _ = check_scan(rig, what, at)
                print(f"  {board}, {name}: {triggers} triggers in {took:.1f} s")
            scans = [r.values["scan"] for r in rig.hub.of("program")
                     if r.values["state"] == 4]
            same(scans, list(range(scans[0], scans[0] + len(SMALL))), "numbers of the scans")
            rig.accounted()


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
            late = [r.time_ns - records[0].time_ns - i * period_ns for i, r in enumerate(records)]
            # The first may itself be late; a line through all has the period as its slope.
            middle = (count - 1) / 2
            mean = sum(late) / count
            slope = (sum((i - middle) * (x - mean) for i, x in enumerate(late))
                     / sum((i - middle) ** 2 for i in range(count)))
            spread = (sum((x - mean - slope * (i - middle)) ** 2
                          for i, x in enumerate(late)) / count) ** 0.5
            ppm = 1e6 * slope / period_ns
            check(abs(slope * count) < 20e6, f"stamps drift from the period by {ppm:.1f} ppm")
            wall = (records[-1].wall - records[0].wall) / (count - 1) / period_ns * 1e9
            print(f"  {count} triggers every {period_ns / 1e6} ms: drift {ppm:+.2f} ppm, spread"
                  f" {spread / 1e3:.0f} us r.m.s., {(max(late) - min(late)) / 1e3:.0f} us from end to"
                  f" end; by the host's clock {1e6 * (wall - 1):+.0f} ppm")
        rig.accounted()


CASES = [scan, small_scans, period]
