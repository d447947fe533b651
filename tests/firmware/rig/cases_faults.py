"""What can go wrong with the parts: each is reported by its name, the rest goes on, and it is over
without a reset when its cause is."""
import time
import zlib

import flow
import gnss
import imu
import wire
from cases_scan import LONG, check_scan, prepare, run_scan
from rig import Rig, check, same
from samples import KEPT_UP_S, check_sensors, follow

RUNNING, SILENT = 2, 3
SENSORS = {"imu": 0, "flow": 1, "gnss": 2}


def going_on(rig, names, seconds=1.0):
    """These sensors still send."""
    at = rig.hub.mark()
    rig.settle(seconds)
    for name in names:
        check(rig.hub.of(name, at, SENSORS[name]), f"{name} stopped as well")


def unplug_one(rig, name):
    hub, part = rig.hub, rig.parts[name]
    channel = SENSORS[name]
    at = hub.mark()
    part.unplug()
    began = time.monotonic()
    error = hub.wait("error", lambda v: (v["error"] == wire.ERRORS.index("SENSOR_SILENT")
                                         and v["source"] == channel and v["latched"]), at, 30)
    check(error, f"{name} unplugged: not reported")
    noticed = time.monotonic() - began
    check(hub.wait("sensor", lambda v: v["state"] == SILENT, at, 20, channel),
          f"{name} unplugged: its state is not silent")
    going_on(rig, [other for other in rig.parts if other != name])
    same("SENSOR_SILENT" in rig.errors(), True, "SENSOR_SILENT latched")
    at = hub.mark()
    part.plug()
    began = time.monotonic()
    check(hub.wait("sensor", lambda v: v["state"] == RUNNING, at, 60, channel),
          f"{name} plugged in: does not run again, "
          f"{[r.values for r in hub.of('sensor', at, channel)][-1:]}")
    back = time.monotonic() - began
    check(hub.wait(name, since=at, timeout=10, channel=channel), f"{name}: no sample after it")
    hub.clear()
    rig.settle(0.5)
    same("SENSOR_SILENT" in rig.errors(), False, "SENSOR_SILENT after it was cleared")
    print(f"  {name}: silence reported after {noticed:.2f} s, runs {back:.2f} s after the plug")


def unplugged(folder):
    """Each sensor unplugged and back, at its factory settings; the others go on."""
    with Rig("stm32f405", folder) as rig:
        rig.wait_running()
        same((rig.imu.running(), rig.gnss.running()), (True, True), "sensors configured")
        for name in rig.parts:
            unplug_one(rig, name)
        check(rig.imu.running() and rig.gnss.running(), "sensors configured again")
        first = follow(rig)
        rig.settle(2)
        print(f"  afterwards: {check_sensors(rig, first)}")
        rig.accounted()


def spoiled(folder):
    """Wrong checksums, packets cut short, garbage between them: counted, and nothing else lost."""
    with Rig("stm32f405", folder) as rig:
        hub = rig.hub
        rig.wait_running()
        for name, part in rig.parts.items():
            rig.settle(0.5)
            before = counters(rig, name)
            rig.bench.latest_s = 0.0
            first = {each: rig.parts[each].number + 1 for each in rig.parts}
            at = hub.mark()
            rig.settle(0.3)
            with part.lock:
                part.wrong_sums = 3
            rig.settle(1.0)
            with part.lock:
                part.cut = 2
            rig.settle(1.0)
            with part.lock:
                part.garbage(200, seed=3)
            rig.settle(1.5)
            after = counters(rig, name)
            sent = [n for n in part.numbers if n >= first[name]]
            got = {DECODE[name](r.values) for r in hub.of(name, at, SENSORS[name])}
            lost = [n for n in sent[:-3] if n % SPANS[name] not in got]
            same(after["checksum"] - before["checksum"] >= 3, True,
                 f"{name}: wrong checksums counted ({after['checksum'] - before['checksum']})")
            # A packet cut short takes the next along at most, and so does garbage.
            counted = sum(after[each] - before[each] for each in ("checksum", "resyncs"))
            check(len(lost) <= 4 or rig.bench.latest_s > KEPT_UP_S and len(lost) <= counted,
                  f"{name}: {len(lost)} good samples lost with 6 spoiled ones, {counted} counted")
            same(after["silences"], before["silences"], f"{name}: silences")
            print(f"  {name}: 3 wrong sums, 2 cut, 200 B of garbage: checksum errors"
                  f" +{after['checksum'] - before['checksum']}, lost its place"
                  f" +{after['resyncs'] - before['resyncs']}; {len(lost)} good samples lost with"
                  f" them of {len(sent)}")
        rig.accounted()


