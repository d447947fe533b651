"""A GNSS receiver that speaks UBX: B5 62 CLASS ID LENGTH PAYLOAD A B. Settings by CFG-VALSET (as
M9, M10, F9 take them) or CFG-RATE, CFG-MSG, CFG-PRT (M8); NAV-PVT 10 times a second once asked for,
NMEA once a second before. Its pulse per second rises at its whole seconds. The number of a sample
is in its latitude."""
import datetime
import struct

from part import Part

LATITUDE_FIRST, SPAN = 480000000, 1 << 20
EPOCH = datetime.datetime(2026, 3, 1, 23, 59, 0, tzinfo=datetime.timezone.utc)
DELAY_BEATS = 4  # of 10 ms, between the measurement and its message
KEY_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8}
NMEA = b"$GNGGA,235900.00,4800.0000,N,01100.0000,E,1,12,0.8,500.0,M,47.0,M,,*00\r\n"


def packet(class_, id_, payload):
    body = struct.pack("<BBH", class_, id_, len(payload)) + payload
    a = b = 0
    for byte in body:
        a = (a + byte) & 0xFF
        b = (b + a) & 0xFF
    return b"\xb5\x62" + body + bytes([a, b])


def pvt(number, tenth):
    """NAV-PVT of so many tenths of a second after EPOCH."""
    now = EPOCH + datetime.timedelta(milliseconds=100 * tenth)
    payload = bytearray(92)
    of_week = (now.weekday() + 1) % 7 * 86400 + now.hour * 3600 + now.minute * 60 + now.second
    struct.pack_into("<IHBBBBBBIiBBBB", payload, 0, of_week * 1000 + now.microsecond // 1000,
                     now.year, now.month, now.day, now.hour, now.minute, now.second, 0x07, 25,
                     now.microsecond * 1000, 3, 0x01 | 2 << 6, 0, 17)
    struct.pack_into("<iiiiIIiii", payload, 24, -110000000, LATITUDE_FIRST + number, 520000,
                     473000, 14, 21, 250, -125, 0)
    struct.pack_into("<I", payload, 68, 50)
    return packet(0x01, 0x07, bytes(payload))


def number_of(values):
    return values["latitude"] - LATITUDE_FIRST


class Gnss(Part):
    """`answers`: "new" takes CFG-VALSET; "old" refuses it and takes the older messages; "no"
    refuses everything; "none" never answers."""

    period_s = 1 / 100

    def __init__(self, port, answers="new", pulse=None):
        self.answers, self.pulse = answers, pulse
        self.age = 0                # beats since EPOCH
        self.pulses = 0             # sent
        super().__init__(port)

    def power_on(self):
        self.settings = {0x30210001: 1000, 0x20910007: 0, 0x40520001: 38400, 0x10740002: 1}
        self.command = b""
        self.asked = []             # (class, id) of all messages heard

    def beat(self):
        age, self.age = self.age, self.age + 1
        if self.pulse and age % 100 == 0 and self.live():
            self.pulse(True)
            self.pulses += 1
            self.pulse(False)
        late = age - DELAY_BEATS
        if late >= 0 and late % (self.settings[0x30210001] // 10) == 0:
            if self.settings[0x20910007]:
                self.sample(pvt(self.number, late // 10))
            elif self.settings[0x10740002]:
                self.say(NMEA)

    def listen(self, piece):
        self.command += piece
        while True:
            at = self.command.find(b"\xb5\x62")
            if at < 0:
                self.command = self.command[-1:]
                return
            self.command = self.command[at:]
            if len(self.command) < 8:
                return
            length = struct.unpack_from("<H", self.command, 4)[0]
            if length > 512:
                self.command = self.command[2:]
                continue
            if len(self.command) < length + 8:
                return
            whole, self.command = self.command[:length + 8], self.command[length + 8:]
            class_, id_ = whole[2], whole[3]
            if whole == packet(class_, id_, whole[6:-2]):
                self.asked.append((class_, id_))
                if class_ == 0x06:
                    self.configure(id_, whole[6:-2])

    def configure(self, id_, payload):
        if self.answers == "none":
            return
        taken = self.answers == "new" or (self.answers == "old" and id_ != 0x8A)
        if taken and id_ == 0x8A:
            taken = self.value_set(payload)
        elif taken and id_ == 0x08:
            self.settings[0x30210001] = struct.unpack_from("<H", payload)[0]
        elif taken and id_ == 0x01:
            self.settings[0x20910007] = payload[2] if payload[:2] == b"\x01\x07" else 0
        elif taken and id_ == 0x00:
            self.settings[0x40520001] = struct.unpack_from("<I", payload, 8)[0]
            self.settings[0x10740002] = payload[14] >> 1 & 1
        self.say(packet(0x05, 0x01 if taken else 0x00, bytes([0x06, id_])))

    def value_set(self, payload):
        at = 4
        while at + 4 < len(payload):
            key = struct.unpack_from("<I", payload, at)[0]
            size = KEY_BYTES.get(key >> 28 & 7)
            if size is None or at + 4 + size > len(payload):
                return False
            self.settings[key] = int.from_bytes(payload[at + 4:at + 4 + size], "little")
            at += 4 + size
        return at == len(payload)

    def running(self):
        return self.settings[0x30210001] == 100 and self.settings[0x20910007] == 1
