"""What goes wrong between card and host: every byte where it belongs, losses exactly in the map."""
from cases_whole import SMALL
from compare import same_but_lost
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
        import h5py
        import numpy
        from compare import samples
        with h5py.File(rig.capture, "r") as capture:
            flags = capture["echo/flags"][:]
        flagged = numpy.flatnonzero(flags)
        check(list(flagged) == [199], f"pulses {flagged} are flagged")
        check(numpy.array_equal(samples(rig.capture)[:199], samples(rig.truth)[:199]), "samples")
        print("  199 of 200 pulses bit for bit, the last one flagged")


def missed(folder, build, number):
    """The radar misses a trigger: refused, localised, and sealed when told to."""
    import h5py
    import numpy
    with Rig(folder, build, number, changes=SMALL, faults="miss=81") as rig:
        _, said = rig.record(status=1)
        check("1 of 200 triggers gave no frame: " in said, said)
        certain = "(by their times)" in said
        said = rig.nfsar("repair", rig.recording, status=1)
        check("gave no frame" in said, said)
        rig.end()
        if not certain:  # a busy computer: frames came later than their triggers by very different times
            rig.nfsar("repair", rig.recording, "--join-by-time", status=1)
            print("  NOT LOCALISED: this computer is too busy; refused with and without --join-by-time")
            return
        found = rig.nfsar("repair", rig.recording, "--join-by-time")
        check("read back" in found, found)
        with h5py.File(rig.capture, "r") as capture, h5py.File(rig.truth, "r") as truth:
            check(numpy.array_equal(capture["echo/data"][:], truth["echo/data"][:]), "samples")
            time_s = capture["echo/time_s"][:]
            right = (time_s == truth["echo/time_s"][:]).sum()
            triggers = list(capture["sensor/trigger/time_s"][:])
        gone = set(range(200)) - {triggers.index(one) for one in time_s}
        check(len(time_s) == 199 and len(gone) == 1, f"triggers {gone} have no frame")
        check(abs(min(gone) - 80) <= 2, f"trigger {gone} has no frame, not 80")
        print(f"  the radar missed trigger 80, by the times it was {min(gone)}; {right} of 199 pulses"
              " have their own trigger's time")


CASES = [lossy, shuffled, past_4_gib, cut_short, missed]