def counters(rig, name):
    """Of the sensor, now: turning it off and on would start it anew, so wait for the next."""
    record = rig.hub.wait("sensor", since=rig.hub.mark(), timeout=8, channel=SENSORS[name])
    check(record, f"no counters of {name}")
    return record.values


DECODE = {"imu": imu.number_of, "flow": flow.flow_number, "gnss": gnss.number_of}
SPANS = {"imu": imu.SPAN, "flow": flow.SPAN ** 2, "gnss": gnss.SPAN}


def receivers(folder):
    """GNSS receivers of the older kind, that refuse, and that never answer."""
    for answers, runs in (("old", True), ("no", False), ("none", False)):
        with Rig("stm32f405", folder, sensors=("imu",)) as rig:
            rig.plug_in("gnss", gnss.Gnss(rig.board.port["GNSS"], answers))
            record = rig.hub.wait("sensor", lambda v: v["state"] == RUNNING, channel=2,
                                  timeout=25 if runs else 12)
            same(record is not None, runs, f"receiver that answers {answers}: runs")
            going_on(rig, ["imu"])
            rig.alive(answers)
            print(f"  answers {answers}: {'runs' if runs else 'does not run'}, asked"
                  f" {len(rig.gnss.asked)} times; the IMU goes on")


CFG = (b"% a radar's configuration\r\nsensorStop\nflushCfg\ndfeDataOutputMode 1\nchannelCfg 15 3 0\n"
       b"adcCfg 2 1\nprofileCfg 0 77 7 7 58 0 0 68 1 256 5500 0 0 30\nchirpCfg 0 0 0 0 0 0 0 1\n"
       b"frameCfg 0 0 16 0 40 2 0\n\n  lowPower 0 0\nsensorStart\n")


def run_cfg(rig, cfg=CFG, timeout_ms=1000, limit_s=60):
    """Sends a .cfg in pieces and runs it; the record that ends it."""
    hub = rig.hub
    for offset in range(0, len(cfg), 150):
        hub.command("do_radar_text", cfg[offset:offset + 150], offset=offset)
    at = hub.mark()
    hub.command("do_radar_run", bytes=len(cfg), crc=zlib.crc32(cfg), timeout_ms=timeout_ms)
    end = hub.wait("radar", lambda v: v["state"] in (3, 4, 5, 6), at, limit_s)
    check(end, "the radar's .cfg does not end")
    return end


def radar(folder):
    """The radar silent, refusing a line, not knowing one, reset: reported with line and text."""
    with Rig("stm32f405", folder, sensors=("imu",)) as rig:
        hub = rig.hub
        end = run_cfg(rig)
        same((end.values["state"], end.values["lines"]), (3, 10), "state and lines of a good .cfg")
        same(rig.radar.started, True, "the radar runs")
        took = end.values["took_ms"]

        at = hub.mark()
        rig.radar.refused = "profileCfg"
        end = run_cfg(rig)
        same((wire.RADAR_STATES[end.values["state"]], end.values["line"]), ("REFUSED", 7), "refused")
        same(end.tail, b"profileCfg 0 77 7 7 58 0 0 68 1 256 5500 0 0 30", "text of the line")
        check(hub.wait_error("RADAR_REFUSED", since=at), "RADAR_REFUSED is not reported")
        check(hub.wait("radar_text", since=at, timeout=1) and
              b"Error -1" in [r.tail for r in hub.of("radar_text", at)], "the radar's own words")
        rig.radar.refused = None
        same(hub.of("error", at)[-1].values["value"], 7, "line in the error")

        at = hub.mark()
        end = run_cfg(rig, CFG.replace(b"lowPower", b"lowPwoer"))
        same((end.values["state"], end.values["line"], end.tail), (4, 11, b"lowPwoer 0 0"), "unknown")
        hub.clear()

        at = hub.mark()
        rig.radar.silent = True
        end = run_cfg(rig, timeout_ms=400)
        same((wire.RADAR_STATES[end.values["state"]], end.values["line"], end.tail),
             ("SILENT", 2, b"sensorStop"), "silent")
        check(hub.wait_error("RADAR_SILENT", since=at), "RADAR_SILENT is not reported")
        check(350 <= end.values["took_ms"] <= 700, f"time-out of 400 ms took {end.values['took_ms']}")
        going_on(rig, ["imu"], 0.5)
        rig.radar.silent = False

        rig.stage.read()
        rig.stage.resets.clear()
        at = hub.mark()
        hub.command("do_radar_reset", sop=1, low_ms=20)
        for _ in range(500):
            if rig.stage.read().resets[-1:] == [1]:
                break
            time.sleep(0.02)
        same(rig.stage.resets, [0, 1], "levels of the radar's reset")
        same(rig.stage.sop, [1, 0, 0], "boot mode at its release")
        rig.radar.boot()
        check(hub.wait("radar", lambda v: v["state"] in (0, 3), at, 30), "reset does not end")
        hub.clear()
        end = run_cfg(rig)
        same((end.values["state"], end.values["lines"]), (3, 10), "a .cfg after all that")
        same([e for e in rig.errors() if "RADAR" in e], [], "errors of the radar at the end")
        rig.accounted()
        print(f"  10 lines in {took} ms; refused line 7, unknown line 11, silent at line 2, reset: each"
              " reported with its text, and the .cfg runs afterwards")


