"""A board of the hub in qemu: its serial ports as sockets with a reader each, edges into its inputs, and
what its pins did, from qemu's log of unimplemented devices. Standard library only.

    with EmulatedBoard("stm32f405", "build/firmware/hub-stm32f405.elf") as board:
        board.port["LINK"].send(b"...")
        board.inject("PPS", 1)
        board.pin_writes()          # [("SYNC", 1), ("SYNC", 0), ...] since the last call
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

PORTS = ("LINK", "IMU", "FLOW", "GNSS", "RADAR")


class _Stm32f405:
    """As firmware/boards/stm32f405/pins.h has it."""

    machine = "netduinoplus2"
    timer = 0x40000024, 100000000, 1  # TIM2_CNT: its address, rate (in qemu), and direction
    # -serial number n is USART1, 2, 3, UART4, 5, USART6 for n = 0 to 5
    serial = {"LINK": 0, "IMU": 1, "FLOW": 2, "GNSS": 3, "RADAR": 5}
    outputs = {
        "SYNC": "B8", "RADAR_RESET": "B9", "SOP0": "C2", "SOP1": "C3", "SOP2": "C4",
        "STEP0": "C8", "STEP1": "A8", "STEP2": "B0",
        "DIR0": "C9", "DIR1": "B4", "DIR2": "B1",
        "EN0": "C12", "EN1": "B5", "EN2": "D2",
        "SPI_SELECT": "C5", "LED": "C1",
    }
    inputs = {
        "LIMIT_X_LOW": "A6", "LIMIT_X_HIGH": "A7", "LIMIT_Y_LOW": "B12", "LIMIT_Y_HIGH": "C13",
        "LIMIT_TURN_HOME": "A0", "EMERGENCY_STOP": "A4", "PPS": "A5", "SPI_IMU": "A1",
    }
    # The store to BSRR (offset 0x18): bits 0 to 15 set pins, 16 to 31 clear them.
    line = re.compile(r"GPIO([A-D]): unimplemented device write \(size 4, offset 0x018, "
                      r"value 0x([0-9a-f]+)\)")

    def __init__(self):
        self.names = {(pin[0], int(pin[1:])): name for name, pin in self.outputs.items()}

    def decode(self, match):
        value = int(match[2], 16)
        while value:
            bit = (value & -value).bit_length() - 1
            value &= value - 1
            pin = match[1], bit % 16
            yield self.names.get(pin, f"{pin[0]}{pin[1]}"), int(bit < 16)

    def line_number(self, name):
        """The EXTI line: a pin's bit, whatever its port."""
        return int(self.inputs[name][1:])


class _Mps2An386:
    """As firmware/boards/mps2_an386/pins.h has it."""

    machine = "mps2-an386"
    timer = 0x40000004, 25000000, -1  # CMSDK timer 0, VALUE
    serial = {"LINK": 0, "IMU": 1, "FLOW": 2, "GNSS": 3, "RADAR": 4}
    outputs = ("STEP0 STEP1 STEP2 DIR0 DIR1 DIR2 SYNC RADAR_RESET EN0 EN1 EN2 "
               "SOP0 SOP1 SOP2").split()
    inputs = {}
    # Stores to the masked words: 0x400 + 4 * mask for pins 0 to 7, 0x800 + 4 * mask for 8 to 15.
    line = re.compile(r"cmsdk-ahb-gpio: unimplemented device write \(size 4, offset 0x([4-9a-f][0-9a-f]+), "
                      r"value 0x([0-9a-f]+)\)")

    def decode(self, match):
        offset, value = int(match[1], 16), int(match[2], 16)
        shift = 8 if offset >= 0x800 else 0
        mask = ((offset & 0x3FF) >> 2) << shift
        for bit, name in enumerate(self.outputs):
            if mask >> bit & 1:
                yield name, value >> bit & 1


BOARDS = {"stm32f405": _Stm32f405(), "mps2-an386": _Mps2An386()}


