"""One scene through nfsar simulate, reconstruct and enhance; results in a file that grows by a line for each scene."""

import concurrent.futures
import hashlib
import json
import os
import shutil
import subprocess
import tempfile

import h5py
import numpy as np

import scenes
import scores
import sets


class Failed(Exception):
    pass


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"{' '.join(command)}: {done.stderr.strip()}")


def read_image(path):
    with h5py.File(path) as file:
        return file["image/data"][0]


def is_file(model):
    """As nfsar enhance --model takes it; else the name of a network that is built in."""
    return "/" in model or model.endswith(".safetensors")


class Bench:
    """nfsar: the command; models: name -> what follows its --model; keep: a folder for labels and images of the methods, or None."""

    def __init__(self, nfsar, models, keep=None):
        self.nfsar, self.models, self.keep = nfsar, models, keep
        self.memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

    def identity(self):
        """What results depend on, but for the scenes."""
        digest = hashlib.sha256()
        for path in [shutil.which(self.nfsar)] + [m for m in self.models.values() if is_file(m)]:
            with open(path, "rb") as file:
                digest.update(file.read())
        return {"format": "nfsar-enhance-evaluation-2", "recipe": scenes.VERSION, "pixels": scenes.PIXELS, "programs": digest.hexdigest()}

    def make(self, task, folder):
        """The label and the image of every method, as files of the folder; what is there already is not made again."""
        scene, capture, label = (os.path.join(folder, name) for name in ("scene.yaml", "capture.h5", "label.npy"))
        pictures = {method: os.path.join(folder, method + ".h5") for method in task.methods}
        if all(map(os.path.exists, [label, *pictures.values()])):
            return label, pictures
        recipe = task.recipe
        with open(scene, "w") as file:
            file.write(scenes.yaml(recipe))
        run([self.nfsar, "simulate", scene, "-o", capture, "--threads", "1", "--quiet"])
        with h5py.File(capture) as file:
            reported = file["pose/position_m"][:]
            true = file["truth/position_m"][:] if "truth" in file else reported
        with open(label + ".part", "wb") as file:
            np.save(file, scenes.label(recipe, scenes.apparent_shift(reported, true, recipe["z"], recipe["pixel"])[0]))
        os.replace(label + ".part", label)
        first, last = scenes.axis(recipe)
        axis = f"{first!r}:{last!r}:{scenes.PIXELS}"
        for method, picture in pictures.items():
            run([self.nfsar, "reconstruct", capture, "-o", picture, "--threads", "1", "--quiet", "-m", method, "--x", axis,
                 "--y", axis, "--z", repr(recipe["z"])])
        os.remove(capture)
        return label, pictures

    def images(self, task):
        """(label, {"rma": image, "rma+default": ...}), real, on the scale of the method's peak."""
        scratch, made = tempfile.mkdtemp(prefix="nfsar-evaluation-", dir=self.memory), {}
        folder, sharp = scratch, os.path.join(scratch, "sharp.h5")
        if self.keep:
            folder = os.path.join(self.keep, hashlib.sha256(json.dumps([task.recipe, scenes.PIXELS]).encode()).hexdigest()[:24])
            os.makedirs(folder, exist_ok=True)
        try:
            label, pictures = self.make(task, folder)
            label = np.load(label)
            for method, picture in pictures.items():
                image = np.abs(read_image(picture))
                peak = image.max()
                made[method] = image / peak
                for model in task.models.get(method, []):
                    run([self.nfsar, "enhance", picture, "-o", sharp, "--threads", "1", "--quiet", "--model", self.models[model]])
                    made[f"{method}+{model}"] = read_image(sharp).real / peak
        finally:
            shutil.rmtree(scratch)
        return label, made

    def result(self, task):
        """The line of one scene."""
        label, made = self.images(task)
        cell = sets.cell_m(task.recipe["z"]) / task.recipe["pixel"]
        about = {name: task.recipe[name] for name in ("index", "geometry", "content", "snr_db", "sigma", "error_time_s")}
        if task.thresholds:
            image = made[task.methods[0]]
            return {"key": task.key, **about, "thresholds": [scores.quality(scores.soft(image, t), label) for t in sets.THRESHOLDS]}
        if task.soft:
            made.update({f"{method}+soft": scores.soft(made[method], sets.SOFT) for method in task.methods})
        made["black"] = np.zeros_like(label)
        rows = {name: scores.scores(image, label, cell) for name, image in made.items()}
        if task.peaks:
            rows["label"] = {}
            for name, image in [*made.items(), ("label", label)]:
                rows[name]["peaks"] = int(scores.count_peaks(image))
        return {"key": task.key, **about, "rows": rows}


def load(path, identity):
    """key -> result of a run that was stopped; a last line that was not written to its end is cut off."""
    if not os.path.exists(path):
        with open(path + ".part", "w") as file:
            file.write(json.dumps(identity) + "\n")
        os.replace(path + ".part", path)
    with open(path, "rb+") as file:
        whole = file.read()
        complete = whole.rfind(b"\n") + 1
        file.truncate(complete)
    head, *lines = whole[:complete].decode().splitlines()
    if json.loads(head) != identity:
        raise Failed(f"{path} was made with another nfsar, other weights or other pixels: remove it, or name another folder with --scratch")
    return {result["key"]: result for result in map(json.loads, lines)}


def measure(bench, tasks, path, jobs, report):
    """key -> result for all tasks; what the file at path has already is not measured again."""
    results = load(path, bench.identity())
    left = [task for task in tasks if task.key not in results]
    report(f"{len(tasks) - len(left)} of {len(tasks)} scenes are there already")
    with open(path, "a") as file, concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        pending = [pool.submit(bench.result, task) for task in left]
        try:
            for n, future in enumerate(concurrent.futures.as_completed(pending)):
                result = future.result()
                results[result["key"]] = result
                file.write(json.dumps(result) + "\n")
                file.flush()
                if (n + 1) % 16 == 0:
                    report(f"{n + 1} of {len(left)} scenes measured")
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return {task.key: results[task.key] for task in tasks}
