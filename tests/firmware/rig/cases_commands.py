"""Boots, identifies itself and answers every command: good, too short, with a bad value, in the
wrong state, and unknown ones."""
import struct
import zlib

import wire
from rig import Rig, check, same

AXIS = dict(speed=1000.0, acceleration=20000.0, jerk=1000000.0, low=0, high=0)
SCAN = dict(pattern=0, stop=0, fast=0, slow=1, fast_first=100, slow_first=10, fast_pitch=4,
            slow_pitch=2, columns=5, rows=2, speed=400.0)
ARM = dict(mode=1, period_ns=20000000, count=3)
CFG = b"% comment\nsensorStop\nflushCfg\n\nframeCfg 0 1 4 0 1 2 0\n"


def result(hub, name, tail=b"", **values):
    reply = hub.try_command(name, tail, **values)
    kind = wire.PAYLOADS[name].kind if isinstance(name, str) else name
    same(reply.command, kind, "command that the reply names")
    check(reply.result < len(wire.RESULTS), f"{name}: result {reply.result}")
    return wire.RESULTS[reply.result], reply


def expect(hub, want, name, tail=b"", detail=None, **values):
    got, reply = result(hub, name, tail, **values)
    same(got, want, f"{wire.name_of(name) if isinstance(name, int) else name} {values or ''}")
    if detail is not None:
        same(reply.detail, detail, f"{name} {values}: detail")
    return reply


def before_hello(hub):
    for name in wire.PAYLOADS:
        if name.startswith("do_") and name not in ("do_hello", "do_emergency"):
            payload = wire.PAYLOADS[name]
            expect(hub, "VERSION", name, raw=bytes(payload.packer.size + (payload.tail != "")))
    expect(hub, "VERSION", "do_hello", major=wire.MAJOR + 1, minor=0)


def identity(rig, board):
    hello = rig.hello
    same((hello["major"], hello["minor"]), (wire.MAJOR, wire.MINOR), "version")
    same(wire.text(hello["board"]), board, "board")
    check(wire.text(hello["firmware"]), "no version of the firmware")
    same(hello["axes"], 3, "axes")
    same(hello["reset"], wire.RESETS.index("POWER"), "reason of the start")
    check(hello["flags"] & 1, "does not say that it is emulated")
    same(hello["starts"], 1, "starts")
    first = rig.hub.of("hello")[0]
    same(first.sequence, 0, "number of the first record")
    print(f"  {board}: firmware {wire.text(hello['firmware'])}, {hello['count_hz']} counts/s,"
          f" {hello['tick_hz']} ticks/s, {hello['radar_bytes']} B for a .cfg")


def too_short_and_unknown(hub):
    short = 0
    for name, payload in wire.PAYLOADS.items():
        if name.startswith("do_") and payload.packer.size:
            for size in {0, payload.packer.size - 1}:
                expect(hub, "LENGTH", name, raw=bytes(size))
                short += 1
    expect(hub, "LENGTH", "do_radar_line")
    known = {payload.kind for name, payload in wire.PAYLOADS.items() if name.startswith("do_")}
    unknown = [kind for kind in range(256) if kind not in known]
    for kind in unknown:
        expect(hub, "UNKNOWN", kind)
    print(f"  {short + 1} too short, {len(unknown)} unknown: each refused by name")


