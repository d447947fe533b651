#!/usr/bin/python3
"""Writes pod.yaml and the drawings from lever-arms.csv and dimensions.csv:  make.py [FOLDER]"""

import csv
import math
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
NOTE = "Made by hardware/mechanical/make.py. Nobody has built it yet. Lengths in mm."


def rows(name):
    with open(os.path.join(HERE, name), newline="") as file:
        return list(csv.DictReader(file))


def text_of(value):
    return f"{value:.4f}".rstrip("0").rstrip(".") or "0"


def pod(arms):
    lines = ["# The pod of hardware/mechanical: where its sensors are, from the array's reference point, in the radar's axes",
             "# (x across, y up, z along boresight), for `nfsar track --pod`. Made by hardware/mechanical/make.py from",
             "# lever-arms.csv: nominal places. Measure yours to 1 mm and correct them here.", "#"]
    for arm in arms:
        lines.append(f"# {arm['sensor']}: {arm['part']}; to the {arm['point']}")
    for arm in arms:
        at = ", ".join(text_of(float(arm[k])) for k in ("x_m", "y_m", "z_m"))
        turn = ", ".join(text_of(float(arm[k])) for k in ("rx_deg", "ry_deg", "rz_deg"))
        lines.append(f"{arm['sensor']}: {{at_m: [{at}], rotate_deg: [{turn}]}}")
    return "\n".join(lines) + "\n"


class Drawing:
    """Millimetres, y up; one unit of the SVG is half a millimetre of the thing, or what scale says."""

    def __init__(self, width, height, scale, title):
        self.scale, self.height = scale, height
        w, h = width * scale, height * scale
        self.out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{w:g}" height="{h:g}" viewBox="0 0 {w:g} {h:g}"'
                    ' font-family="sans-serif" font-size="11">', f"<title>{title}</title>",
                    f'<rect width="{w:g}" height="{h:g}" fill="white"/>']
        self.words(10 / scale, height - 16 / scale, title, size=14)
        self.words(10 / scale, 8 / scale, NOTE, size=10)

    def at(self, x, y):
        return round(x * self.scale, 2), round((self.height - y) * self.scale, 2)

    def words(self, x, y, words, anchor="start", size=11, colour="black", turn=0, halo=""):
        px, py = self.at(x, y)
        around = f' stroke="{halo}" stroke-width="3" paint-order="stroke"' if halo else ""
        rotate = f' transform="rotate({turn} {px:g} {py:g})"' if turn else ""
        self.out.append(f'<text x="{px:g}" y="{py:g}" text-anchor="{anchor}" font-size="{size}" fill="{colour}"{around}{rotate}>'
                        f"{words}</text>")

    def line(self, x0, y0, x1, y1, colour="black", width=1.0, dash=""):
        (a, b), (c, d) = self.at(x0, y0), self.at(x1, y1)
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.out.append(f'<path d="M{a:g} {b:g}L{c:g} {d:g}" stroke="{colour}" stroke-width="{width}"{dashes}/>')

    def box(self, x0, y0, x1, y1, fill="none", colour="black", width=1.2, dash=""):
        (a, b), (c, d) = self.at(x0, y1), self.at(x1, y0)
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.out.append(f'<rect x="{a:g}" y="{b:g}" width="{c - a:g}" height="{d - b:g}" fill="{fill}" stroke="{colour}"'
                        f' stroke-width="{width}"{dashes}/>')

    def circle(self, x, y, r, fill="none", colour="black", width=1.0):
        px, py = self.at(x, y)
        self.out.append(f'<circle cx="{px:g}" cy="{py:g}" r="{r * self.scale:g}" fill="{fill}" stroke="{colour}"'
                        f' stroke-width="{width}"/>')

    def across(self, x0, x1, y, words=None):
        """A dimension line along x."""
        self.line(x0, y, x1, y, "#06c")
        for x in (x0, x1):
            self.line(x, y - 3 / self.scale, x, y + 3 / self.scale, "#06c")
        self.words((x0 + x1) / 2, y + 3 / self.scale, words or text_of(abs(x1 - x0)), "middle", colour="#06c")

    def upward(self, y0, y1, x, words=None):
        self.line(x, y0, x, y1, "#06c")
        for y in (y0, y1):
            self.line(x - 3 / self.scale, y, x + 3 / self.scale, y, "#06c")
        self.words(x - 3 / self.scale, (y0 + y1) / 2, words or text_of(abs(y1 - y0)), "middle", colour="#06c", turn=-90)

    def text(self):
        return "\n".join(self.out + ["</svg>"]) + "\n"


