"""A capture against the truth: samples bit for bit, times, places, and the bytes of the card where
some were lost."""
import h5py
import numpy

from rig import check


def samples(path):
    with h5py.File(path, "r") as file:
        return file["echo/data"][:]


def same_samples(rig, pulses=None, flags=0, times=True):
    """All of them, or the first so many; returns their number. flags: of each pulse, or of all;
    None: whatever they are."""
    with h5py.File(rig.capture, "r") as capture, h5py.File(rig.truth, "r") as truth:
        got, want = capture["echo/data"], truth["echo/data"]
        n = got.shape[0] if pulses is None else pulses
        check(got.shape[0] == n and n <= want.shape[0],
              f"{got.shape[0]} pulses of {want.shape[0]} in truth, {n} expected")
        check(got.shape[1:] == want.shape[1:] and got.dtype == want.dtype, "shapes differ")
        check(n > 0 and numpy.array_equal(got[:], want[:n]), "samples differ")
        check(float(numpy.abs(got[:]).max()) > 4000, "samples are all but zero")
        same = numpy.array_equal(capture["echo/time_s"][:], truth["echo/time_s"][:n])
        check(same or not times, "times differ")
        got = capture["echo/flags"][:]
        odd = [] if flags is None else [(int(i), int(got[i])) for i in numpy.flatnonzero(got != flags)]
        check(not odd, f"pulses and their flags: {odd}")
        return n


def same_path(rig, path, seconds=1.0):
    """Poses found from sensors against the true ones, both from the first on: rms error of one end
    of so many seconds against the other, along z and across, and the number of poses."""
    with h5py.File(path, "r") as tracked, h5py.File(rig.truth, "r") as truth:
        time, got = tracked["pose/time_s"][:], tracked["pose/position_m"][:]
        want = numpy.stack([numpy.interp(time, truth["pose/time_s"][:],
                                         truth["pose/position_m"][:, axis]) for axis in range(3)], 1)
        check(tracked["pose/covariance"].shape == (len(time), 6, 6), "no covariance")
        ends = numpy.searchsorted(time, time + seconds)
        ends = ends[ends < len(time)]
        check(len(ends) > 100, "too short")
        error = got - want
        moved = error[ends] - error[:len(ends)]
        along = float(numpy.sqrt((moved[:, 2] ** 2).mean()))
        across = float(numpy.sqrt((moved[:, :2] ** 2).sum(1).mean() / 2))
        return along, across, len(time)


def same_places(rig, tolerance_m=1e-9):
    """Positions of the stage at each pulse: to nothing, but for where the home switch closed, which
    the hub knows to some steps (more on a busy computer): returned."""
    with h5py.File(rig.capture, "r") as capture, h5py.File(rig.truth, "r") as truth:
        want = numpy.stack([numpy.interp(capture["pose/time_s"][:], truth["pose/time_s"][:],
                                         truth["pose/position_m"][:, axis]) for axis in range(3)], 1)
        off = capture["pose/position_m"][:] - want
        home = numpy.median(off, axis=0)
        # The last pose is that of the last frame's end, in which a stage in qemu stands.
        check(numpy.abs(off[:-1] - home).max() < tolerance_m
              and numpy.abs(off[-1] - home).max() < max(1e-5, tolerance_m),
              f"positions differ by {numpy.abs(off).max()} m")
        check(numpy.abs(home).max() < 1e-4, f"home is off by {home} m")
        return home


def stream(data):
    """The bytes that a card with four lanes sends for these pulses: I of four receivers, Q of four
    receivers, sample after sample."""
    pulses, channels, count = data.shape
    chirps = data.reshape(pulses, channels // 4, 4, count).transpose(0, 1, 3, 2)
    both = numpy.stack([chirps.real, chirps.imag], axis=3)
    return both.astype("<i2").tobytes()


def same_but_lost(rig):
    """Every byte is the truth's or, where the loss map says so, zero; pulses with such bytes are
    flagged, and no others. Returns losses, bytes, pulses flagged."""
    with h5py.File(rig.capture, "r") as capture:
        losses = list(zip(capture["sensor/loss/offset"][:], capture["sensor/loss/bytes"][:]))
        flags = capture["echo/flags"][:]
    got, want = samples(rig.capture), samples(rig.truth)
    check(got.shape == want.shape, f"{got.shape} and not {want.shape}")
    frame = want.shape[1] * want.shape[2] * 4
    expected = bytearray(stream(want))
    touched = numpy.zeros(len(want), bool)
    for offset, size in losses:
        check(size > 0 and offset + size <= len(expected), f"loss of {size} at {offset}")
        expected[offset:offset + size] = bytes(int(size))
        touched[int(offset) // frame:(int(offset + size) - 1) // frame + 1] = True
    check(stream(got) == bytes(expected), "a byte is neither where it belongs nor in the loss map")
    check(numpy.array_equal(flags & 1 != 0, touched), "other pulses are flagged than have losses")
    return len(losses), sum(int(size) for _, size in losses), int(touched.sum())


GRID = {"--x": (-0.04, 0.04, 81), "--y": (-0.03, 0.03, 61), "--z": (0.18, 0.28, 21)}


def grid(home):
    """Its options, in the coordinates of a stage whose home is off by so much."""
    options = ["--method", "bp"]
    for (name, (first, last, count)), off in zip(GRID.items(), home):
        options += [name, f"{first + off:.12g}:{last + off:.12g}:{count}"]
    return options


def image_error_db(rig, home=(0.0, 0.0, 0.0)):
    """Of the capture's image against the truth's, after the best complex factor."""
    images = []
    for path, off in ((rig.truth, (0.0, 0.0, 0.0)), (rig.capture, home)):
        name = path.replace(".h5", "-image.h5")
        rig.nfsar("reconstruct", path, "-o", name, *grid(off), "--quiet")
        with h5py.File(name, "r") as file:
            images.append(file["image/data"][:].astype(numpy.complex128).ravel())
    want, got = images
    factor = numpy.vdot(got, want) / numpy.vdot(got, got)
    error = numpy.linalg.norm(want - factor * got) / numpy.linalg.norm(want)
    return 20 * numpy.log10(max(error, 1e-12))