def link_commands(rig):
    hub = rig.hub
    for n in (0, 1, 100, wire.PAYLOAD_MAX - 8):
        tail = bytes(i * 7 % 256 for i in range(n))
        same(expect(hub, "DONE", "do_echo", tail).tail, tail, f"echo of {n} bytes")
    expect(hub, "FULL", "do_echo", bytes(wire.PAYLOAD_MAX - 7))
    times = [struct.unpack("<Q", expect(hub, "DONE", "do_time").tail)[0] for _ in range(3)]
    check(times[0] < times[1] < times[2], f"time does not go on: {times}")
    at = hub.mark()
    expect(hub, "DONE", "do_status")
    check(hub.wait("status", since=at), "no status when asked")
    # A command that comes twice with the same number is answered twice and carried out once.
    expect(hub, "DONE", "do_streams", off=0, status_ms=0, axis_ms=100)
    rig.settle(0.2)
    at = hub.mark()
    number = hub.send("do_status")
    hub.send("do_status", sequence=number)
    rig.settle(0.5)
    same(len(hub.of("reply", at)), 2, "answers to a command sent twice")
    same(len(hub.of("status", at)), 1, "statuses for a command sent twice")
    expect(hub, "DONE", "do_streams", off=0, status_ms=200, axis_ms=50)
    # A newer host's fields after those known are passed over.
    expect(hub, "DONE", "do_streams", raw=struct.pack("<IHH", 0, 200, 50) + b"newer fields")
    check(hub.wait("status", since=hub.mark(), timeout=3), "no status every 200 ms")
    expect(hub, "DONE", "do_clear", errors=0xFFFFFFFF)
    expect(hub, "DONE", "do_crash", forget=0)
    expect(hub, "DONE", "do_crash", forget=1)
    expect(hub, "VALUE", "do_crash", forget=2, detail=0)
    expect(hub, "VALUE", "do_restart", magic=1, detail=0)
    expect(hub, "VALUE", "do_inject", magic=1, fault=3, detail=0)
    expect(hub, "VALUE", "do_inject", magic=wire.MAGIC, fault=99, detail=1)
    expect(hub, "DONE", "do_inject", magic=wire.MAGIC, fault=wire.FAULT_STALL, value=20)


def axis_commands(rig):
    hub = rig.hub
    far = 3
    for name in ("do_axis_set", "do_axis_move", "do_axis_stop", "do_axis_home", "do_axis_place",
                 "do_axis_enable"):
        values = AXIS if name == "do_axis_set" else {}
        expect(hub, "CHANNEL", name, channel=far, **values)
    for axis in range(3):
        expect(hub, "DONE", "do_axis_set", channel=axis, **AXIS)
    nan = float("nan")
    for field, bad in (("speed", -1.0), ("speed", nan), ("acceleration", nan), ("jerk", -5.0),
                       ("home", 2), ("home_back", -1), ("home_speed", nan)):
        expect(hub, "VALUE", "do_axis_set", channel=0, **{**AXIS, field: bad})
    expect(hub, "VALUE", "do_axis_set", channel=0, **{**AXIS, "low": 5, "high": -5})
    expect(hub, "SPEED", "do_axis_set", channel=0, **{**AXIS, "speed": 1e6})
    expect(hub, "VALUE", "do_axis_enable", channel=0, on=2, detail=0)
    expect(hub, "DONE", "do_axis_enable", channel=0, on=1)
    expect(hub, "ABSENT", "do_axis_home", channel=0)
    expect(hub, "DONE", "do_axis_place", channel=0, position=-20)
    expect(hub, "VALUE", "do_axis_move", channel=0, target=100, speed=nan, detail=1)
    expect(hub, "SPEED", "do_axis_move", channel=0, target=100, speed=5000.0)
    expect(hub, "DONE", "do_axis_set", channel=0, **{**AXIS, "low": -100, "high": 100})
    expect(hub, "DONE", "do_axis_place", channel=0, position=-20)
    expect(hub, "LIMIT", "do_axis_move", channel=0, target=101)
    rig.move(0, 60)
    at = hub.mark()
    expect(hub, "DONE", "do_axis_move", channel=0, target=-100, speed=50.0)
    expect(hub, "STATE", "do_axis_place", channel=0, position=0)
    expect(hub, "STATE", "do_axis_move", channel=0, target=0)
    expect(hub, "STATE", "do_axis_set", channel=0, **AXIS)
    expect(hub, "DONE", "do_axis_stop", channel=0)
    stopped = hub.wait("axis", lambda v: v["state"] == 0, at, channel=0)
    check(stopped and -100 < stopped.values["position"] <= 60, f"not stopped: {stopped}")
    same(stopped.values["placed"], 1, "position known after a stop")
    rig.stage.read()
    same(rig.stage.position[0] - 20, stopped.values["position"], "position by the pins")


