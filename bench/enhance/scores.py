"""What is measured of an image [H][W] against its label; numpy only. PSNR and SSIM are those of algorithms/enhance/training/measures.py."""

import numpy as np

FALSE_DB = -10.0  # of the normalisation: a pixel above it is something to see
LABEL_DB = -20.0  # a label above it is something that is there
THERE_DB = -6.0  # a label above it is something that ought to be seen,
SEEN_DB = -20.0  # and an image above it shows something
PROMINENCE_DB = 1.0  # two peaks are two when the saddle between them is this far below the lower one


def amplitude(decibels):
    return 10 ** (decibels / 20)


def to_peak(image):
    """Nothing below 0, the largest value 1: the rule for every method alike."""
    image = np.maximum(image, 0)
    return image / max(image.max(), 1e-6)


def rmse(image, ideal):
    return float(np.sqrt(np.mean((image - ideal) ** 2)))


def psnr(image, ideal):
    """dB, for a peak of 1."""
    return float(-10 * np.log10(max(np.mean((image - ideal) ** 2), 1e-12)))


def psnr_fit(image, ideal):
    """The same of the image times the factor that suits the label best: what is left when brightness as a whole is no error."""
    energy = np.sum(image * image)
    return psnr(image * (np.sum(image * ideal) / energy if energy > 0 else 0), ideal)


def soft(image, threshold):
    """What anyone can do without learning: of an image with a peak of 1, what is above this, and that to a peak of 1."""
    return np.maximum(image - threshold, 0) / (1 - threshold)


def quality(image, ideal):
    """[PSNR, PSNR with the best factor]"""
    scaled = to_peak(image)
    return [psnr(scaled, ideal), psnr_fit(scaled, ideal)]


def _blur(image):
    taps = np.exp(-((np.arange(11) - 5.0) ** 2) / (2 * 1.5**2))
    taps /= taps.sum()
    height, width = image.shape
    image = sum(tap * image[i : height - 10 + i] for i, tap in enumerate(taps))
    return sum(tap * image[:, i : width - 10 + i] for i, tap in enumerate(taps))


def ssim(image, ideal):
    """Wang et al. 2004: Gaussian window of 11 pixels with sigma 1.5, where it lies inside the image; for a range of 1."""
    a, b = _blur(image), _blur(ideal)
    aa, bb, ab = _blur(image * image) - a * a, _blur(ideal * ideal) - b * b, _blur(image * ideal) - a * b
    c1, c2 = 0.01**2, 0.03**2
    return float(np.mean((2 * a * b + c1) * (2 * ab + c2) / ((a * a + b * b + c1) * (aa + bb + c2))))


def near(mask, radius):
    """Where a pixel of the mask lies within this many pixels."""
    height, width = mask.shape
    found = np.zeros_like(mask)
    for dy in range(-int(radius), int(radius) + 1):
        half = int(np.sqrt(radius * radius - dy * dy))
        sums = np.cumsum(np.pad(mask, ((0, 0), (half + 1, half))), axis=1)
        wide = sums[:, 2 * half + 1 :] > sums[:, : width]
        into, out_of = slice(max(dy, 0), height + min(dy, 0)), slice(max(-dy, 0), height + min(-dy, 0))
        found[into] |= wide[out_of]
    return found


def invented(image, label, radius):
    """Whether there is something to see farther than this many pixels from anything that is there. The image's scale is that of the
    normalisation: the input's peak is 1."""
    return bool(np.any(image[~near(label > amplitude(LABEL_DB), radius)] > amplitude(FALSE_DB)))


def lost(image, label, cell):
    """Which part of what ought to be seen has nothing within a resolution cell (pixels) that shows it."""
    there = label > amplitude(THERE_DB)
    return float(np.mean(~near(image > amplitude(SEEN_DB), cell)[there])) if there.any() else 0.0


def count_peaks(image):
    """Peaks above FALSE_DB of the image's largest value that stand PROMINENCE_DB above the saddle to a higher one."""
    image = to_peak(image)
    height, width = image.shape
    flat = image.ravel()
    order = np.flatnonzero(flat > amplitude(FALSE_DB))
    order = order[np.argsort(-flat[order], kind="stable")]
    root, top, count = {}, {}, 0

    def find(pixel):
        while root[pixel] != pixel:
            root[pixel] = root[root[pixel]]
            pixel = root[pixel]
        return pixel

    # From the highest pixel down: where two hills meet is a saddle, and the lower hill ends there.
    for pixel in map(int, order):
        root[pixel], top[pixel] = pixel, flat[pixel]
        y, x = divmod(pixel, width)
        for ny in range(max(y - 1, 0), min(y + 2, height)):
            for nx in range(max(x - 1, 0), min(x + 2, width)):
                other = ny * width + nx
                if other not in root:
                    continue
                a, b = find(pixel), find(other)
                if a == b:
                    continue
                low, high = (a, b) if top[a] < top[b] else (b, a)
                count += top[low] > flat[pixel] / amplitude(-PROMINENCE_DB)
                root[low] = high
    return count + len({find(pixel) for pixel in root})


def scores(image, label, cell):
    """Of one image on the scale of its input's peak; cell: of resolution, in pixels."""
    scaled = to_peak(image)
    return {"psnr": psnr(scaled, label), "fit": psnr_fit(scaled, label), "ssim": ssim(scaled, label), "rmse": rmse(scaled, label),
            "false": invented(image, label, 2 * cell), "lost": lost(image, label, cell), "peak": float(image.max())}
