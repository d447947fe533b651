"""Data sets made by nfsar simulate and nfsar reconstruct themselves, in shards that appear when complete.

    data.py FOLDER --split train --scenes 1600 [--nfsar nfsar] [--part 0/2]

Shard K of a split is SPLIT-K.images.npy (16-bit floats [n][2][256][256], real and imaginary part over the largest magnitude),
SPLIT-K.labels.npy (bytes [n][256][256], 255 for 1) and SPLIT-K.json (a recipe for each), which is written last: a shard with
one is done and is not made again. --part 0/2 and --part 1/2 in two terminals use two processors."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np

import scenes

SHARD = 32  # scenes


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


def make_scene(nfsar, recipe, folder):
    """[(image [2][256][256], label, entry of the manifest)], one for each method."""
    scene, capture, picture = (os.path.join(folder, name) for name in ("scene.yaml", "capture.h5", "image.h5"))
    with open(scene, "w") as file:
        file.write(scenes.yaml(recipe))
    run([nfsar, "simulate", scene, "-o", capture, "--threads", "1", "--quiet"])
    with h5py.File(capture) as file:
        reported = file["pose/position_m"][:]
        true = file["truth/position_m"][:] if "truth" in file else reported
    shift, coherence = scenes.apparent_shift(reported, true, recipe["z"], recipe["pixel"])
    ideal = scenes.label(recipe, shift)
    first, last = scenes.axis(recipe)
    axis = f"{first!r}:{last!r}:{scenes.PIXELS}"
    samples = []
    for method in recipe["methods"]:
        run([nfsar, "reconstruct", capture, "-o", picture, "--threads", "1", "--quiet", "-m", method, "--x", axis, "--y", axis,
             "--z", repr(recipe["z"])])
        with h5py.File(picture) as file:
            image = file["image/data"][0]
        image = image / np.abs(image).max()
        samples.append((np.stack((image.real, image.imag)), ideal, {**recipe, "method": method, "shift_m": shift.tolist(), "coherence": float(coherence)}))
    return samples


def store(path, write):
    with open(path + ".part", "wb") as file:
        write(file)
    os.replace(path + ".part", path)


def make_shard(nfsar, split, shard, count, path, scratch):
    samples = []
    for index in range(shard * SHARD, shard * SHARD + count):
        samples += make_scene(nfsar, scenes.draw(split, index), scratch)
    images, labels, entries = zip(*samples)
    store(path + ".images.npy", lambda file: np.save(file, np.stack(images).astype(np.float16)))
    store(path + ".labels.npy", lambda file: np.save(file, np.round(255 * np.stack(labels)).astype(np.uint8)))
    text = json.dumps({"version": scenes.VERSION, "split": split, "first": shard * SHARD, "scenes": count, "samples": entries})
    store(path + ".json", lambda file: file.write(text.encode()))
    return len(samples)


def make(folder, split, total, nfsar, part=(0, 1)):
    os.makedirs(folder, exist_ok=True)
    shards = -(-total // SHARD)
    scratch = tempfile.mkdtemp(prefix="nfsar-data-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    try:
        for shard in range(part[0], shards, part[1]):
            path, count = os.path.join(folder, f"{split}-{shard:05d}"), min(SHARD, total - shard * SHARD)
            if os.path.exists(path + ".json"):
                with open(path + ".json") as file:
                    entry = json.load(file)
                if entry["version"] == scenes.VERSION and entry["scenes"] >= count:
                    continue
            started = time.time()
            made = make_shard(nfsar, split, shard, count, path, scratch)
            print(f"{path}: {made} images in {time.time() - started:.0f} s", flush=True)
    finally:
        shutil.rmtree(scratch)


class DataSet:
    """The shards of a split, mapped and not read; samples are numbered in the order of their scenes."""

    def __init__(self, folder, split):
        names = sorted(n[:-5] for n in os.listdir(folder) if n.startswith(split + "-") and n.endswith(".json"))
        self.images, self.labels, self.entries, self.place = [], [], [], []
        for s, name in enumerate(names):
            path = os.path.join(folder, name)
            with open(path + ".json") as file:
                manifest = json.load(file)
            if manifest["version"] != scenes.VERSION:
                raise ValueError(f"{path}.json: made by version {manifest['version']} of the recipe, this is {scenes.VERSION}: remove it")
            self.images.append(np.load(path + ".images.npy", mmap_mode="r"))
            self.labels.append(np.load(path + ".labels.npy", mmap_mode="r"))
            self.place += [(s, i) for i in range(len(manifest["samples"]))]
            self.entries += manifest["samples"]
        if not self.place:
            raise ValueError(f"{folder}: no {split} data; data.py makes them")

    def __len__(self):
        return len(self.place)

    def crop(self, number, y=0, x=0, size=scenes.PIXELS):
        """(complex image [2][size][size], label [size][size]), 32-bit floats."""
        s, i = self.place[number]
        image = self.images[s][i, :, y : y + size, x : x + size].astype(np.float32)
        return image, self.labels[s][i, y : y + size, x : x + size].astype(np.float32) / 255


def main():
    parser = argparse.ArgumentParser(description="Make a data set for training with nfsar simulate and nfsar reconstruct.")
    parser.add_argument("folder")
    parser.add_argument("--split", choices=scenes.SPLITS, required=True)
    parser.add_argument("--scenes", type=int, required=True)
    parser.add_argument("--nfsar", default="nfsar", help="the command; found in PATH by default")
    parser.add_argument("--part", default="0/1", metavar="I/N", help="only every N-th shard, from the I-th")
    options = parser.parse_args()
    if shutil.which(options.nfsar) is None:
        sys.exit(f"data.py: {options.nfsar}: no such command; build nfsar and say where it is with --nfsar")
    part = tuple(int(n) for n in options.part.split("/"))
    try:
        make(options.folder, options.split, options.scenes, options.nfsar, part)
    except (RuntimeError, OSError) as error:
        sys.exit(f"data.py: {error}")


if __name__ == "__main__":
    main()
