#!/usr/bin/python3
"""bench/enhance on a few small scenes: its measures against plain sums, what it says of a network that changes nothing and of one that
leaves nothing, and a run that was stopped. Run by ctest as bench/enhance_quality."""
import contextlib
import importlib.machinery
import importlib.util
import io
import json
import math
import os
import shutil
import sys
import tempfile

try:
    import h5py  # noqa: F401
    import numpy as np
except ImportError as error:
    print(f"skipped: {error}; install python3-h5py")
    sys.exit(77)

NFSAR = os.environ["NFSAR_COMMAND"]
SOURCE = os.environ["NFSAR_SOURCE"]
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("enhance_run", f"{SOURCE}/bench/enhance/run")
command = importlib.util.module_from_spec(importlib.util.spec_from_loader("enhance_run", loader))
loader.exec_module(command)
safetensors, scenes, sets = command.safetensors, command.scenes, command.sets
scores = command.measure.scores


def close(a, b, tolerance=1e-9):
    assert abs(a - b) <= tolerance, (a, b)


def check_measures():
    rng = np.random.default_rng(1)
    ideal = rng.random((20, 24))
    close(scores.psnr(ideal + 0.1, ideal), 20)
    close(scores.psnr_fit(0.3 * ideal, ideal), 120)
    close(scores.psnr_fit(np.array([1.0, 1.0]), np.array([0.0, 0.4])), -10 * math.log10(0.04))  # 0.2 of it
    close(scores.rmse(ideal - 0.1, ideal), 0.1)
    close(scores.ssim(ideal, ideal), 1)
    # Two grey images have only the first factor of SSIM: (2 ab + c1) / (a^2 + b^2 + c1), c1 = 1e-4.
    close(scores.ssim(np.full((15, 15), 0.5), np.full((15, 15), 0.25)), 0.2501 / 0.3126)
    # One window, 11 x 11 weights that sum to 1, written out.
    a, b = rng.random((11, 11)), rng.random((11, 11))
    weight = [[math.exp(-((i - 5) ** 2 + (j - 5) ** 2) / 4.5) for j in range(11)] for i in range(11)]
    total = sum(map(sum, weight))

    def mean(f):
        return sum(weight[i][j] * f(a[i, j], b[i, j]) for i in range(11) for j in range(11)) / total

    ma, mb = mean(lambda p, q: p), mean(lambda p, q: q)
    va, vb, cov = mean(lambda p, q: (p - ma) ** 2), mean(lambda p, q: (q - mb) ** 2), mean(lambda p, q: (p - ma) * (q - mb))
    close(scores.ssim(a, b), (2 * ma * mb + 1e-4) * (2 * cov + 9e-4) / ((ma**2 + mb**2 + 1e-4) * (va + vb + 9e-4)))
    close(abs(scores.soft(np.array([0.1, 0.2, 0.6, 1.0]), 0.2) - [0, 0, 0.5, 1]).max(), 0)
    close(scores.to_peak(np.array([-1.0, 2.0, 4.0])).tolist()[0], 0)
    close(scores.to_peak(np.array([-1.0, 2.0, 4.0])).tolist()[1], 0.5)


