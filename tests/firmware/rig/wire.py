"""The hub's protocol a second time, written from the words of include/nfsar/wire/*.h and not from
their code: what the C sides do is compared with this.

    frame = COBS(body) 00
    body  = kind u8, channel u8, sequence u32, time_ns u64, payload, crc32 u32 of all before
"""
import struct
import zlib
from collections import namedtuple

MAJOR, MINOR = 1, 0
HEADER = struct.Struct("<BBIQ")
PAYLOAD_MAX = 224
BODY_MAX = HEADER.size + PAYLOAD_MAX + 4
MAGIC = 0x7273666E

LETTERS = {"u8": "B", "i8": "b", "u16": "H", "i16": "h", "u32": "I", "i32": "i", "u64": "Q",
           "i64": "q", "f32": "f"}

# name: (kind, fields, what follows the fields). A field is "type name" or "type name count".
# The tail is "" (nothing), "bytes" or "text".
LAYOUT = {
    "hello": (0x01, "u16 major, u16 minor, u8 firmware 24, u8 board 16, u8 serial 12,"
              " u32 count_hz, u32 tick_hz, u32 radar_bytes, u8 axes, u8 sensors, u8 reset,"
              " u8 flags, u32 starts", ""),
    "status": (0x02, "u32 errors, u32 made, u32 dropped, u32 dropped_sensors,"
               " u32 dropped_triggers, u32 triggers, u32 frames, u32 frames_bad,"
               " u32 bytes_lost 5, u16 queue_worst, u16 queue_size, u16 trigger_worst,"
               " u16 stack_free, u32 loop_worst_ns, u32 tick_worst_ns, u32 tick_late_worst_ns,"
               " u8 inputs, u8 emergency, u8 armed, u8 program", ""),
    "error": (0x03, "u8 error, u8 latched, u16 source, i32 value, u32 times", ""),
    "crash": (0x04, "u32 exception, u32 registers 8, u32 cfsr, u32 hfsr, u32 address,"
              " u64 uptime_ns, u32 place, u32 crashes", ""),
    "reply": (0x05, "u8 command, u8 result, u16 detail, u32 number", "bytes"),
    "trigger": (0x10, "u32 number, i32 position 3, u32 row, u32 column, u16 repeat, u16 scan", ""),
    "axis": (0x11, "u8 state, u8 placed, u8 enabled, u8 spare, i32 position, i32 target,"
             " u32 steps", ""),
    "program": (0x12, "u8 state, u8 error, u16 scan, u32 row, u32 triggers, u32 planned", ""),
    "imu": (0x20, "u16 valid, u16 spare, f32 acceleration 3, f32 rate 3, f32 orientation 4,"
            " f32 temperature", ""),
    "flow": (0x21, "u16 quality, u16 spare, f32 motion 2, f32 interval", ""),
    "range": (0x22, "u16 quality, u16 valid, f32 range", ""),
    "gnss": (0x23, "u64 utc_ns, i32 latitude, i32 longitude, i32 height_mm, f32 velocity 3,"
             " f32 accuracy_horizontal, f32 accuracy_vertical, f32 accuracy_speed, u8 fix,"
             " u8 carrier, u8 satellites, u8 spare", ""),
    "clock": (0x24, "u64 utc_ns, i64 offset_ns, f32 drift_ppm, f32 spread_ns, u32 pulses,"
              " u32 refused", ""),
    "sensor": (0x25, "u8 state, u8 spare, u16 restarts, u32 samples, u32 bytes, u32 checksum,"
               " u32 outside, u32 resyncs, u32 overflows, u32 silences", ""),
    "radar": (0x30, "u8 state, u8 spare, u16 line, u16 lines, u16 took_ms", "text"),
    "radar_text": (0x31, "", "text"),
    "do_hello": (0x80, "u16 major, u16 minor", ""),
    "do_echo": (0x81, "", "bytes"),
    "do_time": (0x82, "", ""),
    "do_status": (0x83, "", ""),
    "do_clear": (0x84, "u32 errors", ""),
    "do_crash": (0x85, "u8 forget", ""),
    "do_restart": (0x86, "u32 magic", ""),
    "do_streams": (0x87, "u32 off, u16 status_ms, u16 axis_ms", ""),
    "do_inject": (0x88, "u32 magic, u8 fault, u8 spare, u16 value", ""),
    "do_trigger_set": (0x90, "u32 frame_ns, u32 pulse_ns", ""),
    "do_trigger_arm": (0x91, "u8 mode, u8 axis, u16 spare, u64 period_ns, i32 first, i32 pitch,"
                       " u32 count", ""),
    "do_trigger_stop": (0x92, "", ""),
    "do_axis_set": (0xA0, "f32 speed, f32 acceleration, f32 jerk, i32 low, i32 high, u8 invert,"
                    " u8 switches, i8 home, u8 endless, f32 home_speed, f32 home_slow,"
                    " i32 home_back, u32 home_travel, i32 home_position, u32 home_timeout_ms,"
                    " u32 idle_ms, u16 enable_ms, u8 halt, u8 spare", ""),
    "do_axis_move": (0xA1, "i32 target, f32 speed", ""),
    "do_axis_stop": (0xA2, "", ""),
    "do_axis_home": (0xA3, "", ""),
    "do_axis_place": (0xA4, "i32 position", ""),
    "do_axis_enable": (0xA5, "u8 on", ""),
    "do_emergency": (0xA8, "u8 stop", ""),
    "do_program_load": (0xB0, "u8 pattern, u8 stop, u8 fast, u8 slow, i32 fast_first,"
                        " i32 slow_first, i32 fast_pitch, i32 slow_pitch, u32 columns, u32 rows,"
                        " f32 speed, u16 repeats, u16 settle_ms, u32 period_ns,"
                        " u32 fast_backlash, u32 turn, u16 dwell_ms, u16 spare,"
                        " u32 slow_backlash", ""),
    # What the reply to do_program_load carries: no frame of its own, hence no kind.
    "plan": (0, "u32 speed, u32 lead, u32 tail, u32 turns, u32 triggers, u32 period_ns,"
             " i32 fast_range 2, i32 slow_range 2", ""),
    "do_program_start": (0xB1, "", ""),
    "do_program_abort": (0xB2, "", ""),
    "do_sensor_set": (0xC0, "u8 on", ""),
    "do_radar_text": (0xD0, "u32 offset", "text"),
    "do_radar_run": (0xD1, "u32 bytes, u32 crc, u16 timeout_ms", ""),
    "do_radar_line": (0xD2, "", "text"),
    "do_radar_cancel": (0xD3, "", ""),
    "do_radar_reset": (0xD4, "u8 sop, u8 hold, u16 low_ms", ""),
}

