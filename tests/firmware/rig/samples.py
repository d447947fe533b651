"""Whether every sample that the emulated sensors sent came through the hub, once and whole."""
import flow
import gnss
import imu
import wire
from rig import check


# Between two bytes of a sample the emulator may stand still where the host does: then the hub
# rightly takes them for parts of different samples, or the sensor for silent. On a host that kept
# up nothing may be missing at all.
KEPT_UP_S = 0.002
SPOILED = ("resyncs", "checksum", "silences", "overflows")


def follow(rig):
    """Numbers that the sensors have come to: what is sent from here on must arrive. A frame or two
    may be under way."""
    rig.bench.latest_s = 0.0
    return {name: part.number + 1 for name, part in rig.parts.items()}


# Record, part that makes it, number of a sample in it, and when numbers begin again.
SAMPLES = (("imu", "imu", imu.number_of, imu.SPAN), ("flow", "flow", flow.flow_number, flow.SPAN**2),
           ("range", "flow", flow.range_number, flow.RANGES),
           ("gnss", "gnss", gnss.number_of, gnss.SPAN))


def numbers(records, decode, span):
    """Of the samples that records carry, counted on where the sensor's begin again."""
    found, round_ = [], 0
    for record in records:
        number = decode(record.values)
        check(number is not None and 0 <= number < span, f"a mixed sample: {record.values}")
        number += round_
        if found and number < found[-1] - span // 2:
            round_ += span
            number += span
        found.append(number)
    return found


def check_samples(rig, kind, channel, sent, got):
    """Once each, in order, and all of them, but those that a host that stood still spoiled: these
    the hub has counted. Returns them in words."""
    check(all(a < b for a, b in zip(got, got[1:])), f"{kind}: samples twice or out of order")
    missing = sorted(set(sent) - set(got))
    if not missing:
        return ""
    late = rig.bench.latest_s
    record = rig.hub.wait("sensor", since=rig.hub.mark(), timeout=8, channel=channel)
    counted = sum(record.values[name] for name in SPOILED) if record else 0
    check(late > KEPT_UP_S and len(missing) <= counted,
          f"{kind}: {len(missing)} of {len(sent)} samples missing: {missing[:8]} ...; the host was"
          f" {1e3 * late:.1f} ms late; the hub's counters: {record.values if record else None}")
    return (f" BUT {len(missing)}, SPOILED BY A HOST {1e3 * late:.0f} ms LATE AND COUNTED BY THE"
            " HUB")


def check_sensors(rig, first):
    """Ends the sensors; every sample they sent since `first` must have arrived, once and whole."""
    for part in rig.parts.values():
        part.end()
    rig.settle(0.6)
    text = []
    for kind, name, decode, span in SAMPLES:
        if name not in rig.parts:
            continue
        part = rig.parts[name]
        records = [r for r in rig.hub.of(kind) if r.channel != 255]
        sent = [n for n in part.numbers if n >= first[name]]
        check(sent, f"{name} sent nothing")
        got = numbers(records, decode, span)
        # A sensor may have begun again in its numbers before the hub first heard it.
        before = (part.numbers[-1] - got[-1]) // span * span if got else 0
        spoiled = check_samples(rig, kind, wire.SENSORS.index(name.upper()), sent,
                                [n + before for n in got])
        late = f" (late {1e3 * part.latest_s:.0f} ms at most)" if kind == name else ""
        text.append(f"{kind} {len(sent)} of {len(sent)}{spoiled}{late}")
    return "; ".join(text)
