"""Mobile-SRViT (arXiv 2305.02074) as a PyTorch module, its variants, and its weights as a file.

The paper's network has 69,122 parameters. Every stride is 1, so an image of any size that is a multiple of the patch goes
through. The names of the modules are those of the tensors in the file, which the C code reads.

    model.py --variant paper --random 1 -o weights.safetensors          a file with random weights, to test readers
    model.py --weights weights.safetensors --apply IN.npy OUT.npy       what PyTorch makes of images [n][1 or 2][H][W]
"""

import argparse
import dataclasses

import numpy as np
import torch
from torch import nn

import attention
import safetensors

PAPER_PARAMETERS = 69122


@dataclasses.dataclass(frozen=True)
class Shape:
    """What the file's metadata says of the network; the defaults are the paper's."""

    input: str = "magnitude"  # or "complex": real and imaginary part; or "complex+magnitude": and their magnitude
    channels: tuple = (16, 16, 32)
    dims: tuple = (8, 8, 16)
    depths: tuple = (2, 4, 3)
    hidden: tuple = (16, 32, 64)
    stem: int = 4
    heads: int = 4
    head_dim: int = 8
    patch: int = 16
    output: str = "silu"  # of the head's sums; or "linear"; or "residual": with the input's magnitude added
    shuffle: int = 1  # pixels along the side of a square that become channels of one; a patch is counted in these squares

    @property
    def planes(self):
        return {"magnitude": 1, "complex": 2, "complex+magnitude": 3}[self.input]

    def metadata(self):
        lists = {name: ",".join(map(str, getattr(self, name))) for name in ("channels", "dims", "depths", "hidden")}
        return {"format": "nfsar-enhance", "format_version": "1", "architecture": "mobile-srvit", "input": self.input,
                "stem": str(self.stem), "heads": str(self.heads), "head_dim": str(self.head_dim), "patch": str(self.patch),
                "shuffle": str(self.shuffle), "output": self.output, "normalisation": "peak", **lists}

    @staticmethod
    def from_metadata(metadata):
        if metadata.get("format") != "nfsar-enhance" or metadata.get("format_version") != "1":
            raise ValueError("the file's metadata has no format nfsar-enhance, version 1")
        lists = {name: tuple(map(int, metadata[name].split(","))) for name in ("channels", "dims", "depths", "hidden")}
        numbers = {name: int(metadata[name]) for name in ("stem", "heads", "head_dim", "patch", "shuffle")}
        return Shape(input=metadata["input"], output=metadata["output"], **lists, **numbers)


VARIANTS = {
    "paper": Shape(),
    "residual": Shape(output="residual"),
    "complex": Shape(input="complex"),
    "patch8": Shape(patch=8),
    "wide": Shape(channels=(24, 24, 48), dims=(16, 16, 24), hidden=(32, 64, 96)),
    "local": Shape(patch=8, output="residual"),
    # An image has about four pixels to a resolution cell along each axis: squares of 4 x 4 lose nothing, and the network's
    # products become those of 64 x 64 pixels with many channels, which computers are good at.
    "folded": Shape(input="complex+magnitude", channels=(64, 64, 64), dims=(32, 32, 32), depths=(1, 1, 1), hidden=(64, 64, 64),
                    stem=2, patch=4, output="linear", shuffle=4),
}


class ConvNorm(nn.Module):
    """conv without bias, batch norm, and SiLU unless activate is False."""

    def __init__(self, inputs, outputs, size, groups=1, activate=True):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, size, padding=size // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outputs)
        self.activate = activate

    def forward(self, x):
        x = self.bn(self.conv(x))
        return nn.functional.silu(x) if self.activate else x