def limit_switch(folder):
    """A limit switch stops its axis and nothing else; homing; a scan broken off by it."""
    with Rig("stm32f405", folder, sensors=("imu",)) as rig:
        hub = rig.hub
        prepare(rig)
        rig.set_axis(0, switches=3, home=-1, home_speed=500.0, home_slow=100.0, home_back=20,
                     home_travel=4000, home_position=-5)
        rig.place(0)
        rig.stage.read().position[0] = 0
        at = hub.mark()
        hub.command("do_axis_move", channel=0, target=6000, speed=1000.0)
        hub.command("do_axis_move", channel=1, target=1500, speed=1000.0)
        rig.settle(0.6)
        rig.board.inject("LIMIT_X_HIGH", 1)
        error = hub.wait_error("AXIS_LIMIT", since=at)
        check(error, "the switch is not reported")
        same(error.values["source"], 0, "axis in the error")
        check(hub.wait("axis", lambda v: v["position"] == 1500 and v["state"] == 0, at, 30, 1),
              "the other axis does not go on")
        rig.settle(0.3)
        stopped = hub.of("axis", at, 0)[-1].values
        rig.stage.read()
        same(stopped["position"], rig.stage.position[0], "position after the switch, and steps")
        check(0 < stopped["position"] < 6000, f"stopped at {stopped['position']}")
        reply = hub.try_command("do_axis_move", channel=0, target=6000)
        same(wire.RESULTS[reply.result], "LATCHED", "a move on into the switch")
        rig.board.inject("LIMIT_X_HIGH", 0)
        hub.clear()
        rig.move(0, 0)
        rig.stage.read()
        same(rig.stage.position[0], 0, "steps back to 0")
        same("AXIS_LIMIT" in rig.errors(), False, "AXIS_LIMIT at the end")
        print(f"  switch at {error.values['value']}, stood at {stopped['position']}; back at 0")
        home(rig)
        broken_off(rig)
        other_axis(rig)
        rig.accounted()


def home(rig):
    """Homing to the low end: the switch is at -200 by the steps on the pins."""
    hub = rig.hub
    at = hub.mark()
    hub.command("do_axis_home", channel=0)
    pressed, closings = False, []
    end = time.monotonic() + 120
    while time.monotonic() < end:
        now = rig.stage.read().position[0]
        if (now <= -200) != pressed:
            pressed = not pressed
            rig.board.inject("LIMIT_X_LOW", int(pressed))
            closings += [now] if pressed else []
        if hub.wait("axis", lambda v: v["state"] == 0 and v["placed"], at, 0.0005, 0):
            break
    last = hub.of("axis", at, 0)[-1].values
    errors = [wire.ERRORS[r.values["error"]] for r in hub.of("error", at)]
    same((last["state"], last["placed"]), (0, 1), f"state after homing, errors {errors}")
    rig.settle(0.1)
    rig.stage.read()
    print(f"  homed: switch closed at {closings} by the pins, stands at {rig.stage.position[0]},"
          f" calls it {last['position']}")
    # The emulated switch is as late as the log is read: a tenth of a second at 100 steps/s.
    off = rig.stage.position[0] - last["position"]
    check(abs(off + 195) < 60, f"position after homing is off by {off + 195} steps")
    rig.board.inject("LIMIT_X_LOW", 0)
    hub.clear()


