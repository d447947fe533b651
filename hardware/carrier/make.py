#!/usr/bin/python3
"""Writes the carrier's KiCad files from pinmap.csv, bom.csv and carrier.py:  make.py [FOLDER]"""

import json
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import board  # noqa: E402
from carrier import Carrier  # noqa: E402


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else HERE
    os.makedirs(folder, exist_ok=True)
    carrier = Carrier()
    sheet = carrier.draw()
    table = '(sym_lib_table\n  (lib (name "nfsar")(type "KiCad")(uri "${KIPRJMOD}/nfsar.kicad_sym")(options "")(descr ""))\n)\n'
    project = {"meta": {"filename": "carrier.kicad_pro", "version": 1}, "sheets": [[sheet.root, ""]]}
    for name, text in (("carrier.kicad_sch", sheet.schematic_text()), ("nfsar.kicad_sym", sheet.library_text()),
                       ("sym-lib-table", table), ("carrier.kicad_pro", json.dumps(project, indent=2) + "\n"),
                       ("carrier.kicad_pcb", board.text(carrier))):
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)


main()
