"""What tools/check-hardware compares: firmware, pin map, schematic, bill of materials, board."""

import hashlib
import re

from hardware import chip, kicad, tables

PINMAP, BOM = "hardware/pinmap.csv", "hardware/bom.csv"
SCHEMATIC, BOARD = "hardware/carrier/carrier.kicad_sch", "hardware/carrier/carrier.kicad_pcb"
PLOTTED = "hardware/carrier/PLOTTED"
PLOTTED_NAMES = ("carrier.kicad_sch", "carrier.kicad_pcb", "carrier.pdf", "board.pdf")
POWER, POWER_COLUMNS = "hardware/power-pins.csv", "reference,pin,net,pin_name".split(",")
# What power-pins.csv has to have, each with all its pins: chips, modules, diodes, fuses, supplies, sockets, jumpers, electrolytics.
POWER_PARTS = r"(U|A|D|F|JP)\d+|J([5-9]|1[6-9]|2\d)|C1[0-3]"
PLUGGED = r"(J|JP|A|TP|H)\d+"  # has a place on the board
MANUAL = "docs/firmware-boards.md"
HUB = "J1"  # its pin n is pin n of the package
PINMAP_COLUMNS = ("signal,mcu_pin,package_pin,function,alternate,firmware,direction,voltage,at_reset,through,connector,"
                  "connector_net,goes_to").split(",")
BOM_COLUMNS = "references,quantity,value,part_number,maker,alternates,cost_class,description,by_hand".split(",")
# From pin to pin through a level translator, by its value; and where its DIR must be for that way.
TRANSLATOR = {"SN74LVC2T45": {"A": {"2": "7", "3": "6"}, "vcca": "1", "gnd": "4", "dir": "5"},
              "SN74LVC1T45": {"A": {"3": "4"}, "vcca": "1", "gnd": "2", "dir": "5"}}


class Facts:
    """All that is read, once."""

    def __init__(self, tree):
        self.tree, self.wrong = tree, tree.wrong
        self.pins = tables.firmware_pins(tree)
        self.alternates = tables.firmware_alternates(tree)
        self.pinmap = tree.rows(PINMAP, PINMAP_COLUMNS)
        self.bom = tree.rows(BOM, BOM_COLUMNS)
        self.schematic = self._read(SCHEMATIC, kicad.Schematic)
        self.board = self._read(BOARD, kicad.board)

    def _read(self, name, reader):
        try:
            return reader(self.tree.text(name))
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, StopIteration) as error:
            self.wrong(name, 0, f"cannot be understood: {error}")
            return None


def firmware(facts):
    """Pin map = the firmware's board header and its code."""
    wrong, named = facts.wrong, {}
    for line, row in facts.pinmap:
        name = row["firmware"]
        if name in named:
            wrong(PINMAP, line, f"{name} is there twice")
        named[name] = line
        if name not in facts.pins:
            wrong(PINMAP, line, f"{tables.PINS} has no {name}")
        elif facts.pins[name][0] != row["mcu_pin"]:
            pin, at = facts.pins[name]
            wrong(PINMAP, line, f"{row['signal']} is {row['mcu_pin']}, but {name} is {pin} in {tables.PINS}:{at}")
        alternate = facts.alternates.get(name)
        ours = row["alternate"]
        if alternate and ours != str(alternate[0]):
            wrong(PINMAP, line, f"{row['signal']} has alternate function {ours}, but the firmware sets {alternate[0]}:"
                  f" {alternate[1]}:{alternate[2]}")
        elif not alternate and ours != "-":
            wrong(PINMAP, line, f"{row['signal']} has alternate function {ours}, but the firmware sets none")
    for name, (pin, line) in facts.pins.items():
        if name not in named:
            wrong(tables.PINS, line, f"{name} ({pin}) is not in {PINMAP}")


def _twice(wrong, file, entries, words):
    """entries: (line, key, who)."""
    seen = {}
    for line, key, who in entries:
        if key in seen:
            wrong(file, line, words.format(key=key, a=seen[key], b=who))
        seen.setdefault(key, who)