def plate(arms, size):
    w, h, grid = size["plate_width"], size["plate_height"], size["plate_grid"]
    d = Drawing(w + 200, h + 90, 2.0, "Pod: mounting plate and lever arms, seen from the scene (x to the right, y up, z towards you)")
    cx, cy = 60 + w / 2, 45 + h / 2

    d.box(cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2, "#f4f4f4")
    half = size["plate_window"] / 2
    columns, lines = int(w / grid) - 1, int(h / grid) - 1
    for i in range(columns + 1):
        for k in range(lines + 1):
            x, y = (i - columns / 2) * grid, (k - lines / 2) * grid
            if abs(x) > half or abs(y) > half:
                d.circle(cx + x, cy + y, size["plate_hole"] / 2, "white", "#888", 0.6)
    d.box(cx - half, cy - half, cx + half, cy + half, "white")
    d.box(cx - size["radar_width"] / 2, cy - size["radar_height"] / 2, cx + size["radar_width"] / 2, cy + size["radar_height"] / 2,
          colour="#a0a", dash="5 3")
    d.words(60, 25, "red: the array's reference point, z = 0, before the middle of the window", size=10, colour="red")
    d.words(60, 18, "dashed: radar board; size and holes not confirmed: measure before cutting", size=10, colour="#a0a")
    d.line(cx - 8, cy, cx + 8, cy, "red", 1.5)
    d.line(cx, cy - 8, cx, cy + 8, "red", 1.5)
    for arm in arms:
        x, y, z = (1000 * float(arm[k]) for k in ("x_m", "y_m", "z_m"))
        px, py, up = cx + x, cy + y, 11 if arm["sensor"] == "range" else 5
        d.circle(px, py, 2.5, "#c60", "#c60")
        d.words(px, py + up, arm["sensor"], "middle", 11, "#c60", halo="#f4f4f4")
        d.words(px, py - 3 - up, f"{text_of(x)}, {text_of(y)}, {text_of(z)}", "middle", 9, "#c60", halo="#f4f4f4")
    d.across(cx - w / 2, cx + w / 2, cy - h / 2 - 12)
    d.upward(cy - h / 2, cy + h / 2, cx - w / 2 - 10)
    d.across(cx - half, cx + half, cy - half + 4)
    side = cx + w / 2 + 55
    front = size["plate_front"]
    d.words(side, cy + h / 2 + 8, "from the side: z to the right", "middle", 10)
    d.box(side + front - size["plate_thickness"], cy - h / 2, side + front, cy + h / 2, "#f4f4f4")
    d.line(side, cy - 45, side, cy + 45, "red", 1.5)
    d.words(side + 3, cy + 36, "antennas", size=10, colour="red")
    for arm in arms:
        d.circle(side + 1000 * float(arm["z_m"]), cy + 1000 * float(arm["y_m"]), 2, "#c60", "#c60")
    d.across(side + front, side, cy - h / 2 - 12, text_of(-front))
    d.words(side, cy - h / 2 - 24, f"plate {text_of(size['plate_thickness'])} thick; holes {text_of(size['plate_hole'])},"
            f" every {text_of(grid)}", "middle", 10)
    return d.text()


