"""What a training scene is: shapes, radar, errors, all drawn from (split, index) alone; its YAML for nfsar simulate; its label.

The splits draw from generators of their own: no scene of one is in another. Stars are never drawn: they are the shape class that
the test of invented structure keeps for itself."""

import json

import numpy as np

VERSION = 2  # of the recipe: data sets of other versions are refused
SPLITS = {"train": 0, "validation": 1, "test": 2}
PIXELS = 256
BLUR = 1.536  # pixels: the paper's labels are exp(-r^2 / o^2) with o = 1.2 mm on pixels of 0.2 m / 256
APERTURE = 0.1888  # metres along x
WAVELENGTH = 3.795e-3


def _polygon(rng, kind, size):
    """Corners of a shape about the origin, [n][2], metres."""
    if kind == "disc":
        a = 2 * np.pi * np.arange(40) / 40
        corners = np.stack((np.cos(a), np.sin(a)), 1) * size / 2
    elif kind == "rectangle":
        w, h = size / 2, size / 2 * rng.uniform(0.15, 1)
        corners = np.array([[-w, -h], [w, -h], [w, h], [-w, h]])
    else:  # a convex polygon of 3 to 6 corners
        a = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 7)))
        corners = np.stack((np.cos(a), np.sin(a)), 1) * size / 2
    turn = rng.uniform(0, 2 * np.pi)
    c, s = np.cos(turn), np.sin(turn)
    return corners @ np.array([[c, s], [-s, c]])


def _area(polygon):
    x, y = polygon.T
    return abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def draw(split, index):
    """The recipe of one scene, a dict of numbers and lists only."""
    rng = np.random.default_rng([1, SPLITS[split], index])
    # Half of all scenes are the paper's setting, the other half is wider.
    paper = rng.uniform() < 0.5
    pixel = 0.2 / PIXELS if paper else rng.uniform(0.5e-3, 1e-3)
    z = 0.3 if paper else rng.uniform(0.22, 0.45)
    span = min(0.19, 0.94 * pixel * PIXELS)
    content = rng.choice(["points", "solids", "mixed", "empty"], p=[0.3, 0.32, 0.35, 0.03])
    points, solids = [], []
    if content in ("solids", "mixed"):
        for _ in range(rng.integers(1, 6)):
            size = np.exp(rng.uniform(np.log(6e-3), np.log(0.4 * span)))
            outer = _polygon(rng, rng.choice(["disc", "rectangle", "polygon"]), size)
            if _area(outer) < 1e-5:
                continue
            hollow = outer * rng.uniform(0.4, 0.85) if rng.uniform() < 0.4 and size > 0.012 else None
            centre = rng.uniform(-0.5, 0.5, 2) * (span - size)
            solids.append({"outer": (outer + centre).tolist(), "hole": None if hollow is None else (hollow + centre).tolist()})
    if content in ("points", "mixed") or not solids:
        even = rng.uniform() < 0.5
        for _ in range(int(np.exp(rng.uniform(0, np.log(60))))):
            points.append([*(rng.uniform(-0.5, 0.5, 2) * span), 1.0 if even else rng.uniform(0.4, 1)])
        strongest = max(p[2] for p in points)
        if not solids:
            points = [[x, y, a / strongest] for x, y, a in points]
    geometry = rng.choice(["planar", "irregular", "handheld"], p=[0.5, 0.3, 0.2])
    white = not paper and rng.uniform() < 0.15
    # A scan takes 25 s. Errors that change within a few of its lines blur along y beyond all repair: few scenes have those.
    fastest, slowest = (0.5, 4) if rng.uniform() < 0.1 else (4, 100)
    return {
        "split": split, "index": index, "seed": int(rng.integers(1, 2**31)), "paper": bool(paper), "content": str(content),
        "pixel": float(pixel), "z": float(z), "points": points, "solids": solids, "geometry": str(geometry),
        "methods": ["rma"] if geometry == "planar" else ["nurma", "empm"],
        "height": float(rng.uniform(0, 0.03)),
        "snr_db": -80.0 if content == "empty" else float(rng.uniform(-10, 50)),
        "error_kind": "white" if white else "smooth",
        "sigma": float(1e-3 if paper else rng.uniform(0, 0.4e-3) if white else rng.uniform(0, 3e-3)),
        "error_time_s": float(np.exp(rng.uniform(np.log(fastest), np.log(slowest)))),
    }


