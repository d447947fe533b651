#!/usr/bin/python3
"""Golden frames of the hub's protocol. tests/firmware/golden.txt is kept by hand: values, and the
bytes they are on the wire.

    golden.py            checks golden.txt with wire.py, both ways, and that golden.h and
                         docs/wire.md say the same
    golden.py --header   writes golden.h, the same vectors for C
    golden.py --frames   writes the frames of golden.txt anew from its values: only after a wanted
                         change of the protocol, which needs a new version
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import wire  # noqa: E402

FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TEXT = os.path.join(FOLDER, "golden.txt")
HEADER = os.path.join(FOLDER, "golden.h")
MANUAL = os.path.join(os.path.dirname(os.path.dirname(FOLDER)), "docs", "wire.md")


def number(type_, words):
    return float.fromhex(words) if type_ == "f32" else int(words, 0)


class Vector:
    """A block of golden.txt: a head line `NAME channel sequence time_ns`, then indented lines of
    fields, `rest HEX` and `frame HEX`."""

    def __init__(self, head, comment):
        self.comment = comment
        self.name, channel, sequence, time_ns = head.split()
        self.payload = wire.PAYLOADS[self.name]
        self.channel, self.sequence, self.time_ns = int(channel), int(sequence), int(time_ns)
        self.values, self.tail, self.frame = {}, b"", None
        self.types = {name: (type_, count) for type_, name, count in self.payload.fields}

    def line(self, name, words):
        if name == "frame":
            self.frame = bytes.fromhex(words)
        elif name == "rest":
            self.tail = bytes.fromhex(words)
        else:
            type_, count = self.types[name]
            row = tuple(number(type_, word) for word in words.split())
            if len(row) != (count or 1):
                raise ValueError(f"{self.name}.{name}: {len(row)} values instead of {count or 1}")
            self.values[name] = row if count else row[0]

    def coded(self):
        return wire.encode(self.payload.kind, self.channel, self.sequence, self.time_ns,
                           self.payload.pack(self.values, self.tail))

    def check(self):
        if set(self.values) != set(self.types):
            raise ValueError(f"{self.name}: without {set(self.types) - set(self.values)}")
        if self.coded() != self.frame:
            raise ValueError(f"{self.name} ({self.comment}): the frame is\n{self.coded().hex()}\n"
                             f"and not\n{self.frame.hex()}")
        (message,) = wire.Reader().feed(self.frame)
        head = (self.payload.kind, self.channel, self.sequence, self.time_ns)
        if tuple(message)[:4] != head:
            raise ValueError(f"{self.name} ({self.comment}): header {message}")
        if self.payload.unpack(message.payload) != (self.values, self.tail):
            raise ValueError(f"{self.name} ({self.comment}): read as "
                             f"{self.payload.unpack(message.payload)}")


def read():
    vectors, comment = [], ""
    with open(TEXT, encoding="ascii") as lines:
        for line in map(str.rstrip, lines):
            if line.startswith("#"):
                comment = line[1:].strip()
            elif line.startswith("    "):
                name, _, words = line.strip().partition(" ")
                vectors[-1].line(name, words)
            elif line:
                vectors.append(Vector(line, comment))
    return vectors


def spell(type_, value):
    if type_ == "f32":
        return value.hex()
    return f"0x{value:x}" if type_ == "u32" and value > 0x7FFFFFFF else str(value)


def words(vector, name):
    type_, count = vector.types[name]
    value = vector.values[name]
    return " ".join(spell(type_, one) for one in (value if count else (value,)))


def write_text(vectors):
    """golden.txt with the frames that its values are."""
    with open(TEXT, encoding="ascii") as lines:
        top = []
        for line in lines:
            if not line.startswith("#"):
                break
            top.append(line)
    with open(TEXT, "w", encoding="ascii") as to:
        to.writelines(top)
        for vector in vectors:
            print(f"\n# {vector.comment}\n{vector.name} {vector.channel} {vector.sequence}"
                  f" {vector.time_ns}", file=to)
            for _, name, _ in vector.payload.fields:
                print(f"    {name} {words(vector, name)}", file=to)
            if vector.tail:
                print(f"    rest {vector.tail.hex()}", file=to)
            print(f"    frame {vector.coded().hex()}", file=to)


def c_number(type_, value):
    if type_ == "f32":
        return value.hex() + "F"
    if type_ == "i32" and value == -2**31:
        return "INT32_MIN"
    if type_ == "i64" and value == -2**63:
        return "INT64_MIN"
    suffix = {"u32": "U", "u64": "ULL", "i64": "LL"}.get(type_, "")
    return f"{value}{suffix}"


def c_head(vector):
    kind = f"NFSAR_WIRE_{vector.name.upper()}" if vector.payload.kind else "0"
    return (f"{{{{{kind}, {vector.channel}, {vector.sequence}U,"
            f" {vector.time_ns}ULL}}, \"{vector.tail.hex()}\", \"{vector.frame.hex()}\"}}")


def c_values(vector):
    fields = []
    for type_, name, count in vector.payload.fields:
        value = vector.values[name]
        one = ", ".join(c_number(type_, part) for part in (value if count else (value,)))
        fields.append(f".{name} = {{{one}}}" if count else f".{name} = {one}")
    return ", ".join(fields)


def header(vectors):
    """A table for each payload that has fields, and one for all others."""
    lines = ["/* Golden frames of the hub's protocol. Made from golden.txt by rig/golden.py"
             " --header. */",
             "#ifndef NFSAR_TESTS_FIRMWARE_GOLDEN_H", "#define NFSAR_TESTS_FIRMWARE_GOLDEN_H", "",
             '#include "nfsar/wire.h"', "",
             "/* Header, what follows the fields, and the whole frame; these two in hex. */",
             "struct golden_head {", "    struct nfsar_wire_header header;",
             "    const char *tail;", "    const char *frame;", "};", "",
             "/* clang-format off */"]
    for name, payload in wire.PAYLOADS.items():
        if payload.fields:
            lines += [f"static const struct {{ struct golden_head head; struct nfsar_wire_{name}"
                      f" values; }} golden_{name}[] = {{"]
            lines += [f"    {{{c_head(vector)},\n     {{{c_values(vector)}}}}},"
                      for vector in vectors if vector.name == name]
            lines += ["};"]
    lines += ["static const struct golden_head golden_plain[] = {"]
    lines += [f"    {c_head(vector)}," for vector in vectors if not vector.payload.fields]
    lines += ["};", "/* clang-format on */", "", "#endif", ""]
    return "\n".join(lines)


def check_manual(vectors):
    """Every kind has its row, with its fields in their order, and the example frames are golden."""
    with open(MANUAL, encoding="utf-8") as manual:
        text = manual.read()
    for name, payload in wire.PAYLOADS.items():
        fields = ", ".join(f"{type_} {field}" + (f"[{count}]" if count else "")
                           for type_, field, count in payload.fields)
        kind = f"0x{payload.kind:02X} " if payload.kind else ""
        row = f"| {kind}| {name} |" + (f" `{fields}`" if fields else "")
        if row not in text:
            raise ValueError(f"docs/wire.md has no row {row}")
    for name in ("do_hello", "trigger"):
        frame = next(vector.frame for vector in vectors if vector.name == name)
        if f"    {frame.hex(' ')}\n" not in text:
            raise ValueError(f"docs/wire.md has not the first {name} of golden.txt")


def main():
    vectors = read()
    if "--frames" in sys.argv:
        write_text(vectors)
        return 0
    for vector in vectors:
        vector.check()
    if "--header" in sys.argv:
        with open(HEADER, "w", encoding="ascii") as to:
            to.write(header(vectors))
        return 0
    with open(HEADER, encoding="ascii") as old:
        if old.read() != header(vectors):
            raise ValueError("golden.h differs from golden.txt: run golden.py --header")
    missing = set(wire.PAYLOADS) - {vector.name for vector in vectors}
    if missing:
        raise ValueError(f"golden.txt has no {', '.join(sorted(missing))}")
    check_manual(vectors)
    print(f"{len(vectors)} golden frames of {len(wire.PAYLOADS)} kinds: right both ways")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ValueError, KeyError, OSError) as error:
        print(f"golden.txt: {error}", file=sys.stderr)
        sys.exit(1)
