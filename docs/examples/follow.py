#!/usr/bin/python3
"""Follow a recording while it goes on: follow.py NAME.h5.recording"""
import sys
import time

import h5py
import numpy as np

seen, ended = 0, 0
while not ended:
    try:
        with h5py.File(sys.argv[1], "r") as h:  # opened anew: HDF5 keeps what it has read
            n = int(h["recording/rows"][0])  # of /echo
            ended = int(h["recording/ended"][0])
            pulses = h["echo/data"][seen:n]
    except FileNotFoundError:
        print("sealed")
        break
    if n > seen:
        echo = pulses["r"] + 1j * pulses["i"]  # pulse, channel, sample
        print(f"{n} pulses, rms {np.sqrt(np.mean(np.abs(echo) ** 2)):.1f}", flush=True)
    seen = n
    time.sleep(0.2)