def yaml(recipe):
    """As text for nfsar simulate; JSON's lists and objects are YAML too."""
    # A point is as bright as a large plate when it reflects like the plate's part in one resolution cell; plates have 1 / mm^2.
    cell = (1e3 * WAVELENGTH * recipe["z"] / (2 * APERTURE)) ** 2
    targets = []
    if recipe["points"]:
        targets.append({"points": [{"at_m": [x, y, recipe["z"]], "amplitude": a * cell} for x, y, a in recipe["points"]]})
    for solid in recipe["solids"]:
        plate = {"at_m": [0, 0, recipe["z"]], "outline_m": solid["outer"], "spacing_m": 1e-3}
        if solid["hole"]:
            plate["holes"] = [{"polygon": {"corners_m": solid["hole"]}}]
        targets.append({"plate": plate})
    # 200 x 25 positions of an array of 8: the paper's 200 x 200
    lattice = {"x": {"size_m": APERTURE, "count": 200}, "y": {"size_m": 0.18215, "count": 25}, "serpentine": True}
    if recipe["geometry"] == "planar":
        path = {"raster": lattice}
    elif recipe["geometry"] == "irregular":
        path = {"irregular": {**lattice, "amplitude_m": recipe["height"]}}
    else:
        path = {"handheld": {"size_m": [APERTURE, 0.182], "line_spacing_m": 7.59e-3, "speed_m_per_s": 0.19, "pulse_rate_hz": 200,
                             "wander_m": [1e-3, 1e-3, recipe["height"] / 6]}}
    # A scanner only knows its commands, so the radar strays from the lattice; a hand's sensors err.
    error = {"kind": recipe["error_kind"], "sigma_m": [recipe["sigma"]] * 3,
             "displaces": "radar" if recipe["geometry"] == "planar" else "report"}
    if error["kind"] == "smooth":
        error["time_s"] = recipe["error_time_s"]
    impairments = {"snr_db": recipe["snr_db"]}
    if recipe["sigma"] > 0:
        impairments["pose_error"] = error
    return json.dumps({"seed": recipe["seed"], "radar": {"waveform": "77-81ghz-64"}, "array": {"preset": "xwr1443-2tx", "along": "y"},
                       "path": path, "targets": targets, "impairments": impairments}, indent=1)


def axis(recipe):
    """First and last pixel, metres; the middle of the scene lies on pixel 128, as with the paper's -0.1 to 0.1."""
    return -PIXELS // 2 * recipe["pixel"], (PIXELS // 2 - 1) * recipe["pixel"]


def apparent_shift(reported, true, z, pixel):
    """Where pose errors move the image as a whole, ([x, y] metres, coherence): the part of them that no image shows to be an error.

    The image of a point at r0 is, at r0 + s, the sum over all positions of exp(2jk (|r0 + s - p| - |r0 - p - e|)), with reported
    positions p and true ones p + e: its largest magnitude is where the point is seen, and over the number of positions that is how
    much of the echoes adds up there. With u the direction from p to r0 the exponent is 2jk (s + e).u, whose sum is a product of
    matrices; errors of several radians rule out the least squares of s.u = -e.u, which is 5 pixels off then."""
    u = np.array([0, 0, z]) - reported
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    k = 2 * np.pi / WAVELENGTH
    error = np.exp(2j * k * np.sum((true - reported) * u, axis=1))

    def search(centre, reach, step):
        x, y = (c + np.arange(-r, r + step / 2, step) * pixel for c, r in zip(centre, reach))
        sums = np.abs(np.exp(2j * k * np.outer(y, u[:, 1])) @ (error[:, None] * np.exp(2j * k * np.outer(u[:, 0], x))))
        row, column = np.unravel_index(sums.argmax(), sums.shape)
        return np.array([x[column], y[row]]), sums.max() / len(u)

    place, _ = search((0, 0), (12, 40), 1)
    return search(place, (1, 1), 0.1)


def _inside(polygon, x, y):
    """Even-odd rule on a grid x[n], y[m] -> [m][n]."""
    inside = np.zeros((len(y), len(x)), bool)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0)):
        rows = (y0 <= y) != (y1 <= y)
        inside[rows] ^= x < (x0 + (y[rows] - y0) * (x1 - x0) / (y1 - y0))[:, None]
    return inside


def label(recipe, shift):
    """The ideal image [256][256], 0 to 1: exp(-r^2 / o^2) for each point, and masks blurred by the same Gaussian of unit area."""
    if recipe["content"] == "empty":
        return np.zeros((PIXELS, PIXELS), np.float32)
    fine = 3  # parts of a pixel, along each axis, that masks are drawn with
    pixels = np.arange(PIXELS)
    spots = np.zeros((PIXELS, PIXELS))
    for x, y, amplitude in recipe["points"]:
        px, py = (x + shift[0]) / recipe["pixel"] + PIXELS // 2, (y + shift[1]) / recipe["pixel"] + PIXELS // 2
        spots += amplitude * np.outer(np.exp(-((pixels - py) / BLUR) ** 2), np.exp(-((pixels - px) / BLUR) ** 2))
    mask = np.zeros((PIXELS * fine, PIXELS * fine), bool)
    places = (np.arange(PIXELS * fine) + 0.5) / fine - 0.5 - PIXELS // 2
    for solid in recipe["solids"]:
        inside = _inside((np.array(solid["outer"]) + shift) / recipe["pixel"], places, places)
        if solid["hole"]:
            inside &= ~_inside((np.array(solid["hole"]) + shift) / recipe["pixel"], places, places)
        mask |= inside
    cover = mask.reshape(PIXELS, fine, PIXELS, fine).mean(axis=(1, 3))
    if recipe["solids"]:
        taps = np.arange(-8, 9)
        kernel = np.exp(-((taps / BLUR) ** 2))
        kernel /= kernel.sum()
        cover = np.pad(cover, 8, mode="edge")
        cover = sum(k * cover[8 + t : 8 + t + PIXELS] for k, t in zip(kernel, taps))
        cover = sum(k * cover[:, 8 + t : 8 + t + PIXELS] for k, t in zip(kernel, taps))
    return np.clip(spots + cover, 0, 1).astype(np.float32)