def check_structure():
    mask = np.random.default_rng(2).random((30, 40)) > 0.98
    y, x = np.mgrid[:30, :40]
    ys, xs = np.nonzero(mask)
    plain = (np.hypot(y[..., None] - ys, x[..., None] - xs).min(axis=-1)) <= 4.6
    assert (scores.near(mask, 4.6) == plain).all()
    label, image = np.zeros((32, 32)), np.zeros((32, 32))
    label[10, 10] = 1
    image[10, 14] = 0.4  # 4 pixels off, -8 dB
    assert not scores.invented(image, label, 4) and scores.invented(image, label, 3.9)
    image[10, 14] = 0.31  # -10.2 dB
    assert not scores.invented(image, label, 3.9)
    label[20, 20] = 0.51  # -5.8 dB; -10.2 dB lies 4 pixels from the first and nowhere near this one
    close(scores.lost(image, label, 4), 0.5)
    close(scores.lost(image, label, 3.9), 1)
    label[20, 20] = 0.5
    close(scores.lost(image, label, 4), 0)

    def hills(*places):
        return sum(np.exp(-((x - cx) ** 2 + (y - 15) ** 2) / 4.0) for cx in places)

    # Two such hills have one top up to 2.83 apart (o sqrt 2). At 4 the saddle is 2 e^-1 = 0.74 of a top of 1.02: 2.8 dB.
    for places, count in [((10,), 1), ((10, 12), 1), ((10, 14), 2), ((10, 16, 26), 3)]:
        assert scores.count_peaks(hills(*places)) == count, places
    assert scores.count_peaks(hills(10) + 0.3 * hills(25)) == 1  # -10.5 dB


def write_network(path, bias):
    """A tiny network whose last layer has no weights: what goes in, and the bias, comes out."""
    tensors = {}

    def conv_norm(name, inputs, outputs, size):
        tensors[f"{name}.conv.weight"] = np.full((outputs, inputs, size, size), 0.0 if name == "head" else 0.1)
        for part, value in (("weight", 1), ("bias", bias if name == "head" else 0), ("running_mean", 0), ("running_var", 1)):
            tensors[f"{name}.bn.{part}"] = np.full(outputs, float(value))

    def mv2(name):
        conv_norm(f"{name}.dw", 1, 4, 3)
        conv_norm(f"{name}.pw", 4, 4, 1)

    conv_norm("conv1", 1, 4, 3)
    mv2("stem.0")
    mv2("trunk.0.mv2")
    conv_norm("trunk.0.vit.local", 4, 4, 3)
    conv_norm("trunk.0.vit.project", 4, 4, 1)
    layer = "trunk.0.vit.layers.0"
    for name, shape in [("norm1.weight", 4), ("norm1.bias", 4), ("qkv.weight", (12, 4)), ("out.weight", (4, 4)), ("out.bias", 4),
                        ("norm2.weight", 4), ("norm2.bias", 4), ("mlp1.weight", (4, 4)), ("mlp1.bias", 4), ("mlp2.weight", (4, 4)),
                        ("mlp2.bias", 4)]:
        tensors[f"{layer}.{name}"] = np.full(shape, 0.1)
    conv_norm("trunk.0.vit.expand", 4, 4, 1)
    conv_norm("trunk.0.vit.fuse", 8, 4, 3)
    conv_norm("head", 4, 1, 1)
    safetensors.write(path, tensors, {
        "format": "nfsar-enhance", "format_version": "1", "architecture": "mobile-srvit", "input": "magnitude", "normalisation": "peak",
        "output": "residual", "channels": 4, "dims": 4, "depths": 1, "hidden": 4, "stem": 1, "heads": 1, "head_dim": 4, "patch": 8, "shuffle": 1})


def make_small():
    """A quarter of the aperture along each axis, and few points of each curve."""
    whole = scenes.yaml

    def yaml(recipe):
        scene = json.loads(whole(recipe))
        for path in scene["path"].values():
            if "x" in path:
                path["x"] = {"size_m": 0.0472, "count": 50}
                path["y"] = {"size_m": 0.0379475, "count": 6}
            else:
                path["size_m"] = [0.05, 0.04]
        return json.dumps(scene)

    scenes.yaml = yaml
    sets.SIGMAS_MM, sets.SNRS_DB, sets.DISTANCES = (0, 1), (20,), (0, 2)


def run(folder, *more):
    """(results.md, enhance.md, what was said) of one run; the folder is its output and scratch."""
    said = io.StringIO()
    sys.argv = ["run", "--output", folder, "--scratch", folder, "--scenes", "2", "--pixels", "64", "--jobs", "2", "--nfsar", NFSAR, *more]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        command.main()
    pages = []
    for name in ("results.md", "enhance.md"):
        with open(os.path.join(folder, name)) as file:
            pages.append(file.read())
    return (*pages, said.getvalue())


