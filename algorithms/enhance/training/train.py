"""Trains one network: Adam, L1, checkpoints; a run that is stopped goes on where it was and ends with the same weights.

    train.py DATA RUN [--variant folded] [--steps 10000] [--hours 2]

RUN/checkpoint.pt is the state, RUN/log.jsonl what was printed, RUN/weights.safetensors the best averaged weights by validation.
What a step sees depends on the seed and its number only, not on what came before in the same process."""

import argparse
import copy
import json
import os
import sys
import time

import numpy as np
import torch

import attention
import data
import measures
import model as networks

# Share of the steps, pixels along a crop's side, crops in a batch. Small crops are cheap, but a token of the transformer then sees
# 16 others instead of 256: the last steps are made with the images as they come.
PHASES = ((0.75, 64, 16), (0.15, 128, 4), (0.10, 256, 1))
WHOLE = ((1.0, 256, 4),)  # the folded network: whole images cost it no more


def phase(phases, step, steps):
    done = 0.0
    for share, size, batch in phases:
        done += share
        if step < done * steps:
            return size, batch
    return phases[-1][1:]


def mean_error(output, ideal):
    """The paper's: L1."""
    return (output - ideal).abs().mean()


def decibels(output, ideal):
    """Of each image: the logarithms of its L1 and of its mean square (PSNR), so that an image that is nearly right and one that is
    not both count. What lies beyond 0 or 1 where the label is 0 or 1 becomes just that afterwards, and costs nothing."""
    error = output - ideal
    error = torch.where((ideal == 0) & (error < 0) | (ideal == 1) & (error > 0), torch.zeros_like(error), error)
    absolute, squares = error.abs().mean(dim=(1, 2, 3)), (error * error).mean(dim=(1, 2, 3))
    return (torch.log(absolute + 1e-3) + 0.5 * torch.log(squares + 1e-5)).mean()


def recipe(shape):
    """Phases, loss and steps; about two hours of one processor either way."""
    return (WHOLE, decibels, 6500) if shape.shuffle > 1 else (PHASES, mean_error, 2000)


def rate(step, steps, highest):
    """Warm up in 100 steps, then half a cosine down to a hundredth."""
    warm = min(1.0, (step + 1) / 100)
    return highest * warm * (0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * step / steps)))


def network_input(images, kind):
    """Complex images [n][2][H][W], numpy, to what the network takes."""
    images = torch.from_numpy(images)
    parts = {"complex": images, "magnitude": torch.linalg.vector_norm(images, dim=1, keepdim=True)}
    return torch.cat([parts[part] for part in kind.split("+")], dim=1)


def usable_of(training):
    """The numbers of the images that have a place: where the echoes of a point do not add up anywhere, a label would be a guess."""
    return [n for n, entry in enumerate(training.entries) if entry["coherence"] >= 0.3 or entry["content"] == "empty"]


def batch_of(training, usable, seed, step, size, count):
    rng = np.random.default_rng([seed, step])
    images, labels = [], []
    for _ in range(count):
        y, x = rng.integers(0, data.scenes.PIXELS - size + 1, 2)
        image, ideal = training.crop(int(usable[rng.integers(len(usable))]), y, x, size)
        # The eight symmetries of a square; the phase of an image as a whole means nothing.
        if rng.integers(2):
            image, ideal = image[:, ::-1], ideal[::-1]
        if rng.integers(2):
            image, ideal = image[:, :, ::-1], ideal[:, ::-1]
        if rng.integers(2):
            image, ideal = image.transpose(0, 2, 1), ideal.T
        turn = rng.uniform(0, 2 * np.pi)
        c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
        images.append(np.stack((c * image[0] - s * image[1], s * image[0] + c * image[1])))
        labels.append(ideal[None])
    return np.stack(images), torch.from_numpy(np.ascontiguousarray(np.stack(labels)))


def validate(network, validation, limit):
    """Means over the validation images, whole ones, input and output both brought to their peak."""
    network.eval()
    rows, false, empty = [], 0, 0
    with torch.no_grad():
        for number in np.unique(np.linspace(0, len(validation) - 1, min(limit, len(validation))).astype(int)):
            image, ideal = validation.crop(number)
            x = network_input(image[None], "magnitude")
            ideal = torch.from_numpy(ideal[None, None])
            y = network(network_input(image[None], network.shape.input)).clamp(0, 1)
            if validation.entries[number]["content"] == "empty":
                empty += 1
                false += bool(y.max() > measures.FALSE_STRUCTURE)
                continue
            x, y = measures.to_peak(x), measures.to_peak(y)
            rows.append([f(a, ideal).item() for a in (x, y) for f in (measures.psnr, measures.ssim)])
    network.train()
    psnr_in, ssim_in, psnr, ssim = np.mean(rows, axis=0)
    return {"images": len(rows), "psnr_in": psnr_in, "ssim_in": ssim_in, "psnr": psnr, "ssim": ssim, "empty": empty, "false": false}


def average_into(average, network, decay):
    """The running mean of weights and batch norm's statistics, which validates better than where the last step went."""
    with torch.no_grad():
        for a, v in zip(average.state_dict().values(), network.state_dict().values()):
            a.lerp_(v, 1 - decay) if a.is_floating_point() else a.copy_(v)


