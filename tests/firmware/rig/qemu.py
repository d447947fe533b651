"""The emulator: the hub's ELF on one of its boards, a socket for each serial port, interrupts by
qtest, pins by the log. Every wait is bounded, every qemu ends with its test."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import gpio

PORTS = ("link", "imu", "flow", "gnss", "radar")


class Missing(Exception):
    """A tool or a file is not here: the test is skipped, loudly."""


class Board:
    def __init__(self, name, machine, elf, serials, pins, inputs, pps, log):
        self.name, self.machine, self.elf = name, machine, elf
        self.serials = serials  # what each of qemu's serial ports is; None: nothing
        self.pins, self.inputs, self.pps = pins, inputs, pps
        self.log = log          # the devices whose writes count, as qemu calls them


# Order of the ports: USART1, 2, 3, UART4, UART5, USART6 of qemu's stm32f405_soc. Inputs and PPS are
# pins of firmware/boards/stm32f405/pins.h, in the order of enum board_input.
STM32F405 = Board("stm32f405", ["-M", "netduinoplus2"], "hub-stm32f405.elf",
                  ("link", "imu", "flow", "gnss", None, "radar"), gpio.STM32F405,
                  ("A6", "A7", "B12", "C13", "A0", "A4"), "A5", "GPIO")
MPS2_AN386 = Board("mps2-an386", ["-M", "mps2-an386"], "hub-mps2-an386.elf",
                   ("link", "imu", "flow", "gnss", "radar"), gpio.MPS2_AN386, None, None, "gpio")
BOARDS = {board.name: board for board in (STM32F405, MPS2_AN386)}


class Wire:
    """One serial port: what the hub sends is read always and handed to whoever is plugged in."""

    def __init__(self, connection, name):
        self.connection, self.name = connection, name
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.part = None
        self.heard = 0
        self.open = True
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        self.connection.settimeout(0.2)
        while self.open:
            try:
                piece = self.connection.recv(65536)
            except socket.timeout:
                continue
            except OSError:
                return
            if not piece:
                return
            self.heard += len(piece)
            part = self.part
            if part is not None:
                part.hear(piece)

    def send(self, data):
        """qemu takes bytes as the firmware reads them: this waits, at most 20 s."""
        with self.lock:
            self.connection.settimeout(20)
            try:
                self.connection.sendall(data)
            except socket.timeout:
                raise TimeoutError(f"{self.name}: the hub took no bytes for 20 s") from None
            except OSError:
                if self.open:
                    raise

    def close(self):
        self.open = False
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.connection.close()
        self.thread.join(2)


class Qemu:
    def __init__(self, board, folder, limit_s=300, log=True):
        if shutil.which("qemu-system-arm") is None:
            raise Missing("no qemu-system-arm here: apt-get install qemu-system-arm")
        elf = os.path.join(folder, board.elf)
        if not os.path.exists(elf):
            raise Missing(f"no {elf}: build the firmware first (firmware/CMakeLists.txt)")
        self.board = board
        self.folder = tempfile.mkdtemp(prefix="nfsar-rig-")
        self.limit_s = limit_s
        self.wires = {}
        self.process = None
        try:
            self._start(elf, log)
        except BaseException:
            self.close()
            raise

    def _listen(self, name):
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(os.path.join(self.folder, name))
        listener.listen(1)
        listener.settimeout(20)
        return listener

    def _start(self, elf, log):
        command = ["qemu-system-arm", *self.board.machine, "-nodefaults", "-nographic",
                   "-accel", "tcg", "-kernel", elf]
        listeners = {}
        for port in self.board.serials:
            if port is None:
                command += ["-serial", "null"]
                continue
            listeners[port] = self._listen(port)
            command += ["-chardev", f"socket,id={port},path={self.folder}/{port}",
                        "-serial", f"chardev:{port}"]
        qtest = self._listen("qtest") if self.board.inputs else None
        if qtest:
            command += ["-qtest", f"unix:{self.folder}/qtest", "-qtest-log", "none"]
        self.log = os.path.join(self.folder, "log")
        open(self.log, "w").close()
        if log:
            command += ["-d", "unimp", "-D", self.log]
        self.errors = open(os.path.join(self.folder, "stderr"), "w+b")
        self.process = subprocess.Popen(["timeout", "-k", "2", str(self.limit_s), *command],
                                        stdin=subprocess.DEVNULL, stdout=self.errors,
                                        stderr=self.errors, start_new_session=True)
        for port, listener in listeners.items():
            self.wires[port] = self._accept(listener, port)
        self.qtest = QTest(self._accept(qtest, "qtest", False)) if qtest else None
        for port in ("imu", "flow", "gnss", "radar"):
            self.wires[port] = Wire(self.wires[port], port)

    def _accept(self, listener, name, _=True):
        try:
            connection, _ = listener.accept()
        except socket.timeout:
            raise RuntimeError(f"qemu did not open {name}: {self.complaint()}") from None
        finally:
            listener.close()
        return connection

    def complaint(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace").strip()[-400:]

    def alive(self):
        return self.process.poll() is None

    def input(self, number, level):
        """An edge of an input, by its place in enum board_input."""
        self.pin(self.board.inputs[number], level)

    def pin(self, pin, level):
        self.qtest.pin(ord(pin[0]) - ord("A"), int(pin[1:]), level)

    def close(self):
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(5)
        for wire in self.wires.values():
            wire.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class QTest:
    """Raises lines of the interrupt controller. Both edges reach it; the firmware looks which."""

    def __init__(self, connection):
        self.connection = connection
        self.connection.settimeout(20)
        self.lock = threading.Lock()
        self.rest = b""

    def command(self, text):
        with self.lock:
            self.connection.sendall(text.encode() + b"\n")
            while b"\n" not in self.rest:
                piece = self.connection.recv(4096)
                if not piece:
                    raise RuntimeError(f"qtest closed at {text}")
                self.rest += piece
            answer, _, self.rest = self.rest.partition(b"\n")
        if not answer.startswith(b"OK"):
            raise RuntimeError(f"qtest: {text}: {answer.decode()}")

    def pin(self, port, bit, level):
        self.command("set_irq_in /machine/unattached/device[0]/syscfg unnamed-gpio-in"
                     f" {port * 16 + bit} {int(level)}")


class Pulses(threading.Thread):
    """The pulse per second of a receiver, on the wall clock's time."""

    def __init__(self, qemu, period_s=1.0):
        super().__init__(daemon=True)
        self.qemu, self.period_s = qemu, period_s
        self.sent = []  # time.monotonic() after each rising edge
        self.stop = threading.Event()

    def run(self):
        began = time.monotonic()
        number = 1
        while not self.stop.wait(max(0, began + number * self.period_s - time.monotonic())):
            try:
                self.qemu.pin(self.qemu.board.pps, True)
                self.sent.append(time.monotonic())
                self.qemu.pin(self.qemu.board.pps, False)
            except (OSError, RuntimeError):
                return
            number += 1

    def end(self):
        self.stop.set()
        self.join(3)