def check_rows(path):
    """What a network does that changes nothing, and what one does that leaves nothing."""
    with open(path) as file:
        results = [json.loads(line) for line in file][1:]
    assert len(results) == 9, [r["key"] for r in results]
    assert sorted({r["key"].split("/")[0] for r in results}) == ["curve", "empty", "main", "pair", "star", "threshold"]
    chosen = results.pop([r["key"] for r in results].index("threshold/0"))["thresholds"]
    assert len(chosen) == len(sets.THRESHOLDS) and all(fit >= psnr for psnr, fit in chosen)
    for result in results:
        rows = result["rows"]
        method = "rma" if "rma" in rows else "nurma"
        for name in ("psnr", "fit", "ssim", "rmse", "peak"):
            close(rows[method + "+default"][name], rows[method][name], 1e-5)
            close(rows[method + "+paper"][name], rows["black"][name])
        close(rows[method]["peak"], 1, 1e-6)
        assert rows[method + "+default"]["false"] == rows[method]["false"] and not rows["black"]["false"]
        soft = {name for name in rows if name.endswith("+soft")}
        assert soft == ({name + "+soft" for name in rows if name in ("rma", "nurma", "empm", "bp")} if result["key"].startswith("main/") else set())
        for name in soft:
            assert rows[name]["fit"] > rows["black"]["psnr"] and abs(rows[name]["peak"] - 1) < 1e-6
        empty = result["content"] == "empty"
        assert not empty or rows[method]["false"]  # noise is not there
        if result["key"].startswith("pair/") or empty:  # what else is there may be too fine for pixels of 3 mm
            assert rows["black"]["lost"] == (0 if empty else 1)
        assert 0 < rows[method]["rmse"] < 1 and -1 < rows[method]["ssim"] < 1
    far = next(r["rows"] for r in results if r["key"].startswith("pair/2/"))
    assert far["label"]["peaks"] in (1, 2) and far["rma"]["peaks"] >= 1
    assert 1 <= sum("bp" in r["rows"] for r in results) <= 2 and all("bp" in r["rows"] and "empm" in r["rows"] for r in results if r["key"] == "main/0")


def check_over_best():
    """Two scenes by hand: bp with the threshold has 3 dB more than rma in the one that has it, the network 5 and 9 in both."""
    def scene(key, rows):
        return key, {"key": key, "error_time_s": 30, "rows": {name: {"psnr": value, "fit": value + 1} for name, value in rows.items()}}

    results = command.page.Results(dict([
        scene("main/0", {"rma": 20, "rma+soft": 21, "bp": 19, "bp+soft": 23, "rma+default": 25}), scene("main/1", {"rma": 30, "rma+soft": 31, "rma+default": 39})]))
    over, best, more = command.page.over_best(results, "psnr")
    close(over, 7 - 3)
    close(more, 3)
    assert best == "bp+soft" and command.page.in_words(best) == "`bp` with a soft threshold of 0.12"
    assert len(command.page.within(results.of("main"), (20, 100))) == 2 and not command.page.within(results.of("main"), (4, 20))


def check_card(path):
    """The card of the networks that are shipped, out of their own files."""
    with open(path) as file:
        lines = [json.loads(line) for line in file][1:]
    weights = {name: command.read_weights(name, name) for name in ("default", "paper")}
    card = command.page.card(command.page.Results({line["key"]: line for line in lines}), weights, False)
    rows = {cells[1].strip(): [cell.strip() for cell in cells[2:4]] for cells in (line.split("|") for line in card.splitlines()) if len(cells) == 5}
    assert rows["parameters"] == [f"{weights['default'][0]:,}", "69,122"], rows["parameters"]
    assert rows["network"][1] == "magnitude in"
    for name, said in zip(("default", "paper"), rows["trained"]):
        metadata = weights[name][1]
        if "step" in metadata:
            assert all(metadata[key] in said for key in ("variant", "step", "steps", "seed", "images", "recipe", "validation_psnr_db", "validation_ssim")), said
        else:
            assert said == metadata["training"], said
    assert "?" not in card


