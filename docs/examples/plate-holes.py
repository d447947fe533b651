"""How deep the holes and how steep the edges of the square plate are (docs/calibrate.md, "A real scan").

    python3 plate-holes.py IMAGE.h5 [IMAGE.h5 ...]

Images are taken voxel for voxel: places below count from the grid's edges, -100 to 100 along both axes.
"""

import sys

import h5py
import numpy as np

HOLES = ((-59, -1), (-14, -11), (12, -15))

for name in sys.argv[1:]:
    with h5py.File(name) as h:
        a = abs(h["image/data"][0])
    x, y = (np.linspace(-100, 100, n) for n in a.shape[::-1])
    plate_x, plate_y = (x > -70) & (x < 15), (y > -38) & (y < 8)
    a /= np.median(a[np.ix_(plate_y, plate_x)])
    depth = [20 * np.log10(a[np.ix_(abs(y - v) < 7, abs(x - u) < 6)].min()) for u, v in HOLES]
    across_x = np.median(np.gradient(a[plate_y], axis=1).max(axis=1))
    across_y = np.median(abs(np.gradient(a[:, (x > -70) & (x < -20)], axis=0)).max(axis=0))
    print(f"{name}: holes", *(f"{d:.1f}" for d in depth), f"dB, edges {across_x:.3f} and {across_y:.3f}")
