"""nfsar-rig and nfsar as a user starts them, with the examples of the manual; nothing is waited for
without a limit."""
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = os.path.join(HERE, "..", "..", "..", "docs", "examples")
LIMIT_S = 1200


class Failed(AssertionError):
    """What a case must show and did not."""


class Skipped(Exception):
    """Something that the case needs is not on this machine."""


def check(truth, text):
    if not truth:
        raise Failed(text)


class Rig:
    """A copy of the examples in `folder`, `number` chooses the addresses, `changes` are made in the
    session, `stage` in the file of its stage: pairs of a pattern and what stands for it. `files` are
    written beside."""

    def __init__(self, folder, build, number, session="session-emulated.yaml",
                 scene="scene-emulated.yaml", changes=(), faults="", hub="host", options=(),
                 stage=(), files=()):
        self.folder, self.build = folder, build
        self.capture = os.path.join(folder, "capture.h5")
        self.recording = self.capture + ".recording"
        self.truth = os.path.join(folder, "truth.h5")
        self.session = os.path.join(folder, session)
        self.program = None
        for name in os.listdir(EXAMPLES):
            if name.endswith((".yaml", ".cfg")):
                shutil.copy(os.path.join(EXAMPLES, name), folder)
        self.change(session, (
            ("address: 127.0.0.2", f"address: 127.0.{number}.2"),
            ("host: 127.0.0.1", f"host: 127.0.{number}.1"),
            ("port: emulated/hub", f"port: {folder}/rig/hub"), *changes))
        for name in ("stage-scanner.yaml", "stage-emulated.yaml"):
            if os.path.exists(os.path.join(folder, name)):  # homing is long enough without
                self.change(name, (("back_m: 0.01", "back_m: 0.002"),))
        self.change("stage-scanner.yaml", stage)
        for name, text in files:
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
        image = os.path.join(build, "firmware", "hub-stm32f405.elf")
        if hub == "qemu" and (not shutil.which("qemu-system-arm") or not os.path.exists(image)):
            raise Skipped("the hub's firmware or its emulator is missing")
        command = [os.path.join(build, "tests", "nfsar-rig"), self.session,
                   os.path.join(folder, scene), "--truth", self.truth,
                   "--hub", image if hub == "qemu" else "host", "--seconds", str(LIMIT_S), *options]
        if faults:
            command += ["--fault", faults]
        self.program = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
        line = self.program.stdout.readline()
        check(line.startswith("ready"), f"nfsar-rig says {line!r}")
        if hub == "qemu":  # which may start slowly
            wait_for(lambda: self.try_nfsar("hub", f"{folder}/rig/hub").returncode == 0)
        self.said = []
        self.reader = threading.Thread(target=lambda: self.said.extend(self.program.stdout),
                                       daemon=True)
        self.reader.start()

    def change(self, name, changes):
        path = os.path.join(self.folder, name)
        with open(path) as file:
            text = file.read()
        for pattern, value in changes:
            new = re.sub(pattern, lambda _: value, text)
            check(new != text, f"{name} has no {pattern}")
            text = new
        with open(path, "w") as file:
            file.write(text)

    def start(self, *options):
        """nfsar record, going on."""
        return subprocess.Popen(
            [os.path.join(self.build, "nfsar"), "record", self.session, "-o", self.capture, "--json",
             *options], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def record(self, *options, status=0):
        """nfsar record to its end: what it says as JSON, and on stderr."""
        program = self.start(*options)
        out, err = program.communicate(timeout=LIMIT_S)
        check(program.returncode == status, f"nfsar record ends with {program.returncode}: {err}")
        return (json.loads(out) if out else None), err

    def try_nfsar(self, *arguments):
        return subprocess.run([os.path.join(self.build, "nfsar"), *arguments], cwd=self.folder,
                              capture_output=True, text=True, timeout=LIMIT_S)

    def nfsar(self, *arguments, status=0):
        done = self.try_nfsar(*arguments)
        check(done.returncode == status,
              f"nfsar {' '.join(arguments)} ends with {done.returncode}: {done.stderr}")
        return done.stdout if status == 0 else done.stderr

    def stopped(self, times=1):
        """Waits until the radar was stopped so often, each time after frames: the truth is written."""
        wait_for(lambda: sum("truth of" in line for line in self.said) >= times)

    def end(self):
        """Ends the rig, which writes the truth."""
        if self.program and self.program.poll() is None:
            self.program.send_signal(signal.SIGINT)
            try:
                self.program.wait(120)
            except subprocess.TimeoutExpired:
                self.program.kill()
                raise
        check(self.program.returncode == 0, f"nfsar-rig ends with {self.program.returncode}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.program and self.program.poll() is None:
            self.program.terminate()
            try:
                self.program.wait(60)
            except subprocess.TimeoutExpired:
                self.program.kill()


def wait_for(condition, limit_s=120.0, every_s=0.05):
    end = time.monotonic() + limit_s
    while not condition():
        check(time.monotonic() < end, "what was waited for did not come")
        time.sleep(every_s)
