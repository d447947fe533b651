#!/usr/bin/python3
"""The pulses of a capture during which the radar moves, less what they share (its own leakage).

    python3 moving.py tracked.h5 moving.h5 [M_PER_S]
"""
import shutil
import sys

import h5py
import numpy as np

speed = float(sys.argv[3]) if len(sys.argv) > 3 else 0.2
shutil.copyfile(sys.argv[1], sys.argv[2])
with h5py.File(sys.argv[2], "r+") as h:
    t, p = h["pose/time_s"][()], h["pose/position_m"][()]
    time = h["echo/time_s"][()]
    at = lambda s: np.stack([np.interp(s, t, p[:, i]) for i in range(3)], 1)
    keep = np.linalg.norm(at(time + 0.1) - at(time - 0.1), axis=1) > 0.2 * speed
    for name in ("data", "time_s", "flags"):  # the poses may stay: a pulse finds its own by its time
        if "echo/" + name in h:
            kept = h["echo/" + name][()][keep]
            kept = kept - kept.mean(0) if name == "data" else kept
            del h["echo/" + name]
            h["echo/" + name] = kept