def broken_off(rig):
    """The switch amid a scan: scan, axis and reason are reported; the next scan is whole."""
    hub = rig.hub
    hub.command("do_axis_place", channel=0, position=0)
    hub.command("do_axis_place", channel=1, position=0)
    rig.stage.read().position = [0, 0, 0]
    what = dict(LONG, columns=200, rows=4)
    at = hub.mark()
    hub.command("do_program_load", **what)
    hub.command("do_program_start")
    check(hub.wait("trigger", lambda v: v["number"] == 250, at, 60), "the scan does not run")
    rig.board.inject("LIMIT_X_HIGH", 1)
    ended = hub.wait("program", lambda v: v["state"] == 5, at, 30)
    check(ended, "the scan goes on")
    for name in ("AXIS_LIMIT", "PROGRAM_ABORTED"):
        check(hub.wait_error(name, since=at), f"{name} is not reported")
    same(wire.ERRORS[ended.values["error"]], "AXIS_LIMIT", "reason in the scan's record")
    rig.settle(0.3)
    rig.stage.read()
    records = hub.of("trigger", at)
    same([r.values["number"] for r in records], list(range(len(records))), "triggers until then")
    same(len(rig.stage.syncs), len(records), "pulses until then")
    same([r.values["position"][0] for r in records], [s.position[0] for s in rig.stage.syncs],
         "their positions")
    rig.board.inject("LIMIT_X_HIGH", 0)
    hub.clear()
    same(hub.status().values["errors"] & 0x1FF, 0, "errors after the clear")
    at, plan, _ = run_scan(rig, what, 60)
    triggers, _ = check_scan(rig, what, at, plan)
    print(f"  a scan broken off after {len(records)} triggers; the next one has all {triggers}")


def other_axis(rig):
    """The switch of the slow axis between two rows: the error names that axis and no other."""
    hub = rig.hub
    rig.set_axis(1, switches=3, speed=500.0)
    for axis in (0, 1):
        rig.place(axis)
    rig.stage.read().position = [0, 0, 0]
    at = hub.mark()
    hub.command("do_program_load", **dict(LONG, columns=5, rows=3, slow_first=0, slow_pitch=2000))
    hub.command("do_program_start")
    end = time.monotonic() + 60
    while rig.stage.read().position[1] < 100 and time.monotonic() < end:
        time.sleep(0.01)
    rig.board.inject("LIMIT_Y_HIGH", 1)
    ended = hub.wait("program", lambda v: v["state"] == 5, at, 30)
    check(ended, "the scan goes on after the slow axis' switch")
    rig.settle()
    sources = [r.values["source"] for r in hub.of("error", at)
               if r.values["error"] == wire.ERRORS.index("AXIS_LIMIT")]
    same(sources, [1], "axes in the errors of the switch")
    rig.board.inject("LIMIT_Y_HIGH", 0)
    hub.clear()


def emergency(folder):
    """Emergency stop by its button amid a scan: all stands at once, and nothing moves before release."""
    with Rig("stm32f405", folder) as rig:
        hub = rig.hub
        rig.wait_running()
        prepare(rig)
        what = dict(LONG, columns=300, rows=3)
        at = hub.mark()
        hub.command("do_program_load", **what)
        hub.command("do_program_start")
        check(hub.wait("trigger", lambda v: v["number"] == 100, at, 60), "the scan does not run")
        rig.board.inject("EMERGENCY_STOP", 1)
        check(hub.wait_error("EMERGENCY_STOP", since=at), "the stop is not reported")
        ended = hub.wait("program", lambda v: v["state"] == 5, at, 30)
        check(ended, "the scan is not broken off")
        rig.settle(0.3)
        steps = list(rig.stage.read().steps)
        going_on(rig, rig.parts)
        rig.stage.read()
        same(rig.stage.steps, steps, "steps after the stop")
        same(hub.status().values["emergency"], 1, "emergency in the status")
        for name in ("AXIS_PLACE", "PROGRAM_ABORTED"):
            check(hub.wait_error(name, since=at), f"{name} is not reported")
        for command, values in (("do_axis_move", dict(target=100)), ("do_program_start", {}),
                                ("do_trigger_arm", dict(mode=0))):
            got = wire.RESULTS[hub.try_command(command, **values).result]
            check(got in ("LATCHED", "PLACE"), f"{command} during the stop: {got}")
        rig.board.inject("EMERGENCY_STOP", 0)
        rig.settle(0.2)
        hub.command("do_emergency", stop=0)
        hub.clear()
        same(hub.status().values["emergency"], 0, "emergency after the release")
        same(wire.RESULTS[hub.try_command("do_program_load", **what).result], "PLACE",
             "a scan before the place is known")
        for axis in (0, 1):
            rig.place(axis)
        rig.stage.read().position = [0, 0, 0]
        at, plan, _ = run_scan(rig, what, 60)
        triggers, _ = check_scan(rig, what, at, plan)
        same(hub.of("hello")[-1].values["starts"], 1, "starts")
        print(f"  stopped after {sum(steps)} steps, none after; released, {triggers} triggers, no"
              " reset")
        rig.accounted()


CASES = [unplugged, spoiled, receivers, radar, limit_switch, emergency]
