"""A radar that misses triggers, falls silent, hangs; a card and a hub that lose what it sent."""
import os
import re

import h5py
import numpy

from cases_broken import says
from cases_faults import busy
from cases_whole import SMALL, TWO_ROWS
from compare import same_samples
from rig import Rig, check


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


def two_missed(folder, build, number):
    """The radar misses two triggers: refused, both localised."""
    with Rig(folder, build, number, changes=SMALL, faults="miss=81,miss2=121") as rig:
        _, said = rig.record(status=1)
        check("2 of 200 triggers gave no frame: " in said, said)
        check("gave no frame" in rig.nfsar("repair", rig.recording, status=1), "repair")
        check(not os.path.exists(rig.capture), "a capture was made")
        if "(by their times)" not in said:
            busy(rig, [80, 120])
            return
        found = [int(one) for one in re.search(r"gave no frame: (\d+), (\d+)", said).groups()]
        check(abs(found[0] - 80) <= 2 and abs(found[1] - 120) <= 2, f"found {found}")
        print(f"  the radar missed triggers 80 and 120, by the times these were {found}")


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


CASES = [no_samples, two_missed, hung_stop, lost_triggers]
