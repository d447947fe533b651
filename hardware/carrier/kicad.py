"""Writes KiCad 6 schematics: symbols of boxes and two-pin parts, wires, labels. Python's standard library.

Lengths are millimetres of the sheet, y down; places of pins are multiples of 2.54 mm. Every identifier is made
from what it names, so the same input gives the same file.
"""

import uuid

GRID = 2.54
PIN = 2.54  # length of a box's pin
_SPACE = uuid.UUID("6f2d6f0a-6a53-5a3e-9c1c-6e6673617200")


def identifier(*what):
    return str(uuid.uuid5(_SPACE, "/".join(str(w) for w in what)))


def quote(text):
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def number(value):
    return f"{value:.4f}".rstrip("0").rstrip(".") if value else "0"


def at(x, y, angle=0):
    return f"(at {number(x)} {number(y)} {angle})"


def effects(size=1.27, justify="", hidden=False):
    side = f" (justify {justify})" if justify else ""
    return f"(effects (font (size {size} {size})){side}{' hide' if hidden else ''})"


def _pin(kind, x, y, angle, length, name, num, hidden=False):
    hide = " hide" if hidden else ""
    return (f"(pin {kind} line {at(x, y, angle)} (length {number(length)}){hide}"
            f" (name {quote(name)} {effects()}) (number {quote(num)} {effects()}))")


def _line(*points, width=0.254):
    xy = " ".join(f"(xy {number(x)} {number(y)})" for x, y in points)
    return f"(polyline (pts {xy}) (stroke (width {width}) (type default)) (fill (type none)))"


def _rectangle(x0, y0, x1, y1):
    return (f"(rectangle (start {number(x0)} {number(y0)}) (end {number(x1)} {number(y1)})"
            " (stroke (width 0.254) (type default)) (fill (type background)))")


class Symbol:
    """A symbol of the project's own library. pins: number -> (x, y) of its end, y down as on the sheet."""

    def __init__(self, name, reference, graphics, pins, drawn, power=False, names=True, on_board=True):
        self.name, self.reference, self.pins = name, reference, pins
        self.graphics, self.drawn, self.power, self.names = graphics, drawn, power, names
        self.on_board = on_board

    def text(self, library=""):
        name = self.name
        hide = "(pin_numbers hide) (pin_names (offset 0) hide)" if not self.names else "(pin_names (offset 1.016))"
        fields = "".join(
            f" (property {quote(key)} {quote(value)} (id {i}) {at(0, 0)} {effects(hidden=i > 1)})"
            for i, (key, value) in enumerate((("Reference", self.reference), ("Value", name),
                                              ("Footprint", ""), ("Datasheet", ""))))
        return (f"(symbol {quote(library + name)}{' (power)' if self.power else ''} {hide} (in_bom "
                f"{'no' if self.power else 'yes'}) (on_board {'yes' if self.on_board else 'no'}){fields}"
                f" (symbol {quote(name + '_0_1')} {' '.join(self.graphics)})"
                f" (symbol {quote(name + '_1_1')} {' '.join(self.drawn)}))")


def box(name, left, right=(), reference="U", width=12.7, pitch=GRID):
    """left, right: lists of (number, name, type) from above, None leaves a place free. The origin is the place
    of the first pin on the left, less the pin's length: the box's upper left corner is one pitch above."""
    pins, drawn = {}, []
    rows = max(len(left), len(right))
    for column, x, angle in ((left, -PIN, 0), (right, width + PIN, 180)):
        for row, pin in enumerate(column):
            if pin is None:
                continue
            num, label, kind = pin
            y = row * pitch
            pins[num] = (x, y)
            drawn.append(_pin(kind, x, -y, angle, PIN, label, num))
    body = _rectangle(0, GRID, width, -((rows - 1) * pitch + GRID))
    return Symbol(name, reference, [body], pins, drawn)


def _two(name, reference, graphics, kind="passive"):
    """A part of two pins, drawn from left (1) to right (2), 7.62 mm apart."""
    drawn = [_pin(kind, -3.81, 0, 0, 1.27, "~", "1"), _pin(kind, 3.81, 0, 180, 1.27, "~", "2")]
    return Symbol(name, reference, graphics, {"1": (-3.81, 0), "2": (3.81, 0)}, drawn, names=False)