def trigger_commands(rig):
    hub = rig.hub
    expect(hub, "SPEED", "do_trigger_arm", **ARM)  # the radar's frame time is not known yet
    expect(hub, "VALUE", "do_trigger_set", frame_ns=1000000, pulse_ns=500)
    expect(hub, "VALUE", "do_trigger_set", frame_ns=1000000, pulse_ns=20000)
    expect(hub, "DONE", "do_trigger_set", frame_ns=5000000, pulse_ns=1000)
    expect(hub, "VALUE", "do_trigger_arm", **{**ARM, "mode": 9}, detail=0)
    expect(hub, "VALUE", "do_trigger_arm", **{**ARM, "axis": 9}, detail=1)
    expect(hub, "VALUE", "do_trigger_arm", **{**ARM, "period_ns": 1 << 40}, detail=3)
    expect(hub, "SPEED", "do_trigger_arm", **{**ARM, "period_ns": 4000000})
    at = hub.mark()
    expect(hub, "DONE", "do_trigger_arm", mode=0)
    check(hub.wait("trigger", since=at), "no record of the one trigger")
    at = hub.mark()
    expect(hub, "DONE", "do_trigger_arm", **{**ARM, "count": 0})
    expect(hub, "STATE", "do_trigger_arm", **ARM)
    expect(hub, "STATE", "do_trigger_set", frame_ns=1000000, pulse_ns=1000)
    expect(hub, "STATE", "do_inject", magic=wire.MAGIC, fault=wire.FAULT_STALL, value=1)
    check(hub.wait("trigger", lambda v: v["number"] == 4, at), "triggers by period do not come")
    expect(hub, "DONE", "do_trigger_stop")
    rig.settle(0.2)
    records = hub.of("trigger")
    rig.stage.read()
    same(len(rig.stage.syncs), len(records), "pulses on SYNC, and records of them")
    expect(hub, "DONE", "do_axis_place", channel=0, position=0)
    expect(hub, "DONE", "do_trigger_arm", mode=2, axis=0, first=20, pitch=8, count=5)
    at = hub.mark()
    rig.move(0, 80, speed=200.0)
    rig.settle(0.1)
    same([r.values["position"][0] for r in hub.of("trigger", at)], [20, 28, 36, 44, 52],
         "positions of the triggers")


def program_commands(rig):
    hub = rig.hub
    expect(hub, "STATE", "do_program_start")
    for field, bad in (("pattern", 9), ("stop", 2), ("fast", 7), ("slow", 0), ("columns", 0),
                       ("rows", 0), ("speed", float("nan"))):
        expect(hub, "VALUE", "do_program_load", **{**SCAN, field: bad})
    expect(hub, "PLACE", "do_program_load", **SCAN)  # axis 1 has not been placed yet
    expect(hub, "DONE", "do_axis_set", channel=1, **AXIS)
    expect(hub, "DONE", "do_axis_enable", channel=1, on=1)
    expect(hub, "DONE", "do_axis_place", channel=1, position=0)
    expect(hub, "SPEED", "do_program_load", **{**SCAN, "speed": 900.0, "fast_pitch": 1})
    expect(hub, "DONE", "do_axis_set", channel=0, **AXIS)
    expect(hub, "DONE", "do_axis_place", channel=0, position=0)
    expect(hub, "DONE", "do_program_load", **SCAN)
    at = hub.mark()
    expect(hub, "DONE", "do_program_start")
    expect(hub, "STATE", "do_program_start")
    expect(hub, "STATE", "do_program_load", **SCAN)
    expect(hub, "STATE", "do_axis_move", channel=0, target=0)
    expect(hub, "STATE", "do_trigger_arm", **ARM)
    check(hub.wait("program", lambda v: v["state"] == 4, at, 60), "the scan does not end")
    same(len(hub.of("trigger", at)), 10, "triggers of the scan")
    expect(hub, "DONE", "do_program_load", **SCAN)
    at = hub.mark()
    expect(hub, "DONE", "do_program_start")
    expect(hub, "DONE", "do_program_abort")
    check(hub.wait("program", lambda v: v["state"] == 5, at, 30), "the scan is not broken off")
    expect(hub, "DONE", "do_clear", errors=0xFFFFFFFF)


def emergency_commands(hub):
    expect(hub, "VALUE", "do_emergency", stop=2, detail=0)
    expect(hub, "DONE", "do_emergency", stop=1)
    check(hub.wait_error("EMERGENCY_STOP"), "emergency stop is not reported")
    expect(hub, "LATCHED", "do_axis_move", channel=0, target=1000)
    expect(hub, "DONE", "do_emergency", stop=0)
    hub.clear()
    expect(hub, "PLACE", "do_program_load", **SCAN)