class Port:
    """One serial port. A thread reads it all the time: qemu stands still when nobody does. What it
    reads waits for receive() and line(), or goes to whom hand_to() named."""

    def __init__(self, listener, limit_s):
        listener.settimeout(limit_s)
        self._socket, _ = listener.accept()
        listener.close()
        self._hear = None
        self._sending = threading.Lock()
        self._bytes = bytearray()
        self._more = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        while True:
            try:
                some = self._socket.recv(65536)
            except OSError:
                some = b""
            if not some:
                return
            with self._more:
                if self._hear:
                    self._hear(some)
                    continue
                self._bytes += some
                self._more.notify_all()

    def hand_to(self, hear):
        """From now on, and with what waits already, hear(bytes) is called as they come."""
        with self._more:
            self._hear = hear
            if self._bytes:
                hear(bytes(self._bytes))
                self._bytes.clear()

    def send(self, data):
        """Waits while the firmware takes no bytes; qemu's own time limit bounds that."""
        with self._sending:
            self._socket.sendall(data)

    def receive(self, n, limit_s=20.0):
        """Exactly n bytes, or as many as came in limit_s."""
        with self._more:
            self._more.wait_for(lambda: len(self._bytes) >= n, limit_s)
            data = bytes(self._bytes[:n])
            del self._bytes[:n]
            return data

    def line(self, limit_s=20.0):
        """One line without its end; raises TimeoutError."""
        with self._more:
            if not self._more.wait_for(lambda: b"\n" in self._bytes, limit_s):
                raise TimeoutError(f"no line in {limit_s} s, only {bytes(self._bytes)!r}")
            end = self._bytes.index(b"\n")
            data = bytes(self._bytes[:end])
            del self._bytes[:end + 1]
            return data.decode(errors="replace")

    def close(self):
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()


class EmulatedBoard:
    """qemu with one board. limit_s: qemu is ended after it, whatever happens."""

    def __init__(self, name, elf, limit_s=120, extra=()):
        self.facts = BOARDS[name]
        self._folder = tempfile.mkdtemp(prefix="nfsar-board-")
        self._log_path = os.path.join(self._folder, "unimp.log")
        self._log_at = 0
        listeners = {port: self._listen(f"{port}.sock") for port in PORTS}
        qtest = self._listen("qtest.sock")
        self.command = self._command(elf, limit_s, extra)
        self._qemu = subprocess.Popen(self.command, stdin=subprocess.DEVNULL)
        try:
            # qemu connects in the order of its command line, without waiting for anyone
            self.port = {port: Port(listener, limit_s) for port, listener in listeners.items()}
            qtest.settimeout(limit_s)
            self._qtest, _ = qtest.accept()
            self._qtest.settimeout(limit_s)
            self._answers = self._qtest.makefile("r")
            self._asking = threading.Lock()
        except OSError:
            self.close()
            raise
        finally:
            qtest.close()

    def _listen(self, name):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(os.path.join(self._folder, name))
        listener.listen(1)
        return listener

    def _command(self, elf, limit_s, extra):
        command = ["timeout", "-k", "5", str(limit_s), "qemu-system-arm", "-M", self.facts.machine,
                   "-display", "none", "-monitor", "none", "-accel", "tcg", "-kernel", elf]
        at = {number: port for port, number in self.facts.serial.items()}
        for number in range(max(at) + 1):
            where = os.path.join(self._folder, f"{at[number]}.sock") if number in at else None
            command += ["-serial", f"unix:{where}" if where else "null"]
        command += ["-qtest", "unix:" + os.path.join(self._folder, "qtest.sock")]
        command += ["-qtest-log", "none", "-d", "unimp", "-D", self._log_path]
        return command + list(extra)

    def inject(self, name, level):
        """Drives the EXTI line of one input. Not through the multiplexer before it (SYSCFG): that of
        qemu 7.2 knows port A alone and aborts at the others."""
        number = self.facts.line_number(name)
        self._ask("set_irq_in /machine/unattached/device[0]/exti unnamed-gpio-in"
                  f" {number} {int(level)}")

    def count(self):
        """The free-running timer that the firmware stamps with; facts.timer says its rate."""
        address, _, direction = self.facts.timer
        return direction * int(self._ask(f"readl {address:#x}").split()[1], 16) & 0xFFFFFFFF

    def _ask(self, command):
        with self._asking:
            self._qtest.sendall(command.encode() + b"\n")
            answer = self._answers.readline().strip()
        if not answer.startswith("OK"):
            raise RuntimeError(f"qtest says {answer!r} to {command}")
        return answer

    def pin_writes(self):
        """What was written to pins since the last call, as (name, level) in order."""
        with open(self._log_path, "rb") as log:
            log.seek(self._log_at)
            data = log.read()
        whole = data[:data.rfind(b"\n") + 1]
        self._log_at += len(whole)
        writes = []
        for line in whole.decode(errors="replace").splitlines():
            match = self.facts.line.fullmatch(line)
            if match:
                writes += self.facts.decode(match)
        return writes

    def running(self):
        return self._qemu.poll() is None

    def close(self):
        for port in getattr(self, "port", {}).values():
            port.close()
        if hasattr(self, "_qtest"):
            self._answers.close()
            self._qtest.close()
        # `timeout` passes the signal on; killing it would leave qemu behind
        self._qemu.send_signal(signal.SIGTERM)
        self._qemu.wait(20)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def wait_for(condition, limit_s=10.0):
    """Polls a condition; its last value."""
    end = time.monotonic() + limit_s
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.02)