def resistor():
    return _two("R", "R", [_rectangle(-2.54, 1.016, 2.54, -1.016)])


def capacitor():
    return _two("C", "C", [_line((-2.54, 0), (-0.508, 0)), _line((2.54, 0), (0.508, 0)),
                           _line((-0.508, 1.524), (-0.508, -1.524)), _line((0.508, 1.524), (0.508, -1.524))])


def electrolytic():
    """1 is plus."""
    plus = [_line((-2.032, -1.016), (-1.016, -1.016)), _line((-1.524, -1.524), (-1.524, -0.508))]
    return _two("CP", "C", [_line((-2.54, 0), (-0.508, 0)), _line((2.54, 0), (0.508, 0)),
                            _rectangle(-0.762, 1.524, -0.254, -1.524), _line((0.508, 1.524), (0.508, -1.524))] + plus)


def fuse():
    return _two("F", "F", [_rectangle(-2.54, 0.762, 2.54, -0.762), _line((-2.54, 0), (2.54, 0))])


def diode(name):
    """1 is the cathode, 2 the anode."""
    graphics = [_line((-2.54, 0), (2.54, 0)), _line((-1.27, 1.27), (-1.27, -1.27)),
                _line((-1.27, 0), (1.27, 1.27), (1.27, -1.27), (-1.27, 0))]
    return _two(name, "D", graphics)


def power(net, ground=False):
    drawn = [_pin("power_in", 0, 0, 270 if ground else 90, 0, net, "1", hidden=True)]
    if ground:
        graphics = [_line((0, 0), (0, -1.27)), _line((-1.27, -1.27), (1.27, -1.27), (0, -2.54), (-1.27, -1.27))]
    else:
        graphics = [_line((0, 0), (0, 1.27)), _line((-0.762, 1.27), (0.762, 1.27))]
    return Symbol(net, "#PWR", graphics, {"1": (0, 0)}, drawn, power=True)


def flag():
    drawn = [_pin("power_out", 0, 0, 90, 0, "pwr", "1", hidden=True)]
    graphics = [_line((0, 0), (0, 1.27), (-1.016, 1.905), (0, 2.54), (1.016, 1.905), (0, 1.27))]
    return Symbol("PWR_FLAG", "#FLG", graphics, {"1": (0, 0)}, drawn, power=True)


def hole():
    circle = "(circle (center 0 0) (radius 1.27) (stroke (width 0.5) (type default)) (fill (type none)))"
    return Symbol("HOLE", "H", [circle], {}, [])


