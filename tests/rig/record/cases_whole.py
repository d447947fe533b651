"""Recordings with nothing wrong: samples bit for bit, the image to -60 dB."""
import json
import os

from compare import image_error_db, same_path, same_places, same_samples
from rig import EXAMPLES, Rig, check

SMALL = (("positions: 50", "positions: 40"), ("rows: 10", "rows: 5"))
TWO_ROWS = (("positions: 50", "positions: 40"), ("rows: 10", "rows: 2"))
BIG = (("positions: 50", "positions: 400"), ("rows: 10", "rows: 40"),
       ("row_step_m: 7.5875e-3", "row_step_m: 2e-3"), ("step_m: 1e-3", "step_m: 0.5e-3"))
# 50 ms between triggers, of which a busy computer, too, knows one from the next.
SLOW = TWO_ROWS + (("  step_m: 1e-3", "  step_m: 1e-3\n  speed_m_per_s: 0.02"),)
HANDHELD = dict(session="session-handheld-emulated.yaml", scene="scene-handheld-emulated.yaml")
# qemu makes at most 5000 steps a second.
COARSE = (("stage: stage-scanner.yaml", "stage: stage-emulated.yaml"),)


def whole(rig, triggers, stage=True):
    result, _ = rig.record()
    check(result["sealed"] and result["triggers"] == triggers == result["pulses"], f"{result}")
    check(result["lost_bytes"] == 0 and result["hub_records_lost"] == 0, f"{result}")
    rig.end()
    same_samples(rig, triggers)
    home = same_places(rig) if stage else (0.0, 0.0, 0.0)
    error = image_error_db(rig, home)
    check(error < -60, f"image is off by {error:.1f} dB")
    print(f"  {triggers} pulses bit for bit in {result['scan_s']:.1f} s, image {error:.1f} dB;"
          f" {result['hub_records']} records of the hub")


def raster(folder, build, number):
    """A serpentine scan of 5 x 40 points without a stop."""
    with Rig(folder, build, number, changes=SMALL) as rig:
        whole(rig, 200)


def big_raster(folder, build, number):
    """40 rows of 400 points, 5 ms apart."""
    with Rig(folder, build, number, changes=BIG) as rig:
        whole(rig, 16000)


def big_raster_in_qemu(folder, build, number):
    """The same with the real firmware in the emulator: nine minutes."""
    with Rig(folder, build, number, changes=BIG + COARSE, hub="qemu") as rig:
        whole(rig, 16000)


def raster_in_qemu(folder, build, number):
    """The same with the real firmware in the emulator."""
    with Rig(folder, build, number, changes=SMALL + COARSE, hub="qemu") as rig:
        whole(rig, 200)


def handheld(folder, build, number):
    """A hand moves the radar; triggers by time, poses from a tracker's file."""
    with Rig(folder, build, number, options=("--tracker", "tracker.csv"), **HANDHELD) as rig:
        whole(rig, 500, stage=False)


def handheld_in_qemu(folder, build, number):
    """The same with the real firmware in the emulator."""
    with Rig(folder, build, number, options=("--tracker", "tracker.csv"), hub="qemu",
             **HANDHELD) as rig:
        whole(rig, 500, stage=False)


def tracked(folder, build, number):
    """A hand that rests, then moves: poses from the hub's IMU, flow and range finder alone."""
    text = open(os.path.join(EXAMPLES, HANDHELD["scene"])).read()
    calm = "wander_time_s: 0.8\n    rest_s: 1\n    smooth_s: 0.15"
    check("wander_time_s: 0.8" in text, "the scene has changed")
    with Rig(folder, build, number, session=HANDHELD["session"], scene="calm.yaml",
             files=(("calm.yaml", text.replace("wander_time_s: 0.8", calm)),),
             changes=(("triggers: 500", "triggers: 130"), ("period_s: 10e-3", "period_s: 50e-3"),
                      ("from: file", "from: none"),
                      (r"\n  file: tracker.csv.*", ""))) as rig:
        result, _ = rig.record()
        check(result["sealed"] and result["pulses"] == 130, f"{result}")
        rig.end()
        said = json.loads(rig.nfsar("track", rig.capture, "-o", "tracked.h5", "--json", "--quiet"))
        check(said["still"] and said["sensors"]["imu"]["used"] > 1000, f"{said}")
        check(all(said["sensors"][name]["used"] > 250 for name in ("flow", "range")), f"{said}")
        along, across, n = same_path(rig, os.path.join(folder, "tracked.h5"))
        # Of both transmitters' turns; the first pulses may come before the first inertial record.
        check(250 <= n <= 260, f"{n} poses for 130 pulses")
        check(along < 0.5e-3 and across < 3e-3,
              f"a second's motion is off by {along * 1e3:.2f} mm along, {across * 1e3:.2f} mm across")
        print(f"  a second's motion to {along * 1e3:.2f} mm along, {across * 1e3:.2f} mm across")


CASES = [tracked, raster, raster_in_qemu, handheld, handheld_in_qemu, big_raster, big_raster_in_qemu]
