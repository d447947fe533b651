"""Reads KiCad 6 files: nets of a schematic from its lines and labels, nets of a board's pads, an exported netlist.
Knows nothing of the script that wrote them."""

import math
import re

_TOKEN = re.compile(r'"((?:\\.|[^"\\])*)"|([()])|([^\s()"]+)|(\n)')


class Node(list):
    """A list of the file, with the line where it begins."""

    line = 0

    def all(self, name):
        return [n for n in self if isinstance(n, Node) and n and n[0] == name]

    def one(self, name):
        return next(iter(self.all(name)), None)

    def value(self, name, default=None):
        node = self.one(name)
        return node[1] if node is not None and len(node) > 1 else default


def parse(text):
    stack, line = [Node()], 1
    for match in _TOKEN.finditer(text):
        string, bracket, word, end = match.groups()
        if end:
            line += 1
        elif bracket == "(":
            node = Node()
            node.line = line
            stack.append(node)
        elif bracket == ")":
            if len(stack) == 1:
                raise ValueError(f"line {line}: a bracket closes that was not opened")
            done = stack.pop()
            stack[-1].append(done)
        else:
            stack[-1].append(re.sub(r"\\(.)", r"\1", string) if string is not None else word)
    if len(stack) != 1 or len(stack[0]) != 1 or not isinstance(stack[0][0], Node):
        raise ValueError(f"line {line}: the file ends within brackets, or has more than one list")
    return stack[0][0]


class _Sets:
    """Union-find."""

    def __init__(self):
        self.up = {}

    def find(self, x):
        self.up.setdefault(x, x)
        while self.up[x] != x:
            self.up[x] = self.up[self.up[x]]
            x = self.up[x]
        return x

    def join(self, a, b):
        self.up[self.find(a)] = self.find(b)


def _point(node):
    return round(float(node[1]), 3), round(float(node[2]), 3)


class Part:
    def __init__(self, reference, line, fields, power, in_bom):
        self.reference, self.line, self.fields, self.power, self.in_bom = reference, line, fields, power, in_bom
        self.pins = {}  # number -> (place, name, type)


