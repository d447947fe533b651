"""An IMU that speaks WitMotion's standard protocol: packets 55 TYPE 4 x i16 SUM, registers written
with FF AA REGISTER LOW HIGH (wit-motion.gitbook.io/witmotion-sdk). The number of a sample is in its
acceleration and its rate, so that a packet of another sample shows."""
import math
import struct

from part import Part

RATES_HZ = {0x01: 0.2, 0x02: 0.5, 0x03: 1, 0x04: 2, 0x05: 5, 0x06: 10, 0x07: 20, 0x08: 50,
            0x09: 100, 0x0B: 200}
CONTENT = {1: 0x51, 2: 0x52, 3: 0x53, 9: 0x59}  # bit of the content register: type of packet
KEY = 0xB588
GRAVITY = 9.80665
SPAN = 60000  # numbers before they begin again; stays clear of the ends of the scale


def packet(type_, numbers):
    body = struct.pack("<BB4h", 0x55, type_, *numbers)
    return body + bytes([sum(body) & 0xFF])


def number_of(values):
    """Of the sample that a record of the hub carries; None where its parts do not belong together."""
    by_acceleration = round(values["acceleration"][0] * 32768 / (16 * GRAVITY)) + SPAN // 2
    by_rate = round(values["rate"][0] * 32768 / math.radians(2000)) + SPAN // 2
    return by_acceleration if by_acceleration == by_rate else None


class Imu(Part):
    def power_on(self):
        """As it leaves the factory: 10 times a second, angles but no quaternion."""
        self.registers = {0x02: 0x000E, 0x03: 0x06, 0x04: 0x06}
        self.unlocked = False
        self.command = b""
        self.rest = 0.0
        self.writes = []
        self.ignored = 0

    period_s = 1 / 200

    def beat(self):
        """At 200 Hz; slower rates leave beats out."""
        self.rest += RATES_HZ[self.registers[0x03]] / 200
        if self.rest < 1 - 1e-9:
            return
        self.rest -= 1
        self.sample(self.packets(), 11)

    def packets(self):
        n = self.number % SPAN - SPAN // 2
        angle = self.number % 2000 * math.pi / 2000
        turn = [round(32767 * value) for value in (math.cos(angle), math.sin(angle), 0, 0)]
        parts = {0x51: (n, -50, 2048, 2350), 0x52: (n, 100, -100, 2350),
                 0x53: (0, 0, 0, 0x4500), 0x59: turn}
        return b"".join(packet(type_, parts[type_]) for bit, type_ in CONTENT.items()
                        if self.registers[0x02] >> bit & 1)

    def listen(self, piece):
        self.command += piece
        while len(self.command) >= 5:
            if self.command[:2] != b"\xff\xaa":
                self.command = self.command[1:]
                continue
            self.write(self.command[2], self.command[3] | self.command[4] << 8)
            self.command = self.command[5:]

    def write(self, register, value):
        self.writes.append((register, value))
        if register == 0x69:
            self.unlocked = value == KEY
        elif register == 0x00:
            self.unlocked = False
        elif not self.unlocked or (register == 0x03 and value not in RATES_HZ):
            self.ignored += 1
        else:
            self.registers[register] = value

    def running(self):
        return self.registers[0x03] == 0x0B and self.registers[0x02] == 0x0206
