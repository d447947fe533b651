"""What the emulated parts share: a plug, a schedule on the bench's clock, faults on demand."""
import os
import threading


class Part:
    """A device on one serial port. `beat()` is called every period_s by the bench."""

    period_s = 1.0

    def __init__(self, port):
        self.port = port
        self.over = False
        self.due = 0.0              # the next beat, by the bench's clock
        self.plugged = True
        self.stuck = False          # powered, but says nothing and hears nothing
        self.wrong_sums = 0         # of the next packets, so many come with a wrong checksum
        self.cut = 0                # ... are cut short
        self.lock = threading.Lock()
        self.numbers = []           # of the good samples sent, in order
        self.number = 0             # of the next sample; distinguishes samples from one another
        self.latest_s = 0.0         # largest delay of a beat
        self.power_on()
        port.hand_to(self.hear)

    # What a device does.

    def power_on(self):
        """Settings as after power came on."""

    def beat(self):
        """What happens each period."""

    def listen(self, piece):
        """Bytes from the hub."""

    # The plug and the faults.

    def unplug(self):
        self.plugged = False

    def plug(self):
        self.power_on()
        self.stuck = False
        self.plugged = True

    def live(self):
        return self.plugged and not self.stuck

    def hear(self, piece):
        if self.live():
            with self.lock:
                self.listen(piece)

    def say(self, data):
        if self.live():
            self.port.send(data)

    def spoil(self, packet):
        """The packet as the faults asked for leave it, and whether it is good."""
        if self.wrong_sums > 0:
            self.wrong_sums -= 1
            return packet[:-1] + bytes([packet[-1] ^ 0x5A]), False
        if self.cut > 0:
            self.cut -= 1
            return packet[:len(packet) // 2], False
        return packet, True

    def sample(self, packet, size=None):
        """Sends a sample, whose last packet of `size` bytes the faults act on, and counts it."""
        head = packet[:-size] if size else b""
        tail, good = self.spoil(packet[len(head):])
        if self.live():
            self.port.send(head + tail)
            if good:
                self.numbers.append(self.number)
        self.number += 1

    def garbage(self, n, seed=None):
        self.say(os.urandom(n) if seed is None else bytes((seed * 31 + i * 7) % 256
                                                          for i in range(n)))

    # The schedule.

    def catch_up(self, now):
        with self.lock:
            while not self.over and self.due <= now:
                self.latest_s = max(self.latest_s, now - self.due)
                self.beat()
                self.due += self.period_s

    def end(self):
        """Says nothing any more."""
        with self.lock:
            self.over = True
        self.port.hand_to(lambda piece: None)
