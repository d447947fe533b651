"""The carrier's board: outline, holes, and the places of everything that a cable or a module goes into. Nothing is
routed, and the small parts are in the schematic alone. Lengths in mm from the board's upper left corner."""

from kicad import at, effects, identifier, number, quote

WIDTH, HEIGHT, CORNER = 160.0, 105.0, 3.0
HOLE_INSET, HOLE = 4.0, 3.2
ORIGIN = 40.0, 40.0  # of the board on the page

LAYERS = """  (layers
    (0 "F.Cu" signal) (31 "B.Cu" signal) (36 "B.SilkS" user "B.Silkscreen") (37 "F.SilkS" user "F.Silkscreen")
    (38 "B.Mask" user) (39 "F.Mask" user) (41 "Cmts.User" user "User.Comments") (44 "Edge.Cuts" user)
    (46 "B.CrtYd" user "B.Courtyard") (47 "F.CrtYd" user "F.Courtyard") (48 "B.Fab" user) (49 "F.Fab" user)
  )"""


def line(n, pitch=2.54, down=False):
    return {str(i + 1): (0, i * pitch) if down else (i * pitch, 0) for i in range(n)}


def double(n, pitch=2.54):
    """Pins 1 2 / 3 4 / ... downwards."""
    return {str(i + 1): (i % 2 * pitch, i // 2 * pitch) for i in range(2 * n)}


def module():
    """Two rows of eight, 12.7 mm apart, counted as a DIP seen from above: 1 to 8 down on the left, 9 to 16 up on the
    right. So EN (9) is beside VM (8), as on Pololu's and Trinamic's modules."""
    pads = {str(i + 1): (0, i * 2.54) for i in range(8)}
    pads.update({str(i + 9): (12.7, (7 - i) * 2.54) for i in range(8)})
    return pads


def usb():
    """USB B: the mouth to the left. Pegs are one net, pin 5; one of them is given here."""
    return {"1": (0, 0), "2": (0, -2.5), "3": (-2, -2.5), "4": (-2, 0), "5": (-4.71, 4.77)}


# Reference: (pads, x, y) of pin 1's column and row.
PLACES = {
    "J1": (double(32), 26, 14),
    "J6": (line(2), 35, 98), "JP3": (line(3), 43, 98), "J20": (line(3), 28, 8), "J5": (double(7), 150, 14),
    "JP1": (line(3, down=True), 142, 18), "TP1": ({"1": (0, 0)}, 142, 30), "J25": (line(4), 42, 30),
    "J16": (line(5), 42, 8), "J17": (line(4), 60, 8), "J18": (line(4), 76, 8), "J19": (line(8), 92, 8),
    "J10": (line(2, down=True), 6, 14), "J11": (line(2, down=True), 6, 25), "J12": (line(2, down=True), 6, 36),
    "J13": (line(2, down=True), 6, 47), "J14": (line(2, down=True), 6, 58), "J15": (line(2, down=True), 6, 69),
    "J21": (usb(), 15, 90),
    "A1": (module(), 52, 60), "A2": (module(), 80, 60), "A3": (module(), 108, 60),
    "J7": (line(4), 54, 96), "J8": (line(4), 82, 96), "J9": (line(4), 110, 96),
    "JP4": (line(2, down=True), 46, 72), "JP5": (line(2, down=True), 74, 72), "JP6": (line(2, down=True), 102, 72),
    "U3": (line(3), 132, 62), "JP2": (line(3), 132, 72), "F1": ({"1": (0, 0), "2": (9.92, 0)}, 130, 84),
    "J23": (line(2, 5, True), 152, 54), "J24": (line(2, 5, True), 152, 72), "J22": (line(2, 5, True), 152, 90),
}
PLUS = ("J22", "J23")  # terminals whose pin 1 is plus: said on the board


def _footprint(reference, value, name, pads, x, y, nets, numbers):
    drill, size = (1.3, 2.4) if reference in ("J22", "J23", "J24", "F1") else (1.0, 1.7)
    if reference == "TP1":
        drill, size = 1.0, 2.0
    xs, ys = [p[0] for p in pads.values()], [p[1] for p in pads.values()]
    margin = size / 2 + 0.6
    lines = [f'  (footprint {quote("nfsar:" + name.split(":")[-1])} (layer "F.Cu") (tedit 0) {at(ORIGIN[0] + x, ORIGIN[1] + y)}',
             "    (attr through_hole)"]
    for key, text, dy in (("reference", reference, min(ys) - margin - 0.9), ("value", value, max(ys) + margin + 0.9)):
        lines.append(f"    (fp_text {key} {quote(text)} {at((min(xs) + max(xs)) / 2, dy)}"
                     f' (layer "F.SilkS") (effects (font (size 1 1) (thickness 0.15)))'
                     f" (tstamp {identifier('board', reference, key)}))")
    for pin, sign in (("1", "+"), ("2", "-")) if reference in PLUS else ():
        lines.append(f'    (fp_text user {quote(sign)} {at(-margin - 1.4, pads[pin][1])} (layer "F.SilkS")'
                     f" (effects (font (size 2 2) (thickness 0.3))) (tstamp {identifier('board', reference, sign)}))")
    for layer, grow, width in (("F.SilkS", 0, 0.12), ("F.CrtYd", 0.4, 0.05)):
        lines.append(f"    (fp_rect (start {number(min(xs) - margin - grow)} {number(min(ys) - margin - grow)})"
                     f" (end {number(max(xs) + margin + grow)} {number(max(ys) + margin + grow)})"
                     f' (layer "{layer}") (width {width}) (fill none) (tstamp {identifier("board", reference, layer)}))')
    for pin, (px, py) in pads.items():
        net = nets.get((reference, pin))
        joined = f" (net {numbers[net]} {quote(net)})" if net else ""
        shape = "rect" if pin == "1" else "circle"
        lines.append(f"    (pad {quote(pin)} thru_hole {shape} {at(px, py)} (size {size} {size}) (drill {drill})"
                     f' (layers *.Cu *.Mask){joined} (tstamp {identifier("board", reference, "pad", pin)}))')
    return "\n".join(lines + ["  )"])


def _hole(reference, x, y):
    return (f'  (footprint "nfsar:HOLE" (layer "F.Cu") (tedit 0) {at(ORIGIN[0] + x, ORIGIN[1] + y)}\n'
            f"    (attr exclude_from_pos_files exclude_from_bom)\n"
            f'    (fp_text reference {quote(reference)} (at {4.6 if x < WIDTH / 2 else -4.6} 0) (layer "F.SilkS") {effects(1)}'
            f" (tstamp {identifier('board', reference)}))\n"
            f'    (fp_text value "M3" (at 0 3.2) (layer "F.Fab") {effects(1)} (tstamp {identifier("board", reference, "v")}))\n'
            f'    (fp_circle (center 0 0) (end {HOLE / 2} 0) (layer "F.SilkS") (width 0.12) (fill none)'
            f" (tstamp {identifier('board', reference, 'ring')}))\n"
            f'    (pad "" np_thru_hole circle (at 0 0) (size {HOLE} {HOLE}) (drill {HOLE}) (layers *.Cu *.Mask)'
            f" (tstamp {identifier('board', reference, 'hole')}))\n  )")


def _outline():
    x0, y0 = ORIGIN
    x1, y1, r = x0 + WIDTH, y0 + HEIGHT, CORNER
    k = r * (1 - 0.5 ** 0.5)
    draw = []
    for a, b in (((x0 + r, y0), (x1 - r, y0)), ((x1, y0 + r), (x1, y1 - r)),
                 ((x1 - r, y1), (x0 + r, y1)), ((x0, y1 - r), (x0, y0 + r))):
        draw.append(f'  (gr_line (start {number(a[0])} {number(a[1])}) (end {number(b[0])} {number(b[1])})'
                    f' (layer "Edge.Cuts") (width 0.1) (tstamp {identifier("edge", a, b)}))')
    for a, m, b in (((x0, y0 + r), (x0 + k, y0 + k), (x0 + r, y0)), ((x1 - r, y0), (x1 - k, y0 + k), (x1, y0 + r)),
                    ((x1, y1 - r), (x1 - k, y1 - k), (x1 - r, y1)), ((x0 + r, y1), (x0 + k, y1 - k), (x0, y1 - r))):
        draw.append(f'  (gr_arc (start {number(a[0])} {number(a[1])}) (mid {number(m[0])} {number(m[1])})'
                    f' (end {number(b[0])} {number(b[1])}) (layer "Edge.Cuts") (width 0.1) (tstamp {identifier("arc", a, b)}))')
    return draw


def text(carrier):
    """The board file of a drawn carrier. Nets on local labels begin with a slash, as KiCad names them."""
    full = {net: "/" + net if net.endswith("_J") else net for net in carrier.nets}
    numbers = {full[net]: i for i, net in enumerate(sorted(carrier.nets), 1)}
    pins = {joined: full[net] for net, all_joined in carrier.nets.items() for joined in all_joined}
    out = ["(kicad_pcb (version 20211014) (generator nfsar_carrier)", "  (general (thickness 1.6))", '  (paper "A4")',
           '  (title_block (title "nfsar hub carrier: outline and connectors") (rev "0, not built"))',
           LAYERS, "  (setup (pad_to_mask_clearance 0))", '  (net 0 "")']
    out += [f"  (net {i} {quote(net)})" for net, i in numbers.items()]
    values = {reference: value for _, reference, value, _ in carrier.sheet.placed}
    names = {reference: name for _, reference, _, name in carrier.sheet.placed}
    for reference, (pads, x, y) in PLACES.items():
        out.append(_footprint(reference, values[reference], names[reference], pads, x, y, pins, numbers))
    for i, (x, y) in enumerate(((0, 0), (1, 0), (1, 1), (0, 1)), 1):
        out.append(_hole(f"H{i}", HOLE_INSET + x * (WIDTH - 2 * HOLE_INSET), HOLE_INSET + y * (HEIGHT - 2 * HOLE_INSET)))
    out += _outline()
    for words, y in ((f"{WIDTH:g} x {HEIGHT:g} mm, corners R{CORNER:g}; holes {HOLE:g} mm for M3, {HOLE_INSET:g} mm from the edges", -6),
                     ("Outline and places of what is plugged or screwed. Not routed, small parts not placed; holes of F1 and J21 by their makers' drawings.", -3)):
        out.append(f'  (gr_text {quote(words)} {at(ORIGIN[0] + WIDTH / 2, ORIGIN[1] + y)} (layer "Cmts.User")'
                   f" (effects (font (size 1.5 1.5) (thickness 0.15))) (tstamp {identifier('words', words)}))")
    return "\n".join(out) + "\n)\n"