RESULTS = ("DONE UNKNOWN LENGTH VALUE VERSION CHANNEL STATE LATCHED LIMIT SPEED PLACE FULL"
           " ABSENT").split()
ERRORS = ("TRIGGER_EARLY TRIGGER_MISSED TRIGGER_LOST TRIGGER_COUNT AXIS_LIMIT AXIS_HOMING"
          " AXIS_PLACE EMERGENCY_STOP PROGRAM_ABORTED SENSOR_SILENT SENSOR_FAULT RADAR_SILENT"
          " RADAR_REFUSED LINK_DROPPED INPUT_LOST CLOCK_LOST TICK_LATE STACK_LOW CRASHED"
          " WATCHDOG").split()
RESETS = "POWER PIN SOFTWARE WATCHDOG UNCLEAR".split()
AXIS_STATES = "IDLE MOVING STOPPING HOMING FAULT".split()
PROGRAM_STATES = "NONE LOADED RUNNING ROW FINISHED ABORTED".split()
SENSORS = "IMU FLOW GNSS SPI_IMU".split()
SENSOR_STATES = "OFF STARTING RUNNING SILENT FAULT".split()
RADAR_STATES = "IDLE RESETTING SENDING DONE REFUSED SILENT CANCELLED".split()
FAULT_BUS, FAULT_HANG, FAULT_STALL, FAULT_FLOOD = 1, 2, 3, 4


