"""What goes wrong between card and host: every byte where it belongs, losses exactly in the map."""
import h5py
import numpy

from cases_whole import SLOW, SMALL
from compare import same_but_lost, samples
from rig import Rig, check


def faulty(folder, build, number, faults, test):
    with Rig(folder, build, number, changes=SMALL, faults=faults) as rig:
        result, _ = rig.record()
        check(result["sealed"] and result["triggers"] == 200 == result["pulses"], f"{result}")
        rig.end()
        losses, lost, flagged = same_but_lost(rig)
        check(lost == result["lost_bytes"], f"{lost} bytes in the map, {result['lost_bytes']} told")
        check(flagged == result["pulses_with_samples_missing"], f"{flagged} pulses flagged")
        check(test(losses), f"{losses} losses")
        print(f"  {faults}: {losses} losses of {lost} bytes in all, {flagged} of 200 pulses flagged,"
              " every other byte in its place")


def lossy(folder, build, number):
    """One packet in twenty is lost."""
    faulty(folder, build, number, "loss=0.05,seed=7", lambda n: n > 3)


def shuffled(folder, build, number):
    """Packets by fifties in random order, some twice."""
    faulty(folder, build, number, "reorder=50,duplicate=0.05,seed=9", lambda n: n == 0)


def past_4_gib(folder, build, number):
    """The byte count passes 2^32 amid the scan, and packets are lost around it."""
    faulty(folder, build, number, f"first-byte={2**32 - 150 * 1456},loss=0.02,seed=3", lambda n: n > 0)


def cut_short(folder, build, number):
    """The last, short packet never comes: the last pulse is flagged, all others are whole."""
    with Rig(folder, build, number, changes=SMALL, faults="no-last") as rig:
        result, _ = rig.record()
        check(result["sealed"] and result["triggers"] == 200 == result["pulses"], f"{result}")
        rig.end()
        with h5py.File(rig.capture, "r") as capture:
            flags = capture["echo/flags"][:]
        flagged = numpy.flatnonzero(flags)
        check(list(flagged) == [199], f"pulses {flagged} are flagged")
        check(numpy.array_equal(samples(rig.capture)[:199], samples(rig.truth)[:199]), "samples")
        print("  199 of 200 pulses bit for bit, the last one flagged")


def spread(rig, missed):
    """Median deviation of the frames' lag behind their triggers, in intervals: what the finding
    rests on. missed: the triggers that have no frame."""
    with h5py.File(rig.recording, "r", locking=False) as file:
        rows = dict(zip(file["recording/tables"].asstr()[:], file["recording/rows"][:]))
        table = file["sensor/trigger"]
        n = rows["/sensor/trigger"]
        hub_s, host_s = table["time_s"][:n], table["host_s"][:n]
        frame_s = file["sensor/frame/host_s"][:rows["/sensor/frame"]]
    made_s = numpy.delete(hub_s, missed)
    both = min(len(frame_s), len(made_s))  # one that was killed lacks the last of some
    lag = frame_s[:both] - made_s[:both] - numpy.min(host_s - hub_s)
    return numpy.median(numpy.abs(lag - numpy.median(lag))) / numpy.median(numpy.diff(hub_s))


def busy(rig, missed):
    """Not localised: right only where the computer was too busy for times to mean much."""
    off = spread(rig, missed)
    check(off > 0.05, f"not localised, and frames came regularly, to {off:.3f} intervals")
    print(f"  NOT LOCALISED: this computer is too busy (frames came to {off:.2f} intervals); refused")


def missed(folder, build, number):
    """The radar misses a trigger: refused, localised, and sealed when told to."""
    with Rig(folder, build, number, changes=SLOW, faults="miss=41") as rig:
        _, said = rig.record(status=1)
        check("1 of 80 triggers gave no frame: " in said, said)
        certain = "(by their times)" in said
        said = rig.nfsar("repair", rig.recording, status=1)
        check("gave no frame" in said, said)
        rig.end()
        if not certain:  # frames came later than their triggers by very different times
            rig.nfsar("repair", rig.recording, "--join-by-time", status=1)
            busy(rig, [40])
            return
        found = rig.nfsar("repair", rig.recording, "--join-by-time")
        check("read back" in found, found)
        with h5py.File(rig.capture, "r") as capture, h5py.File(rig.truth, "r") as truth:
            check(numpy.array_equal(capture["echo/data"][:], truth["echo/data"][:]), "samples")
            time_s = capture["echo/time_s"][:]
            right = (time_s == truth["echo/time_s"][:]).sum()
            triggers = list(capture["sensor/trigger/time_s"][:])
        gone = set(range(80)) - {triggers.index(one) for one in time_s}
        check(len(time_s) == 79 and len(gone) == 1, f"triggers {gone} have no frame")
        check(abs(min(gone) - 40) <= 1, f"trigger {gone} has no frame, not 40")
        print(f"  the radar missed trigger 40, by the times it was {min(gone)}; {right} of 79 pulses"
              " have their own trigger's time")


CASES = [lossy, shuffled, past_4_gib, cut_short, missed]
