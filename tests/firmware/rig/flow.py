"""An optical flow and range module that speaks MSP v2 as Matek's 3901-L0X does, 50 times a second:
$X< flag function size payload CRC-8/DVB-S2. The number of a sample is in its motion and its
range."""
import math
import struct

from part import Part

RANGE, FLOW = 0x1F01, 0x1F02
SPAN, STEPS = 180, 11     # motion in counts: -90 to 89 twice, slow enough for the sensor
COUNTS_PER_RADIAN = 10.5 * 180 / math.pi  # firmware/drivers/msp_flow.h
RANGE_FIRST_MM, RANGES = 500, 3000


def crc8(data):
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0xD5 if crc & 0x80 else crc << 1) & 0xFF
    return crc


def packet(function, payload):
    body = struct.pack("<BHH", 0, function, len(payload)) + payload
    return b"$X<" + body + bytes([crc8(body)])


def flow_number(values):
    """Modulo SPAN * SPAN."""
    x, y = (round(value * COUNTS_PER_RADIAN) + SPAN // 2 for value in values["motion"])
    return x + SPAN * y


def range_number(values):
    """Modulo RANGES."""
    return round(values["range"] * 1000) - RANGE_FIRST_MM


class Flow(Part):
    period_s = 1 / 50

    def beat(self):
        x = self.number % SPAN - SPAN // 2
        y = self.number // SPAN % SPAN - SPAN // 2
        flow = packet(FLOW, struct.pack("<Bii", 120, x, y))
        distance = packet(RANGE, struct.pack("<Bi", 255, RANGE_FIRST_MM + self.number % RANGES))
        self.sample(distance + flow, len(flow))
