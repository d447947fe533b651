"""Sensors at their full rates without loss; overload is counted, bounded, and over when it is
over."""
import wire
from rig import Rig, check, same
from samples import SAMPLES, check_sensors, follow


DECODE = {kind: (decode, span) for kind, _, decode, span in SAMPLES}


def check_rate(rig, kind, hz, at, seconds):
    records = [r for r in rig.hub.of(kind, at) if r.channel != 255]
    span = (records[-1].time_ns - records[0].time_ns) * 1e-9
    # By the sensor's own numbers: what a host that stood still spoiled is check_samples()'s to judge.
    first, last = (DECODE[kind][0](r.values) for r in (records[0], records[-1]))
    rate = (last - first) % DECODE[kind][1] / span
    check(abs(rate / hz - 1) < 0.02, f"{kind}: {rate:.2f} records a second, and not {hz}")
    return f"{kind} {rate:.2f}/s"


def streams(folder):
    """IMU 200 Hz, flow and range 50 Hz, GNSS 10 Hz, the pulse per second: no sample lost."""
    for board in ("stm32f405", "mps2-an386"):
        with Rig(board, folder, pulse=board == "stm32f405") as rig:
            rig.wait_running()
            first = follow(rig)
            at = rig.hub.mark()
            rig.settle(12)
            rates = [check_rate(rig, kind, hz, at, 12) for kind, hz in
                     (("imu", 200), ("flow", 50), ("range", 50), ("gnss", 10))]
            arrived = check_sensors(rig, first)
            account = rig.accounted()
            same(account.dropped, 0, "records dropped")
            print(f"  {board}: {', '.join(rates)}; {arrived}")
            if board == "stm32f405":
                check_clock(rig)


def check_clock(rig):
    """The pulses arrive with the emulator's lateness, some ms; the seconds they name are exact."""
    clocks = rig.hub.of("clock")
    named = [r.values for r in clocks if r.values["utc_ns"]]
    pulses = rig.gnss.pulses
    check(len(named) >= pulses // 2, f"of {pulses} pulses {len(named)} were named, refused "
                                     f"{clocks[-1].values['refused'] if clocks else 0}")
    check(all(v["utc_ns"] % 10**9 == 0 for v in named), "a pulse's UTC is no whole second")
    seconds = [v["utc_ns"] // 10**9 for v in named]
    check(all(a < b for a, b in zip(seconds, seconds[1:])), f"seconds do not rise: {seconds}")
    offsets = [v["offset_ns"] for v in named]
    check(max(offsets) - min(offsets) < 0.1e9, "offset of the clock jumps")
    print(f"  {pulses} pulses, {len(named)} named; drift {named[-1]['drift_ppm']:+.1f} ppm, spread"
          f" {named[-1]['spread_ns'] / 1e3:.0f} us; refused {named[-1]['refused']}")


def overload(folder):
    """More records than the link takes: counted, triggers kept, all well afterwards."""
    with Rig("stm32f405", folder) as rig:
        hub = rig.hub
        rig.wait_running()
        hub.command("do_trigger_set", frame_ns=1000000, pulse_ns=1000)
        before = hub.status().values
        at = hub.mark()
        hub.command("do_inject", magic=wire.MAGIC, fault=wire.FAULT_FLOOD, value=20000)
        hub.command("do_trigger_arm", mode=1, period_ns=10000000, count=50, timeout=3.0)
        check(hub.wait("trigger", lambda v: v["number"] == 49, at, 20), "triggers under overload")
        # The flood has its end when no more of its records come.
        while True:
            count = len(hub.of("imu", at, channel=255))
            rig.settle(0.5)
            if len(hub.of("imu", at, channel=255)) == count:
                break
        after = hub.status().values
        account = rig.accounted()
        dropped = after["dropped"] - before["dropped"]
        check(dropped > 0, "nothing was dropped: no overload")
        same(after["dropped_sensors"] - before["dropped_sensors"], dropped, "dropped of sensors")
        same(after["dropped_triggers"], 0, "dropped trigger records")
        same(len(hub.of("trigger", at)), 50, "triggers under overload")
        check(hub.wait_error("LINK_DROPPED", since=at), "drops are not reported")
        flood = len(hub.of("imu", at, channel=255))
        print(f"  flood of 20000 records: {flood} received; made {account.made} = received"
              f" {account.received} + dropped {account.dropped}; queue at most"
              f" {after['queue_worst']} of {after['queue_size']} B")
        check(after["queue_worst"] <= after["queue_size"], "queue longer than it is")
        hub.clear()
        # Recovery: nothing is lost any more.
        first = follow(rig)
        rig.settle(3)
        arrived = check_sensors(rig, first)
        same(hub.status().values["dropped"], after["dropped"], "drops after the overload")
        same("LINK_DROPPED" in rig.errors(), False, "LINK_DROPPED after the overload")
        print(f"  afterwards: {arrived}")


def stall(folder):
    """The main loop stands for 300 ms: told, and nothing is lost where the wire can wait."""
    # A wire cannot wait: what a full ring costs there is counted, as firmware/stm32f405 shows.
    with Rig("stm32f405", folder) as rig:
        hub = rig.hub
        rig.wait_running()
        first = follow(rig)
        at = hub.mark()
        hub.command("do_inject", magic=wire.MAGIC, fault=wire.FAULT_STALL, value=300)
        rig.settle(3)
        status = hub.status().values
        # Some statuses may have come between: the longest turn is in the first after the stall.
        worst = max(r.values["loop_worst_ns"] for r in hub.of("status", at))
        check(worst > 290e6, f"longest turn of the loop {worst / 1e6} ms")
        arrived = check_sensors(rig, first)
        same(hub.status().values["bytes_lost"], status["bytes_lost"], "bytes lost after the stall")
        same(sum(status["bytes_lost"]), 0, "bytes lost in the stall")
        rig.accounted()
        print(f"  longest turn {worst / 1e6:.0f} ms; all along {arrived}")


CASES = [streams, overload, stall]