def check_dim(folder):
    """Level does not matter: a scene comes out the same alone and as the second slice of a volume, 20 dB below the first."""
    alone, both, sharp = (os.path.join(folder, name) for name in ("alone.h5", "both.h5", "sharp.h5"))
    bench = command.measure.Bench(NFSAR, {}, folder)
    task = sets.main_tasks([next(sets.paper_scenes())])[0]
    _, pictures = bench.make(task, folder)
    shutil.copy(pictures[task.recipe["methods"][0]], alone)
    shutil.copy(alone, both)
    with h5py.File(both, "r+") as file:
        data, z = file["image/data"][:], file["image/z_m"][:]
        del file["image/data"], file["image/z_m"]
        file["image/data"], file["image/z_m"] = np.concatenate((data[:, ::-1], data / 10)), np.array([z[0], z[0] + 0.01])
    made = []
    for image in (alone, both):
        command.measure.run([NFSAR, "enhance", image, "-o", sharp, "--threads", "1", "--quiet"])
        with h5py.File(sharp) as file:
            made.append(file["image/data"][-1].real)
    assert made[0].max() > 0 and abs(10 * made[1] - made[0]).max() < 1e-5 * made[0].max()


def check_run(folder):
    same, none = (os.path.join(folder, name) for name in ("same.safetensors", "none.safetensors"))
    write_network(same, 0)
    write_network(none, -10)
    models = ("--default", same, "--paper", none)
    first, stopped = os.path.join(folder, "first"), os.path.join(folder, "stopped")
    os.mkdir(first)
    os.mkdir(stopped)
    with open(os.path.join(first, "results.md"), "w") as file:
        file.write("before\n<!-- bench enhance-quality: made by `bench/enhance/run --output docs` -->\nold\n"
                   "<!-- end of bench enhance-quality -->\nafter\n")
    page, card, _ = run(first, *models)
    assert page.startswith("before\n<!-- bench") and page.endswith("-->\nafter\n") and "old\n" not in page
    check_rows(os.path.join(first, "results.jsonl"))
    for name in ("examples", "curves"):
        with open(os.path.join(first, "pictures", f"enhance-{name}.png"), "rb") as file:
            assert file.read(8) == b"\x89PNG\r\n\x1a\n"
    assert "| parameters |" in card and "SSIM, default network, slow errors (20 to 100 s)" in page
    assert "and a soft threshold of 0.12" in page and "by threshold: 0: " in page
    assert page.count("over the best that is not learned (") == 2
    check_card(os.path.join(first, "results.jsonl"))

    # Three lines and a half of the results: as a stopped run leaves them.
    with open(os.path.join(first, "results.jsonl"), "rb") as file:
        lines = file.read().splitlines(keepends=True)
    with open(os.path.join(stopped, "results.jsonl"), "wb") as file:
        file.write(b"".join(lines[:4]) + lines[4][:50])
    shutil.copy(os.path.join(first, "results.md"), stopped)
    again, card_again, said = run(stopped, *models)
    assert "3 of 9 scenes are there already" in said, said
    assert again == page and card_again == card

    try:
        run(stopped, "--default", none, "--paper", same)
        raise AssertionError("results of other weights were taken")
    except command.measure.Failed as error:
        assert "other weights" in str(error), error


def main():
    check_measures()
    check_structure()
    check_over_best()
    make_small()
    with tempfile.TemporaryDirectory() as folder:
        check_run(folder)
        check_dim(folder)
    print("bench/enhance: measures, a network that changes nothing, a stopped run")


if __name__ == "__main__":
    main()
