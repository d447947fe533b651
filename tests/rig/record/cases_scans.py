"""Scans of other kinds, with nothing wrong: bit for bit."""
import os
import signal

import h5py

from cases_broken import rows_so_far
from cases_whole import SMALL
from compare import same_places, same_samples
from rig import Rig, check, wait_for


def exact(rig, pulses, tolerance_m=1e-9):
    result, _ = rig.record()
    check(result["sealed"] and result["pulses"] == pulses and result["lost_bytes"] == 0, f"{result}")
    rig.end()
    with h5py.File(rig.truth, "r") as truth:
        check(truth["echo/data"].shape[0] == pulses, "the radar made another number of pulses")
        same_samples(rig, pulses, truth["echo/flags"][:])
    if tolerance_m is not None:
        same_places(rig, tolerance_m)
    return result


def far_start(folder, build, number):
    """The first point is far from home: the first trigger comes long after the scan's start."""
    with Rig(folder, build, number, stage=(("speed_m_per_s: 0.1", "speed_m_per_s: 0.05"),),
             changes=(("x_m: 20e-3", "x_m: 330e-3"), ("positions: 50", "positions: 20"),
                      ("rows: 10", "rows: 2"))) as rig:
        result = exact(rig, 40)
        check(result["scan_s"] > 5, f"the scan took {result['scan_s']} s")
        print(f"  40 points, {result['scan_s']:.1f} s after the start; bit for bit")


def one_row(folder, build, number):
    """A single row, of a stage that was not homed."""
    with Rig(folder, build, number, changes=(("rows: 10", "rows: 1"),)) as rig:
        exact(rig, 50)
        print("  50 points, bit for bit")


def stop_and_go(folder, build, number):
    """A stand and two triggers at each point, and rows that lie so far apart that the card thinks the
    radar has stopped, and sends a short packet."""
    with Rig(folder, build, number,
             changes=(("positions: 50", "positions: 5\n  stop: true\n  settle_s: 0.05\n  repeats: 2"),
                      ("rows: 10", "rows: 2"),
                      ("row_step_m: 7.5875e-3", "row_step_m: 0.3"))) as rig:
        # The rig takes a stage that has just stopped for one that creeps.
        result = exact(rig, 20, 1e-7)
        print(f"  2 rows of 5 points, 2 triggers at each: bit for bit in {result['scan_s']:.1f} s")


LOOPS = """sensorStop
flushCfg
dfeDataOutputMode 1
channelCfg 15 5 0
adcCfg 2 1
adcbufCfg -1 0 1 1 1
profileCfg 0 77 7 6 39 0 0 100 0 64 2000 0 0 30
chirpCfg 0 0 0 0 0 0 0 1
chirpCfg 1 1 0 0 0 0 0 4
frameCfg 0 1 4 0 5 2 0
lowPower 0 0
guiMonitor -1 0 0 0 0 0 0
lvdsStreamCfg -1 0 1 0
sensorStart
"""


def loops_two_lanes(folder, build, number):
    """Frames of four loops, each a pulse; two lanes; Q before I."""
    with Rig(folder, build, number, files=(("loops.cfg", LOOPS),),
             changes=(("positions: 50", "positions: 30"), ("rows: 10", "rows: 3"),
                      ("lanes: 4", "lanes: 2"), ("radar-stage.cfg", "loops.cfg"),
                      ("AWR1443BOOST", "AWR1843BOOST"), ("xwr1443-2tx", "xwr1843-2tx"))) as rig:
        exact(rig, 360, None)
        print("  90 frames of 4 loops: 360 pulses bit for bit")


def again(folder, build, number):
    """A recording that is interrupted, then a whole one on the same rig."""
    with Rig(folder, build, number, changes=SMALL) as rig:
        program = rig.start()
        wait_for(lambda: rows_so_far(rig) > 30)
        program.send_signal(signal.SIGINT)
        _, err = program.communicate(timeout=120)
        check(program.returncode == 1 and "interrupted" in err, f"{program.returncode}: {err}")
        rig.stopped()
        pulses = same_samples(rig)
        check(30 < pulses < 200, f"{pulses} pulses")
        rig.capture = os.path.join(folder, "again.h5")
        exact(rig, 200)
        print(f"  {pulses} pulses, then 200, bit for bit")


CASES = [far_start, one_row, stop_and_go, loops_two_lanes, again]
