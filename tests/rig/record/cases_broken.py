"""Recordings that end early, and rigs that do not answer."""
import os
import random
import signal
import time

import h5py
import numpy

from cases_whole import SMALL
from compare import same_samples, samples
from rig import Rig, check, wait_for

# Ten rows that take some ten seconds.
LONG = (("rows: 10", "rows: 8"),)


def rows_so_far(rig):
    try:
        with h5py.File(rig.recording, "r", locking=False) as file:
            return int(file["recording/rows"][0])
    except (OSError, KeyError):
        return 0


def interrupted(folder, build, number):
    """Ctrl-C amid the scan: stage and radar stopped, what came is sealed."""
    with Rig(folder, build, number, changes=LONG) as rig:
        program = rig.start()
        wait_for(lambda: rows_so_far(rig) > 60)
        program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=120)
        check(program.returncode == 1 and "interrupted" in err, f"{program.returncode}: {err}")
        check('"sealed": true' in out and '"interrupted": true' in out, out)
        check(not os.path.exists(rig.recording), "the recording is still there")
        status = rig.nfsar("hub", f"{folder}/rig/hub")
        check("triggers off" in status, status)
        rig.stopped()  # the radar too
        pulses = same_samples(rig)
        check(60 < pulses < 400, f"{pulses} pulses")
        with h5py.File(rig.truth, "r") as truth:
            check(truth["echo/data"].shape[0] == pulses, "the radar was triggered after the end")
        rig.end()
        print(f"  {pulses} of 400 pulses, bit for bit")


def triggers_until(rig, host_s):
    """Triggers that the radar got until then, of this computer's monotonic clock."""
    with h5py.File(rig.capture, "r") as capture, h5py.File(rig.truth, "r") as truth:
        table = capture["sensor/trigger"]
        late_s = numpy.min(table["host_s"][-20:] - table["time_s"][-20:])  # the hub's clock has no gap
        return int((truth["echo/time_s"][:] < host_s - late_s).sum())


def killed(folder, build, number):
    """kill -9 at random moments: the file opens, at most a second is missing, repair
    seals it."""
    rng = random.Random(1)
    told = []
    for attempt in range(2):
        sub = os.path.join(folder, str(attempt))
        os.mkdir(sub)
        with Rig(sub, build, number, changes=LONG) as rig:
            program = rig.start()
            wait_for(lambda: rows_so_far(rig) > 100)
            time.sleep(rng.uniform(0.1, 1.5))
            live = rows_so_far(rig)
            killed_s = time.monotonic()
            program.send_signal(signal.SIGKILL)
            program.wait(60)
            check(rows_so_far(rig) >= live, f"{live} rows were there, {rows_so_far(rig)} remain")
            rig.nfsar("info", rig.recording)
            rig.nfsar("hub", f"{sub}/rig/hub", "scan", "stop")
            rig.nfsar("repair", rig.recording)
            rig.end()
            pulses = len(samples(rig.capture))
            check(numpy.array_equal(samples(rig.capture), samples(rig.truth)[:pulses]), "samples")
            told.append((pulses, triggers_until(rig, killed_s)))
            sure = triggers_until(rig, killed_s - 1.0)
            check(sure <= pulses, f"{pulses} pulses, of {sure} triggers a second before the kill")
    print(f"  sealed, of triggers until each kill: {told}; bit for bit")


def says(rig, words, *options):
    """nfsar record fails in one line with these words, and leaves nothing."""
    _, said = rig.record(*options, status=1)
    last = said.strip().splitlines()[-1]
    check(all(word in last for word in words), f"says {last!r}, without {words}")
    check(not os.path.exists(rig.capture) and not os.path.exists(rig.recording),
          f"{os.listdir(rig.folder)} is left")
    return last


def unwilling(folder, build, number):
    """A card that is silent or refuses, a hub that is not there: one line, and nothing is left."""
    for i, (faults, words) in enumerate((("silent", ("card", f"127.0.{number}.2")),
                                         ("refuse=11", ("refused",)))):
        sub = os.path.join(folder, str(i))
        os.mkdir(sub)
        with Rig(sub, build, number, changes=SMALL, faults=faults) as rig:
            print("  " + says(rig, words))
            if i == 0:
                rig.change(os.path.basename(rig.session), (("/rig/hub", "/rig/none"),))
                print("  " + says(rig, ("/rig/none",)))

CASES = [interrupted, killed, unwilling]
