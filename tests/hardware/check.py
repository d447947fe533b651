#!/usr/bin/python3
"""tools/check-hardware finds each fault that is planted in a copy of the tree, and nothing in the tree itself. Run by ctest as
hardware/check; `check.py NAME...` runs the cases whose names begin so."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CHECKER = os.path.join(ROOT, "tools", "check-hardware")
PINS = "firmware/boards/stm32f405/pins.h"
SERIAL = "firmware/boards/stm32f405/serial.c"
MAP, BOM = "hardware/pinmap.csv", "hardware/bom.csv"
SHEET, BOARD = "hardware/carrier/carrier.kicad_sch", "hardware/carrier/carrier.kicad_pcb"
ARMS, POD = "hardware/mechanical/lever-arms.csv", "hardware/mechanical/pod.yaml"
STAGE = "docs/examples/stage-scanner.yaml"
POWER, PLOTTED = "hardware/power-pins.csv", "hardware/carrier/PLOTTED"
SIZES, WIRING = "hardware/mechanical/dimensions.csv", "hardware/wiring.md"
RADARS, BUILDS = "hardware/radar-pins.csv", "hardware/builds.csv"
NEEDED = ["hardware", "firmware/boards/stm32f405", "docs/firmware-boards.md", "docs/examples"]


def put(file, old, new, after=None):
    """One replacement; the first after the words `after`."""
    def change(tree):
        path = os.path.join(tree, file)
        with open(path, newline="") as opened:
            text = opened.read()
        begin = text.index(after) if after else 0
        assert old in text[begin:], f"{file} has no {old!r} to plant a fault in"
        if after is None:
            assert text.count(old) == 1, f"{file} has {old!r} {text.count(old)} times"
        with open(path, "w", newline="") as opened:
            opened.write(text[:begin] + text[begin:].replace(old, new, 1))
    return change


def cut(file, fraction):
    def change(tree):
        path = os.path.join(tree, file)
        with open(path, "rb") as opened:
            data = opened.read()
        with open(path, "wb") as opened:
            opened.write(data[:int(fraction * len(data))])
    return change


def noise(file):
    def change(tree):
        with open(os.path.join(tree, file), "wb") as opened:
            opened.write(bytes(range(256)) * 8)
    return change


def gone(file):
    return lambda tree: os.remove(os.path.join(tree, file))


def last_line_away(file):
    def change(tree):
        path = os.path.join(tree, file)
        with open(path, newline="") as opened:
            lines = opened.read().splitlines(True)
        with open(path, "w", newline="") as opened:
            opened.writelines(lines[:-1])
    return change


def joined(net_a, net_b):
    """A wire from one label of the sheet to another."""
    def change(tree):
        path = os.path.join(tree, SHEET)
        with open(path) as opened:
            text = opened.read()
        places = [re.search(r'\(global_label "%s" \(shape \w+\) \(at ([\d.]+ [\d.]+)' % re.escape(net), text)[1]
                  for net in (net_a, net_b)]
        wire = f"(wire (pts (xy {places[0]}) (xy {places[1]})) (stroke (width 0) (type default)))\n  (sheet_instances"
        with open(path, "w") as opened:
            opened.write(text.replace("(sheet_instances", wire, 1))
    return change


def wire_away(near):
    """The first wire behind the symbol."""
    def change(tree):
        path = os.path.join(tree, SHEET)
        with open(path) as opened:
            text = opened.read()
        begin = text.index(near)
        with open(path, "w") as opened:
            opened.write(text[:begin] + re.sub(r"\(wire .*\n", "", text[begin:], count=1))
    return change


def exchanged(reference, a, b):
    """The labels a and b behind a part, one for the other."""
    def change(tree):
        path = os.path.join(tree, SHEET)
        with open(path) as opened:
            text = opened.read()
        begin = text.index(f'(property "Reference" "{reference}"')
        places = [text.index(f'(global_label "{net}"', begin) for net in (a, b)]
        for place, old, new in sorted(zip(places, (a, b), (b, a)), reverse=True):
            text = text[:place] + text[place:].replace(f'(global_label "{old}"', f'(global_label "{new}"', 1)
        with open(path, "w") as opened:
            opened.write(text)
    return change


LED_ROW = "LED,PC1,9,GPIO,-,PIN_LED,"
U1, A1 = (f'(property "Reference" "{name}"' for name in ("U1", "A1"))
U2 = '(property "Reference" "U2"'
R12 = '(property "Reference" "R12"'
CASES = {
    # what is planted: what has to be said
    "pin twice in the firmware": ([put(PINS, "PIN(C, 1) ", "PIN(C, 2) ")],
                                  PINS + r":\d+: PC2 is used twice: PIN_RADAR_SOP0 and PIN_LED"),
    "pin twice in the pin map": ([put(MAP, LED_ROW, "LED,PC2,9,GPIO,-,PIN_LED,")],
                                 MAP + r":40: PC2 is used twice: RADAR_SOP0 and LED"),
    "connector pin twice": ([put(MAP, "J20.3", "J20.2")], MAP + r":\d+: J20.2 has two signals: LINK_TX and LINK_RX"),
    "pin of the firmware elsewhere": ([put(PINS, "PIN(B, 8)", "PIN(B, 7)")],
                                      MAP + r":2: SYNC is PB8, but PIN_SYNC is PB7 in " + PINS + r":\d+"),
    "pin map without a pin": ([put(PINS, "#define PIN_LED ", "#define PIN_BUZZER PIN(B, 7)\n#define PIN_LED ")],
                              PINS + r":\d+: PIN_BUZZER \(PB7\) is not in " + MAP),
    "pin map with an unknown constant": ([put(MAP, "PIN_PPS", "PIN_PPT")], MAP + r":24: " + PINS + " has no PIN_PPT"),
    "no such alternate function": ([put(MAP, "USART6_TX,8", "USART6_TX,7")],
                                   MAP + r":7: PC6 has no USART6_TX as alternate function 7"),
    "no such function on the pin": ([put(MAP, "TIM2_CH2,1", "TIM2_CH3,1")],
                                    MAP + r":25: PA1 has no TIM2_CH3 as alternate function 1"),
    "another alternate function in the firmware": (
        [put(SERIAL, "IRQ_UART4, 8,", "IRQ_UART4, 7,")],
        MAP + r":36: GNSS_TX has alternate function 8, but the firmware sets 7: " + SERIAL + r":\d+"),
    "impossible in both": ([put(SERIAL, "IRQ_UART4, 8,", "IRQ_UART4, 7,"), put(MAP, "UART4_TX,8", "UART4_TX,7")],
                           MAP + r":36: PC10 has no UART4_TX as alternate function 7"),
    "pin of the package": ([put(MAP, "SYNC,PB8,61,", "SYNC,PB8,60,")],
                           MAP + r":2: PB8 is not pin 60 of the LQFP64 package"),
    "interrupt line twice": ([put(MAP, "LIMIT_TURN_HOME,PA0,14,EXTI0,", "LIMIT_TURN_HOME,PB5,14,EXTI5,")],
                             MAP + r":24: EXTI line 5 has two inputs: LIMIT_TURN_HOME and PPS"),
    "five volts on a pin with a pull-up": ([put(MAP, "PIN_IMU_RX,in pull-up,3.3", "PIN_IMU_RX,in pull-up,5")],
                                           MAP + r":33: IMU_RX has 5 V, but PA3 has a pull-up"),
    "five volts on PA5": ([put(MAP, "PIN_PPS,in pull-down,3.3", "PIN_PPS,in,5")],
                          MAP + r":24: PPS has 5 V, but PA5 is no five-volt pin"),
    "part without number": ([put(BOM, "SN74LVC2T45DCUR", "")], BOM + r":\d+: U1 has no part number"),
    "part without maker": ([put(BOM, "BAT54S,BAT54S,Nexperia", "BAT54S,BAT54S,")], BOM + r":\d+: D2 has no maker"),
    "part without a way by hand": ([put(BOM, ",MF-R110 (Bourns)", ",")], BOM + r":\d+: F2 has no by hand"),
    "part not in the schematic": ([put(BOM, "C14 C15,2,", "C14 C15 C17,3,")], BOM + r":\d+: C17 is not in " + SHEET),
    "part not in the bill": ([put(BOM, "C14 C15,2,", "C14,1,")], SHEET + r":\d+: C15 is not in " + BOM),
    "quantity": ([put(BOM, "C14 C15,2,", "C14 C15,3,")], BOM + r":\d+: quantity 3, but 2 references"),
    "another value": ([put(BOM, "R8,1,100R,", "R8,1,470R,")],
                      SHEET + r":\d+: R8 has value '100R', " + BOM + r":\d+ '470R'"),
    "reference twice": ([put(SHEET, '(property "Reference" "R5"', '(property "Reference" "R4"')],
                        SHEET + r":\d+: reference R4 is used twice"),
    "net with one end": ([put(SHEET, '(global_label "RADAR_TX_B"', '(global_label "RADAR_TX_C"', "lib_symbols")],
                         SHEET + r":\d+: net RADAR_TX_C has one end"),
    "pin without a wire": ([wire_away('(property "Reference" "U4"')], SHEET + r":\d+: net at U4.1 has one end: U4.1"),
    "two nets joined": ([joined("SYNC", "LED")], SHEET + r":\d+: nets LED and SYNC are joined"),
    "signals exchanged at the hub": (
        [put(MAP, "SYNC,PB8,61,GPIO,-,PIN_SYNC", "SYNC,PB9,62,GPIO,-,PIN_SYNC")],
        MAP + r":2: SYNC: J1.62 \(PB9\) is on net RADAR_RESET"),
    "signal at another pin of its connector": ([put(MAP, "J5.11,RADAR_TX_J", "J5.13,RADAR_TX_J")],
                                               MAP + r":7: RADAR_TX: J5.13 is on net /RADAR_RX_J"),
    "signal not through its resistor": ([put(MAP, "U1 R3,J5.3", "U1 R4,J5.3")],
                                        MAP + r":2: SYNC: net SYNC_B does not lead through R4"),
    "translator the wrong way": ([put(SHEET, '(global_label "GND"', '(global_label "+3V3"', U2)],
                                 SHEET + r":\d+: U2 translates the wrong way for RADAR_RX"),
    "enable not held off": ([put(SHEET, '(global_label "+3V3"', '(global_label "GND"', R12)],
                            MAP + r":\d+: ENABLE_X: R12 does not hold it high; it is between ENABLE_X and GND"),
    "free pin used": ([put(MAP, LED_ROW, "LED,PC0,8,GPIO,-,PIN_LED,")], SHEET + r":\d+: J1.9 \(PC1\) is on net LED, but " + MAP),
    "board: pad on another net": ([put(BOARD, '"/SYNC_J")', '"GND")', 'fp_text reference "TP1"')],
                                  BOARD + r":\d+: TP1.1 is on net GND, in the schematic on /SYNC_J"),
    "board: open outline": ([put(BOARD, "(gr_line (start 43 40)", "(gr_line (start 44 40)")],
                            BOARD + r":\d+: the outline is open at 44, 40"),
    "lever arm in the rig file": ([put(POD, "imu: {at_m: [0, -0.06, -0.012]", "imu: {at_m: [0, -0.06, 0.012]")],
                                  POD + r":\d+: imu: at_m is \[0.0, -0.06, 0.012\], " + ARMS + ":2 has"),
    "lever arm in the table": ([put(ARMS, "flow,0.060", "flow,0.061")], POD + r":\d+: flow: at_m is .*" + ARMS + ":3 has"),
    "mounting": ([put(POD, "0.07, -0.01], rotate_deg: [0, 0, 0]", "0.07, -0.01], rotate_deg: [0, 0, 90]")],
                 POD + r":\d+: tracker: rotate_deg is"),
    "sensor beside the plate": ([put(ARMS, "imu,0.000,-0.060", "imu,0.000,-0.090")], ARMS + r":2: imu is not on the plate"),
    "sensor without a row": ([last_line_away(ARMS)], POD + r":\d+: tracker is not in " + ARMS),
    "steps per metre": ([put(STAGE, "80000        # 200", "40000        # 200")],
                        STAGE + r":\d+: x: steps_per_m is \[40000.0\], motor and belt of .* give 80000"),
    "turntable's gear": ([put(STAGE, "steps_per_turn: 16000", "steps_per_turn: 3200")],
                         STAGE + r":\d+: turntable: steps_per_turn is"),
    "no way to brake": ([put(STAGE, "jerk_m_per_s3: 15\n", "jerk_m_per_s3: 1.5\n", "x:")], STAGE + r":\d+: x: braking takes"),
    "radar: a guess": ([put(RADARS, "SYNC,?,not confirmed,?,look up SYNC_IN", "SYNC,J6-9,not confirmed,?,look up SYNC_IN")],
                       RADARS + r":2: SYNC: a place that is 'J6-9' cannot be 'not confirmed'"),
    "radar: no ground": ([put(RADARS, "AWR1443BOOST and IWR1443BOOST,GND,", "AWR1443BOOST and IWR1443BOOST,GROUND,")],
                         RADARS + r":2: AWR1443BOOST and IWR1443BOOST: GND is missing"),
    "radar: a signal is missing": ([last_line_away(RADARS)],
                                   RADARS + r":\d+: IWR6843ISK on MMWAVEICBOOST: RADAR_RX is missing"),
    "build: part without number": ([put(BUILDS, "3901-L0X,Matek", ",Matek")], BUILDS + r":\d+: .* has no part number"),
    "build: 24 V on the plug of 5 V": ([put(BUILDS, "GST120A24-P1M", "GST120A24-P1J", "turntable,supply 24 V")],
                                       BUILDS + r":\d+: supply 24 V 5 A: GST120A24-P1J has the 2.1 mm plug"),
    "build: plate of another window": ([put(SIZES, "plate_window,50,", "plate_window,60,")],
                                       BUILDS + r":\d+: mounting plate is 200 x 160 less 50 x 50 mm, " + SIZES + " has"),
    "build: mass of the plate": ([put(BUILDS, ",D,91,,200 x 160", ",D,84,,200 x 160")],
                                 BUILDS + r":\d+: .*: mass is 84 g, its size gives 91.5 g"),
    "build: another sum": ([put(BUILDS, "3901-L0X,Matek,1,D,2,", "3901-L0X,Matek,1,D,3,")], r"hardware/README.md: the line of \*\*pod"),
    "manual: a pin is missing": ([put("docs/firmware-boards.md", "| LED | PC1 |", "| LED | |")],
                                 r"docs/firmware-boards.md:\d+: the table of pins lacks PC1"),
    "page of old tables": ([put("hardware/signals.md", "| `PIN_LED` | PC1", "| `PIN_LED` | PC0")],
                           "hardware/signals.md: is not of today's tables"),
    "drawing of old tables": ([put("hardware/mechanical/plate.svg", ">17<", ">18<")],
                              "hardware/mechanical/plate.svg: is not what hardware/mechanical/make.py writes"),
    "PDF of an old schematic": ([put(SHEET, "rev \"0, not built\"", "rev \"1\"")],
                                r"hardware/carrier/PLOTTED:1: the PDF of carrier.kicad_sch is of another version"),
    # supplies and protection, in the tree's own table: a change of carrier.py shows here
    "diode the wrong way round": ([exchanged("D1", "VM", "GND")], POWER + r":\d+: D1.1 has to be on VM, and is on GND"),
    "translator at the wrong supply": ([put(SHEET, '(global_label "VIO"', '(global_label "+3V3"', U1)],
                                       POWER + r":\d+: U1.8 has to be on VIO, and is on \+3V3"),
    "sensor's connector turned": ([exchanged("J17", "+5V", "GND")],
                                  POWER + r":\d+: J17.1 has to be on \+5V, and is on GND"),
    "motors' supply at a module's logic": ([put(SHEET, '(global_label "VM"', '(global_label "+3V3"', A1)],
                                           POWER + r":\d+: A1.8 has to be on VM, and is on \+3V3"),
    "converter turned": ([exchanged("U3", "VM_DCDC", "5V_DCDC")],
                         POWER + r":\d+: U3.1 has to be on VM_DCDC, and is on 5V_DCDC"),
    "pin that the table does not have": ([put(POWER, "U3,2,GND,GND\n", "")], SHEET + r":\d+: U3.2 is not in " + POWER),
    "table with a pin that is not there": ([put(POWER, "U3,2,GND,GND", "U3,9,GND,GND")], POWER + r":\d+: U3.9 has to be on GND"),
    "five volts on an output": ([put(MAP, "PIN_LED,out,3.3", "PIN_LED,out,5")], MAP + r":40: LED has 5 V, but PC1 drives 3.3 V"),
    "part that is not to be bought": ([put(SHEET, "(in_bom yes)", "(in_bom no)", '(symbol (lib_id "nfsar:')],
                                      SHEET + r":\d+: \w+ is marked as not in the bill of materials"),
    "sheet within the sheet": ([put(SHEET, "(sheet_instances", "(sheet (at 0 0) (size 10 10))\n  (sheet_instances")],
                               SHEET + r": cannot be understood: line \d+: there is a \(sheet \.\.\.\)"),
    "bus": ([put(SHEET, "(sheet_instances", "(bus (pts (xy 0 0) (xy 10 10)))\n  (sheet_instances")],
            SHEET + r": cannot be understood: line \d+: there is a \(bus \.\.\.\)"),
    "board: a connector is missing": ([put(BOARD, 'fp_text reference "J22"', 'fp_text reference "J99"')],
                                      BOARD + ": J22 has no place on the board"),
    "board: a pad is missing": ([put(BOARD, '(pad "2" thru_hole', '(pad "" thru_hole', 'fp_text reference "J22"')],
                                BOARD + r":\d+: J22 has no pad 2"),
    "manual: another alternate function": ([put("docs/firmware-boards.md", "UART4, AF8", "UART4, AF7")],
                                           r"docs/firmware-boards.md:\d+: PC10 is 'UART4, AF7'"),
    "manual: another peripheral": ([put("docs/firmware-boards.md", "SPI2, AF5", "SPI1, AF5")],
                                   r"docs/firmware-boards.md:\d+: PB13 is 'SPI1, AF5, mode 3"),
    "wiring: another resistor": ([put(WIRING, "fit R166 (0", "fit R165 (0")],
                                 WIRING + r":\d+: AWR1443BOOST and IWR1443BOOST: R165 is not in " + RADARS),
    "wiring: a header pin": ([put(WIRING, "| J6-9 (reported", "| J6-7 (reported")], WIRING + r":\d+: AWR1642BOOST .*: J6-7 is not in"),
    "radar: reported by nobody": ([put(RADARS, "TI forum thread 1438740: triggered", "a forum: triggered")],
                                  RADARS + r":\d+: SYNC: is reported, but the source names no thread"),
    "rail too short": ([put(SIZES, "rail_length,700,", "rail_length,600,")],
                       SIZES + ": rail_length is 600 mm, but travel, both overruns and the carriage want 601.4 mm"),
    "no teeth": ([put(SIZES, "pulley_teeth,20,", "pulley_teeth,0,")], SIZES + ": pulley_teeth is 0: must be above 0"),
    "no jerk": ([put(STAGE, "jerk_m_per_s3: 15\n", "jerk_m_per_s3: 0\n", "x:")], STAGE + r":\d+: x: jerk_m_per_s3 is 0: must be above 0"),
    "jerk is missing": ([put(STAGE, "jerk_m_per_s3: 15\n", "\n", "x:")], STAGE + r": x: jerk_m_per_s3 is missing"),
    "PDF that was exchanged": ([cut("hardware/carrier/board.pdf", 0.9)], PLOTTED + r":4: board.pdf is not what was plotted"),
    "PDF that is gone": ([gone("hardware/carrier/carrier.pdf")], "hardware/carrier/carrier.pdf: cannot be read: No such file"),
    "PLOTTED is empty": ([cut(PLOTTED, 0)], PLOTTED + ": carrier.kicad_sch is missing"),
    # files that are damaged: one line, not a trace of Python
    "half a schematic": ([cut(SHEET, 0.5)], SHEET + ": cannot be understood"),
    "half a board": ([cut(BOARD, 0.7)], BOARD + ": cannot be understood"),
    "no schematic": ([gone(SHEET)], SHEET + ": cannot be read: No such file"),
    "empty schematic": ([cut(SHEET, 0)], SHEET + ": cannot be understood"),
    "noise for a schematic": ([noise(SHEET)], SHEET + ": cannot be read: it is not UTF-8"),
    "noise for a pin map": ([noise(MAP)], MAP + ": cannot be read: it is not UTF-8"),
    "pin map with a short row": ([put(MAP, "LED,PC1,9,GPIO", "LED,PC1")], MAP + r":40: \d+ values, not 13"),
    "pin map with another header": ([put(MAP, "signal,mcu_pin", "signal,pin")], MAP + ":1: the columns are not"),
    "firmware gone": ([gone(PINS)], PINS + ": cannot be read"),
    "firmware in another form": ([put(SERIAL, "{USART1, CLOCK_APB2_HZ, IRQ_USART1, 7, PIN_LINK_TX, PIN_LINK_RX}",
                                      "LINK_PORT")], SERIAL + ": only 15 of the firmware's alternate functions were found"),
    "voltage that is no number": ([put(MAP, "PIN_LED,out,3.3", "PIN_LED,out,low")], MAP + r":40: voltage 'low' is no number"),
}


def run(tree):
    done = subprocess.run([CHECKER, "--root", tree], capture_output=True, text=True, timeout=120)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def main():
    wanted = [name for name in CASES if not sys.argv[1:] or any(name.startswith(w) for w in sys.argv[1:])]
    failed = 0
    clean = run(ROOT)
    if clean.returncode:
        print(f"FAILED  the tree itself:\n{clean.stderr}")
        failed += 1
    for name in wanted:
        changes, words = CASES[name]
        with tempfile.TemporaryDirectory() as tree:
            for part in NEEDED:
                source, target = os.path.join(ROOT, part), os.path.join(tree, part)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                (shutil.copytree if os.path.isdir(source) else shutil.copy)(source, target)
            for change in changes:
                change(tree)
            done = run(tree)
        lines = done.stderr.splitlines()
        found = done.returncode == 1 and any(re.match(words, line) for line in lines)
        print(f"{'ok     ' if found else 'FAILED '} {name}")
        if not found:
            failed += 1
            print(f"  exit {done.returncode}, wanted: {words}\n  " + "\n  ".join(lines))
    print(f"{len(wanted) + 1 - failed} of {len(wanted) + 1} passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