def pins(facts):
    """No pin twice; functions that the pins have; one interrupt line for each input; levels that they stand."""
    wrong = facts.wrong
    _twice(wrong, tables.PINS, [(line, pin, name) for name, (pin, line) in facts.pins.items()],
           "{key} is used twice: {a} and {b}")
    for column, words in (("mcu_pin", "{key} is used twice: {a} and {b}"), ("signal", "{key} is there twice"),
                          ("connector", "{key} has two signals: {a} and {b}")):
        _twice(wrong, PINMAP, [(line, row[column], row["signal"]) for line, row in facts.pinmap], words)
    inputs = [(line, row) for line, row in facts.pinmap if re.match(r"EXTI|TIM2_CH", row["function"])]
    _twice(wrong, PINMAP, [(line, f"EXTI line {chip.line(row['mcu_pin'])}", row["signal"])
                           for line, row in inputs if re.match(r"P[A-D]\d+$", row["mcu_pin"])],
           "{key} has two inputs: {a} and {b}")
    for line, row in facts.pinmap:
        pin, function, alternate = row["mcu_pin"], row["function"], row["alternate"]
        if pin not in chip.FUNCTIONS:
            wrong(PINMAP, line, f"{pin} is no pin of tools/hardware/chip.py: give its functions there, from the data sheet")
            continue
        if chip.PACKAGE.get(int(row["package_pin"]) if row["package_pin"].isdigit() else 0) != pin:
            wrong(PINMAP, line, f"{pin} is not pin {row['package_pin']} of the LQFP64 package")
        if alternate != "-":
            have = chip.FUNCTIONS[pin].get(int(alternate) if alternate.isdigit() else -1, [])
            if function not in have:
                wrong(PINMAP, line, f"{pin} has no {function} as alternate function {alternate}"
                      f" ({'; '.join(f'AF{n} {chr(44).join(f)}' for n, f in chip.FUNCTIONS[pin].items()) or 'it has none'})")
        elif function.startswith("EXTI"):
            if function != f"EXTI{chip.line(pin)}":
                wrong(PINMAP, line, f"{pin} cannot be {function}, only EXTI{chip.line(pin)}")
        elif function != "GPIO":
            wrong(PINMAP, line, f"{function} wants the number of an alternate function")
        try:
            voltage = float(row["voltage"])
        except ValueError:
            wrong(PINMAP, line, f"voltage '{row['voltage']}' is no number")
            continue
        if voltage != 3.3 and (row["direction"].startswith("out") or row["direction"] == "both"):
            wrong(PINMAP, line, f"{row['signal']} has {row['voltage']} V, but {pin} drives 3.3 V")
        elif voltage > 3.6 and (pin in chip.NOT_FIVE_VOLT or "pull" in row["direction"]):
            why = "is no five-volt pin" if pin in chip.NOT_FIVE_VOLT else "has a pull-up or pull-down, and takes no 5 V with it"
            wrong(PINMAP, line, f"{row['signal']} has {row['voltage']} V, but {pin} {why}")


def parts(facts):
    """Bill of materials = parts of the schematic, each with a number to order."""
    wrong, listed = facts.wrong, {}
    for line, row in facts.bom:
        references = row["references"].split()
        for reference in references:
            if reference in listed:
                wrong(BOM, line, f"{reference} is there twice")
            listed[reference] = line, row
        if row["quantity"] != str(len(references)):
            wrong(BOM, line, f"quantity {row['quantity']}, but {len(references)} references")
        for column in ("part_number", "maker", "value", "by_hand"):
            if not row[column].strip():
                wrong(BOM, line, f"{row['references']} has no {column.replace('_', ' ')}")
        if row["cost_class"] not in "ABCDEF" or not row["cost_class"]:
            wrong(BOM, line, f"cost class '{row['cost_class']}' is none of A to F")
    if facts.schematic is None:
        return
    for reference, part in facts.schematic.parts.items():
        if part.power or re.match(r"H\d+$", reference):
            continue
        if not part.in_bom:
            wrong(SCHEMATIC, part.line, f"{reference} is marked as not in the bill of materials")
        if reference not in listed:
            wrong(SCHEMATIC, part.line, f"{reference} is not in {BOM}")
            continue
        line, row = listed[reference]
        for field, column in (("Value", "value"), ("MPN", "part_number")):
            if part.fields.get(field) != row[column]:
                wrong(SCHEMATIC, part.line, f"{reference} has {column.replace('_', ' ')} '{part.fields.get(field, '')}',"
                      f" {BOM}:{line} '{row[column]}'")
    for reference, (line, _) in listed.items():
        if reference not in facts.schematic.parts:
            wrong(BOM, line, f"{reference} is not in {SCHEMATIC}")


