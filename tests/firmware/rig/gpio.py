"""What the pins did, from qemu's log of writes to GPIO registers that it does not model (-d unimp):
the truth about steps and triggers, of which the firmware's own counts know nothing.

STM32F405: BSRR at 0x18 sets with the low half and clears with the high half. MPS2: MASKLOWBYTE and
MASKHIGHBYTE carry the pins in the address (DDI 0479 3.5.4)."""
import re
from collections import namedtuple

BSRR = 0x18
LINE = re.compile(rb"^(\w[^:]*): unimplemented device write"
                  rb" \(size (\d), offset (0x[0-9a-f]+), value (0x[0-9a-f]+)\)")

Pins = namedtuple("Pins", "step direction enable sync reset sop")

# firmware/boards/stm32f405/pins.h and firmware/boards/mps2_an386/pins.h
STM32F405 = Pins(step=("C8", "A8", "B0"), direction=("C9", "B4", "B1"),
                 enable=("C12", "B5", "D2"), sync="B8", reset="B9", sop=("C2", "C3", "C4"))
MPS2_AN386 = Pins(step=("0.0", "0.1", "0.2"), direction=("0.3", "0.4", "0.5"),
                  enable=("0.8", "0.9", "0.10"), sync="0.6", reset="0.7",
                  sop=("0.11", "0.12", "0.13"))


def changes(line):
    """Levels that a line of the log sets: (pin, level) of each pin written."""
    match = LINE.match(line)
    if not match:
        return
    device = match.group(1).decode()
    offset, value = int(match.group(3), 16), int(match.group(4), 16)
    if device.startswith("GPIO") and len(device) == 5 and device[4].isalpha():
        if offset == BSRR:
            for pin in range(16):
                if value >> pin & 1:
                    yield f"{device[4]}{pin}", True
                elif value >> pin & 0x10000:
                    yield f"{device[4]}{pin}", False
    elif "gpio" in device.lower() and 0x400 <= offset < 0xC00:
        base = 0 if offset < 0x800 else 8
        mask = (offset & 0x3FF) >> 2
        for pin in range(8):
            if mask >> pin & 1:
                yield f"0.{base + pin}", bool(value >> (base + pin) & 1)


class Sync(namedtuple("Sync", "position steps")):
    """A pulse to the radar: position of each axis by the steps counted so far, and how many
    steps of each there were in either direction."""


class Stage:
    """Steps and triggers as they come out of the log."""

    def __init__(self, pins, start=(0, 0, 0), inverted=(False, False, False)):
        self.pins = pins
        self.inverted = inverted
        self.position = list(start)
        self.steps = [0, 0, 0]
        self.turns = [0, 0, 0]      # changes of direction
        self.level = {}
        self.syncs = []
        self.resets = []            # of the radar: levels in the order they came
        self.enables = []           # (axis, on)
        self.odd = 0                # steps without both edges, SYNC likewise
        self.roles = {pins.sync: ("sync", 0), pins.reset: ("reset", 0)}
        for axis in range(3):
            self.roles[pins.step[axis]] = ("step", axis)
            self.roles[pins.direction[axis]] = ("direction", axis)
            self.roles[pins.enable[axis]] = ("enable", axis)

    def line(self, line):
        for pin, level in changes(line):
            role = self.roles.get(pin)
            if role is None:
                continue
            before = self.level.get(pin)
            self.level[pin] = level
            if before is None and role[0] in ("step", "sync"):
                continue  # the start: all low
            self._change(role, before, level)

    def _change(self, role, before, level):
        what, axis = role
        if what == "step":
            self.odd += before == level
            if level and not before:
                self.steps[axis] += 1
                forward = self.level.get(self.pins.direction[axis], False)
                self.position[axis] += 1 if forward != self.inverted[axis] else -1
        elif what == "sync":
            self.odd += before == level
            if level and not before:
                self.syncs.append(Sync(tuple(self.position), tuple(self.steps)))
        elif what == "direction":
            self.turns[axis] += before is not None and before != level
        elif what == "enable":
            self.enables.append((axis, not level))
        elif what == "reset":
            self.resets.append(level)


class Log:
    """Reads a log that is still being written."""

    def __init__(self, path, stage):
        self.file = open(path, "rb")
        self.stage = stage
        self.rest = b""
        self.lines = 0

    def read(self):
        """All that there is now."""
        while True:
            piece = self.file.read(1 << 20)
            if not piece:
                return self.stage
            *lines, self.rest = (self.rest + piece).split(b"\n")
            self.lines += len(lines)
            for line in lines:
                self.stage.line(line)

    def close(self):
        self.file.close()
