"""The whole bench: the hub in the emulator, its sensors and radar, a client on its link."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import wire  # noqa: E402
from bench import Bench  # noqa: E402
from emulated_board import EmulatedBoard  # noqa: E402
from flow import Flow  # noqa: E402
from gnss import Gnss  # noqa: E402
from hub import Hub, account, errors_of  # noqa: E402
from imu import Imu  # noqa: E402
from radar import Radar  # noqa: E402
from stage import Stage  # noqa: E402


# The emulated processor's time is that of its instructions (16 ns each), and never ahead of the
# host's: a machine that is busy otherwise makes it slow, not late.
VIRTUAL_TIME = ("-icount", "shift=4,sleep=on")


class Failed(AssertionError):
    """What a case must show and did not."""


def check(truth, text):
    if not truth:
        raise Failed(text)


def same(got, want, what):
    if got != want:
        raise Failed(f"{what}: {got}, and not {want}")


class Rig:
    """`sensors`: names of the parts that are there from the beginning."""

    def __init__(self, board, folder, sensors=("imu", "flow", "gnss"), limit_s=300,
                 pulse=False, greet=True):
        self.parts = {}
        self.bench = None
        self.board = EmulatedBoard(board, os.path.join(folder, f"hub-{board}.elf"), limit_s,
                                   extra=VIRTUAL_TIME)
        try:
            self.hub = Hub(self.board.port["LINK"])
            self.radar = Radar(self.board.port["RADAR"])
            edge = (lambda level: self.board.inject("PPS", level)) if pulse else None
            makers = {"imu": Imu, "flow": Flow, "gnss": lambda to: Gnss(to, pulse=edge)}
            for name in ("imu", "flow", "gnss"):
                self.board.port[name.upper()].hand_to(lambda piece: None)
            for name in sensors:
                self.parts[name] = makers[name](self.board.port[name.upper()])
            self.stage = Stage(self.board)
            # The timer runs as it should when the hub has begun to speak.
            check(self.hub.wait("hello", timeout=30), "no hello at the start")
            self.bench = Bench(self.board)
            for part in self.parts.values():
                self.bench.add(part)
            self.bench.start()
            if greet:
                self.hello = self.hub.hello()
        except BaseException:
            self.close()
            raise

    @property
    def imu(self):
        return self.parts["imu"]

    @property
    def flow(self):
        return self.parts["flow"]

    @property
    def gnss(self):
        return self.parts["gnss"]

    def wait_running(self, names=("imu", "flow", "gnss"), timeout=20):
        """Until the hub says that these sensors run."""
        for name in names:
            channel = wire.SENSORS.index(name.upper())
            record = self.hub.wait("sensor", lambda v: v["state"] == 2, channel=channel,
                                   timeout=timeout)
            check(record, f"{name} does not run after {timeout} s: "
                          f"{[r.values['state'] for r in self.hub.of('sensor', channel=channel)]}")

    def set_axis(self, axis, speed=4000.0, acceleration=40000.0, jerk=2000000.0, **more):
        self.hub.command("do_axis_set", channel=axis, speed=speed, acceleration=acceleration,
                         jerk=jerk, **more)

    def place(self, axis, position=0):
        self.hub.command("do_axis_enable", channel=axis, on=1)
        self.hub.command("do_axis_place", channel=axis, position=position)

    def move(self, axis, target, speed=0.0, timeout=20):
        at = self.hub.mark()
        self.hub.command("do_axis_move", channel=axis, target=target, speed=speed)
        record = self.hub.wait("axis", lambda v: v["state"] == 0 and v["position"] == target, at,
                               timeout, channel=axis)
        check(record, f"axis {axis} did not come to {target} in {timeout} s: "
                      f"{[r.values for r in self.hub.of('axis', at, axis)][-2:]}")
        return record

    def settle(self, seconds=0.3):
        """Lets what is under way arrive: seconds of the board's clock."""
        self.bench.pass_time(seconds)

    def alive(self, what):
        """The emulator runs and the hub answers."""
        check(self.board.running(), f"{what}: qemu ended")
        self.hub.command("do_echo", tail=b"alive")
        check(self.bench.failed is None, f"{what}: {self.bench.failed}")

    def accounted(self, since=0):
        """Every record made was received or is counted as dropped."""
        self.hub.status()
        self.settle(0.1)
        result = account(self.hub, since)
        check(result.missing == 0 and result.double == 0 and result.order == 0,
              f"records made {result.made}, received {result.received}, dropped {result.dropped}:"
              f" {result.missing} missing, {result.double} twice, {result.order} out of order")
        same(self.hub.reader.bad, 0, "bad frames from the hub")
        same(self.hub.unknown, 0, "records of unknown kind")
        return result

    def errors(self):
        return errors_of(self.hub.status())

    def plug_in(self, name, part):
        """A part more."""
        self.parts[name] = part
        self.bench.add(part)

    def close(self):
        if self.bench:
            self.bench.end()
        self.board.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
