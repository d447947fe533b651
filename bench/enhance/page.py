"""The tables of docs/results.md and the numbers of the model card, between their markers."""

import os

import numpy as np

import scores
import sets

PAPER = {"rma": 27.94, "bp": 28.73}  # dB, what its networks start from
GOALS = {"psnr": 37.6, "ssim": 0.991, "over": 3.0, "noise": 0.01}
SCANS = {"planar": "lattice", "irregular": "irregular", "handheld": "handheld"}


def replace(path, subject, text):
    """Put the text between the subject's markers, or at the end of the page."""
    begin = f"<!-- bench {subject}: made by `bench/enhance/run --output docs` -->\n"
    end = f"<!-- end of bench {subject} -->\n"
    page = ""
    if os.path.exists(path):
        with open(path) as file:
            page = file.read()
    before, _, rest = page.partition(begin)
    if end not in rest:  # no markers, or half of them
        before, rest = page, ""
    after = rest.partition(end)[2]
    with open(path + ".part", "w") as file:
        file.write(before + begin + "\n" + text + "\n" + end + after)
    os.replace(path + ".part", path)


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def percent(values):
    return f"{100 * np.mean(values):.1f} %"


def decibels(value):
    return f"{20 * np.log10(max(value, 1e-6)):.1f} dB"


class Results:
    """What was measured, by set."""

    def __init__(self, results):
        self.sets = {}
        for key, result in results.items():
            self.sets.setdefault(key.split("/")[0], []).append(result)

    def of(self, name, **wanted):
        """Results of a set; wanted: key of the recipe -> value or values."""
        def fits(result):
            return all(result[k] in (v if isinstance(v, (list, tuple)) else [v]) for k, v in wanted.items())

        return [r for r in self.sets.get(name, []) if fits(r)]


def own(result):
    """The fast method that is right for the scan."""
    return "rma" if "rma" in result["rows"] else "nurma"


def column(results, image, name):
    """Of an image in each result; OWN stands for rma or nurma."""
    return np.array([r["rows"][image.replace("OWN", own(r))][name] for r in results])


NAMES = {"black": "nothing: a black image", "OWN": "`rma` or `nurma`", "OWN+soft": f"and a soft threshold of {sets.SOFT}", "bp+soft": "and the soft threshold", "rma+soft": "and the soft threshold",
         "nurma+soft": "and the soft threshold", "empm+soft": "and the soft threshold",
         "OWN+paper": "and the paper's network", "OWN+default": "and the default network",
         "empm+default": "and the default network", "rma+paper": "and the paper's network", "rma+default": "and the default network",
         "nurma+paper": "and the paper's network", "nurma+default": "and the default network"}


def scores_row(label, results, image, source):
    psnr, ssim, rmse = (column(results, image, name) for name in ("psnr", "ssim", "rmse"))
    error = psnr.std(ddof=1) / np.sqrt(len(psnr)) if len(psnr) > 1 else 0
    gain = "" if image in (source, "black") else f"{np.mean(psnr - column(results, source, 'psnr')):+.2f} dB"
    return [label, NAMES.get(image, f"`{image}`"), f"{psnr.mean():.2f} ± {error:.2f}", f"{np.median(psnr):.2f}",
            f"{column(results, image, 'fit').mean():.2f}", f"{ssim.mean():.4f}",
            f"{np.median(ssim):.4f}", f"{rmse.mean():.4f}", f"{np.median(rmse):.4f}", gain,
            percent(column(results, image, "false")), percent(column(results, image, "lost"))]


def group(label, results, images):
    """Rows of a group of scenes; an image with + is compared with what stands before it."""
    if not results:
        return []
    return [scores_row(f"{label}: {len(results)}" if n == 0 else "", results, image, image.split("+")[0])
            for n, image in enumerate(images)]


SLOW = sets.ERROR_TIMES_S[-1]
NOT_LEARNED = ("OWN+soft", "bp", "bp+soft", "empm", "empm+soft")


def having(results, image):
    return [r for r in results if image.replace("OWN", own(r)) in r["rows"]]


def within(results, times):
    """Those whose position errors change within these times."""
    return [r for r in results if times[0] <= r["error_time_s"] < times[1]]


