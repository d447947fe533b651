"""Which scenes are measured. All come from the split `test` of scenes.py, which no training or validation has seen (but for those that a threshold is chosen with, of `validation`), and are of the
paper's own setting: 77 to 81 GHz, 64 samples, 200 x 200 phase centres, target at 0.3 m, position errors of 1 mm along each axis."""

import dataclasses

import numpy as np

import scenes

WHOLE = 512  # scenes of a full run; the other sets keep their proportion to this
BP_EVERY = 16  # bp takes 2.3 s an image; of each row of ERROR_TIMES_S
SOFT = 0.12  # of the peak: what the soft threshold takes off; the best on validation scenes, which every run measures again
THRESHOLDS = (0, 0.04, 0.08, 0.1, 0.12, 0.14, 0.16, 0.2, 0.3)
SIGMAS_MM = (0, 1, 2, 3, 4, 5, 6)
SNRS_DB = (-10, 0, 10, 20, 30, 40, 50)
ERROR_TIMES_S = ((0.5, 4), (4, 20), (20, 100))  # within which position errors change; a scan takes 25 s
CURVE_SNR_DB = 20  # of the curve over position errors
DISTANCES = (0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2)  # of two points, in resolution cells; 0: a single one


@dataclasses.dataclass
class Task:
    """One scene to be made and measured; the key is what it is found by when a run goes on."""

    key: str
    recipe: dict
    methods: list
    models: dict  # method -> the models that its image goes through
    peaks: bool = False  # count peaks
    soft: bool = False  # every method with a soft threshold too
    thresholds: bool = False  # nothing but which threshold is best


def share(total, part):
    return max(1, round(total * part / WHOLE))


def cell_m(z):
    """What the aperture resolves."""
    return scenes.WAVELENGTH * z / (2 * scenes.APERTURE)


def paper_scenes(split="test"):
    index = 0
    while True:
        recipe = scenes.draw(split, index)
        index += 1
        if recipe["paper"] and recipe["content"] != "empty":
            yield recipe


def main_tasks(drawn):
    """Every method that the scan allows. empm's image goes through the default model only: the paper's takes 0.6 s."""
    tasks, met = [], {}
    for n, recipe in enumerate(drawn):
        row = sum(recipe["error_time_s"] >= last for _, last in ERROR_TIMES_S)
        methods = recipe["methods"] + (["bp"] if met.get(row, 0) % BP_EVERY == 0 else [])
        met[row] = met.get(row, 0) + 1
        models = {m: ["default"] if m == "empm" else ["default", "paper"] for m in recipe["methods"]}
        tasks.append(Task(f"main/{n}", recipe, methods, models, soft=True))
    return tasks


def threshold_tasks(count):
    """Scenes that the soft threshold was chosen with, none of which is measured otherwise."""
    source = paper_scenes("validation")
    return [dataclasses.replace(one_method(f"threshold/{n}", next(source)), models={}, thresholds=True) for n in range(count)]


def one_method(key, recipe, **more):
    method = recipe["methods"][0]
    return Task(key, recipe, [method], {method: ["default", "paper"]}, **more)


def curve_tasks(drawn):
    """The same scenes for every point of both curves; position errors differ in size, not in course."""
    points = [(s, CURVE_SNR_DB) for s in SIGMAS_MM] + [(1, snr) for snr in SNRS_DB]
    return [one_method(f"curve/{sigma}/{snr}/{n}", {**recipe, "sigma": 1e-3 * sigma, "snr_db": float(snr)})
            for sigma, snr in dict.fromkeys(points) for n, recipe in enumerate(drawn)]


def empty_tasks(drawn):
    """Noise, and a point 120 dB below it."""
    return [one_method(f"empty/{n}", {**recipe, "content": "empty", "points": [[0, 0, 1.0]], "solids": [], "snr_db": -120.0})
            for n, recipe in enumerate(drawn)]


def pair_tasks(count):
    """Two equal points, or one; the same places and errors for every distance."""
    tasks = []
    for n in range(count):
        rng = np.random.default_rng([scenes.VERSION, 100, n])
        place, angle = rng.uniform(-0.04, 0.04, 2), rng.uniform(0, 2 * np.pi)
        recipe = {**next(paper_scenes()), "seed": 1000 + n, "content": "points", "solids": [], "geometry": "planar", "methods": ["rma"],
                  "snr_db": 30.0, "error_time_s": float(np.exp(rng.uniform(np.log(4), np.log(100))))}
        for distance in DISTANCES:
            apart = 0.5 * distance * cell_m(recipe["z"]) * np.array([np.cos(angle), np.sin(angle)])
            points = [place] if distance == 0 else [place - apart, place + apart]
            tasks.append(one_method(f"pair/{distance}/{n}", {**recipe, "points": [[*map(float, p), 1.0] for p in points]}, peaks=True))
    return tasks


def star(outer, rng):
    """A star about as large as this shape, in its place."""
    outer = np.array(outer)
    centre = (outer.max(axis=0) + outer.min(axis=0)) / 2
    radius = max(np.linalg.norm(outer - centre, axis=1).max(), 6e-3)
    tips = int(rng.integers(5, 8))
    angles = rng.uniform(0, 2 * np.pi) + np.pi * np.arange(2 * tips) / tips
    radii = radius * np.where(np.arange(2 * tips) % 2, rng.uniform(0.4, 0.5), 1)
    return (centre + radii[:, None] * np.stack((np.cos(angles), np.sin(angles)), 1)).tolist()


def star_tasks(drawn, count):
    """Scenes of solids with stars in their places, which training never draws. The key has the number of the scene that it was."""
    tasks = []
    for n, recipe in enumerate(drawn):
        if recipe["content"] == "solids" and recipe["solids"] and len(tasks) < count:
            rng = np.random.default_rng([scenes.VERSION, 101, n])
            solids = [{"outer": star(s["outer"], rng), "hole": None} for s in recipe["solids"]]
            tasks.append(one_method(f"star/{n}", {**recipe, "solids": solids}))
    return tasks


def all_tasks(total):
    """Of a run with this many scenes of the main set."""
    source = paper_scenes()
    drawn = [next(source) for _ in range(total)]
    return (main_tasks(drawn) + empty_tasks(drawn[: share(total, 256)]) + curve_tasks(drawn[: share(total, 12)])
            + pair_tasks(share(total, 8)) + star_tasks(drawn, share(total, 48)) + threshold_tasks(share(total, 32)))
