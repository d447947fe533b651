"""What tools/check-hardware compares of mechanics, radar boards and builds: numbers that stand in more than one file."""

import re

from hardware import tables

ARMS, SIZES = "hardware/mechanical/lever-arms.csv", "hardware/mechanical/dimensions.csv"
POD = "hardware/mechanical/pod.yaml"
STAGES = ("docs/examples/stage-scanner.yaml", "docs/examples/stage-emulated.yaml")
WIRING = "hardware/wiring.md"
RADARS, BUILDS, PAGE = "hardware/radar-pins.csv", "hardware/builds.csv", "hardware/README.md"
ARM_COLUMNS = "sensor,x_m,y_m,z_m,rx_deg,ry_deg,rz_deg,measure_to_m,part,point".split(",")
SIZE_COLUMNS = "name,value,unit,what,source".split(",")
RADAR_COLUMNS = "board,signal,at,status,rework,source".split(",")
RADAR_SUPPLY = {"VIO": "RADAR_VIO_J", "GND": "GND"}  # of radar-pins.csv, with no pin of the hub: the nets of J5
BUILD_COLUMNS = "build,item,part_number,maker,quantity,cost_class,mass_g,power_w,source".split(",")
CLASS = {"A": (0, 1), "B": (1, 5), "C": (5, 20), "D": (20, 100), "E": (100, 500), "F": (500, 1000)}  # euros


def _number(wrong, file, line, name, text):
    try:
        return float(text)
    except ValueError:
        wrong(file, line, f"{name} '{text}' is no number")
        return None


def sizes(facts):
    found = {}
    for line, row in facts.tree.rows(SIZES, SIZE_COLUMNS):
        value = _number(facts.wrong, SIZES, line, row["name"], row["value"])
        if value is not None:
            found[row["name"]] = value
    return found


def arms(facts):
    """Lever arms and mountings of the table = those of the rig file; on the plate, and before it."""
    text, size = facts.tree.text(POD), sizes(facts)
    named = set()
    for line, row in facts.tree.rows(ARMS, ARM_COLUMNS):
        named.add(row["sensor"])
        for key, columns in (("at_m", ("x_m", "y_m", "z_m")), ("rotate_deg", ("rx_deg", "ry_deg", "rz_deg"))):
            ours = [_number(facts.wrong, ARMS, line, f"{row['sensor']} {c}", row[c]) for c in columns]
            theirs, at = tables.yaml_numbers(text, (row["sensor"], key))
            if None in ours:
                continue
            if len(theirs) != 3 or any(abs(a - b) > 1e-9 for a, b in zip(ours, theirs)):
                facts.wrong(POD, at, f"{row['sensor']}: {key} is {theirs or 'missing'}, {ARMS}:{line} has {ours}")
            if key == "at_m" and {"plate_width", "plate_height", "plate_front"} <= set(size):
                x, y, z = (1000 * v for v in ours)
                if abs(x) > size["plate_width"] / 2 or abs(y) > size["plate_height"] / 2 or z < size["plate_front"]:
                    facts.wrong(ARMS, line, f"{row['sensor']} is not on the plate of {SIZES}")
    for line, words in enumerate(text.splitlines(), 1):
        key = re.match(r"(\w+):", words)
        if key and key[1] not in named:
            facts.wrong(POD, line, f"{key[1]} is not in {ARMS}")