class Sheet:
    """One sheet. Every net is a label or a power symbol: connections can be read without following lines."""

    def __init__(self, title, paper, library, facts):
        self.title, self.paper, self.library, self.facts = title, paper, library, facts
        self.root = identifier("sheet", title)
        self.symbols, self.items, self.placed, self.count = {}, [], [], {}

    def place(self, symbol, reference, x, y, value=None, fields=None, in_bom=True, above=None):
        """Returns pin number -> its place on the sheet."""
        self.symbols[symbol.name] = symbol
        value = symbol.name if value is None else value
        own = identifier("symbol", reference)
        fields = dict(fields or {})
        if symbol.power:
            places = ((x, y, True), (x, y + (3.81 if symbol.name == "GND" else -3.175), symbol.name == "PWR_FLAG"))
        elif not symbol.names:
            wide = len(value) > 4  # beside the reference it would run into it
            places = ((x - 2.54, y - 1.905, False), (x + 2.54, y - 1.905, False)) if not wide else \
                ((x - 2.54, y - 2.286, False), (x + 3.3, y - 2.286, False))
        else:
            above = 6.35 if above is None else above
            places = ((x, y - above, False), (x, y - above + 2.286, False))
        side = "" if symbol.power or not symbol.names else "left"
        text = [f"(property \"Reference\" {quote(reference)} (id 0) {at(*places[0][:2])}"
                f" {effects(justify=side, hidden=places[0][2])})",
                f"(property \"Value\" {quote(value)} (id 1) {at(*places[1][:2])}"
                f" {effects(justify=side, hidden=places[1][2])})"]
        for i, key in enumerate(["Footprint", "Datasheet"] + sorted(set(fields) - {"Footprint", "Datasheet"}), 2):
            text.append(f"(property {quote(key)} {quote(fields.get(key, ''))} (id {i}) {at(x, y)}"
                        f" {effects(hidden=True)})")
        pins = " ".join(f"(pin {quote(n)} (uuid {identifier('pin', reference, n)}))" for n in symbol.pins)
        self.items.append(
            f"(symbol (lib_id {quote(self.library + ':' + symbol.name)}) {at(x, y)} (unit 1)"
            f" (in_bom {'yes' if in_bom and not symbol.power else 'no'}) (on_board yes) (uuid {own})\n    "
            + "\n    ".join(text) + f"\n    {pins})")
        self.placed.append((own, reference, value, fields.get("Footprint", "")))
        return {n: (x + px, y + py) for n, (px, py) in symbol.pins.items()}

    def numbered(self, prefix):
        self.count[prefix] = self.count.get(prefix, 0) + 1
        return f"{prefix}{self.count[prefix]:02d}"

    def wire(self, x0, y0, x1, y1):
        if (x0, y0) != (x1, y1):
            self.items.append(f"(wire (pts (xy {number(x0)} {number(y0)}) (xy {number(x1)} {number(y1)}))"
                              f" (stroke (width 0) (type default)) (uuid {identifier('wire', x0, y0, x1, y1)}))")

    def label(self, net, x, y, side, shape="passive"):
        """A global label whose text goes to the `side`."""
        angle, justify = (180, "right") if side == "left" else (0, "left")
        self.items.append(
            f"(global_label {quote(net)} (shape {shape}) {at(x, y, angle)} (fields_autoplaced)"
            f" {effects(justify=justify)} (uuid {identifier('label', net, x, y)})"
            f" (property \"Intersheet References\" \"${{INTERSHEET_REFS}}\" (id 0) {at(x, y)}"
            f" {effects(justify=justify, hidden=True)}))")

    def wire_name(self, net, x, y, side="right"):
        """A local label on a wire, above it. A local and a global label of one name are two nets."""
        angle, justify = (180, "right bottom") if side == "left" else (0, "left bottom")
        self.items.append(f"(label {quote(net)} {at(x, y, angle)} {effects(justify=justify)}"
                          f" (uuid {identifier('name', net, x, y)}))")

    def no_connect(self, x, y):
        self.items.append(f"(no_connect (at {number(x)} {number(y)}) (uuid {identifier('open', x, y)}))")

    def text(self, words, x, y, size=2.0):
        words = words.replace("\n", "\\n")
        self.items.append(f"(text \"{words}\" {at(x, y)} {effects(size, 'left bottom')}"
                          f" (uuid {identifier('text', words, x, y)}))")

    def frame(self, x0, y0, x1, y1):
        points = ((x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0))
        for (xa, ya), (xb, yb) in zip(points, points[1:]):
            self.items.append(f"(polyline (pts (xy {number(xa)} {number(ya)}) (xy {number(xb)} {number(yb)}))"
                              f" (stroke (width 0.15) (type dash)) (uuid {identifier('frame', xa, ya, xb, yb)}))")

    def library_text(self):
        body = "\n".join("  " + s.text() for _, s in sorted(self.symbols.items()))
        return f"(kicad_symbol_lib (version 20211014) (generator nfsar_carrier)\n{body}\n)\n"

    def schematic_text(self):
        library = "\n".join("    " + s.text(self.library + ":") for _, s in sorted(self.symbols.items()))
        facts = " ".join(f"({key} {quote(value)})" if not key.startswith("comment")
                         else f"(comment {key[7:]} {quote(value)})" for key, value in self.facts)
        instances = "\n".join(
            f"    (path \"/{own}\" (reference {quote(ref)}) (unit 1) (value {quote(value)})"
            f" (footprint {quote(footprint)}))" for own, ref, value, footprint in self.placed)
        return (f"(kicad_sch (version 20211123) (generator nfsar_carrier)\n  (uuid {self.root})\n"
                f"  (paper {quote(self.paper)})\n  (title_block (title {quote(self.title)}) {facts})\n"
                f"  (lib_symbols\n{library}\n  )\n  " + "\n  ".join(self.items)
                + f"\n  (sheet_instances (path \"/\" (page \"1\")))\n  (symbol_instances\n{instances}\n  )\n)\n")
