"""Crashes: the hub comes back by itself and says what happened."""
import time

import wire
from rig import Rig, check, same
from samples import check_sensors, follow


def back_again(rig, fault, reason, error, starts):
    """Injects, and returns the crash record of the next start."""
    hub = rig.hub
    at = hub.mark()
    began = time.monotonic()
    hub.command("do_inject", magic=wire.MAGIC, fault=fault)
    hello = hub.wait("hello", lambda v: v["starts"] == starts, at, 20)
    check(hello, "the hub does not come back")
    took = time.monotonic() - began
    same(hello.sequence, 0, "number of the first record")
    check(hello.values["flags"] & 8, "hello does not tell of the crash record")
    same(wire.RESETS[hello.values["reset"]], reason, "reason of the start")
    crash = hub.wait("crash", since=at, timeout=2)
    check(crash, "no crash record at the start")
    at = hub.mark()
    hub.hello()
    check(hub.wait_error(error, since=at), f"{error} is not reported")
    same([e for e in rig.errors() if e in ("CRASHED", "WATCHDOG")], [error], "errors latched")
    hub.clear()
    same([e for e in rig.errors() if e in ("CRASHED", "WATCHDOG")], [], "errors after the clear")
    return crash.values, took


def forgotten(rig):
    hub = rig.hub
    at = hub.mark()
    hub.command("do_crash", forget=0)
    check(hub.wait("crash", since=at, timeout=2), "the crash record again")
    hub.command("do_crash", forget=1)
    at = hub.mark()
    hub.command("do_crash", forget=0)
    rig.settle(0.3)
    same(hub.of("crash", at), [], "crash records after it was forgotten")


def crash(folder):
    """A fault and a hang on purpose: crash record, name, a start that works."""
    for board in ("stm32f405", "mps2-an386"):
        with Rig(board, folder) as rig:
            rig.wait_running()
            rig.accounted()
            record, took = back_again(rig, wire.FAULT_BUS, "SOFTWARE", "CRASHED", 2)
            check(record["exception"] in (3, 5), f"exception {record['exception']}")
            check(record["registers"][6] & ~1, "no program counter")
            check(record["uptime_ns"] > 1e9, "no uptime")
            same(record["crashes"], 1, "crashes")
            print(f"  {board}: fault {record['exception']} at pc {record['registers'][6]:#x}, address"
                  f" {record['address']:#x}, cfsr {record['cfsr']:#x}, place {record['place']}; back"
                  f" in {took:.2f} s")
            forgotten(rig)
            place = record["place"]
            record, took = back_again(rig, wire.FAULT_HANG, "WATCHDOG", "WATCHDOG", 3)
            same((record["exception"], record["crashes"]), (0, 2), "exception, crashes")
            same(record["place"], place, "place of the hang: what was injected")
            print(f"  {board}: hang ended by the watchdog, back in {took:.2f} s")
            forgotten(rig)
            rig.wait_running()
            first = follow(rig)
            rig.settle(2)
            print(f"  {board}: afterwards {check_sensors(rig, first)}")


CASES = [crash]