def back(size, boxes):
    """The plate from behind: what sits on it, and the adapter to the carriage of the scanner's y rail."""
    w, h = size["plate_width"], size["plate_height"]
    d = Drawing(w + 60, h + 110, 2.6, "Pod and scanner: the plate from behind (x to the left, y up)")
    cx, cy = 30 + w / 2, 62 + h / 2
    d.box(cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2, "#f4f4f4")
    half = size["plate_window"] / 2
    d.box(cx - half, cy - half, cx + half, cy + half, "white")
    for box in boxes:
        x, y = cx - float(box["x_mm"]), cy + float(box["y_mm"])
        a, b = float(box["width_mm"]) / 2, float(box["height_mm"]) / 2
        colour = "#a0a" if "NOT CONFIRMED" in box["holes"] else "#06c"
        d.box(x - a, y - b, x + a, y + b, colour=colour, dash="5 3")
        y += 5 if b < 15 or (b < 20 and y > cy) else 0  # into a small box; off the adapter's edge
        d.words(x, y + 4, box["part"], "middle", 10, colour)
        d.words(x, y - 3, f"{box['width_mm']} x {box['height_mm']}", "middle", 9, colour)
        words = box["holes"].split(": ")
        for i, part in enumerate(words):
            d.words(x, y - 9 - 5 * i, part, "middle", 7, colour)
    a, b = size["adapter_width"] / 2, size["adapter_height"] / 2
    d.box(cx - a, cy - b, cx + a, cy + b, colour="#060")
    p, q = size["adapter_grid_x"] / 2, size["adapter_grid_y"] / 2
    for x in (-1, 1):
        for y in (-1, 1):
            d.circle(cx + x * p, cy + y * q, size["plate_hole"] / 2, "white", "#060")
            d.circle(cx + x * size["carriage_holes"] / 2, cy + y * size["carriage_holes"] / 2, size["carriage_hole"] / 2, "white",
                     "#c60")
    d.words(cx, cy + 4, f"carriage: 4 x {text_of(size['carriage_hole'])},", "middle", 8, "#c60")
    d.words(cx, cy - 2, f"{text_of(size['carriage_holes'])} x {text_of(size['carriage_holes'])}", "middle", 8, "#c60")
    d.words(10, 42, f"green, scanner only: adapter {text_of(2 * a)} x {text_of(2 * b)} x {text_of(size['adapter_thickness'])} of aluminium,"
            f" on {text_of(size['adapter_spacer'])} mm spacers; M3 at {text_of(2 * p)} x {text_of(2 * q)} in the plate's holes,",
            size=9, colour="#060")
    d.words(10, 36, "screws of the carriage from its front, countersunk or short of the plate", size=9, colour="#060")
    d.words(10, 28, "purple: space that is kept; size and holes not confirmed. Computer, battery, converters and hub board: pod only.", size=9)
    d.words(10, 22, "The carrier (160 x 105) does not fit: on the scanner it is in a case at the frame, in the pod a hand-wired board.",
            size=9)
    return d.text()


def scanner(size):
    travel, margin, overrun = size["travel"], size["switch_margin"], size["overrun"]
    d = Drawing(travel + 370, travel + 430, 0.9, "Lab scanner: travel of x and y, seen from the scene (x to the right, y up, z towards you)")
    x0, y0 = 190, 250
    whole = travel + 2 * overrun
    length, spare = size["rail_length"], (size["rail_length"] - travel - 2 * overrun) / 2
    low, high = y0 - overrun - spare + 40, y0 + travel + overrun + spare - 40
    for y, words in ((low - 40, "lower x rail, profile behind"), (high + 20, "upper x rail, profile behind")):
        d.box(x0 - overrun - spare, y, x0 - overrun - spare + length, y + 20, "#e4e4e4")
        d.words(x0 + 0.62 * travel, y + 6, words, "middle")
    shaft = x0 + travel + overrun + spare + 15
    d.box(shaft - 4, low - 50, shaft + 4, high + 50, "#ccc")
    d.words(shaft + 18, y0 + travel / 2, "shaft: motor x below, a pulley and belt at each rail", "middle", 10, turn=-90)
    d.box(x0 - overrun, y0 - overrun, x0 + travel + overrun, y0 + travel + overrun, dash="6 4", colour="#888")
    d.box(x0, y0, x0 + travel, y0 + travel, colour="black")
    d.box(x0 + margin, y0 + margin, x0 + travel - margin, y0 + travel - margin, colour="#090", dash="3 3")
    d.words(x0 + 0.42 * travel, y0 + travel - 40, f"green: what low_m and high_m may be at most,", size=10, colour="#090")
    d.words(x0 + 0.42 * travel, y0 + travel - 55, f"{text_of(margin)} inside the switches", size=10, colour="#090")
    d.words(x0 + 0.7 * travel, y0 + travel + overrun + 6, f"dashed: {text_of(overrun)} of free way behind each switch", "middle",
            colour="#666")
    rail = x0 + 0.3 * travel
    d.box(rail - 20, y0 - overrun - spare, rail + 20, y0 - overrun - spare + length, "#eef")
    for y in (low - 40, high + 20):
        d.box(rail - size["carriage_length"] / 2, y - 4, rail + size["carriage_length"] / 2, y + 24, colour="#00c")
    d.box(rail - 72, low - 18, rail - 30, low + 24, "#ccc")
    d.words(rail - 51, low, "motor y", "middle", 9)
    wide, tall = size["plate_width"] / 2, size["plate_height"] / 2
    d.line(rail - 40, y0 + 0.4 * travel + tall, rail - 40, high + 60, "#a60", 1, "2 2")
    d.words(rail - 34, high + 55, "cord over two pulleys to the counterweight behind", size=10, colour="#a60")
    d.words(rail, y0 + travel * 0.75, "y rail", "middle", turn=-90)
    d.box(rail - wide, y0 + 0.4 * travel - tall, rail + wide, y0 + 0.4 * travel + tall, "#ffe")
    d.words(rail, y0 + 0.4 * travel, f"radar on its plate, {text_of(2 * wide)} x {text_of(2 * tall)}", "middle", 10)
    for x, y, aside, up, words in ((x0, y0 - overrun + 6, 8, -4, "x low"), (x0 + travel, y0 - overrun + 6, -8, -4, "x high"),
                                   (rail + 24, y0, 8, 10, "y low"), (rail + 24, y0 + travel, 8, -19, "y high")):
        d.circle(x, y, 5, "red", "red")
        d.words(x + aside, y + up, words, "start" if aside > 0 else "end", colour="red")
    d.across(x0, x0 + travel, low - 62)
    d.upward(y0, y0 + travel, x0 - overrun - spare - 30)
    d.across(x0 - overrun, x0 + travel + overrun, low - 84, text_of(whole))
    d.across(x0 - overrun - spare, x0 - overrun - spare + length, low - 106, f"rails {text_of(length)}: {text_of(whole)}, the carriage of"
             f" {text_of(size['carriage_length'])} and what is left")
    steps = size["motor_steps"] * size["microsteps"] / (size["belt_pitch"] * size["pulley_teeth"])
    d.words(10, 46, "Rails, shaft and motor y only: uprights and feet are of your own design. The plate passes 10 in front of all of them.")
    d.words(10, 30, f"{text_of(size['motor_steps'])} steps x {text_of(size['microsteps'])} microsteps, belt"
            f" {text_of(size['belt_pitch'])} x {text_of(size['pulley_teeth'])} teeth: {text_of(steps)} steps per mm")
    return d.text()


