"""Pages and files that are written from tables: signals.md here, drawings and KiCad files by their own scripts. Each has to be
what would be written today."""

import filecmp
import os
import subprocess
import sys
import tempfile

from hardware import checks, mechanics

SIGNALS = "hardware/signals.md"
SCRIPTS = {"hardware/carrier/make.py": ("carrier.kicad_sch", "carrier.kicad_pcb", "nfsar.kicad_sym", "sym-lib-table"),
           "hardware/mechanical/make.py": ("pod.yaml", "plate.svg", "plate-back.svg", "scanner.svg", "turntable.svg")}

HEAD = """# Every signal, from the chip to the other end

Made by `tools/check-hardware --write` from `pinmap.csv` and `radar-pins.csv`, and compared with the schematic by
`tools/check-hardware`: the parts and the connector of each row are those that the schematic's nets lead through.

Read a row from left to right: the firmware's constant in [pins.h](../firmware/boards/stm32f405/pins.h), the chip's pin and what
it is there, J1 of the [carrier](carrier/carrier.pdf) (its pin n is pin n of the LQFP64 package), the parts between,
the connector, the other end. *At reset* is what the line does from power-on until the firmware has it.

| firmware | pin, function | direction | J1 | at reset | through | connector | goes to |
|---|---|---|---|---|---|---|---|
"""

RADAR = """
## On to the radar boards

J5 of the carrier goes on like this. **reported**: somebody wrote so in a public thread, nobody here has checked it. **?**: not
confirmed, and not guessed: [radar-pins.csv](radar-pins.csv) says where to look it up, [wiring.md](wiring.md) what to take care of.

"""


def signals_page(facts):
    out = [HEAD]
    for _, row in facts.pinmap:
        function = row["function"] + (f" (AF{row['alternate']})" if row["alternate"] != "-" else "")
        through = ", ".join(row["through"].split()) or "direct"
        out.append(f"| `{row['firmware']}` | {row['mcu_pin']}, {function} | {row['direction']} | {row['package_pin']} |"
                   f" {row['at_reset']} | {through} | {row['connector']} | {row['goes_to']} |\n")
    boards, places = [], {}
    for _, row in facts.tree.rows(mechanics.RADARS, mechanics.RADAR_COLUMNS):
        if row["board"] not in boards:
            boards.append(row["board"])
        at = row["at"] if row["at"] == "?" else f"{row['at']} ({row['status']})"
        places[row["board"], row["signal"]] = at + (f"; {row['rework']}" if row["rework"] != "?" else "")
    out += [RADAR, "| signal | carrier | " + " | ".join(boards) + " |\n", "|---" * (2 + len(boards)) + "|\n"]
    for _, row in facts.pinmap:
        if row["connector"].startswith("J5."):
            cells = " | ".join(places.get((b, row["signal"]), "") for b in boards)
            out.append(f"| {row['goes_to']} | {row['connector']} | {cells} |\n")
    supplies = [row for _, row in facts.tree.rows(checks.POWER, checks.POWER_COLUMNS) if row["reference"] == "J5"]
    for signal, words in (("VIO", "radar I/O supply, for JP1 2-3"), ("GND", "ground, one beside SYNC")):
        pins = ", ".join(row["pin"] for row in supplies if row["net"] == mechanics.RADAR_SUPPLY[signal])
        out.append(f"| {words} | J5.{pins} | {' | '.join(places.get((b, signal), '') for b in boards)} |\n")
    return "".join(out)


def page(facts):
    if facts.pinmap and facts.tree.text(SIGNALS) != signals_page(facts):
        facts.wrong(SIGNALS, 0, "is not of today's tables: run tools/check-hardware --write")


def files(facts):
    for script, names in SCRIPTS.items():
        folder = os.path.dirname(script)
        with tempfile.TemporaryDirectory() as fresh:
            done = subprocess.run([sys.executable, "-B", facts.tree.path(script), fresh], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True)
            if done.returncode:
                last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
                facts.wrong(script, 0, f"fails: {last}")
                continue
            for name in names:
                there = facts.tree.path(os.path.join(folder, name))
                if not os.path.exists(there) or not filecmp.cmp(there, os.path.join(fresh, name), shallow=False):
                    facts.wrong(os.path.join(folder, name), 0, f"is not what {script} writes: run tools/check-hardware --write")


def write(tree):
    from hardware.checks import Facts
    for script in SCRIPTS:
        subprocess.run([sys.executable, "-B", tree.path(script)], check=True)
    with open(tree.path(SIGNALS), "w", encoding="utf-8") as file:
        file.write(signals_page(Facts(tree)))
    tree.wrong.lines.clear()


ALL = (page, files)
