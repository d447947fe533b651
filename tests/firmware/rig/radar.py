"""The radar's command line as TI's mmWave SDK has it (cli.c, mmw_cli.c): an echo, then `Done`,
`Error -1` or `'x' is not recognized as a CLI command`, then the prompt."""
import os
import threading
import time

PROMPT = b"mmwDemo:/>"
BANNER = b"******************************************\n\rxWR14xx MMW Demo 02.01.00.04\n\r" \
         b"******************************************\n\r"

# Command: least number of arguments.
COMMANDS = {"sensorStart": 0, "sensorStop": 0, "flushCfg": 0, "dfeDataOutputMode": 1,
            "channelCfg": 3, "adcCfg": 2, "adcbufCfg": 4, "profileCfg": 14, "chirpCfg": 8,
            "frameCfg": 7, "lowPower": 2, "lvdsStreamCfg": 4, "configDataPort": 2, "bpmCfg": 4,
            "guiMonitor": 6, "version": 0, "queryDemoStatus": 0, "calibDcRangeSig": 4,
            "compRangeBiasAndRxChanPhase": 3, "measureRangeBiasAndRxChanPhase": 3}


class Radar:
    """Answers in the thread that reads the port."""

    def __init__(self, port):
        self.port = port
        self.silent = False         # hears, but says nothing
        self.refused = None         # a line that begins so is answered with Error -1
        self.delay_s = 0.0          # before each answer
        self.started = False
        self.lines = []             # all that were heard
        self.rest = b""
        self.lock = threading.Lock()
        port.hand_to(self.hear)

    def hear(self, piece):
        with self.lock:
            for byte in piece:
                self._hear(bytes([byte]))

    def _hear(self, byte):
        if byte not in (b"\n", b"\r"):
            self.rest += byte
            return
        line, self.rest = self.rest, b""
        if self.silent:
            self.lines.append(line.decode("latin-1"))
            return
        text = line.decode("latin-1")
        answer = self.answer(text)
        self.say(line + b"\n\r" + answer + PROMPT)

    def answer(self, text):
        words = text.split()
        if not words:
            return b""
        self.lines.append(text)
        time.sleep(self.delay_s)
        if text.startswith("%"):
            return b"Skipped\n\r"
        if words[0] not in COMMANDS:
            return f"'{words[0]}' is not recognized as a CLI command\n\r".encode("latin-1")
        if self.refused and text.startswith(self.refused):
            return b"Error -1\n\r"
        if len(words) - 1 < COMMANDS[words[0]]:
            return b"Error: Invalid usage of the CLI command\n\rError -1\n\r"
        note = b""
        if words[0] == "sensorStart":
            note = b"Ignored: Sensor is already started\n\r" if self.started else b""
            self.started = True
        elif words[0] == "sensorStop":
            note = b"" if self.started else b"Ignored: Sensor is already stopped\n\r"
            self.started = False
        elif words[0] == "version":
            note = b"mmWave SDK Version: 02.01.00.04\n\r"
        return note + b"Done\n\r"

    def say(self, data):
        if not self.silent:
            self.port.send(data)

    def boot(self, noise=40):
        """After its reset: noise while the pin's function settles, then banner and prompt."""
        with self.lock:
            self.started, self.rest = False, b""
        self.say(os.urandom(noise) + BANNER + PROMPT)

    def end(self):
        self.port.hand_to(lambda piece: None)
