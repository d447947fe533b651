"""The pictures of docs/results.md: curves, and example images."""

import dataclasses
import os

import numpy as np

import drawing
import page
import sets

RANGE_DB = 25.0
PANEL = 150  # pixels
IMAGES = ["OWN", "OWN+paper", "OWN+default"]
LABELS = ["rma or nurma", "paper's network", "default network"]


def plot(canvas, left, top, width, height, title, points):
    """One pair of axes with the mean PSNR of the images over the points' labels."""
    x = np.array([float(label) for label, _ in points])
    y = np.array([[page.column(chosen, image, "psnr").mean() for label, chosen in points] for image in IMAGES])
    low, high = 5 * np.floor(y.min() / 5), 5 * np.ceil(y.max() / 5)
    span = max(x[-1] - x[0], 1)

    def at(value, level):
        return left + (value - x[0]) / span * width, top + height - (level - low) / (high - low) * height

    for level in np.arange(low, high + 1, 5):
        canvas.lines([at(x[0], level), (left + width, at(x[0], level)[1])], (0.85, 0.85, 0.85))
        canvas.text(left - 6, at(x[0], level)[1] + 4, f"{level:.0f}", across=1)
    for value in x:
        canvas.text(at(value, low)[0], top + height + 16, f"{value:g}", across=0.5)
    canvas.text(left + width / 2, top + height + 34, title, across=0.5)
    canvas.text(left, top - 8, "PSNR (dB)")
    for n, values in enumerate(y):
        places = [at(*place) for place in zip(x, values)]
        canvas.lines(places, drawing.COLOURS[n], 2)
        for px, py in places:
            canvas.block(px - 2.5, py - 2.5, 5, 5, drawing.COLOURS[n])


def curves(results, path):
    canvas = drawing.Canvas(860, 340)
    for n, label in enumerate(LABELS):
        canvas.lines([(60 + 170 * n, 16), (86 + 170 * n, 16)], drawing.COLOURS[n], 2)
        canvas.text(92 + 170 * n, 20, label)
    plot(canvas, 50, 55, 350, 230, f"position error σ (mm), SNR {sets.CURVE_SNR_DB} dB", page.sigma_curve(results))
    plot(canvas, 480, 55, 350, 230, "SNR (dB), σ = 1 mm", page.snr_curve(results))
    canvas.write(path)


def choose(results):
    """[(why, result)]: the worst scene and three others by the default network's PSNR, and the median star: a rule, not taste."""
    def ranked(name):
        return sorted(results.of(name), key=lambda r: (r["rows"][page.own(r) + "+default"]["psnr"], r["key"]))

    every, stars = ranked("main"), ranked("star")
    places = [("worst", 0), ("10 %", 0.1), ("median", 0.5), ("90 %", 0.9)]
    chosen = [(why, every[round(place * (len(every) - 1))]) for why, place in places]
    return chosen + ([("median of the stars", stars[len(stars) // 2])] if stars else [])


def shrink(image):
    """To PANEL pixels or so: the largest of each block, so that no point is lost."""
    side = len(image)
    edges = np.floor(np.arange(PANEL + 1) * side / PANEL).astype(int)
    rows = np.maximum.reduceat(image, edges[:-1], axis=0) if side >= PANEL else image[np.minimum(edges[:-1], side - 1)]
    return np.maximum.reduceat(rows, edges[:-1], axis=1) if side >= PANEL else rows[:, np.minimum(edges[:-1], side - 1)]


def examples(bench, results, tasks, path):
    """A row for each chosen scene, which is made again: bp, input, both networks, label; each over its own peak, in dB."""
    by_key, chosen = {task.key: task for task in tasks}, choose(results)
    step, left, top = PANEL + 6, 8, 30
    canvas = drawing.Canvas(left + 5 * step, top + len(chosen) * (step + 20) + 4)
    for n, label in enumerate(["bp", *LABELS, "label"]):
        canvas.text(left + n * step, 18, label, 12)
    for row, (why, result) in enumerate(chosen):
        task, name = by_key[result["key"]], page.own(result)
        label, made = bench.images(dataclasses.replace(task, methods=[name, "bp"], models={name: ["default", "paper"]}))
        y = top + row * (step + 20) + 12
        words = [f"{why}, SNR {result['snr_db']:.0f} dB", *(f"{result['rows'][name + m]['psnr']:.1f} dB" for m in ("", "+paper", "+default")), ""]
        for n, image in enumerate([made["bp"], made[name], made[name + "+paper"], made[name + "+default"], label]):
            canvas.text(left + n * step, y - 2, words[n], 9)
            image = np.maximum(image, 0) / max(image.max(), 1e-6)
            canvas.image(left + n * step, y + 2, 1 + 20 * np.log10(np.maximum(shrink(image), 1e-6)) / RANGE_DB)
    canvas.write(path, steps=16)


def draw(bench, results, tasks, folder):
    os.makedirs(os.path.join(folder, "pictures"), exist_ok=True)
    curves(results, os.path.join(folder, "pictures", "enhance-curves.png"))
    examples(bench, results, tasks, os.path.join(folder, "pictures", "enhance-examples.png"))