def save(path, state):
    torch.save(state, path + ".part")
    os.replace(path + ".part", path)


def start(options):
    """Network, average, optimizer, first step, best PSNR so far, seconds spent: new ones, or the checkpoint's."""
    torch.manual_seed(options.seed)
    network = networks.Enhancer(networks.VARIANTS[options.variant])
    average = copy.deepcopy(network)
    adam = torch.optim.Adam(network.parameters(), lr=options.rate, betas=(0.9, 0.999))
    path = os.path.join(options.run, "checkpoint.pt")
    if not os.path.exists(path):
        return network, average, adam, 0, -1.0, 0.0
    state = torch.load(path)
    asked = {name: getattr(options, name) for name in ("variant", "steps", "seed", "rate")}
    if state["asked"] != asked:
        sys.exit(f"train.py: {path} is of a run with {state['asked']}, not {asked}: say the same, or another folder")
    network.load_state_dict(state["network"])
    average.load_state_dict(state["average"])
    adam.load_state_dict(state["adam"])
    return network, average, adam, state["step"], state["best"], state["seconds"]


def train(options):
    training, validation = data.DataSet(options.data, "train"), data.DataSet(options.data, "validation")
    os.makedirs(options.run, exist_ok=True)
    network, average, adam, step, best, seconds = start(options)
    asked = {name: getattr(options, name) for name in ("variant", "steps", "seed", "rate")}
    print(f"{options.variant}: {networks.parameters(network)} parameters, {len(training)} training and {len(validation)} validation"
          f" images, step {step} of {options.steps}", flush=True)
    phases, loss_of, _ = recipe(network.shape)
    usable = usable_of(training)
    network.train()
    begun, processor, first, losses = time.time(), time.process_time(), step, []

    def keep():
        save(os.path.join(options.run, "checkpoint.pt"),
             {"asked": asked, "network": network.state_dict(), "average": average.state_dict(), "adam": adam.state_dict(),
              "step": step, "best": best, "seconds": seconds + time.time() - begun})

    while step < options.steps:
        size, count = phase(phases, step, options.steps)
        images, labels = batch_of(training, usable, options.seed, step, size, count)
        for group in adam.param_groups:
            group["lr"] = rate(step, options.steps, options.rate)
        adam.zero_grad(set_to_none=True)
        loss = loss_of(network(network_input(images, network.shape.input)), labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        adam.step()
        average_into(average, network, min(0.995, (1 + step) / (10 + step)))
        losses.append(loss.item())
        step += 1
        late = options.hours and time.time() - begun > 3600 * options.hours
        if step % options.every == 0 or step == options.steps:
            report = {"step": step, "size": size, "loss": float(np.mean(losses)), "rate": adam.param_groups[0]["lr"],
                      "steps_per_s": (step - first) / (time.time() - begun),
                      "steps_per_cpu_s": (step - first) / (time.process_time() - processor),
                      **validate(average, validation, options.images)}
            losses = []
            if report["psnr"] > best:
                best = float(report["psnr"])
                networks.save(average, os.path.join(options.run, "weights.safetensors"),
                              {"variant": options.variant, "seed": options.seed, "step": step, "steps": options.steps,
                               "recipe": data.scenes.VERSION, "images": len(training), "validation_psnr_db": f"{best:.3f}",
                               "validation_ssim": f"{report['ssim']:.4f}"})
            keep()
            with open(os.path.join(options.run, "log.jsonl"), "a") as file:
                file.write(json.dumps(report) + "\n")
            print("step {step} of {0}: loss {loss:.4f}, PSNR {psnr_in:.2f} -> {psnr:.2f} dB, SSIM {ssim_in:.3f} -> {ssim:.4f}, "
                  "{false} of {empty} empty scenes with structure, {steps_per_s:.2f} steps/s".format(options.steps, **report), flush=True)
        elif step % 100 == 0:
            keep()
        if late and step < options.steps:
            keep()
            print(f"stopped after {options.hours:g} h at step {step} of {options.steps}; the same command goes on")
            return


def main():
    parser = argparse.ArgumentParser(description="Train a network; the same command goes on with a run that was stopped.")
    parser.add_argument("data", help="folder that data.py filled")
    parser.add_argument("run", help="folder for the checkpoint, the log and the weights")
    parser.add_argument("--variant", choices=networks.VARIANTS, default="folded")
    parser.add_argument("--steps", type=int, help="of the whole run, over which the learning rate falls (6500 for folded, 2000 for others)")
    parser.add_argument("--hours", type=float, default=0, help="stop then, to go on another time; 0 (default): at the end")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate (%(default)s)")
    parser.add_argument("--every", type=int, default=500, help="steps from one validation to the next; a checkpoint every 100 (%(default)s)")
    parser.add_argument("--images", type=int, default=96, help="validation images to look at (%(default)s)")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    options.steps = options.steps or recipe(networks.VARIANTS[options.variant])[2]
    torch.set_num_threads(options.threads)
    torch.use_deterministic_algorithms(True)
    attention.use()
    try:
        train(options)
    except (ValueError, OSError) as error:
        sys.exit(f"train.py: {error}")


if __name__ == "__main__":
    main()