def nets(facts):
    """Every pin is joined to another or marked open; no two nets are one."""
    if facts.schematic is None:
        return
    for line, words in facts.schematic.faults:
        facts.wrong(SCHEMATIC, line, words)
    for name, joined in facts.schematic.nets.items():
        if len(joined) < 2:
            reference, pin = min(joined)
            facts.wrong(SCHEMATIC, facts.schematic.line_of_net(name), f"net {name} has one end: {reference}.{pin}")


def power(facts):
    """Supplies, protection and sockets are joined as power-pins.csv says, which nobody generates."""
    if facts.schematic is None:
        return
    listed = {}
    for line, row in facts.tree.rows(POWER, POWER_COLUMNS):
        pin = row["reference"], row["pin"]
        if pin in listed:
            facts.wrong(POWER, line, f"{'.'.join(pin)} is there twice")
        listed[pin] = line
        net = facts.schematic.net_of.get(pin, "nothing: there is no such pin")
        if (net or "open").lstrip("/") != row["net"]:
            facts.wrong(POWER, line, f"{'.'.join(pin)} has to be on {row['net']}, and is on {net or 'no net'} in {SCHEMATIC}")
    for reference, part in facts.schematic.parts.items():
        for pin in part.pins if re.fullmatch(POWER_PARTS, reference) else ():
            if (reference, pin) not in listed:
                facts.wrong(SCHEMATIC, part.line, f"{reference}.{pin} is not in {POWER}")


def _other_side(schematic, reference, pin):
    """The pin on the other side of a part of two pins or of a translator; None where there is none."""
    part = schematic.parts[reference]
    translator = TRANSLATOR.get(part.fields.get("Value"))
    if translator:
        ways = {**translator["A"], **{b: a for a, b in translator["A"].items()}}
        return ways.get(pin)
    if len(part.pins) == 2:
        return next(p for p in part.pins if p != pin)
    return None


def _follow(facts, line, row):
    """Along `through` from the hub's net to the connector's. The net that is reached, or None."""
    schematic, net = facts.schematic, row["signal"]
    for reference in row["through"].split():
        part = schematic.parts.get(reference)
        pin = next((p for r, p in sorted(schematic.nets.get(net, ())) if r == reference and
                    _other_side(schematic, r, p)), None) if part else None
        if pin is None:
            facts.wrong(PINMAP, line, f"{row['signal']}: net {net} does not lead through {reference}")
            return None
        translator = TRANSLATOR.get(part.fields.get("Value"))
        if translator:
            wanted = translator["vcca" if row["direction"] == "out" else "gnd"]
            if schematic.net_of.get((reference, translator["dir"])) != schematic.net_of.get((reference, wanted)):
                facts.wrong(SCHEMATIC, part.line, f"{reference} translates the wrong way for {row['signal']}: its DIR is on"
                            f" {schematic.net_of.get((reference, translator['dir']))}")
        net = schematic.net_of.get((reference, _other_side(schematic, reference, pin)))
    return net


def signals(facts):
    """Each signal can be followed: hub pin, parts between, connector. What holds it at reset does."""
    schematic, wrong = facts.schematic, facts.wrong
    if schematic is None:
        return
    for line, row in facts.pinmap:
        signal, hub = row["signal"], (HUB, row["package_pin"])
        net = schematic.net_of.get(hub)
        if net != signal:
            wrong(PINMAP, line, f"{signal}: {HUB}.{row['package_pin']} ({row['mcu_pin']}) is on net {net or 'none'}"
                  f" of {SCHEMATIC}")
            continue
        reached = _follow(facts, line, row)
        if reached is None:
            continue
        reference, _, pin = row["connector"].partition(".")
        if (reached or "").lstrip("/") != row["connector_net"] or \
                (reference, pin) not in schematic.nets.get(reached, ()):
            wrong(PINMAP, line, f"{signal}: {row['connector']} is on net {schematic.net_of.get((reference, pin))},"
                  f" the signal reaches {reached}, and {row['connector_net']} was to be")
        held = re.match(r"(low|high).* by (R\d+)$", row["at_reset"])
        if held:
            ends = {schematic.net_of.get((held[2], p)) for p in ("1", "2")}
            if ends != {signal, "GND" if held[1] == "low" else "+3V3"}:
                wrong(PINMAP, line, f"{signal}: {held[2]} does not hold it {held[1]}; it is between"
                      f" {' and '.join(sorted(map(str, ends)))}")
    used = {int(row["package_pin"]) for _, row in facts.pinmap if row["package_pin"].isdigit()}
    for number, name in chip.PACKAGE.items():
        net = schematic.net_of.get((HUB, str(number)), "nothing")
        wanted = {"VDD": "+3V3", "VSS": "GND"}.get(name)
        if number not in used and net != wanted:
            part = schematic.parts.get(HUB)
            wrong(SCHEMATIC, part.line if part else 0, f"{HUB}.{number} ({name}) is on net {net}, but"
                  f" {PINMAP} does not use it" if wanted is None else f"{HUB}.{number} ({name}) is on net {net}, not {wanted}")