def stage(facts):
    """Motor, belt and travel = the stage files that the hub is told."""
    size = sizes(facts)
    need = {"motor_steps", "microsteps", "belt_pitch", "pulley_teeth", "travel", "switch_margin", "turntable_ratio", "overrun",
            "rail_length", "carriage_length"}
    if need - set(size):
        facts.wrong(SIZES, 0, f"{', '.join(sorted(need - set(size)))} missing")
        return
    for name in sorted(need):
        if size[name] <= 0:
            facts.wrong(SIZES, 0, f"{name} is {size[name]:g}: must be above 0")
            return
    rail = size["travel"] + 2 * size["overrun"] + size["carriage_length"]
    if rail > size["rail_length"]:
        facts.wrong(SIZES, 0, f"rail_length is {size['rail_length']:g} mm, but travel, both overruns and the carriage want {rail:g} mm")
    turn = size["motor_steps"] * size["microsteps"]
    per_m = turn / (size["belt_pitch"] * size["pulley_teeth"] * 1e-3)
    low, high = size["switch_margin"] * 1e-3, (size["travel"] - size["switch_margin"]) * 1e-3
    for name in STAGES:
        text = facts.tree.text(name)
        for axis in ("x", "y"):
            steps, at = tables.yaml_numbers(text, (axis, "steps_per_m"))
            if steps != [per_m]:
                facts.wrong(name, at, f"{axis}: steps_per_m is {steps}, motor and belt of {SIZES} give {per_m:g}")
            for key, fits in (("low_m", lambda v: v >= low - 1e-9), ("high_m", lambda v: v <= high + 1e-9)):
                value, at = tables.yaml_numbers(text, (axis, key))
                if len(value) != 1 or not fits(value[0]):
                    facts.wrong(name, at, f"{axis}: {key} is {value}, {SIZES} leaves {low:g} to {high:g}")
            limits = []
            for key in ("speed_m_per_s", "acceleration_m_per_s2", "jerk_m_per_s3"):
                value, at = tables.yaml_numbers(text, (axis, key))
                if len(value) != 1 or not value[0] > 0:
                    facts.wrong(name, at, f"{axis}: {key} is {'missing' if not value else f'{value[0]:g}: must be above 0'}")
                else:
                    limits.append(value)
            if len(limits) == 3:  # docs/firmware-motion.md: the way of a controlled stop
                v, a, j = limits
                way = v[0] / 2 * (v[0] / a[0] + a[0] / j[0]) + v[0] * a[0] / j[0]
                if way > size["overrun"] * 1e-3:
                    facts.wrong(name, at, f"{axis}: braking takes {1e3 * way:.1f} mm, {SIZES} has {size['overrun']:g} mm"
                                " behind the switch")
        steps, at = tables.yaml_numbers(text, ("turntable", "steps_per_turn"))
        if steps != [turn * size["turntable_ratio"]]:
            facts.wrong(name, at, f"turntable: steps_per_turn is {steps}, {SIZES} gives {turn * size['turntable_ratio']:g}")


def radars(facts):
    """Every signal and supply of the radar's connector has a place, or says that it is not confirmed and where to look, for each board."""
    ours = [row["signal"] for _, row in facts.pinmap if row["connector"].startswith("J5.")] + list(RADAR_SUPPLY)
    found = {}
    for line, row in facts.tree.rows(RADARS, RADAR_COLUMNS):
        board = found.setdefault(row["board"], {})
        if row["signal"] in board:
            facts.wrong(RADARS, line, f"{row['board']}: {row['signal']} is there twice")
        board[row["signal"]] = line
        if row["signal"] not in ours:
            facts.wrong(RADARS, line, f"{row['signal']} does not go to the radar in hardware/pinmap.csv")
        if row["status"] not in ("confirmed", "reported", "not confirmed"):
            facts.wrong(RADARS, line, f"status '{row['status']}' is none of confirmed, reported, not confirmed")
        if (row["at"] == "?") != (row["status"] == "not confirmed"):
            facts.wrong(RADARS, line, f"{row['signal']}: a place that is '{row['at']}' cannot be '{row['status']}'")
        if row["status"] == "reported" and not re.search(r"\bthreads? \d{5,}", row["source"]):
            facts.wrong(RADARS, line, f"{row['signal']}: is reported, but the source names no thread with its number")
        if row["status"] == "not confirmed" and "look up" not in row["source"] and "use" not in row["source"] \
                or not row["source"]:
            facts.wrong(RADARS, line, f"{row['signal']}: does not say where to look it up")
    for name, board in found.items():
        for signal in ours:
            if signal not in board:
                facts.wrong(RADARS, min(board.values()), f"{name}: {signal} is missing")


