"""What is on the carrier: parts, nets and their places on the sheet. Signals come from ../pinmap.csv, values and part
numbers from ../bom.csv; here is only what these two do not say. Places are in steps of 2.54 mm."""

import csv
import os

import kicad
from kicad import GRID

HERE = os.path.dirname(os.path.abspath(__file__))
TITLE = "nfsar hub carrier"

# Package pins of the STM32F405RG (LQFP64; DS8626 Rev 8, table 7), that is of J1.
PACKAGE = """VBAT PC13 PC14 PC15 PH0 PH1 NRST PC0 PC1 PC2 PC3 VSSA VDDA PA0 PA1 PA2 PA3 VSS VDD PA4 PA5 PA6
PA7 PC4 PC5 PB0 PB1 PB2 PB10 PB11 VCAP_1 VDD PB12 PB13 PB14 PB15 PC6 PC7 PC8 PC9 PA8 PA9 PA10 PA11 PA12 PA13
VCAP_2 VDD PA14 PA15 PC10 PC11 PC12 PD2 PB3 PB4 PB5 PB6 PB7 BOOT0 PB8 PB9 VSS VDD""".split()

FOOTPRINT = {"R": "Resistor_SMD:R_0603_1608Metric", "F2": "Fuse:Fuse_1812_4532Metric",
             "F1": "Fuse:Fuseholder_Blade_Mini_Keystone_3568", "U1": "Package_SO:VSSOP-8_2.3x2mm_P0.5mm",
             "U2": "Package_TO_SOT_SMD:SOT-23-6", "U3": "Converter_DCDC:Converter_DCDC_RECOM_R-78E-0.5_THT",
             "U4": "Package_TO_SOT_SMD:SOT-23-6", "D1": "Diode_SMD:D_SMB", "D4": "Diode_THT:D_DO-201AD_P15.24mm_Horizontal",
             "D5": "Diode_THT:D_DO-41_SOD81_P10.16mm_Horizontal", "D6": "Diode_SMD:D_SMB", "D2": "Package_TO_SOT_SMD:SOT-23",
             "D3": "LED_SMD:LED_0805_2012Metric", "C13": "Capacitor_SMD:C_1210_3225Metric",
             "C14": "Capacitor_SMD:C_1206_3216Metric", "C15": "Capacitor_SMD:C_1206_3216Metric",
             "TP1": "TestPoint:TestPoint_Keystone_5000-5004_Miniature",
             "J1": "Connector_PinHeader_2.54mm:PinHeader_2x32_P2.54mm_Vertical",
             "J5": "Connector_IDC:IDC-Header_2x07_P2.54mm_Vertical",
             "J21": "Connector_USB:USB_B_OST_USB-B1HSxx_Horizontal"}
FOOTPRINT.update({c: "Capacitor_THT:CP_Radial_D6.3mm_P2.50mm" for c in ("C10", "C11", "C12")})
FOOTPRINT.update({a: "Module:Pololu_Breakout-16_15.2x20.3mm" for a in ("A1", "A2", "A3")})
FOOTPRINT.update({h: "MountingHole:MountingHole_3.2mm_M3" for h in ("H1", "H2", "H3", "H4")})


def footprint(reference, pins):
    kind = reference.rstrip("0123456789")
    if reference in FOOTPRINT:
        return FOOTPRINT[reference]
    if kind in ("J", "JP"):
        if reference in ("J22", "J23", "J24"):
            return "TerminalBlock_Phoenix:TerminalBlock_Phoenix_PT-1,5-2-5.0-H_1x02_P5.00mm_Horizontal"
        if "J10" <= reference <= "J15":
            return "TerminalBlock_Phoenix:TerminalBlock_Phoenix_MPT-0,5-2-2.54_1x02_P2.54mm_Horizontal"
        return f"Connector_PinHeader_2.54mm:PinHeader_1x{pins:02d}_P2.54mm_Vertical"
    return FOOTPRINT.get(kind, "Capacitor_SMD:C_0603_1608Metric")


def rows_of(name):
    with open(os.path.join(HERE, "..", name), newline="") as file:
        return list(csv.DictReader(file))


