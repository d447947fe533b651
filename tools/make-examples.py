#!/usr/bin/python3
"""Make the files that the example scenes use: docs/examples/mask-arrows.png and bracket.stl.

Run it from the root of the tree; needs python3-numpy. What it makes is checked in.
"""
import struct
import zlib

import numpy as np


def write_png(path, grey):
    """8-bit grey picture; rows from the top."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))
    height, width = grey.shape
    rows = np.hstack([np.zeros((height, 1), np.uint8), grey])
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n"
                   + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)) + chunk(b"IEND", b""))


def arrows(n=200):
    """A frame with two arrows, one up and one to the right; dark is metal."""
    y, x = np.mgrid[0:n, 0:n] / (n - 1.0)
    y = 1.0 - y
    frame = (np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y)) < 0.06)

    def arrow(u, v):
        shaft = (np.abs(u) < 0.045) & (v > 0.0) & (v < 0.32)
        head = (v >= 0.32) & (v < 0.56) & (np.abs(u) < 0.14 * (0.56 - v) / 0.24)
        return shaft | head
    metal = frame | arrow(x - 0.3, y - 0.22) | arrow(y - 0.18, x - 0.38)
    # No edge symmetry: a dot that tells up from down and left from right.
    metal |= (x - 0.72) ** 2 + (y - 0.72) ** 2 < 0.07 ** 2
    return np.where(metal, 0, 255).astype(np.uint8)


def ring(radius, n, centre, z):
    a = 2 * np.pi * np.arange(n) / n
    return np.stack([centre[0] + radius * np.cos(a), centre[1] + radius * np.sin(a),
                     np.full(n, z)], axis=1)


def annulus(inner, outer, flip):
    """Triangles between two rings of equal count."""
    n, out = len(inner), []
    for i in range(n):
        j = (i + 1) % n
        quad = [inner[i], outer[i], outer[j], inner[j]]
        if flip:
            quad = quad[::-1]
        out += [[quad[0], quad[1], quad[2]], [quad[0], quad[2], quad[3]]]
    return out


def square_ring(half, n, centre, z):
    """n points round a square, at the angles of ring()."""
    a = 2 * np.pi * np.arange(n) / n
    scale = half / np.maximum(np.abs(np.cos(a)), np.abs(np.sin(a)))
    return np.stack([centre[0] + scale * np.cos(a), centre[1] + scale * np.sin(a),
                     np.full(n, z)], axis=1)


def block_with_bore(centre, half, bore, low, high, n=32):
    """A square block along z with a round bore through it, closed and outward."""
    top_in, top_out = ring(bore, n, centre, high), square_ring(half, n, centre, high)
    bot_in, bot_out = ring(bore, n, centre, low), square_ring(half, n, centre, low)
    return (annulus(top_in, top_out, False) + annulus(bot_in, bot_out, True)
            + annulus(top_out, bot_out, False) + annulus(bot_in, top_in, False))


def box(low, high):
    """A box, closed and outward."""
    low, high = np.array(low, float), np.array(high, float)
    out = []
    for axis in range(3):
        u, v = np.eye(3)[(axis + 1) % 3], np.eye(3)[(axis + 2) % 3]
        size = high - low
        for side in (0, 1):
            corner = low + side * size * np.eye(3)[axis]
            a, b = u * size, v * size
            quad = [corner, corner + a, corner + a + b, corner + b]
            if side == 0:
                quad = quad[::-1]
            out += [[quad[0], quad[1], quad[2]], [quad[0], quad[2], quad[3]]]
    return out


def bracket():
    """An L of two plates with a bore each, in millimetres; its back looks along +z."""
    lying = block_with_bore((-20.0, 0.0), 20.0, 8.0, 0.0, 6.0)
    arm = block_with_bore((20.0, 0.0), 20.0, 5.0, 0.0, 6.0)
    rib = box((34.0, -20.0, -30.0), (40.0, 20.0, 0.0))
    return np.array(lying + arm + rib, np.float32)


def write_stl(path, triangles):
    with open(path, "wb") as file:
        file.write(b"nfsar example: a bracket, millimetres".ljust(80, b" "))
        file.write(struct.pack("<I", len(triangles)))
        for t in triangles:
            normal = np.cross(t[1] - t[0], t[2] - t[0])
            normal = normal / max(np.linalg.norm(normal), 1e-30)
            file.write(struct.pack("<12fH", *normal, *t.ravel(), 0))


if __name__ == "__main__":
    write_png("docs/examples/mask-arrows.png", arrows())
    write_stl("docs/examples/bracket.stl", bracket())