def wiring(facts):
    """The section of wiring.md for a board names the resistors that radar-pins.csv does, and no others; and its header pins."""
    text = facts.tree.text(WIRING)
    named = {}
    for _, row in facts.tree.rows(RADARS, RADAR_COLUMNS):
        found = named.setdefault(row["board"], set())
        found |= set(re.findall(r"\bR\d+\b", row["rework"])) | set(re.findall(r"\bJ\d+-\d+\b", row["at"]))
    for board, wanted in named.items():
        begin = text.find("### " + board.replace(" and ", ", "))
        if begin < 0:
            facts.wrong(WIRING, 0, f"there is no section '### {board.replace(' and ', ', ')}', as in {RADARS}")
            continue
        end = text.find("\n##", begin + 1)
        section = "\n".join(r for r in text[begin:end].splitlines() if r.startswith("|"))
        said = set(re.findall(r"\bR\d+\b|\bJ\d+-\d+\b", section))
        for name in sorted(said ^ wanted):
            facts.wrong(WIRING, text[:begin].count("\n") + 1, f"{board}: {name} is {'not ' if name in said else ''}in {RADARS},"
                        f" and {'' if name in said else 'not '}here")


def _plate(facts, line, row, mass, size):
    """The mass of a plate is that of the plate that is drawn."""
    said = re.search(r"(\d+) x (\d+) x (\d+) mm less (\d+) x (\d+) mm .*?([\d.]+) g/cm3", row["source"])
    if not said:
        facts.wrong(BUILDS, line, f"{row['item']}: the source does not say 'W x H x T mm less w x h mm ... D g/cm3'")
        return
    width, height, thick, a, b, density = map(float, said.groups())
    drawn = [size.get(name) for name in ("plate_width", "plate_height", "plate_window", "plate_window")]
    if [width, height, a, b] != drawn:
        facts.wrong(BUILDS, line, f"{row['item']} is {said[1]} x {said[2]} less {said[4]} x {said[5]} mm, {SIZES} has {drawn}")
    grams = (width * height - a * b) * thick * density * 1e-3
    if abs(grams - mass) > 0.5:
        facts.wrong(BUILDS, line, f"{row['item']}: mass is {mass:g} g, its size gives {grams:.1f} g")


def builds(facts):
    """Parts have numbers; 24 V has another plug than 5 V; the sums on the page are those of the table."""
    sums, size = {}, sizes(facts)
    for line, row in facts.tree.rows(BUILDS, BUILD_COLUMNS):
        if not row["part_number"].strip() or not row["maker"].strip():
            facts.wrong(BUILDS, line, f"{row['item']} has no part number or maker")
        if re.search(r"\b24 V\b", row["item"]) and re.search(r"-P1J\b", row["part_number"]):
            facts.wrong(BUILDS, line, f"{row['item']}: {row['part_number']} has the 2.1 mm plug of the 5 V supplies; one of 24 V"
                        " there destroys a radar: take one that ends in -P1M (2.5 mm)")
        if row["cost_class"] not in CLASS:
            facts.wrong(BUILDS, line, f"cost class '{row['cost_class']}' is none of A to F")
            continue
        count = _number(facts.wrong, BUILDS, line, "quantity", row["quantity"]) or 0
        mass = _number(facts.wrong, BUILDS, line, "mass", row["mass_g"] or "0") or 0
        if row["part_number"].endswith("plate.svg"):
            _plate(facts, line, row, mass, size)
        power = _number(facts.wrong, BUILDS, line, "power", row["power_w"] or "0") or 0
        low, high = CLASS[row["cost_class"]]
        total = sums.setdefault(row["build"], [0, 0, 0, 0])
        for i, value in enumerate((low, high, mass, power)):
            total[i] += count * value
    page = facts.tree.text(PAGE)
    for name, (low, high, mass, power) in sums.items():
        for words in [f"{low:g} to {high:g} euros"] + ([f"{mass:g} g", f"{power:.1f} W"] if name == "pod" else []):
            line = next((i for i, text in enumerate(page.splitlines(), 1) if f"**{name}:**" in text and words in text), 0)
            if not line:
                facts.wrong(PAGE, 0, f"the line of **{name}:** does not say '{words}', the sum of {BUILDS}")


ALL = (arms, stage, radars, wiring, builds)
