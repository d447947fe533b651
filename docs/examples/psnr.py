#!/usr/bin/python3
"""PSNR of images of scene-thin.yaml against its points, both smoothed to 2 mm.

    python3 psnr.py scene-thin.yaml image.h5 ...
"""
import re
import sys

import h5py
import numpy as np
from numpy.fft import fft2, fftfreq, ifft2

SIGMA = 2e-3
points = [[float(v) for v in at.split(",")] for at in re.findall(r"at_m: \[(.*?)\]", open(sys.argv[1]).read())]
for name in sys.argv[2:]:
    with h5py.File(name) as h:
        image = np.abs(h["image/data"][0])
        (x, y) = (h["image/" + axis + "_m"][()] for axis in "xy")
    kx, ky = (2 * np.pi * fftfreq(len(axis), axis[1] - axis[0]) for axis in (x, y))
    smooth = np.abs(ifft2(fft2(image) * np.exp(-0.5 * SIGMA**2 * (kx**2 + ky[:, None] ** 2))))
    truth = sum(np.exp(-((x - p[0]) ** 2 + (y[:, None] - p[1]) ** 2) / (2 * SIGMA**2)) for p in points)
    error = smooth / smooth.max() - truth / truth.max()
    print(f"{name}: {-10 * np.log10(np.mean(error**2)):.1f} dB")
