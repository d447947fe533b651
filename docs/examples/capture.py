#!/usr/bin/python3
"""A capture of one's own: a point 0.2 m in front of a 30 x 30 mm scan with one antenna.

    python3 capture.py mine.h5 && nfsar info mine.h5
    nfsar reconstruct mine.h5 -o image.h5 --x -0.015:0.015:61 --y -0.015:0.015:61 --z 0.2
"""
import sys

import h5py
import numpy as np

f = 77e9 + 62.5e6 * np.arange(64)  # frequency of each sample, Hz
x, y = np.meshgrid(np.arange(-15, 16) * 1e-3, np.arange(-15, 16) * 1e-3)
position = np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], axis=1)  # of the radar, m
R = np.linalg.norm(position - [0.004, -0.002, 0.2], axis=1)  # to the point
echo = np.exp(2j * np.pi * f * 2 * R[:, None] / 299792458.0)  # there and back

with h5py.File(sys.argv[1], "w", libver="latest") as h:
    h.attrs["format"] = np.bytes_("nfsar-capture")
    h.attrs["format_version"] = 1
    h["radar/frequency_hz"] = f
    h["array/tx_m"] = np.zeros((1, 3))  # antennas, in the radar's frame
    h["array/rx_m"] = np.zeros((1, 3))
    h["array/channel"] = np.array([[0, 0]])  # (tx, rx) of each channel
    h["echo/data"] = echo[:, None, :].astype(np.complex64)  # pulse, channel, sample
    h["echo/time_s"] = 0.01 * np.arange(len(R))
    h["pose/position_m"] = position
