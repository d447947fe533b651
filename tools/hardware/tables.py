"""Reading for tools/check-hardware: CSV files with their line numbers, the firmware's pins, the few keys of YAML files that
are compared, and the list of what is wrong."""

import csv
import os
import re


class Wrong:
    """What was found, one line each: file:line: words."""

    def __init__(self):
        self.lines = []

    def __call__(self, file, line, words):
        text = f"{file}:{line}: {words}" if line else f"{file}: {words}"
        if text not in self.lines:
            self.lines.append(text)


class Tree:
    """Files of a checkout. A file that is missing or cannot be read is a fault, and empty."""

    def __init__(self, root, wrong):
        self.root, self.wrong = root, wrong

    def path(self, name):
        return os.path.join(self.root, name)

    def text(self, name):
        try:
            with open(self.path(name), encoding="utf-8", newline="") as file:
                return file.read()
        except (OSError, UnicodeDecodeError) as error:
            self.wrong(name, 0, f"cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}")
            return ""

    def bytes(self, name):
        """None where it cannot be read."""
        try:
            with open(self.path(name), "rb") as file:
                return file.read()
        except OSError as error:
            self.wrong(name, 0, f"cannot be read: {error.strerror}")
            return None

    def rows(self, name, columns):
        """[(line, {column: value})]; every row has every column."""
        reader = csv.reader(self.text(name).splitlines())
        found = []
        header = next(reader, [])
        if header != columns:
            self.wrong(name, 1, f"the columns are not {','.join(columns)}")
            return []
        for row in reader:
            if len(row) != len(columns):
                self.wrong(name, reader.line_num, f"{len(row)} values, not {len(columns)}")
            else:
                found.append((reader.line_num, dict(zip(columns, row))))
        return found


PINS = "firmware/boards/stm32f405/pins.h"
SERIAL = "firmware/boards/stm32f405/serial.c"
ALTERNATE = ["firmware/boards/stm32f405/spi_imu.c", "firmware/boards/stm32f405/usb.c",
             "firmware/boards/stm32f405/stamps.c"]


def firmware_pins(tree):
    """{firmware's name of a pin: (pin, line)}: PIN_SYNC, or PIN_STEP[0] where a macro has several."""
    found = {}
    for line, text in enumerate(tree.text(PINS).splitlines(), 1):
        macro = re.match(r"#define (PIN_\w+)\s+(PIN\(.*)", text)
        if not macro:
            continue
        pins = [f"P{port}{bit}" for port, bit in re.findall(r"PIN\((\w), *(\d+)\)", macro[2])]
        for i, pin in enumerate(pins):
            found[macro[1] if len(pins) == 1 else f"{macro[1]}[{i}]"] = pin, line
    if not found:
        tree.wrong(PINS, 0, "no #define PIN_... was found")
    return found


def firmware_alternates(tree):
    """{firmware's name: (alternate function that the firmware gives the pin, file, line)}"""
    found = {}
    for line, text in enumerate(tree.text(SERIAL).splitlines(), 1):
        port = re.search(r"(\d+), (PIN_\w+_TX), (PIN_\w+_RX)", text)
        if port:
            found[port[2]] = found[port[3]] = int(port[1]), SERIAL, line
    for name in ALTERNATE:
        for line, text in enumerate(tree.text(name).splitlines(), 1):
            call = re.search(r"gpio_alternate\((\w+)(?:\[\w+\])?, (\d+)", text)
            if call:
                for pin in ["PIN_PPS", "PIN_SPI_IMU_INT"] if call[1] == "stamped" else [call[1]]:
                    found[pin] = int(call[2]), name, line
    if len(found) < 17:
        tree.wrong(SERIAL, 0, f"only {len(found)} of the firmware's alternate functions were found: has the code that sets"
                   " them changed its form? Then tools/hardware/tables.py has to learn it")
    return found


def yaml_numbers(text, path):
    """(numbers, line) of `key: 1.5` or `key: [1, 2]` at path ("x", "steps_per_m"), also of the flow form `x: {key: 1}`.
    ([], 0) when it is not there."""
    inside = len(path) == 1
    for line, row in enumerate(text.splitlines(), 1):
        row = row.split("#")[0].rstrip()
        if len(path) == 2 and re.match(rf"{path[0]}:", row):
            inside = True
            rest = row
        elif row and not row[0].isspace():
            inside = len(path) == 1
            rest = row
        else:
            rest = row
        if not inside:
            continue
        value = re.search(rf"(?:^|[\s{{,]){path[-1]}:\s*(\[[^\]]*\]|[^,}}\s]+)", rest)
        if value and value[1]:
            try:
                return [float(v) for v in value[1].strip("[]").split(",")], line
            except ValueError:
                return [], line
    return [], 0
