"""PSNR, SSIM and false structure of images [n][1][H][W] against labels, all brought to the same peak first."""

import torch

FALSE_STRUCTURE = 10 ** (-10 / 20)  # -10 dB of the normalisation


def to_peak(image):
    """Nothing below 0, the largest value 1: the rule for every method alike."""
    image = image.clamp(min=0)
    return image / image.amax(dim=(2, 3), keepdim=True).clamp(min=1e-6)


def psnr(image, ideal):
    """Of each image, dB, for a peak of 1."""
    return -10 * torch.log10(((image - ideal) ** 2).mean(dim=(1, 2, 3)).clamp(min=1e-12))


def ssim(image, ideal):
    """Of each image: Wang et al. 2004, Gaussian window of 11 pixels with sigma 1.5, for a range of 1."""
    taps = torch.exp(-((torch.arange(11) - 5.0) ** 2) / (2 * 1.5**2))
    taps /= taps.sum()

    def blur(x):
        return torch.nn.functional.conv2d(torch.nn.functional.conv2d(x, taps.view(1, 1, 11, 1)), taps.view(1, 1, 1, 11))

    a, b = blur(image), blur(ideal)
    aa, bb, ab = blur(image * image) - a * a, blur(ideal * ideal) - b * b, blur(image * ideal) - a * b
    c1, c2 = 0.01**2, 0.03**2
    return ((2 * a * b + c1) * (2 * ab + c2) / ((a * a + b * b + c1) * (aa + bb + c2))).mean(dim=(1, 2, 3))