def turntable(size):
    radius, distance = size["table_diameter"] / 2, size["axis_distance"]
    d = Drawing(distance + radius + 260, 2 * radius + 220, 0.9, "Turntable, seen from above (z to the right, x up, y towards you)")
    cx, cy = 120 + distance, 110 + radius
    d.circle(cx, cy, radius, "#f4f4f4")
    d.circle(cx, cy, 4, "red", "red")
    d.words(cx + 8, cy + 6, "axis = y, x = z = 0", colour="red")
    d.box(cx - distance - 20, cy - 50, cx - distance - 12, cy + 50, "#ffe")
    d.line(cx - distance, cy - 30, cx - distance, cy + 30, "red", 1.5)
    d.words(cx - distance - 20, cy + 58, "radar, reference point at z = -R", "start")
    d.line(cx - distance, cy, cx - radius, cy, "#888", 1, "4 4")
    d.words(cx - distance / 2 - radius / 2, cy + 6, "boresight, z", "middle", colour="#666")
    d.across(cx - distance, cx, cy - radius - 30, f"R = {text_of(distance)}")
    d.across(cx - radius, cx + radius, cy - radius - 55)
    for angle in range(20, 60, 4):  # about +y, towards the reader: from z to x
        (a, b), (c, e) = ((cx + 0.6 * radius * math.cos(math.radians(t)), cy + 0.6 * radius * math.sin(math.radians(t)))
                          for t in (angle, angle + 4))
        d.line(a, b, c, e, "#090", 2)
    d.line(c, e, c + 9, e + 2, "#090", 2)
    d.line(c, e, c + 1, e - 9, "#090", 2)
    d.words(cx + 0.66 * radius, cy + 0.42 * radius, "positive: about +y", colour="#090")
    d.circle(cx, cy - radius + 12, 5, "red", "red")
    d.words(cx + 10, cy - radius + 10, "home mark", colour="red")
    steps = size["motor_steps"] * size["microsteps"] * size["turntable_ratio"]
    d.words(20, 30, f"{text_of(size['motor_steps'])} steps x {text_of(size['microsteps'])} microsteps x"
            f" {text_of(size['turntable_ratio'])}: {text_of(steps)} steps per turn")
    return d.text()


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else HERE
    os.makedirs(folder, exist_ok=True)
    arms = rows("lever-arms.csv")
    size = {row["name"]: float(row["value"]) for row in rows("dimensions.csv")}
    for name, text in (("pod.yaml", pod(arms)), ("plate.svg", plate(arms, size)),
                       ("plate-back.svg", back(size, rows("boxes.csv"))), ("scanner.svg", scanner(size)),
                       ("turntable.svg", turntable(size))):
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)


main()