class MV2(nn.Module):
    """Inverted residual of MobileNet v2 with expansion 1: dw (depthwise 3 x 3), pw (1 x 1); the sum where the channels allow it."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.dw = ConvNorm(inputs, inputs, 3, groups=inputs)
        self.pw = ConvNorm(inputs, outputs, 1, activate=False)
        self.sum = inputs == outputs

    def forward(self, x):
        y = self.pw(self.dw(x))
        return x + y if self.sum else y


class Layer(nn.Module):
    """One pre-norm transformer layer on [batch, groups, tokens, d]: attention among a group's tokens, then the MLP."""

    def __init__(self, d, hidden, heads, head_dim):
        super().__init__()
        self.heads, self.scale = heads, head_dim**-0.5
        self.norm1 = nn.LayerNorm(d)
        self.qkv = nn.Linear(d, 3 * heads * head_dim, bias=False)  # rows: q, then k, then v, each [head][head_dim]
        self.out = nn.Linear(heads * head_dim, d)
        self.norm2 = nn.LayerNorm(d)
        self.mlp1 = nn.Linear(d, hidden)
        self.mlp2 = nn.Linear(hidden, d)

    def attention(self, x):
        batch, groups, tokens, _ = x.shape
        qkv = self.qkv(x)
        if attention.available(qkv, qkv.shape[3] // (3 * self.heads)):
            return self.out(attention.attend(qkv, self.heads, self.scale))
        qkv = qkv.reshape(batch, groups, tokens, 3, self.heads, -1).permute(3, 0, 1, 4, 2, 5)
        q, k, v = qkv[0], qkv[1], qkv[2]
        weights = torch.softmax((q * self.scale) @ k.transpose(-1, -2), dim=-1)
        return self.out((weights @ v).permute(0, 1, 3, 2, 4).reshape(batch, groups, tokens, -1))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp2(nn.functional.silu(self.mlp1(self.norm2(x))))


class MobileViT(nn.Module):
    """local 3 x 3, project to d, transformer over the unfolded image, expand to C, fuse 3 x 3 with what came in."""

    def __init__(self, channels, d, depth, hidden, shape):
        super().__init__()
        self.patch = shape.patch
        self.local = ConvNorm(channels, channels, 3)
        self.project = ConvNorm(channels, d, 1)
        self.layers = nn.ModuleList(Layer(d, hidden, shape.heads, shape.head_dim) for _ in range(depth))
        self.expand = ConvNorm(d, channels, 1)
        self.fuse = ConvNorm(2 * channels, channels, 3)

    def unfold(self, x):
        """b d (h ph) (w pw) -> b (ph pw) (h w) d: pixels at the same place of every patch are one group."""
        batch, d, height, width = x.shape
        p = self.patch
        x = x.reshape(batch, d, height // p, p, width // p, p)
        return x.permute(0, 3, 5, 2, 4, 1).reshape(batch, p * p, (height // p) * (width // p), d)

    def fold(self, x, height, width):
        batch, _, _, d = x.shape
        p = self.patch
        x = x.reshape(batch, p, p, height // p, width // p, d)
        return x.permute(0, 5, 3, 1, 4, 2).reshape(batch, d, height, width)

    def forward(self, x):
        height, width = x.shape[2:]
        y = self.unfold(self.project(self.local(x)))
        for layer in self.layers:
            y = layer(y)
        y = self.expand(self.fold(y, height, width))
        return self.fuse(torch.cat((y, x), dim=1))


class Stage(nn.Module):
    def __init__(self, inputs, channels, d, depth, hidden, shape):
        super().__init__()
        self.mv2 = MV2(inputs, channels)
        self.vit = MobileViT(channels, d, depth, hidden, shape)

    def forward(self, x):
        return self.vit(self.mv2(x))


class Enhancer(nn.Module):
    """[batch, planes, H, W] divided by the largest magnitude -> [batch, 1, H, W], magnitudes on the same scale."""

    def __init__(self, shape=Shape()):
        super().__init__()
        self.shape = shape
        first, square = shape.channels[0], shape.shuffle**2
        self.conv1 = ConvNorm(shape.planes * square, first, 3)
        self.stem = nn.Sequential(*(MV2(first, first) for _ in range(shape.stem)))
        widths = (first,) + tuple(shape.channels)
        self.trunk = nn.Sequential(*(
            Stage(widths[s], widths[s + 1], shape.dims[s], shape.depths[s], shape.hidden[s], shape)
            for s in range(len(shape.channels))))
        self.head = ConvNorm(widths[-1], square, 1, activate=shape.output == "silu")
        if shape == Shape():
            assert parameters(self) == PAPER_PARAMETERS, parameters(self)

    def forward(self, x):
        side = self.shape.patch * self.shape.shuffle
        if x.shape[2] % side or x.shape[3] % side:
            raise ValueError(f"an image of {x.shape[2]} x {x.shape[3]} pixels is no multiple of {side}")
        y = self.head(self.trunk(self.stem(self.conv1(nn.functional.pixel_unshuffle(x, self.shape.shuffle)))))
        y = nn.functional.pixel_shuffle(y, self.shape.shuffle)
        return y + magnitude(x) if self.shape.output == "residual" else y


def magnitude(x):
    """[batch, 1 to 3, H, W] -> [batch, 1, H, W]: of an input of any kind."""
    return torch.linalg.vector_norm(x, dim=1, keepdim=True) if x.shape[1] == 2 else x[:, -1:]


def parameters(model):
    return sum(p.numel() for p in model.parameters())


def save(model, path, extra=None):
    """Batch norm is written as it is (weight, bias, running_mean, running_var); its counter of batches is left out."""
    tensors = {k: v.detach().cpu().float().numpy() for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
    safetensors.write(path, tensors, {**model.shape.metadata(), **(extra or {})})


def load(path):
    tensors, metadata = safetensors.read(path)
    model = Enhancer(Shape.from_metadata(metadata))
    missing, unexpected = model.load_state_dict({k: torch.from_numpy(v) for k, v in tensors.items()}, strict=False)
    missing = [k for k in missing if not k.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(f"{path}: missing {missing}, unknown {unexpected}")
    return model.eval()


def randomise(model, seed):
    """Weights and statistics away from their neutral start, so that a reader that mixes two of them up is found out."""
    generator = torch.Generator().manual_seed(seed)
    for name, values in model.state_dict().items():
        if name.endswith("running_var") or ("norm" in name or "bn" in name) and name.endswith("weight"):
            values.copy_(0.5 + torch.rand(values.shape, generator=generator))
        elif values.is_floating_point():
            wide = values[0].numel() if values.dim() > 1 else 25
            values.copy_(torch.randn(values.shape, generator=generator) * wide**-0.5)
    return model.eval()


def main():
    parser = argparse.ArgumentParser(description="Write a network's weights, random ones, or say what a file holds.")
    parser.add_argument("--variant", choices=VARIANTS, default="paper")
    parser.add_argument("--random", type=int, metavar="SEED", default=1)
    parser.add_argument("--list", metavar="FILE", help="print the tensors of a file instead")
    parser.add_argument("--weights", metavar="FILE", help="take these instead of random ones")
    parser.add_argument("--apply", nargs=2, metavar=("IN.npy", "OUT.npy"), help="images [n][1 or 2][H][W], as the network takes them (peak 1)")
    parser.add_argument("-o", "--output")
    options = parser.parse_args()
    if options.list:
        tensors, metadata = safetensors.read(options.list)
        print(metadata)
        for name, values in tensors.items():
            print(name, list(values.shape))
        return
    model = load(options.weights) if options.weights else randomise(Enhancer(VARIANTS[options.variant]), options.random)
    print(f"{parameters(model)} parameters")
    if options.apply:
        with torch.no_grad():
            images = [model(torch.from_numpy(image[None].astype(np.float32))) for image in np.load(options.apply[0])]
        np.save(options.apply[1], torch.cat(images).numpy())
    if options.output:
        save(model, options.output, {"variant": options.variant, "training": f"none: random weights of seed {options.random}"})


if __name__ == "__main__":
    main()
