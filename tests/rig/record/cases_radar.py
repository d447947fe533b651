"""A radar that misses triggers, falls silent, hangs; a card and a hub that lose what it sent."""
import os
import re
import signal

import h5py
import numpy

from cases_broken import rows_so_far, says
from cases_faults import busy, spread
from cases_whole import SLOW, SMALL, TWO_ROWS
from compare import same_samples, samples
from rig import Rig, check, wait_for


def no_samples(folder, build, number):
    """The radar's cable is not plugged in: the scan ends by itself, and nothing is left."""
    with Rig(folder, build, number, changes=(("rows: 10", "rows: 40"),), faults="mute=1") as rig:
        said = says(rig, ("not one packet", "cable", "SYNC_IN"))
        triggers = int(re.search(r"(\d+) triggers", said).group(1))
        check(8 < triggers < 1000, f"it took {triggers} triggers")
        status = rig.nfsar("hub", f"{folder}/rig/hub")
        check("triggers off" in status, status)
        rig.stopped()
        print("  " + said)


def silent_midway(folder, build, number):
    """The cable falls out amid the scan: the scan ends by itself, what came is there."""
    with Rig(folder, build, number, changes=(("rows: 10", "rows: 40"),), faults="mute=121") as rig:
        _, said = rig.record(status=1)
        check("samples stopped coming after 1" in said, said)
        rig.stopped()
        rig.end()
        truth = samples(rig.truth)
        check(120 < len(truth) < 1200, f"{len(truth)} triggers until the end")
        if os.path.exists(rig.recording):
            rig.nfsar("repair", rig.recording, "--join-by-time")
        got = samples(rig.capture)
        check(len(got) == 120 and numpy.array_equal(got, truth[:120]), f"{len(got)} pulses")
        print(f"  120 pulses came and are there, bit for bit; ended after {len(truth)} triggers")


def two_missed(folder, build, number):
    """The radar misses two triggers: refused, both localised."""
    with Rig(folder, build, number, changes=SLOW, faults="miss=21,miss2=61") as rig:
        _, said = rig.record(status=1)
        check("2 of 80 triggers gave no frame: " in said, said)
        check("gave no frame" in rig.nfsar("repair", rig.recording, status=1), "repair")
        check(not os.path.exists(rig.capture), "a capture was made")
        if "(by their times)" not in said:
            busy(rig, [20, 60])
            return
        found = [int(one) for one in re.search(r"gave no frame: (\d+), (\d+)", said).groups()]
        check(abs(found[0] - 20) <= 1 and abs(found[1] - 60) <= 1, f"found {found}")
        print(f"  the radar missed triggers 20 and 60, by the times these were {found}")


def killed_missed(folder, build, number):
    """nfsar record is killed after the radar missed two triggers: repair does not seal it as it is."""
    with Rig(folder, build, number, changes=SLOW, faults="miss=16,miss2=26") as rig:
        program = rig.start()
        wait_for(lambda: rows_so_far(rig) > 40, every_s=0.5)  # it takes time from the rig
        program.send_signal(signal.SIGKILL)
        program.wait(60)
        off = spread(rig, [15, 25])
        if off > 0.05:  # of a recording that broke off only the times tell
            print(f"  NOT SHOWN: this computer is too busy (frames came to {off:.2f} intervals)")
            return
        said = rig.nfsar("repair", rig.recording, status=1)
        check("gave no frame" in said and not os.path.exists(rig.capture), said)
        print("  " + said.strip().splitlines()[-1])


def hung_stop(folder, build, number):
    """The radar hangs in sensorStop: it is reset, everything is sealed, and so is the next scan."""
    with Rig(folder, build, number, changes=TWO_ROWS, faults="hang-stop") as rig:
        for name in ("first.h5", "second.h5"):
            rig.capture = os.path.join(folder, name)
            result, said = rig.record()
            check(result["sealed"] and result["pulses"] == 80, f"{result}")
            check("sensorStop" in said and "reset" in said, said)
            rig.stopped(1 + (name == "second.h5"))
            same_samples(rig, 80)
        print("  two scans of 80 pulses, bit for bit")


def lost_triggers(folder, build, number):
    """Records of triggers are lost between hub and computer: times and places are guessed, and said
    to be."""
    with Rig(folder, build, number, changes=SMALL, faults="drop-record=91,drop-records=3") as rig:
        result, _ = rig.record()
        check(result["sealed"] and result["triggers"] == 200 == result["pulses"], f"{result}")
        check(result["hub_records_lost"] == 3, f"{result}")
        rig.end()
        guessed = numpy.zeros(200, numpy.uint8)
        guessed[90:93] = 2
        same_samples(rig, 200, guessed, times=False)
        with h5py.File(rig.capture, "r") as capture, h5py.File(rig.truth, "r") as truth:
            off = numpy.abs(capture["echo/time_s"][:] - truth["echo/time_s"][:])
            numbers = capture["sensor/trigger/number"][:]
        check(not off[guessed == 0].any() and off.max() < 1e-3, f"times are off by {off.max()} s")
        check(len(numbers) == 197 and not {90, 91, 92} & set(numbers.tolist()), f"{numbers}")
        print(f"  3 of 200 triggers guessed, off by {off.max() * 1e6:.0f} us; samples bit for bit")


CASES = [no_samples, silent_midway, two_missed, killed_missed, hung_stop, lost_triggers]