def over_best(results, name):
    """(dB, image, dB): of the default network over the best image that is not learned, in the column of this name. That is over rma or
    nurma in all scenes, less what the best of the others has more than these in the scenes that have it; which, and how much."""
    every = results.of("main")
    best, more = "OWN", 0.0
    for image in NOT_LEARNED:
        some = having(every, image)
        is_more = np.mean(column(some, image, name) - column(some, "OWN", name)) if some else 0.0
        if is_more > more:
            best, more = image, is_more
    return np.mean(column(every, "OWN+default", name) - column(every, "OWN", name)) - more, best, more


def in_words(image):
    method, _, after = image.partition("+")
    return NAMES.get(method, f"`{method}`") + (f" with a soft threshold of {sets.SOFT}" if after else "")


def setting_section(results):
    every, own_images = results.of("main"), ["OWN", "OWN+soft", "OWN+paper", "OWN+default"]
    rows = group("all", every, ["black", *own_images])
    rows += group("lattice", results.of("main", geometry="planar"), ["rma", "rma+soft", "rma+paper", "rma+default"])
    rows += group("irregular, handheld", results.of("main", geometry=["irregular", "handheld"]),
                  ["empm", "empm+soft", "empm+default", "nurma", "nurma+soft", "nurma+paper", "nurma+default"])
    rows += group(f"every {sets.BP_EVERY}th", having(every, "bp"), ["bp", "bp+soft", *own_images])
    for content in ("points", "solids", "mixed"):
        rows += group(content, results.of("main", content=content), ["black", *own_images])
    for times in sets.ERROR_TIMES_S:
        some = within(every, times)
        rows += group(f"errors of {times[0]:g} to {times[1]:g} s", some, own_images)
        rows += group("of these, with `bp`", having(some, "bp"), ["bp", "bp+soft", "OWN", "OWN+default"])
    head = ["scenes", "image", "PSNR, mean ± its standard error (dB)", "median", "with the best factor", "SSIM, mean", "median", "RMSE, mean", "median", "gain",
            "scenes with false structure", "lost"]
    return f"{table(head, rows)}\n{threshold_section(results)}\n"


def threshold_section(results):
    """How the soft threshold was chosen."""
    found = np.array([r["thresholds"] for r in results.of("threshold")])
    if not len(found):
        return ""
    means = "; ".join(f"{t:g}: {a:.2f}, {b:.2f}" for t, (a, b) in zip(sets.THRESHOLDS, found.mean(axis=0)))
    return (f"The soft threshold takes {sets.SOFT} of the peak off every magnitude (below it nothing is left): the best baseline that needs no learning, chosen on "
            f"validation scenes. Mean PSNR, and with the best factor, of {len(found)} of these, by threshold: {means}.\n")


def verdict(what, asked, values, goal, show):
    """A row of the goals, for the mean of the values to be at least the goal; None: no goal is set."""
    if not len(values):
        return [what, asked, "not measured", ""]
    value = np.mean(values)
    return [what, asked, show.format(value), "" if goal is None else "met" if value >= goal else "**not met**"]


def goals_section(results):
    every = results.of("main")
    slow, words = within(every, SLOW), f"{SLOW[0]:g} to {SLOW[1]:g} s"
    rows = []
    for where, chosen, judged in ((f"slow errors ({words})", slow, True), ("all scenes", every, False)):
        for name, title, show, unit in (("psnr", "PSNR", "{:.2f} dB", " dB"), ("ssim", "SSIM", "{:.4f}", "")):
            rows.append(verdict(f"{title}, default network, {where}: {len(chosen)}", f"≥ {GOALS[name]}{unit}" if judged else "",
                                column(chosen, "OWN+default", name), GOALS[name] if judged else None, show))
    for name, title in (("psnr", "PSNR"), ("fit", "PSNR with the best factor")):
        over, best, more = over_best(results, name)
        rows.append(verdict(f"{title}: over the best that is not learned ({in_words(best)}), all scenes", f"≥ {GOALS['over']:.0f} dB", [over], GOALS["over"], "{:.2f} dB"))
    noise = np.mean(column(results.of("empty"), "OWN+default", "peak") > scores.amplitude(scores.FALSE_DB))
    rows.append(["noise alone with a peak above −10 dB", "≤ 1 %", f"{100 * noise:.1f} %", "met" if noise <= GOALS["noise"] else "**not met**"])
    return table(["what", "asked", "measured", ""], rows) + "\n" + why_slow(slow, words)