def board(facts):
    """Pads of the board = nets of the schematic; the outline is closed."""
    if facts.board is None or facts.schematic is None:
        return
    footprints, ends = facts.board
    for reference, (line, pads) in footprints.items():
        part = facts.schematic.parts.get(reference)
        if part is None:
            facts.wrong(BOARD, line, f"{reference} is not in {SCHEMATIC}")
            continue
        for pin, net in pads.items():
            wanted = facts.schematic.net_of.get((reference, pin))
            if pin and net != wanted:
                facts.wrong(BOARD, line, f"{reference}.{pin} is on net {net}, in the schematic on {wanted}")
    for reference, part in facts.schematic.parts.items():
        if re.fullmatch(PLUGGED, reference) and reference not in footprints:
            facts.wrong(BOARD, 0, f"{reference} has no place on the board")
        for pin in part.pins if reference in footprints else ():
            if pin not in footprints[reference][1]:
                facts.wrong(BOARD, footprints[reference][0], f"{reference} has no pad {pin}")
    points = [p for p, _ in ends]
    for point, line in ends:
        if points.count(point) != 2:
            facts.wrong(BOARD, line, f"the outline is open at {point[0]:g}, {point[1]:g}")
    if not ends:
        facts.wrong(BOARD, 0, "there is no outline on Edge.Cuts")


def manual(facts):
    """The table in the firmware's manual has the pins of the pin map."""
    text = facts.tree.text(MANUAL)
    begin, end = text.find("## Pins of the STM32F405"), text.find("\nFree:")
    table = text[begin:end] if 0 <= begin < end else ""
    there = set(re.findall(r"\bP[A-D]\d+\b", "\n".join(r for r in table.splitlines() if r.startswith("|"))))
    line = text[:max(begin, 0)].count("\n") + 1
    ours = {row["mcu_pin"] for _, row in facts.pinmap}
    for pin in sorted(there ^ ours):
        facts.wrong(MANUAL, line, f"the table of pins {'has' if pin in there else 'lacks'} {pin}, {PINMAP}"
                    f" {'has not' if pin in there else 'has it'}")
    rows = {row["mcu_pin"]: row for _, row in facts.pinmap}
    for number, words in enumerate(table.splitlines(), line):
        cells = words.split("|")
        if len(cells) < 5:
            continue
        said = re.match(r" (\w+?)(?:_\w+)?, AF(\d+)", cells[3])  # as in "TIM2_CH1, AF1" or "USART6, AF8"
        for pin in re.findall(r"P[A-D]\d+", cells[2]):
            row = rows.get(pin)
            if row and ((said[2] if said else "-") != row["alternate"] or said and not row["function"].startswith(said[1])):
                facts.wrong(MANUAL, number, f"{pin} is '{cells[3].strip()}', {PINMAP} has {row['function']}, alternate"
                            f" function {row['alternate']}")


def plotted(facts):
    """The PDFs are of these files."""
    named = {}
    for line, text in enumerate(facts.tree.text(PLOTTED).splitlines(), 1):
        digest, _, name = text.partition("  ")
        named[name] = line
        if name not in PLOTTED_NAMES:
            facts.wrong(PLOTTED, line, f"'{name}' is none of {', '.join(PLOTTED_NAMES)}")
            continue
        content = facts.tree.bytes("hardware/carrier/" + name)
        if content is not None and hashlib.sha256(content).hexdigest() != digest:
            words = f"{name} is not what was plotted" if name.endswith(".pdf") else f"the PDF of {name} is of another version"
            facts.wrong(PLOTTED, line, words + ": run hardware/carrier/kicad-run --keep")
    for name in PLOTTED_NAMES:
        if name not in named:
            facts.wrong(PLOTTED, 0, f"{name} is missing: run hardware/carrier/kicad-run --keep")


ALL = (firmware, pins, parts, nets, power, signals, board, manual, plotted)