def sensor_commands(hub, board):
    expect(hub, "CHANNEL", "do_sensor_set", channel=4, on=1)
    expect(hub, "VALUE", "do_sensor_set", channel=0, on=2, detail=0)
    for sensor in range(3):
        for on in (0, 1):
            expect(hub, "DONE", "do_sensor_set", channel=sensor, on=on)
    expect(hub, "DONE" if board == "stm32f405" else "ABSENT", "do_sensor_set", channel=3, on=0)


def radar_commands(rig):
    hub = rig.hub
    expect(hub, "VALUE", "do_radar_run", bytes=5, crc=0)
    expect(hub, "DONE", "do_radar_text", CFG[:20], offset=0)
    expect(hub, "VALUE", "do_radar_text", CFG[20:], offset=21)
    expect(hub, "DONE", "do_radar_text", CFG[20:], offset=20)
    expect(hub, "VALUE", "do_radar_run", bytes=len(CFG), crc=0)
    at = hub.mark()
    expect(hub, "DONE", "do_radar_run", bytes=len(CFG), crc=zlib.crc32(CFG))
    done = hub.wait("radar", lambda v: v["state"] == 3, at)
    check(done, "the .cfg is not done")
    same(done.values["lines"], 3, "lines of the .cfg")
    same(rig.radar.lines, ["sensorStop", "flushCfg", "frameCfg 0 1 4 0 1 2 0"], "the radar heard")
    at = hub.mark()
    expect(hub, "DONE", "do_radar_line", b"version")
    check(hub.wait("radar", lambda v: v["state"] == 3, at), "the line is not done")
    same([r.tail for r in hub.of("radar_text", at) if b"SDK" in r.tail],
         [b"mmWave SDK Version: 02.01.00.04"], "what the radar printed")
    expect(hub, "VALUE", "do_radar_line", b"two\nlines")
    big = bytes(200)
    room = rig.hello["radar_bytes"]
    for offset in range(0, room - 200, 200):
        expect(hub, "DONE", "do_radar_text", big, offset=offset)
    expect(hub, "FULL", "do_radar_text", big, offset=(room - 200 + 199) // 200 * 200)
    rig.radar.silent = True
    expect(hub, "DONE", "do_radar_line", b"sensorStop")
    expect(hub, "STATE", "do_radar_line", b"sensorStop")
    expect(hub, "STATE", "do_radar_text", b"x", offset=0)
    expect(hub, "STATE", "do_radar_run", bytes=0, crc=0)
    at = hub.mark()
    expect(hub, "DONE", "do_radar_cancel")
    check(hub.wait("radar", lambda v: v["state"] == 6, at), "not cancelled")
    rig.radar.silent = False
    expect(hub, "VALUE", "do_radar_reset", sop=2)
    expect(hub, "DONE", "do_radar_reset", sop=1, low_ms=5)


def restart(rig):
    hub = rig.hub
    account = rig.accounted()
    at = hub.mark()
    expect(hub, "DONE", "do_restart", magic=wire.MAGIC)
    hello = hub.wait("hello", since=at, timeout=30)
    check(hello, "no hello after a restart")
    same(hello.values["reset"], wire.RESETS.index("SOFTWARE"), "reason of the start")
    same(hello.values["starts"], 2, "starts")
    same(hello.sequence, 0, "number of the first record after a restart")
    expect(hub, "VERSION", "do_status")
    hub.hello()
    return account


def commands(board, folder):
    with Rig(board, folder, sensors=(), greet=False) as rig:
        hub = rig.hub
        check(hub.wait("hello", timeout=20), "no hello at the start")
        before_hello(hub)
        rig.hello = hub.hello()
        identity(rig, board)
        too_short_and_unknown(hub)
        link_commands(rig)
        expect(hub, "VALUE", "do_axis_move", channel=0, target=10)  # not set up yet
        axis_commands(rig)
        trigger_commands(rig)
        program_commands(rig)
        emergency_commands(hub)
        sensor_commands(hub, board)
        radar_commands(rig)
        account = restart(rig)
        print(f"  {board}: {hub.sequence} commands answered; records made {account.made},"
              f" received {account.received}, dropped {account.dropped}")


def commands_stm32f405(folder):
    """Boots, identifies itself, answers every command: STM32F405."""
    commands("stm32f405", folder)


def commands_mps2_an386(folder):
    """Boots, identifies itself, answers every command: MPS2 AN386."""
    commands("mps2-an386", folder)


CASES = [commands_stm32f405, commands_mps2_an386]
