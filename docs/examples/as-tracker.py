#!/usr/bin/python3
"""The poses of a capture as a tracker would write them: TUM text, 200 Hz, a clock that is ahead.

    python3 as-tracker.py capture.h5 poses.tum SECONDS
"""
import sys

import h5py
import numpy as np

with h5py.File(sys.argv[1]) as h:
    t, p, q = (h["pose/" + name][()] for name in ("time_s", "position_m", "orientation"))
at = np.arange(t[0], t[-1], 5e-3)
place = np.stack([np.interp(at, t, p[:, i]) for i in range(3)], 1)
turn = np.stack([np.interp(at, t, q[:, i]) for i in range(4)], 1)
turn /= np.linalg.norm(turn, axis=1)[:, None]
rows = np.column_stack([at + float(sys.argv[3]), place, turn[:, 1:], turn[:, 0]])
np.savetxt(sys.argv[2], rows, fmt="%.8f", header="timestamp tx ty tz qx qy qz qw")
