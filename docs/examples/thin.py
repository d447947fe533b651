#!/usr/bin/python3
"""A capture with a part of its positions, drawn at random: what a shorter scan would have seen.

    python3 thin.py full.h5 0.25 quarter.h5 [SEED]
"""
import shutil
import sys

import h5py
import numpy as np

full, part, thin = sys.argv[1], float(sys.argv[2]), sys.argv[3]
seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
shutil.copyfile(full, thin)
with h5py.File(thin, "r+") as h:
    n = len(h["echo/time_s"])
    keep = np.sort(np.random.default_rng(seed).choice(n, round(part * n), replace=False))
    for name in ("data", "time_s", "flags"):  # the poses may stay: a pulse finds its own by its time
        if "echo/" + name in h:
            kept = h["echo/" + name][()][keep]
            del h["echo/" + name]
            h["echo/" + name] = kept