class Payload:
    """One kind of frame: its number, its fields, their packing."""

    def __init__(self, name, kind, fields, tail):
        self.name, self.kind, self.tail = name, kind, tail
        self.fields = []  # (type, name, count), count 0 for a single number
        for field in filter(None, (part.strip() for part in fields.split(","))):
            type_, name_, count = (field.split() + ["0"])[:3]
            self.fields.append((type_, name_, int(count)))
        self.packer = struct.Struct("<" + "".join(
            f"{count or 1}{LETTERS[type_]}" for type_, _, count in self.fields))

    def pack(self, values, tail=b""):
        """`values` by name; what is not named is zero."""
        unknown = set(values) - {name for _, name, _ in self.fields}
        if unknown:
            raise KeyError(f"{self.name} has no {', '.join(sorted(unknown))}")
        numbers = []
        for type_, name, count in self.fields:
            value = values.get(name, 0)
            if not count:
                numbers.append(value)
                continue
            row = list(value.encode() if isinstance(value, str) else value or ())
            numbers += row + [0] * (count - len(row))
        return self.packer.pack(*numbers) + bytes(tail)

    def unpack(self, payload):
        """Values by name, and what follows them. None when there are too few bytes."""
        if len(payload) < self.packer.size:
            return None
        numbers = list(self.packer.unpack_from(payload))
        values = {}
        for _, name, count in self.fields:
            values[name] = tuple(numbers[:count]) if count else numbers[0]
            del numbers[:count or 1]
        return values, payload[self.packer.size:]


PAYLOADS = {name: Payload(name, *layout) for name, layout in LAYOUT.items()}
BY_KIND = {payload.kind: payload for payload in PAYLOADS.values() if payload.kind}

Message = namedtuple("Message", "kind channel sequence time_ns payload")


def name_of(kind):
    return BY_KIND[kind].name if kind in BY_KIND else f"0x{kind:02x}"


def text(numbers):
    """Text in a field of bytes filled up with zeros."""
    return bytes(numbers).split(b"\0")[0].decode("latin-1")


def cobs(body):
    """Every zero is left out; a byte before each run says how far the next one is."""
    coded = bytearray()
    for run in body.split(b"\0"):
        if len(run) > 253:
            raise ValueError("a run of more than 253 bytes without a zero")
        coded.append(len(run) + 1)
        coded += run
    return bytes(coded)


def uncobs(coded):
    """None for what no coder makes."""
    body = bytearray()
    at = 0
    while at < len(coded):
        n = coded[at]
        if n == 0 or at + n > len(coded):
            return None
        body += coded[at + 1:at + n] + b"\0"
        at += n
    return bytes(body[:-1])


def encode(kind, channel=0, sequence=0, time_ns=0, payload=b""):
    """A frame, closing zero included."""
    if len(payload) > PAYLOAD_MAX:
        raise ValueError(f"a payload of {len(payload)} bytes; {PAYLOAD_MAX} is the most")
    body = HEADER.pack(kind, channel, sequence & 0xFFFFFFFF, time_ns) + payload
    return cobs(body + struct.pack("<I", zlib.crc32(body))) + b"\0"


def decode(coded):
    """A Message from what stood between two zeros; None when it is not a frame."""
    if len(coded) > BODY_MAX + 1:
        return None
    body = uncobs(coded)
    if body is None or len(body) < HEADER.size + 4:
        return None
    if struct.unpack("<I", body[-4:])[0] != zlib.crc32(body[:-4]):
        return None
    return Message(*HEADER.unpack_from(body), body[HEADER.size:-4])


class Reader:
    """Finds frames in a stream of bytes, however it is cut into pieces."""

    def __init__(self):
        self.pending = bytearray()
        self.frames = self.bad = 0

    def feed(self, piece):
        self.pending += piece
        *frames, rest = bytes(self.pending).split(b"\0")
        self.pending = bytearray(rest)
        found = []
        for coded in frames:
            if not coded:
                continue
            message = decode(coded)
            if message is None:
                self.bad += 1
            else:
                self.frames += 1
                found.append(message)
        return found