class Carrier:
    def __init__(self):
        self.pinmap = rows_of("pinmap.csv")
        self.bom = {r: row for row in rows_of("bom.csv") for r in row["references"].split()}
        self.sheet = kicad.Sheet(TITLE, "A3", "nfsar", (
            ("date", "2026-11-22"), ("rev", "0, not built"), ("company", "nfsar"),
            ("comment1", "Licence: CERN-OHL-S-2.0"),
            ("comment2", "Made by hardware/carrier/make.py from hardware/pinmap.csv and bom.csv"),
            ("comment3", "Nobody has built or measured this yet: hardware/README.md")))
        self.nets = {}  # net -> [(reference, pin)], for the board

    # --- how parts are put on the sheet -------------------------------------------------------------

    def _part(self, reference, symbol, x, y, above=None):
        part = self.bom[reference]
        fields = {"Footprint": footprint(reference, len(symbol.pins)), "MPN": part["part_number"],
                  "Manufacturer": part["maker"]}
        return self.sheet.place(symbol, reference, x * GRID, y * GRID, part["value"], fields, above=above)

    def _joined(self, net, reference, pin):
        self.nets.setdefault(net, []).append((reference, pin))

    def tag(self, reference, pin, net, place, side):
        """A short wire from a pin to a label; no net: the pin stays open."""
        x, y = place
        if net is None:
            self.sheet.no_connect(x, y)
            return
        end = x - GRID if side == "left" else x + GRID
        self.sheet.wire(x, y, end, y)
        (self.sheet.wire_name if net.endswith("_J") else self.sheet.label)(net, end, y, side)
        self._joined(net, reference, pin)

    def box(self, reference, symbol, x, y, nets):
        """A part with a label at each pin: nets by pin number."""
        middle = x * GRID + 1.0
        for pin, place in self._part(reference, symbol, x, y).items():
            self.tag(reference, pin, nets[pin], place, "left" if place[0] < middle else "right")

    def connector(self, reference, x, y, nets, wide=False):
        """Pins 1.. with their nets, on the left."""
        names = [(str(i), str(i), "passive") for i in range(1, len(nets) + 1)]
        symbol = kicad.box(f"CONN_{len(nets)}{'_WIDE' if wide else ''}", names, reference="J", width=5.08,
                           pitch=2 * GRID if wide else GRID)
        self.box(reference, symbol, x, y, {str(i): net for i, net in enumerate(nets, 1)})

    def row(self, reference, left, right, x, y):
        """A part of two pins between two labels."""
        kind = reference.rstrip("0123456789")
        symbol = {"R": kicad.resistor, "C": kicad.capacitor, "F": kicad.fuse}[kind]() if kind in "RCF" else \
            kicad.diode("LED" if reference == "D3" else "D")
        if reference in ("C10", "C11", "C12"):
            symbol = kicad.electrolytic()
        place = self._part(reference, symbol, x, y)
        self.tag(reference, "1", left, place["1"], "left")
        self.tag(reference, "2", right, place["2"], "right")

    def rows(self, x, y, parts, step=2):
        for i, (reference, left, right) in enumerate(parts):
            self.row(reference, left, right, x, y + step * i)

    def protected(self, reference, x, y, pins):
        """A connector whose signals have a resistor each. pins: a net, or (resistor, inner net, outer net)."""
        names = [(str(i), str(i), "passive") for i in range(1, len(pins) + 1)]
        symbol = kicad.box(f"CONN_{len(pins)}_WIDE", names, reference="J", width=5.08, pitch=2 * GRID)
        places = self._part(reference, symbol, x, y)
        for i, entry in enumerate(pins, 1):
            px, py = places[str(i)]
            if not isinstance(entry, tuple):
                self.tag(reference, str(i), entry, (px, py), "left")
                continue
            resistor, inner, outer = entry
            at = self._part(resistor, kicad.resistor(), x - 12, py / GRID)
            self.sheet.wire(*at["2"], px, py)
            self.sheet.wire_name(outer, at["2"][0] + GRID, py)
            self._joined(outer, resistor, "2")
            self._joined(outer, reference, str(i))
            self.tag(resistor, "1", inner, at["1"], "left")

    def block(self, title, x0, y0, x1, y1, note=""):
        self.sheet.frame(x0 * GRID, y0 * GRID, x1 * GRID, y1 * GRID)
        self.sheet.text(title, (x0 + 1) * GRID, (y0 + 2) * GRID, 2.5)
        if note:
            lines = note.count("\n") + 1
            self.sheet.text(note, (x0 + 1) * GRID, (y0 + 2.2 + 0.95 * lines) * GRID, 1.5)

    # --- what there is ------------------------------------------------------------------------------

    def hub(self):
        self.block("Hub: a board with an STM32F405RG", 6, 6, 42, 46,
                   "Pin n of J1 is pin n of the LQFP64 package.\nA wire from each used pin to the hub"
                   " board's pin of the same name.")
        nets = {int(row["package_pin"]): row["signal"] for row in self.pinmap}
        nets.update({n: "+3V3" for n, name in enumerate(PACKAGE, 1) if name == "VDD"})
        nets.update({n: "GND" for n, name in enumerate(PACKAGE, 1) if name == "VSS"})
        names = [(str(n), name, "passive") for n, name in enumerate(PACKAGE, 1)]
        symbol = kicad.box("STM32F405RG_LQFP64", names[:32], names[32:], reference="J", width=25.4)
        self.box("J1", symbol, 19, 14, {str(n): nets.get(n) for n in range(1, 65)})

    def chain(self, signal):
        """(resistor, inner net, outer net) of a signal that reaches its connector through a resistor."""
        row = next(r for r in self.pinmap if r["signal"] == signal)
        through = row["through"].split()
        return through[-1], signal + "_B" if len(through) > 1 else signal, row["connector_net"]

    def radar(self):
        self.block("Radar", 44, 6, 92, 52,
                   "U1, U2 are off when the radar's supply is off (JP1 at 2-3). Whoever else drives these"
                   "\nlines (DCA1000: SYNC_IN; the radar: SOP) fights a resistor. Rework: wiring.md.")
        double = kicad.box("SN74LVC2T45", [("1", "VCCA", "power_in"), ("2", "A1", "bidirectional"),
                                           ("3", "A2", "bidirectional"), ("5", "DIR", "input"),
                                           ("4", "GND", "power_in")],
                           [("8", "VCCB", "power_in"), ("7", "B1", "bidirectional"), ("6", "B2", "bidirectional")])
        self.box("U1", double, 54, 14, {"1": "+3V3", "2": "SYNC", "3": "RADAR_TX", "4": "GND", "5": "+3V3",
                                       "6": "RADAR_TX_B", "7": "SYNC_B", "8": "VIO"})
        single = kicad.box("SN74LVC1T45", [("1", "VCCA", "power_in"), ("3", "A", "bidirectional"),
                                           ("5", "DIR", "input"), ("2", "GND", "power_in")],
                           [("6", "VCCB", "power_in"), ("4", "B", "bidirectional")])
        self.box("U2", single, 54, 23, {"1": "+3V3", "2": "GND", "3": "RADAR_RX", "4": "RADAR_RX_B",
                                       "5": "GND", "6": "VIO"})
        self.connector("JP1", 58, 30, ["+3V3", "VIO", "RADAR_VIO_J"], wide=True)
        self.connector("TP1", 58, 39, ["SYNC_J"])
        self.row("C16", "VIO", "GND", 74, 51)
        self.rows(56, 43, [("R1", "SYNC", "GND"), ("R2", "RADAR_TX", "+3V3"), ("R7", "RADAR_RX", "+3V3"),
                           ("R6", "RADAR_RX_B", "VIO")])
        self.rows(74, 43, [("C1", "+3V3", "GND"), ("C2", "VIO", "GND"), ("C3", "+3V3", "GND"),
                           ("R48", "SYNC_J", "GND")])
        self.row("R49", "RADAR_TX_J", "VIO", 56, 51)
        self.protected("J5", 87, 13, [
            "RADAR_VIO_J", "GND", self.chain("SYNC"), "GND", self.chain("RADAR_RESET"), "GND",
            self.chain("RADAR_SOP0"), self.chain("RADAR_SOP1"), self.chain("RADAR_SOP2"), "GND",
            self.chain("RADAR_TX"), "GND", self.chain("RADAR_RX"), "GND"])

    def sensors(self):
        self.block("Sensors and link", 94, 6, 159, 52, "All signals 3.3 V: the hub's inputs have pull-ups, and with these"
                   " no pin takes 5 V.")
        self.protected("J16", 121, 14, ["+5V", "GND", self.chain("GNSS_TX"), self.chain("GNSS_RX"), self.chain("PPS")])
        self.protected("J17", 121, 27, ["+5V", "GND", self.chain("IMU_TX"), self.chain("IMU_RX")])
        self.protected("J18", 121, 38, ["+5V", "GND", self.chain("FLOW_TX"), self.chain("FLOW_RX")])
        self.protected("J19", 152, 14, ["+3V3", "GND", self.chain("SPI_SCK"), self.chain("SPI_MOSI"),
                                        self.chain("SPI_MISO"), self.chain("SPI_SELECT"), self.chain("SPI_IMU_INT"),
                                        "GND"])
        self.protected("J20", 152, 34, ["GND", self.chain("LINK_TX"), self.chain("LINK_RX")])
        clamp = kicad.box("BAT54S", [("3", "AK", "passive")], [("2", "K", "passive"), ("1", "A", "passive")],
                          reference="D", width=7.62)
        self.box("D2", clamp, 142, 44, {"1": "GND", "2": "+3V3", "3": "PPS"})
        self.row("R47", "SPI_SELECT", "+3V3", 143, 49)
        self.rows(108, 47, [("R50", "LINK_RX", "+3V3"), ("R51", "FLOW_RX", "+3V3"), ("R52", "GNSS_RX", "+3V3")])

    def inputs(self):
        self.block("Switches and emergency stop", 94, 54, 159, 94,
                   "Normally closed contacts to ground: an open wire reads active. J15 is the second contact of the\nemergency stop;"
                   " the first cuts the motors' supply.")
        signals = ["LIMIT_X_LOW", "LIMIT_X_HIGH", "LIMIT_Y_LOW", "LIMIT_Y_HIGH", "LIMIT_TURN_HOME", "EMERGENCY_STOP"]
        for i, signal in enumerate(signals):
            x, y = (121, 62 + 7 * i) if i < 3 else (152, 62 + 7 * (i - 3))
            self.protected(f"J{10 + i}", x, y, [self.chain(signal), "GND"])
            column, row = divmod(i, 3)
            self.row(f"R{18 + i}", signal + "_J", "+3V3", 109 + 31 * column, 82 + 2 * row)
            self.row(f"C{4 + i}", signal, "GND", 109 + 31 * column, 88 + 2 * row)

    def steppers(self):
        self.block("Steppers", 44, 54, 92, 112, "StepStick modules. R12 to R14 keep the motors off, R15 to R17 the steps quiet"
                   " while\nthe hub is reset or flashed. JP4 to JP6: closed for A4988, DRV8825; open for TMC2209.")
        module = kicad.box("STEPSTICK", [("9", "~{EN}", "input"), ("10", "MS1", "input"), ("11", "MS2", "input"),
                                         ("12", "MS3", "input"), ("13", "~{RST}", "passive"),
                                         ("14", "~{SLP}", "passive"), ("15", "STEP", "input"), ("16", "DIR", "input")],
                           [("8", "VM", "power_in"), ("7", "GND", "power_in"), ("6", "2B", "output"),
                            ("5", "2A", "output"), ("4", "1A", "output"), ("3", "1B", "output"),
                            ("2", "VIO", "power_in"), ("1", "GND", "power_in")], reference="A", width=15.24)
        for i, axis in enumerate(("X", "Y", "TURN")):
            y = 63 + 12 * i
            coil = [f"COIL_{axis}_{c}" for c in ("2B", "2A", "1A", "1B")]
            self.box(f"A{1 + i}", module, 56, y, {
                "9": f"ENABLE_{axis}", "10": "+3V3", "11": "+3V3", "12": "+3V3", "13": f"RST_{axis}",
                "14": f"SLP_{axis}", "15": f"STEP_{axis}", "16": f"DIRECTION_{axis}", "8": "VM", "7": "GND",
                "6": coil[0], "5": coil[1], "4": coil[2], "3": coil[3], "2": "+3V3", "1": "GND"})
            self.connector(f"J{7 + i}", 87, y - 1, coil)
            self.connector(f"JP{4 + i}", 87, y + 6, [f"RST_{axis}", f"SLP_{axis}"])
            self.row(f"C{10 + i}", "VM", "GND", 56, 99 + 2 * i)
            self.row(f"R{12 + i}", f"ENABLE_{axis}", "+3V3", 56, 106 + 2 * i)
            self.row(f"R{15 + i}", f"STEP_{axis}", "GND", 80, 106 + 2 * i)

    def power(self):
        self.block("Power", 6, 48, 42, 80, "J22.1, J23.1: plus. J24: the emergency stop's first contact;"
                   "\nit cuts the motors alone. The hub's regulator makes +3V3:"
                   "\nwithout the hub the drivers have no logic supply and are off.")
        self.connector("J22", 14, 56, ["VM_IN", "GND"])
        self.connector("J24", 26, 56, ["VM_STOP", "VM"])
        self.connector("J23", 38, 56, ["5V_IN", "GND"])
        self.rows(15, 60, [("F1", "VM_IN", "VM_FUSED"), ("D4", "VM_STOP", "VM_FUSED"), ("D5", "VM_DCDC", "VM_FUSED"),
                           ("D1", "VM", "GND")])
        self.rows(34, 60, [("F2", "5V_IN", "5V_EXT"), ("D6", "5V_EXT", "GND"), ("C14", "+5V", "GND"),
                           ("C15", "+3V3", "GND")])
        self.row("C13", "VM_DCDC", "GND", 34, 74)
        down = kicad.box("R-78E", [("1", "VIN", "power_in"), ("2", "GND", "power_in")], [("3", "VOUT", "power_out")])
        self.box("U3", down, 13, 70, {"1": "VM_DCDC", "2": "GND", "3": "5V_DCDC"})
        self.connector("JP2", 38, 70, ["5V_DCDC", "+5V", "5V_EXT"])
        for i, net in enumerate(("GND", "+3V3", "+5V", "VM", "VIO", "VM_DCDC")):
            x, y = (9 + 5.5 * i) // 1 * GRID, 76 * GRID
            flag = self.sheet.place(kicad.flag(), self.sheet.numbered("#FLG"), x, y, "PWR_FLAG")["1"]
            self.sheet.wire(*flag, x, y + 2 * GRID)
            if net == "GND":
                self.sheet.place(kicad.power(net, True), self.sheet.numbered("#PWR"), x, y + 2 * GRID, net)
            else:
                self.sheet.label(net, x, y + 2 * GRID, "right")
        self.sheet.text("Supplied from outside.", 13 * GRID, 79.7 * GRID, 1.5)

    def usb(self):
        self.block("USB, supply of the hub", 6, 82, 42, 112, "J21, U4, R44, R45 only where the hub board has no"
                   " USB\nsocket: two sockets on one pair of lines do not work.")
        socket = kicad.box("USB_B", [("1", "VBUS", "passive"), ("2", "D-", "passive"), ("3", "D+", "passive"),
                                           ("4", "GND", "passive"),
                                           ("5", "SHIELD", "passive")], reference="J", width=10.16,
                           pitch=2 * GRID)
        self.box("J21", socket, 16, 90, {"1": "USB_VBUS", "2": "USB_DM_J", "3": "USB_DP_J", "4": "GND", "5": "GND"})
        guard = kicad.box("USBLC6-2SC6", [("1", "IO1", "passive"), ("3", "IO2", "passive"), ("2", "GND", "passive")],
                          [("6", "IO1", "passive"), ("4", "IO2", "passive"), ("5", "VBUS", "passive")])
        self.box("U4", guard, 29, 91, {"1": "USB_DM_J", "6": "USB_DM_J", "3": "USB_DP_J", "4": "USB_DP_J",
                                       "2": "GND", "5": "USB_VBUS"})
        self.rows(33, 100, [("R44", "USB_DM", "USB_DM_J"), ("R45", "USB_DP", "USB_DP_J")], step=3)
        self.connector("JP3", 18, 108, ["USB_VBUS", "HUB_5V", "+5V"])
        self.connector("J6", 36, 108, ["HUB_5V", "GND"])

    def rest(self):
        self.block("LED, grounds, holes", 94, 96, 118, 112)
        self.row("R46", "LED", "LED_A", 101, 100)
        self.row("D3", "GND", "LED_A", 101, 103)
        self.connector("J25", 114, 101, ["GND"] * 4)
        for i in range(4):
            self.sheet.place(kicad.hole(), f"H{i + 1}", (97 + 5 * i) * GRID, 108 * GRID, "M3",
                             {"Footprint": FOOTPRINT[f"H{i + 1}"]}, in_bom=False, above=5.08)

    def draw(self):
        for block in (self.hub, self.radar, self.sensors, self.inputs, self.steppers, self.power, self.usb, self.rest):
            block()
        return self.sheet
