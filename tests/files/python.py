#!/usr/bin/python3
"""Files between nfsar and h5py, both ways. Run by ctest as files/python."""
import json
import os
import subprocess
import sys
import tempfile

try:
    import h5py
    import numpy as np
except ImportError as error:
    print(f"skipped: {error}; install python3-h5py")
    sys.exit(77)

NFSAR = os.environ["NFSAR_COMMAND"]
SOURCE = os.environ["NFSAR_SOURCE"]

SCENE = """
radar: {waveform: 77-81ghz-64}
array: {preset: xwr1443-2tx, along: y}
path:
  raster:
    x: {size_m: 0.03, step_m: 1e-3}
    y: {size_m: 0.03, step_m: 7.5897e-3}
targets:
  - points:
      - {at_m: [0.005, -0.01, 0.25]}
"""


def nfsar(*arguments):
    done = subprocess.run([NFSAR, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, f"nfsar {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout


def check_capture(path):
    """What the manual says how to open a capture."""
    info = json.loads(nfsar("info", path, "--json"))
    with h5py.File(path) as h:
        assert h.attrs["format"].decode() == "nfsar-capture"
        assert h.attrs["format_version"] == 1
        echo = h["echo/data"]
        assert echo.dtype == np.complex64, echo.dtype
        assert echo.shape == (info["pulses"], 8, 64), echo.shape
        assert np.abs(echo[:]).max() > 0
        assert h["radar/frequency_hz"].dtype == np.float64
        assert h["radar/frequency_hz"][0] == 77e9
        assert h["radar"].attrs["start_frequency_hz"] == 77e9
        assert h["array/tx_m"].shape == (2, 3) and h["array/rx_m"].shape == (4, 3)
        assert h["array/channel"].dtype == np.int32 and h["array/channel"].shape == (8, 2)
        assert h["echo/flags"].dtype == np.uint8
        assert h["pose/orientation"].shape == (info["scan"]["poses"], 4)
        lines = [line.decode() for line in h["provenance"]]
        assert lines == info["provenance"] and lines, lines


def check_image(path):
    """What the manual says how to open an image; the axes are exactly those asked for."""
    with h5py.File(path) as h:
        assert h.attrs["format"].decode() == "nfsar-image"
        data = h["image/data"]
        assert data.dtype == np.complex64, data.dtype
        assert data.shape == (3, 21, 31), data.shape
        x, y, z = h["image/x_m"][:], h["image/y_m"][:], h["image/z_m"][:]
        assert x[0] == -0.015 and np.allclose(np.diff(x), 1e-3, rtol=1e-9) and len(x) == 31
        assert y[0] == -0.02 and len(y) == 21
        assert z[0] == 0.24 and len(z) == 3
        assert h["image"].attrs["method"].decode() == "bp"
        assert len(h["provenance"]) >= 2
        peak = np.unravel_index(np.abs(data[:]).argmax(), data.shape)
        found = np.array([x[peak[2]], y[peak[1]], z[peak[0]]])
        assert np.allclose(found, [0.005, -0.01, 0.25], atol=1.1e-3), found


def check_own_capture(path, image):
    """The example of the manual, with nothing but what is required."""
    subprocess.run([sys.executable, f"{SOURCE}/docs/examples/capture.py", path], check=True)
    info = json.loads(nfsar("info", path, "--json"))
    assert (info["pulses"], info["channels"], info["samples"]) == (961, 1, 64), info
    assert info["radar"]["model"] is None and info["radar"]["chirp"] is None
    assert info["scan"]["poses"] == 961 and info["scan"]["poses_at_pulses"]
    assert info["lattice"]["planar"] and info["lattice"]["x"]["count"] == 31
    assert info["provenance"] == []
    nfsar("reconstruct", path, "-o", image, "-q", "--method", "bp",
          "--x=-0.015:0.015:61", "--y=-0.015:0.015:61", "--z=0.2")
    peak = json.loads(nfsar("measure", image, "--json"))["peak_m"]
    assert np.allclose(peak, [0.004, -0.002, 0.2], atol=1e-4), peak


def check_compressed(path, packed):
    """The manual's way to a smaller file; nothing is lost by it."""
    with h5py.File(path) as h, h5py.File(packed, "w", libver="latest") as to:
        for name in h:
            if name != "echo":
                h.copy(name, to)
        to.attrs.update(h.attrs)
        to["echo/time_s"] = h["echo/time_s"][:]
        to.create_dataset("echo/data", data=h["echo/data"], chunks=h["echo/data"].chunks,
                          shuffle=True, compression=1)
    one = json.loads(nfsar("info", path, "--json"))
    other = json.loads(nfsar("info", packed, "--json"))
    one["file"] = other["file"] = None
    assert one == other
    grid = ["-q", "--method", "bp", "--x=0.005", "--y=-0.01", "--z=0.25"]
    voxel = []
    for capture in (path, packed):
        nfsar("reconstruct", capture, "-o", packed + ".image", *grid)
        with h5py.File(packed + ".image") as h:
            voxel.append(h["image/data"][0, 0, 0])
    assert voxel[0] == voxel[1], voxel


def check_recording(path):
    """Followed with h5py while it goes on, as the manual says; then sealed, which h5py reads."""
    recorder = subprocess.Popen([os.environ["NFSAR_RECORDING_PACE"], path, "3", "2"],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    name = path + ".recording"
    while not os.path.exists(name):
        assert recorder.poll() is None, recorder.communicate()
    follower = subprocess.run([sys.executable, f"{SOURCE}/docs/examples/follow.py", name],
                              capture_output=True, text=True, timeout=300)
    output, errors = recorder.communicate(timeout=300)
    assert recorder.returncode == 0 and follower.returncode == 0, errors + follower.stderr
    counts = [int(line.split()[0]) for line in follower.stdout.splitlines()]
    assert counts == sorted(set(counts)) and len(counts) >= 2, counts
    with h5py.File(name) as h:
        n = int(h["recording/rows"][0])
        assert n == counts[-1] and h["recording/ended"][0] == 1
        assert h["recording"].attrs["format"].decode() == "nfsar-recording"
        assert [line.decode() for line in h["recording/tables"]] == ["/echo", "/pose"]
        pulses = h["echo/data"][:n]
        expected = np.arange(n, dtype=np.int64) * 31
        assert np.array_equal(pulses["r"][:, 0, 0], expected.astype(np.int16))
    nfsar("repair", name)
    with h5py.File(path) as h:
        echo = h["echo/data"]
        assert echo.shape == pulses.shape and echo.dtype == np.complex64
        assert (echo.compression, echo.shuffle) == ("gzip", True)
        assert np.array_equal(echo[:].real, pulses["r"])
        assert np.array_equal(echo[:].imag, pulses["i"])


def main():
    with tempfile.TemporaryDirectory() as folder:
        scene = f"{folder}/scene.yaml"
        with open(scene, "w", encoding="utf-8") as file:
            file.write(SCENE)
        capture, image = f"{folder}/capture.h5", f"{folder}/image.h5"
        nfsar("simulate", scene, "-o", capture, "-q")
        check_capture(capture)
        nfsar("reconstruct", capture, "-o", image, "-q", "--method", "bp",
              "--x=-0.015:0.015:31", "--y=-0.02:0:21", "--z=0.24:0.26:3")
        check_image(image)
        check_own_capture(f"{folder}/mine.h5", f"{folder}/mine-image.h5")
        check_compressed(capture, f"{folder}/packed.h5")
        check_recording(f"{folder}/recorded.h5")


main()
