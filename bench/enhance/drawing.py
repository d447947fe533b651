"""PNG pictures with text and lines by cairo, which nfsar itself draws with; called through ctypes, so that no Python package is needed."""

import ctypes
import ctypes.util
import os
import struct
import zlib

import numpy as np

INK = (0.15, 0.15, 0.15)
# Okabe and Ito, as host/picture/curves.c has them
COLOURS = [(0.0, 0.447, 0.698), (0.835, 0.369, 0.0), (0.0, 0.62, 0.451), (0.8, 0.475, 0.655)]
# Dark to bright: viridis at five places
MAP = np.array([[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]], float)


class _Extents(ctypes.Structure):
    _fields_ = [(name, ctypes.c_double) for name in ("x_bearing", "y_bearing", "width", "height", "x_advance", "y_advance")]


def _cairo():
    library = ctypes.CDLL(ctypes.util.find_library("cairo") or "libcairo.so.2")
    pointer, number, whole = ctypes.c_void_p, ctypes.c_double, ctypes.c_int
    signatures = {
        "image_surface_create": (pointer, [whole] * 3), "create": (pointer, [pointer]), "surface_flush": (None, [pointer]),
        "image_surface_get_data": (pointer, [pointer]), "image_surface_get_stride": (whole, [pointer]), "destroy": (None, [pointer]),
        "surface_destroy": (None, [pointer]), "set_source_rgb": (None, [pointer] + [number] * 3), "paint": (None, [pointer]),
        "move_to": (None, [pointer] + [number] * 2), "line_to": (None, [pointer] + [number] * 2), "stroke": (None, [pointer]),
        "set_line_width": (None, [pointer, number]), "show_text": (None, [pointer, ctypes.c_char_p]),
        "select_font_face": (None, [pointer, ctypes.c_char_p, whole, whole]), "set_font_size": (None, [pointer, number]),
        "text_extents": (None, [pointer, ctypes.c_char_p, ctypes.POINTER(_Extents)]), "rectangle": (None, [pointer] + [number] * 4),
        "fill": (None, [pointer])}
    for name, (result, arguments) in signatures.items():
        function = getattr(library, "cairo_" + name)
        function.restype, function.argtypes = result, arguments
    return library


def _chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def write_png(path, pixels):
    """[H][W][3] bytes; with a palette when 256 colours are enough."""
    height, width, _ = pixels.shape
    packed = pixels.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    colours, index = np.unique(packed, return_inverse=True)
    if len(colours) <= 256:
        kind, rows, parts = 3, index.reshape(height, width).astype(np.uint8), [bytes(v for c in colours for v in (c >> 16, c >> 8 & 255, c & 255))]
    else:
        kind, rows, parts = 2, pixels.reshape(height, width * 3), []
    raw = np.concatenate((np.zeros((height, 1), np.uint8), rows), axis=1).tobytes()
    body = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)) + b"".join(_chunk(b"PLTE", p) for p in parts)
    with open(path + ".part", "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + body + _chunk(b"IDAT", zlib.compress(raw, 9)) + _chunk(b"IEND", b""))
    os.replace(path + ".part", path)


class Canvas:
    def __init__(self, width, height):
        self.library, self.width, self.height = _cairo(), width, height
        self.surface = self.library.cairo_image_surface_create(1, width, height)  # RGB24
        self.cairo = self.library.cairo_create(self.surface)
        self.library.cairo_select_font_face(self.cairo, b"DejaVu Sans", 0, 0)
        self.images = []
        self.colour((1, 1, 1))
        self.library.cairo_paint(self.cairo)

    def colour(self, rgb):
        self.library.cairo_set_source_rgb(self.cairo, *rgb)

    def text(self, x, y, text, size=11, across=0.0, colour=INK):
        """The base line at y; across: which part of the text's width lies left of x."""
        self.library.cairo_set_font_size(self.cairo, size)
        extents = _Extents()
        self.library.cairo_text_extents(self.cairo, text.encode(), ctypes.byref(extents))
        self.colour(colour)
        self.library.cairo_move_to(self.cairo, x - across * extents.x_advance, y)
        self.library.cairo_show_text(self.cairo, text.encode())

    def lines(self, points, colour=INK, width=1.0):
        self.colour(colour)
        self.library.cairo_set_line_width(self.cairo, width)
        for n, (x, y) in enumerate(points):
            (self.library.cairo_line_to if n else self.library.cairo_move_to)(self.cairo, x, y)
        self.library.cairo_stroke(self.cairo)

    def block(self, x, y, width, height, colour):
        self.colour(colour)
        self.library.cairo_rectangle(self.cairo, x, y, width, height)
        self.library.cairo_fill(self.cairo)

    def image(self, x, y, levels):
        """Numbers from 0 to 1 as colours, a pixel each; row 0 is drawn at the bottom."""
        self.images.append((x, y, levels[::-1]))

    def write(self, path, steps=24):
        """Images get that many colours: noise of many costs bytes and shows no more."""
        self.library.cairo_surface_flush(self.surface)
        stride = self.library.cairo_image_surface_get_stride(self.surface)
        data = ctypes.string_at(self.library.cairo_image_surface_get_data(self.surface), stride * self.height)
        pixels = np.frombuffer(data, np.uint8).reshape(self.height, stride // 4, 4)[:, : self.width, 2::-1].copy()
        pixels = (np.round(pixels / 17.0) * 17).astype(np.uint8)
        for x, y, levels in self.images:
            level = np.round(np.clip(levels, 0, 1) * (steps - 1)) / (steps - 1) * (len(MAP) - 1)
            low = np.minimum(level.astype(int), len(MAP) - 2)
            part = (level - low)[..., None]
            height, width = levels.shape
            pixels[y : y + height, x : x + width] = np.round(MAP[low] * (1 - part) + MAP[low + 1] * part)
        write_png(path, pixels)

    def __del__(self):
        self.library.cairo_destroy(self.cairo)
        self.library.cairo_surface_destroy(self.surface)