def why_slow(slow, words):
    """Which row the paper's figures are compared with."""
    def mean(image):
        some = having(slow, image)
        return f"{np.mean(column(some, image, 'psnr')):.2f} dB" if some else "not measured"

    return (f"The paper's figures (37.6 dB, 0.991) are compared with the scenes of slow errors, which change within {words}; a scan takes 25 s. The paper does not say how the errors "
            f"of neighbouring positions are related, and its inputs have {PAPER['rma']} dB (RMA) and {PAPER['bp']} dB (BP). Here that is the quality of inputs whose errors are slow: {mean('OWN')} of `rma` or `nurma`, "
            f"{mean('bp')} of `bp`. Faster errors blur more; they count in all other rows.\n\n"
            "Over the best that is not learned: over `rma` or `nurma` in all scenes, less what the best of `bp`, `empm` and all of them with a soft threshold has more than these in the scenes "
            "that were imaged so. A black image, which is no method, is in the next table: where a scene is a few points on nothing, PSNR thinks well of it.\n")


def curve(results, points):
    """[(point's label, results)] of those (sigma in mm, SNR) that were measured."""
    found = [(label, results.of("curve", sigma=1e-3 * sigma, snr_db=float(snr))) for label, sigma, snr in points]
    return [(label, chosen) for label, chosen in found if chosen]


def sigma_curve(results):
    return curve(results, [(s, s, sets.CURVE_SNR_DB) for s in sets.SIGMAS_MM])


def snr_curve(results):
    return curve(results, [(snr, 1, snr) for snr in sets.SNRS_DB])


def curve_section(name, points):
    images = ["OWN", "OWN+paper", "OWN+default"]
    head = [name, "PSNR: `rma` or `nurma`", "paper's", "default", "SSIM: `rma` or `nurma`", "paper's", "default",
            "false structure / lost: `rma` or `nurma`", "paper's", "default"]
    rows = [[str(label), *(f"{column(chosen, i, 'psnr').mean():.2f}" for i in images),
             *(f"{column(chosen, i, 'ssim').mean():.4f}" for i in images), *(f"{percent(column(chosen, i, 'false'))} / {percent(column(chosen, i, 'lost'))}" for i in images)]
            for label, chosen in points]
    return table(head, rows)


def empty_section(results):
    empty = results.of("empty")
    rows = []
    for image in ("OWN", "OWN+paper", "OWN+default"):
        peak = column(empty, image, "peak")
        rows.append([NAMES[image], str(len(empty)), decibels(np.median(peak)), decibels(peak.max()),
                     percent(peak > scores.amplitude(scores.FALSE_DB))])
    return table(["image", "scenes", "peak, median", "largest", "peak above −10 dB"], rows)


def pair_section(results):
    images, rows = ("label", "rma", "rma+paper", "rma+default"), []
    for distance in sets.DISTANCES:
        chosen = [r for r in results.of("pair") if r["key"].startswith(f"pair/{distance}/")]
        if not chosen:
            continue
        row = ["one point" if distance == 0 else f"{distance:g} ({1e3 * distance * sets.cell_m(0.3):.2f} mm)"]
        for image in images:
            count = column(chosen, image, "peaks")
            row.append(" / ".join(str(int(np.sum(which))) for which in (count == 1, count == 2, count > 2)))
        rows.append(row)
    return table(["apart, cells", "label", "`rma`", "and the paper's network", "and the default network"], rows)


def star_section(results):
    stars = results.of("star")
    numbers = [r["key"].split("/")[1] for r in stars]
    known = [r for r in results.of("main") if r["key"].split("/")[1] in numbers]
    rows = []
    for image in ("OWN", "OWN+paper", "OWN+default"):
        row = [NAMES[image]]
        for chosen in (known, stars):
            row += [f"{column(chosen, image, 'psnr').mean():.2f}", f"{column(chosen, image, 'ssim').mean():.4f}",
                    percent(column(chosen, image, "false")), percent(column(chosen, image, "lost"))]
        rows.append(row)
    head = ["image", f"{len(known)} scenes of known shapes: PSNR (dB)", "SSIM", "false structure", "lost", "stars in their places: PSNR (dB)",
            "SSIM", "false structure", "lost"]
    return table(head, rows)


def section(results, quick):
    """All of docs/results.md."""
    warning = "Made with fewer scenes than the full run, or smaller images: numbers that mean little.\n\n" if quick else ""
    return (
        f"{warning}{goals_section(results)}\n{setting_section(results)}\n![examples](pictures/enhance-examples.png)\n\n"
        f"Against position error, SNR {sets.CURVE_SNR_DB} dB, {len(sigma_curve(results)[0][1])} scenes a row, the same in all:\n\n"
        f"{curve_section('σ (mm)', sigma_curve(results))}\n"
        f"Against SNR, σ = 1 mm:\n\n{curve_section('SNR (dB)', snr_curve(results))}\n![curves](pictures/enhance-curves.png)\n\n"
        f"Noise alone:\n\n{empty_section(results)}\n"
        f"Two equal points: in how many scenes one / two / more peaks are seen:\n\n{pair_section(results)}\n"
        f"Stars, which are in no training scene:\n\n{star_section(results)}")


