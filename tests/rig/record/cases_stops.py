"""Scans that something stops: the emergency stop, a restart of the hub, a full card."""
import h5py
import numpy

from cases_broken import LONG
from cases_whole import HANDHELD
from compare import same_samples
from rig import Rig, check


def broken_off(rig, words, least, most, flags=0, stops=True):
    """nfsar record fails with these words, and what came is sealed."""
    result, said = rig.record(status=1)
    last = said.strip().splitlines()[-1]
    check(all(word in last for word in words), f"says {last!r}, without {words}")
    check(result["sealed"] and not result["interrupted"], f"{result} {said}")
    if stops:
        rig.stopped()
    else:
        rig.end()
    pulses = same_samples(rig, None, flags)
    check(least <= pulses < most, f"{pulses} pulses")
    print(f"  {last}: {pulses} pulses, bit for bit")
    return pulses


def emergency_stop(folder, build, number):
    """The emergency stop is pressed amid the scan."""
    with Rig(folder, build, number, changes=LONG, faults="emergency=151") as rig:
        broken_off(rig, ("broken off", "emergency stop"), 151, 400)
        rig.capture += "-2"
        rig.recording += "-2"
        _, said = rig.record(status=1)
        check("the emergency stop is on" in said, said)


def hub_restarts(folder, build, number):
    """The hub restarts amid the scan."""
    with Rig(folder, build, number, changes=LONG, faults="restart=151") as rig:
        broken_off(rig, ("the hub restarted",), 100, 152)


def ddr_full(folder, build, number):
    """The card says amid the scan that its memory was full: what came after it is flagged."""
    with Rig(folder, build, number, changes=LONG, faults="ddr-full=151") as rig:
        pulses = broken_off(rig, ("lost samples inside",), 151, 400, None)
        with h5py.File(rig.capture, "r") as capture:
            flagged = capture["echo/flags"][:] & 1
        first = int(numpy.argmax(flagged))
        check(flagged.any() and flagged[first:].all(), f"pulses {numpy.flatnonzero(flagged)}")
        check(100 < first, f"flagged from {first} on")
        print(f"  {pulses - first} pulses flagged, from {first} on")


def period_ends(folder, build, number):
    """The hub stops triggering before the time is over."""
    with Rig(folder, build, number, options=("--tracker", "tracker.csv"), faults="emergency=201",
             **HANDHELD) as rig:
        broken_off(rig, ("emergency stop", "of 500 triggers"), 200, 210)


CASES = [emergency_stop, hub_restarts, ddr_full, period_ends]
