"""Garbage on every port: no hang, no crash, in step again within one frame."""
import random
import threading
import time

import wire
from rig import Rig, check, same
from samples import check_sensors, follow

MILLION = 1000000


def echo(hub, number, tail):
    """One frame, sent once: whether it is answered. The emulator may have noise before it to take."""
    at = hub.mark()
    hub.send("do_echo", tail, sequence=number)
    return hub.wait("reply", lambda v: v["number"] == number, at, 30) is not None


def damaged(rng):
    """Kinds of damage, and whether a frame that follows it at once is lost with it."""
    good = wire.encode(0x81, 0, 1, 0, bytes(rng.randrange(256) for _ in range(30)))
    flipped = bytearray(good)
    flipped[10] ^= 4
    if flipped[10] == 0:
        flipped[10] = 8
    longest = wire.encode(0x81, 0, 1, 0, bytes(range(1, 225)))
    return {
        "a frame with one bit turned": (bytes(flipped), False),
        "a frame cut short": (good[:20], True),
        "a frame without its beginning": (good[12:], False),
        "a frame without its end": (good[:-1], True),
        "a frame of 5000 bytes": (b"\x55" * 5000 + b"\0", True),
        "5000 bytes and no end": (b"\xaa" * 5000, True),
        "a frame one byte too long": (longest[:-1] + b"\x01\0", False),
        "zeros": (bytes(1000), False),
        "a byte": (b"\x01", True),
        "the shortest frames": (b"\x01\0\x02\x01\0\x01\x01\0" * 100, False),
        "codes that point far": (b"\xff\x01\0\xfe\x02\x03\0" * 50, False),
        "two frames in one": (good[:-1] + good, False),
        "kinds that only the hub sends": (wire.encode(0x05, 0, 1, 0, bytes(8)), False),
    }


def broken_frames(folder):
    """Garbled, cut and oversized frames: the next whole frame is answered."""
    rng = random.Random(5)
    for board in ("stm32f405", "mps2-an386"):
        with Rig(board, folder, sensors=()) as rig:
            hub = rig.hub
            number = 1000
            for name, (noise, joins) in damaged(rng).items():
                bad = hub.status().values["frames_bad"]
                hub.send_bytes(noise)
                # As on a line of 921600 bit/s, where the hub reads faster than bytes come.
                rig.settle(0.02 + len(noise) / 50e3)
                number += 2
                if joins:  # the first frame ends the noise and is lost with it
                    hub.send("do_echo", b"lost", sequence=number)
                check(echo(hub, number + 1, b"found"), f"{name}: the next frame is not answered")
                after = hub.status().values["frames_bad"]
                if name not in ("zeros", "kinds that only the hub sends"):
                    check(after > bad, f"{name}: not counted as bad")
            # A zero first ends whatever was on the line.
            hub.send_bytes(b"\x77" * 100 + b"\0")
            check(echo(hub, number + 10, b"after a zero"), "not in step after a zero")
            for _ in range(300):
                hub.send_bytes(bytes(rng.randrange(256) for _ in range(rng.randrange(200))) + b"\0")
                rig.settle(0.005)
            rig.settle(0.2)
            number += 20
            lost = hub.status().values["bytes_lost"][0]
            same(lost, 0, "bytes of the link lost")
            check(echo(hub, number, b"after 300"), "not in step after 300 damaged frames")
            rig.accounted()
            status = hub.status().values
            print(f"  {board}: {len(damaged(rng)) + 301} kinds of damage, {status['frames_bad']} bad"
                  f" frames counted, {status['frames']} good ones; in step each time")


def send_noise(port, n, seed, took):
    rng = random.Random(seed)
    began = time.monotonic()
    sent = 0
    while sent < n:
        piece = rng.randbytes(min(4096, n - sent))
        port.send(piece)
        sent += len(piece)
    took[port] = time.monotonic() - began


def noise(folder):
    """A million random bytes into every port at once; then every port works as before."""
    with Rig("stm32f405", folder, limit_s=1500) as rig:
        hub = rig.hub
        rig.wait_running()
        for part in rig.parts.values():
            part.unplug()
        rig.radar.silent = True
        took = {}
        threads = [threading.Thread(target=send_noise, args=(port, MILLION, i, took), daemon=True)
                   for i, port in enumerate(rig.board.port.values())]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(1200)
        check(not any(thread.is_alive() for thread in threads),
              "the noise was not taken in 1200 s: the hub hangs")
        check(rig.board.running(), "qemu ended")
        hub.send("do_echo", b"may be lost with the noise before it", sequence=500001)
        check(echo(hub, 500002, b"must be answered"), "the link is not in step after the noise")
        seconds = time.monotonic() - began
        status = hub.status().values
        same(hub.of("hello")[-1].values["starts"], 1, "starts")
        hello = hub.hello()
        same(hello["starts"], 1, "starts after the noise: the hub restarted")
        print(f"  5 x {MILLION} bytes in {seconds:.0f} s; {status['frames_bad']} bad frames, bytes lost"
              f" by port {status['bytes_lost']}; errors {rig.errors()}")
        same(status["triggers"], 0, "triggers made by noise")
        rig.stage.read()
        same((rig.stage.steps, len(rig.stage.syncs)), ([0, 0, 0], 0), "steps, triggers by noise")
        recover(rig)
        rig.accounted()


def recover(rig):
    hub = rig.hub
    rig.radar.silent = False
    rig.radar.boot()
    at = hub.mark()
    # The hub asks a silent sensor less and less often; off and on again makes it ask now.
    for name, part in rig.parts.items():
        part.plug()
        for on in (0, 1):
            hub.command("do_sensor_set", channel=wire.SENSORS.index(name.upper()), on=on)
    for name in rig.parts:
        channel = wire.SENSORS.index(name.upper())
        kind = name
        check(hub.wait(kind, since=at, timeout=60, channel=channel),
              f"{name} does not come back after the noise")
    rig.settle(8)
    hub.clear()
    first = follow(rig)
    rig.settle(3)
    arrived = check_sensors(rig, first)
    at = hub.mark()
    hub.command("do_radar_line", tail=b"version")
    check(hub.wait("radar", lambda v: v["state"] == 3, at), "the radar's port does not work")
    print(f"  afterwards: {arrived}; the radar answers")


CASES = [broken_frames, noise]
