#!/usr/bin/python3
"""Too few positions: 50, 25 and 10 % of a scan, taken away at random or regularly, by bp, nurma and --sparse.

    python3 sparse-table.py nfsar OUTPUT [PLACES]

PLACES, a regular expression, picks among the rows ("all|25 %"). It writes OUTPUT/results.md between its markers, and OUTPUT/pictures/sparse-solids.png. Images are magnitudes over their
largest, smoothed to 2 mm as the scene's ideal image is; PSNR against that.
"""
import re
import struct
import subprocess
import sys
import tempfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
from numpy.fft import fft2, fftfreq, ifft2

SIGMA, SIDE = 2e-3, 81
GRID = "--x -0.06:0.06:121 --y -0.04:0.04:81 --z 0.3".split()
METHODS = {"bp": ["--method", "bp"], "nurma": ["--method", "nurma"]} | {
    p: ["--sparse", p] for p in ("l1", "tv", "l1+tv")
}
here, nfsar, output = Path(__file__).parent, sys.argv[1], Path(sys.argv[2])
places = re.compile(sys.argv[3] if len(sys.argv) > 3 else "")
work = Path(tempfile.mkdtemp())


def run(*arguments):
    subprocess.run([nfsar, *map(str, arguments), "-q"], check=True, stdout=subprocess.DEVNULL)


def points(x, y):
    """The points of scene-thin.yaml, as Gaussian spots."""
    at = re.findall(r"at_m: \[(.*?)\]", (here / "scene-thin.yaml").read_text())
    place = [[float(v) for v in p.split(",")] for p in at]
    return sum(np.exp(-((x - p[0]) ** 2 + (y - p[1]) ** 2) / (2 * SIGMA**2)) for p in place)


def solids(x, y):
    """The plates of scene-thin-solids.yaml, smoothed."""
    inside = lambda cx, cy, w, h: (abs(x - cx) <= w / 2) & (abs(y - cy) <= h / 2)
    angle = np.pi / 2 + 2 * np.pi * np.arange(10) / 10
    radius = np.where(np.arange(10) % 2 == 0, 0.015, 0.007)
    px, py, star = radius * np.cos(angle) - 0.025, radius * np.sin(angle), np.zeros(x.shape, bool)
    for i in range(10):
        crosses = (py[i] > y) != (py[i - 1] > y)
        star ^= crosses & (x < (px[i - 1] - px[i]) * (y - py[i]) / (py[i - 1] - py[i] + 1e-30) + px[i])
    plates = inside(0.03, 0.012, 0.03, 0.02) | inside(0.03, -0.018, 0.012, 0.012)
    return smooth((plates | inside(-0.025, 0, 0.04, 0.05) & ~star).astype(float), 1e-3)


def smooth(image, step):
    ky, kx = (2 * np.pi * fftfreq(n, step) for n in image.shape)
    return np.abs(ifft2(fft2(image) * np.exp(-0.5 * SIGMA**2 * (kx**2 + ky[:, None] ** 2))))


def thin(full, keep, to):
    """The pulses of `keep` only; a pulse finds its pose by its time."""
    to.write_bytes(full.read_bytes())
    with h5py.File(to, "r+") as h:
        for name in ("echo/data", "echo/time_s", "echo/flags"):
            if name in h:
                kept = h[name][()][keep]
                del h[name]
                h[name] = kept


def subsets():
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    yield "all", np.arange(SIDE * SIDE)
    for part in (0.5, 0.25, 0.1):
        n = round(part * SIDE * SIDE)
        yield f"{100 * part:.0f} % at random", np.sort(np.random.default_rng(1).choice(SIDE * SIDE, n, replace=False))
    yield "50 %, a checkerboard", np.flatnonzero((row + column) % 2 == 0)
    yield "25 %, every second of every second line", np.flatnonzero((row % 2 == 0) & (column % 2 == 0))
    yield "11 %, every third of every third line", np.flatnonzero((row % 3 == 0) & (column % 3 == 0))


def psnr(image, truth):
    image = smooth(image, 1e-3)
    return -10 * np.log10(np.mean((image / image.max() - truth / truth.max()) ** 2))


def write_png(path, pixels):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + r.tobytes() for r in pixels.astype(np.uint8))
    head = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def panel(image):
    shown = np.kron(255 * image[::-1] / image.max(), np.ones((2, 2)))
    return np.pad(shown, 3, constant_values=128)


def row(scene, full, name, keep, truth):
    part = work / f"{scene} {name} part.h5"
    thin(full, keep, part)
    cells = []
    for method, options in METHODS.items():
        if name == "all" and "--sparse" in options:  # what all places make is what the others are compared with
            cells.append("")
            continue
        image = work / f"{scene} {name} {method}.h5"
        run("reconstruct", part, "-o", image, *GRID, *options, "--threads", 1)
        with h5py.File(image) as h:
            data = np.abs(h["image/data"][0])
        cells.append(f"{psnr(data, truth):.1f}")
        shown[scene, name, method] = data
    line = f"| {name} | " + " | ".join(cells) + " |"
    print(line, flush=True)
    return line


axes = np.meshgrid(np.linspace(-0.06, 0.06, 121), np.linspace(-0.04, 0.04, 81))
lines, shown, waiting = [], {}, []
with ThreadPoolExecutor() as pool:
    for scene, ideal in (("scene-thin-solids", solids), ("scene-thin", points)):
        full = work / f"{scene}.h5"
        run("simulate", here / f"{scene}.yaml", "-o", full)
        head = "| places | " + " | ".join(METHODS) + " |"
        waiting += ["", f"`{scene}.yaml`:", "", head, "|---" * (len(METHODS) + 1) + "|"]
        for name, keep in subsets():
            if places.search(name):
                waiting.append(pool.submit(row, scene, full, name, keep, ideal(*axes)))
    lines = [item if isinstance(item, str) else item.result() for item in waiting]
panels = [("all", "bp")] + [("25 % at random", method) for method in METHODS]
panels = [panel(shown["scene-thin-solids", *which]) for which in panels]
write_png(output / "pictures/sparse-solids.png", np.block([panels[:3], panels[3:]]))
begin, end = "<!-- sparse table: made by `docs/examples/sparse-table.py nfsar docs` -->", "<!-- end of sparse table -->"
text = (output / "results.md").read_text()
before, after = text.split(begin)[0], text.split(end)[1]
(output / "results.md").write_text(before + begin + "\n" + "\n".join(lines[1:]) + "\n" + end + after)