class Schematic:
    """One sheet. parts: reference -> Part. net_of: (reference, pin) -> name of its net, None where marked open.
    nets: name -> set of (reference, pin). faults: (line, words)."""

    def __init__(self, text):
        root = parse(text)
        if root[0] != "kicad_sch":
            raise ValueError("not a KiCad schematic")
        for kind in ("sheet", "bus", "bus_entry", "hierarchical_label", "bus_alias"):
            if root.all(kind):
                raise ValueError(f"line {root.one(kind).line}: there is a ({kind} ...), which tools/hardware/kicad.py does not read")
        self.parts, self.faults = {}, []
        self._library(root.one("lib_symbols"))
        for symbol in root.all("symbol"):
            self._part(symbol)
        self._connect(root)

    def _library(self, symbols):
        self.library = {}
        for symbol in symbols.all("symbol"):
            pins = []
            for unit in symbol.all("symbol"):
                for pin in unit.all("pin"):
                    place = pin.one("at")
                    pins.append((pin.one("number")[1], pin.one("name")[1], pin[1], float(place[1]), float(place[2])))
            self.library[symbol[1]] = pins, symbol.one("power") is not None

    def _part(self, symbol):
        fields = {p[1]: p[2] for p in symbol.all("property")}
        reference = fields.get("Reference", "?")
        pins, power = self.library[symbol.value("lib_id")]
        part = Part(reference, symbol.line, fields, power, symbol.value("in_bom") == "yes")
        if reference in self.parts:
            self.faults.append((symbol.line, f"reference {reference} is used twice"))
        place = symbol.one("at")
        x, y, turn = float(place[1]), float(place[2]), math.radians(float(place[3]))
        mirror = symbol.value("mirror", "")
        for number, name, kind, px, py in pins:
            rx, ry = px * math.cos(turn) - py * math.sin(turn), px * math.sin(turn) + py * math.cos(turn)
            rx, ry = (-rx if mirror == "y" else rx), (-ry if mirror == "x" else ry)
            part.pins[number] = (round(x + rx, 3), round(y - ry, 3)), name, kind
        self.parts[reference] = part

    def _connect(self, root):
        sets, named = _Sets(), {}
        wires = []
        for wire in root.all("wire"):
            a, b = [_point(p) for p in wire.one("pts").all("xy")]
            wires.append((a, b))
            sets.join(a, b)

        def on(p, wire):
            (x0, y0), (x1, y1) = wire
            cross = (x1 - x0) * (p[1] - y0) - (y1 - y0) * (p[0] - x0)
            return abs(cross) < 1e-6 and min(x0, x1) <= p[0] <= max(x0, x1) and min(y0, y1) <= p[1] <= max(y0, y1)

        def attach(p):
            for wire in wires:
                if on(p, wire):
                    sets.join(p, wire[0])

        for junction in root.all("junction"):
            attach(_point(junction.one("at")))
        for kind in ("label", "global_label"):
            for label in root.all(kind):
                p = _point(label.one("at"))
                attach(p)
                name = label[1] if kind == "global_label" else "/" + label[1]
                sets.join(p, ("net", name))
                named.setdefault(name, label.line)
        open_places = {_point(n.one("at")): n.line for n in root.all("no_connect")}
        pins = {}
        for part in self.parts.values():
            for number, (p, name, _) in part.pins.items():
                sets.find(p)
                if part.power and not part.reference.startswith("#FLG"):
                    sets.join(p, ("net", part.fields["Value"]))
                    named.setdefault(part.fields["Value"], part.line)
                elif not part.power:
                    pins[part.reference, number] = p
        names = {}
        for name, line in named.items():
            names.setdefault(sets.find(("net", name)), []).append(name)
        for group in names.values():
            if len(group) > 1:
                self.faults.append((named[group[0]], f"nets {' and '.join(sorted(group))} are joined"))
        self.net_of, self.nets, self.line_of = {}, {}, named
        members = {}
        for pin, p in pins.items():
            members.setdefault(sets.find(p), []).append(pin)
        opened = {sets.find(p): line for p, line in open_places.items()}
        for group, joined in members.items():
            reference, number = joined[0]
            name = names.get(group, [None])[0]
            if group in opened:
                if len(joined) > 1 or name:
                    self.faults.append((opened[group], f"{reference}.{number} is marked open and joined"))
                self.net_of[joined[0]] = None
                continue
            if name is None:
                name = f"at {reference}.{number}"
            self.nets[name] = set(joined)
            for pin in joined:
                self.net_of[pin] = name

    def line_of_net(self, name):
        if name in self.line_of:
            return self.line_of[name]
        return self.parts[min(self.nets[name])[0]].line


def board(text):
    """(footprints: reference -> (line, {pad: net}), ends of the outline: [(point, line)])."""
    root = parse(text)
    if root[0] != "kicad_pcb":
        raise ValueError("not a KiCad board")
    found, ends = {}, []
    for footprint in root.all("footprint"):
        reference = next(t[2] for t in footprint.all("fp_text") if t[1] == "reference")
        pads = {p[1]: (p.one("net")[2] if p.one("net") else None) for p in footprint.all("pad")}
        found[reference] = footprint.line, pads
    for kind in ("gr_line", "gr_arc"):
        for edge in root.all(kind):
            if edge.value("layer") == "Edge.Cuts":
                ends += [(_point(edge.one(end)), edge.line) for end in ("start", "end")]
    return found, ends


def netlist(text):
    """Nets of a netlist that KiCad exported: name -> set of (reference, pin); pins that are alone left out."""
    nets = {}
    for net in parse(text).one("nets").all("net"):
        pins = {(n.value("ref"), n.value("pin")) for n in net.all("node")}
        if not net.value("name").startswith("unconnected-"):
            nets[net.value("name")] = pins
    return nets