def trained(metadata):
    """What a weights' file says of its training."""
    if "step" not in metadata:
        return metadata.get("training", "nothing is said of the training")
    return (f"variant `{metadata.get('variant', '?')}`, step {metadata['step']} of {metadata['steps']}, seed {metadata['seed']}, "
            f"{metadata['images']} images of recipe {metadata['recipe']}; validation {metadata['validation_psnr_db']} dB, "
            f"SSIM {metadata['validation_ssim']}")


def shape(metadata):
    """In words."""
    square = int(metadata.get("shuffle", 1))
    words = {"magnitude": "magnitude", "complex": "complex image", "complex+magnitude": "complex image and its magnitude"}
    return (f"{words.get(metadata['input'], metadata['input'])} in" + (f", squares of {square} × {square} pixels as channels" if square > 1 else "")
            + (", the output is added to the input's magnitude" if metadata["output"] == "residual" else ""))


def card(results, weights, quick):
    """The numbers of the model card in docs/enhance.md; weights: name -> (parameters, metadata)."""
    every, empty, stars, curve_points = results.of("main"), results.of("empty"), results.of("star"), sigma_curve(results)
    rows = [["parameters", *(f"{weights[m][0]:,}" for m in ("default", "paper"))],
            ["network", *(shape(weights[m][1]) for m in ("default", "paper"))],
            ["trained", *(trained(weights[m][1]) for m in ("default", "paper"))]]

    def add(label, show):
        rows.append([label, show("OWN+default"), show("OWN+paper")])

    def mean(chosen, image, name):
        return column(chosen, image, name).mean()

    add(f"{len(every)} unseen scenes of the paper's setting: PSNR, SSIM",
        lambda i: f"{mean(every, i, 'psnr'):.2f} dB, {mean(every, i, 'ssim'):.4f}")
    add("their input", lambda i: f"{mean(every, 'OWN', 'psnr'):.2f} dB, {mean(every, 'OWN', 'ssim'):.4f}")
    add(f"their input with a soft threshold of {sets.SOFT} (with the best factor {mean(every, 'OWN+soft', 'fit'):.2f} dB)",
        lambda i: f"{mean(every, 'OWN+soft', 'psnr'):.2f} dB, {mean(every, 'OWN+soft', 'ssim'):.4f}")
    slow = within(every, SLOW)
    if slow:
        add(f"of these, {len(slow)} of slow errors (input {mean(slow, 'OWN', 'psnr'):.2f} dB)", lambda i: f"{mean(slow, i, 'psnr'):.2f} dB, {mean(slow, i, 'ssim'):.4f}")
    add(f"PSNR with the best factor (input {mean(every, 'OWN', 'fit'):.2f} dB)", lambda i: f"{mean(every, i, 'fit'):.2f} dB")
    add("worse than the input (PSNR)", lambda i: percent(column(every, i, "psnr") < column(every, "OWN", "psnr")))
    add("false structure; lost", lambda i: f"{percent(column(every, i, 'false'))}; {percent(column(every, i, 'lost'))}")
    add("of the input", lambda i: f"{percent(column(every, 'OWN', 'false'))}; {percent(column(every, 'OWN', 'lost'))}")
    add(f"noise alone, {len(empty)} scenes: a peak above −10 dB",
        lambda i: percent(column(empty, i, "peak") > scores.amplitude(scores.FALSE_DB)))
    add("stars: PSNR, false structure", lambda i: f"{mean(stars, i, 'psnr'):.2f} dB, {percent(column(stars, i, 'false'))}")
    for label, chosen in curve_points:
        if label in (0, 3, 6):
            add(f"position errors of {label} mm: PSNR (input {mean(chosen, 'OWN', 'psnr'):.2f} dB)", lambda i, c=chosen: f"{mean(c, i, 'psnr'):.2f} dB")
    warning = "Made with fewer scenes than the full run, or smaller images: numbers that mean little.\n\n" if quick else ""
    return warning + table(["", "`default`", "`paper`"], rows)
