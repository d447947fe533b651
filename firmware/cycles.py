#!/usr/bin/python3
"""Worst-case processor cycles of interrupt handlers, from a listing of objdump.

    firmware/cycles.py build/firmware/hub-stm32f405.lst [FUNCTION...]

Without names: the handlers of the boards. Sums the dearest way through each function with the
cycles of the Cortex-M4 (DDI 0439 3.3.1), calls included, and adds 12 to enter an interrupt and 12
to leave it. Every loop is counted once, and said; calls through pointers count as their branch
alone, and are said. Memory is taken without wait states: the flash accelerator of the STM32F405 gives
that for code it holds, while a register behind an APB bus adds some 4 to 12 cycles, of which there
is one for each access in the column `memory` at most.
"""

import re
import sys
from collections import namedtuple

HANDLERS = ("core_tick_handler", "stamps_exti_handler", "stamps_tim2_handler",
            "serial_usart1_handler", "serial_uart0_rx_handler", "serial_uart0_tx_handler",
            "board_pulse_sync", "board_set_step")
ENTER_AND_LEAVE = 24
PIPELINE = 3  # refill after a taken branch, at worst

Cost = namedtuple("Cost", "cycles memory loops pointers")
ZERO = Cost(0, 0, 0, 0)


def add(a, b):
    return Cost(*(x + y for x, y in zip(a, b)))


def read(path):
    """{function: [(address, mnemonic, operands)]} and {address: function}"""
    functions, starts, current = {}, {}, None
    for line in open(path, errors="replace"):
        head = re.match(r"([0-9a-f]{8}) <([^>]+)>:$", line)
        if head:
            current = functions.setdefault(head[2], [])
            starts[int(head[1], 16)] = head[2]
            continue
        code = re.match(r" *([0-9a-f]+):\t[0-9a-f]{4}(?: [0-9a-f]{4})? +\t(\S+)\t?([^@;]*)", line)
        if code and current is not None and not code[2].startswith("."):
            current.append((int(code[1], 16), code[2].replace(".n", "").replace(".w", ""),
                            code[3].strip()))
    return functions, starts


def registers(operands):
    """How many are in {r0-r3, lr}."""
    inside = re.search(r"\{([^}]*)\}", operands)
    n = 0
    for part in inside[1].split(",") if inside else ():
        ends = [int(x) for x in re.findall(r"[rs](\d+)", part)]
        n += ends[1] - ends[0] + 1 if len(ends) == 2 else 1
    return n


def own_cost(name, operands):
    """Of one instruction, not counting the refill of a taken branch."""
    if name.startswith(("push", "pop", "ldm", "stm", "vpush", "vpop", "vldm", "vstm")):
        n = registers(operands)
        return Cost(1 + n + (PIPELINE if "pc" in operands else 0), n, 0, 0)
    if name.startswith(("ldrd", "strd")):
        return Cost(3, 2, 0, 0)
    if name.startswith(("ldr", "vldr", "str", "vstr")):
        return Cost(2 + (PIPELINE if operands.startswith("pc") else 0), 1, 0, 0)
    if name.startswith(("sdiv", "udiv")):
        return Cost(12, 0, 0, 0)
    if name.startswith(("vdiv", "vsqrt")):
        return Cost(14, 0, 0, 0)
    if name.startswith(("vmla", "vmls", "vfma", "vfms")):
        return Cost(3, 0, 0, 0)
    if name in ("dsb", "isb", "dmb"):
        return Cost(4, 0, 0, 0)
    return Cost(1, 0, 0, 0)


CONDITIONS = "eq ne cs cc mi pl vs vc hi ls ge lt gt le".split()


def branch(name, operands):
    """(kind, target): kind is None, 'jump', 'maybe', 'call', 'leave' or 'pointer'."""
    target = re.search(r"\b([0-9a-f]{5,8}|[0-9a-f]{3,8}) <", operands)
    target = int(target[1], 16) if target else None
    if name in ("bl",):
        return "call", target
    if name == "blx":
        return "pointer", None
    if name.startswith("bx") or (name.startswith("pop") and "pc" in operands):
        return "leave" if "lr" in operands or name.startswith("pop") else "pointer_last", None
    if name in ("cbz", "cbnz") or (name[0] == "b" and name[1:] in CONDITIONS):
        return "maybe", target
    if name == "b":
        return "jump", target
    if name.startswith(("tbb", "tbh")):
        return "table", None
    return None, None


class Flow:
    """The ways through one function: edges[i] = [(next instruction or None at the end, cost)]."""

    def __init__(self, code, cost_of_call):
        self.code = code
        self.index = {address: i for i, (address, _, _) in enumerate(code)}
        self.cost_of_call = cost_of_call
        self.edges = [self._edges(i) for i in range(len(code))]
        self.back = self._back_edges()

    def _edges(self, i):
        _, name, operands = self.code[i]
        cost = own_cost(name, operands)
        kind, target = branch(name, operands)
        after = i + 1 if i + 1 < len(self.code) else None
        if kind is None:
            return [(after, cost)]
        taken = add(cost, Cost(PIPELINE, 0, 0, 0))
        if kind == "leave":
            return [(None, cost if name.startswith("pop") else taken)]
        if kind in ("pointer", "pointer_last"):
            return [(after if kind == "pointer" else None, add(taken, Cost(0, 0, 0, 1)))]
        if kind == "call":
            return [(after, add(taken, self.cost_of_call(target)))]
        if kind == "table":  # any of what follows, as far as one can see from here
            return [(j, add(taken, Cost(2, 1, 0, 0))) for j in range(i + 1, len(self.code))]
        if target in self.index:
            jump = (self.index[target], taken)
        else:
            jump = (None, add(taken, self.cost_of_call(target)))
        return [jump, (after, cost)] if kind == "maybe" else [jump]

    def _back_edges(self):
        """Edges to where the way came from already, by a search in depth."""
        back, done, on_way = set(), set(), set()
        stack = [(0, iter(self.edges[0]))] if self.edges else []
        on_way.add(0)
        while stack:
            i, rest = stack[-1]
            for j, _ in rest:
                if j in on_way:
                    back.add((i, j))
                elif j is not None and j not in done:
                    on_way.add(j)
                    stack.append((j, iter(self.edges[j])))
                    break
            else:
                stack.pop()
                on_way.discard(i)
                done.add(i)
        return back

    def _body(self, head):
        """The natural loop of a head: what reaches one of its ends without passing it."""
        todo = [i for i, j in self.back if j == head]
        body = {head, *todo}
        while todo:
            j = todo.pop()
            if j == head:
                continue
            for i, edges in enumerate(self.edges):
                if i not in body and any(next_ == j for next_, _ in edges):
                    body.add(i)
                    todo.append(i)
        return body

    def _exits(self, head):
        """Where the way goes on after a loop."""
        body, found = self._body(head), set()
        for i in body:
            for j, _ in self.edges[i]:
                if j not in body:
                    found |= self._exits(j) if (i, j) in self.back else {j}
        return found or {None}

    def _ways(self, i):
        """Edges, where those back to the head of a loop lead out of it."""
        for j, cost in self.edges[i]:
            if (i, j) in self.back:
                for k in self._exits(j):
                    yield k, add(cost, Cost(0, 0, 1, 0))
            else:
                yield j, cost

    def worst(self):
        """The dearest way, each loop gone through once."""
        ways = [list(self._ways(i)) for i in range(len(self.code))]
        best, stack, open_ = {None: ZERO}, [0], set()
        while stack:
            i = stack[-1]
            # one that is open already closes a loop of several entries: it ends the way
            wanted = [j for j, _ in ways[i] if j not in best and j not in open_]
            if wanted and i not in best:
                open_.add(i)
                stack.append(wanted[0])
            else:
                best[i] = max(add(cost, best.get(j, ZERO)) for j, cost in ways[i])
                open_.discard(i)
                stack.pop()
        return best[0]


class Listing:
    def __init__(self, path):
        self.functions, self.starts = read(path)
        self.known = {}

    def worst(self, function):
        """The dearest way through a function. A recursive call counts nothing."""
        if function not in self.known:
            self.known[function] = ZERO
            code = self.functions.get(function)
            if code:
                flow = Flow(code, lambda target: self.worst(self.starts.get(target, "")))
                self.known[function] = flow.worst()
        return self.known[function]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    listing = Listing(sys.argv[1])
    names = sys.argv[2:] or [name for name in HANDLERS if name in listing.functions]
    print(f"{'function':28} cycles  us at 168 MHz  memory  loops  pointers")
    for name in names:
        if name not in listing.functions:
            sys.exit(f"{sys.argv[1]}: no function {name}")
        cost = listing.worst(name)
        cycles = cost.cycles + (ENTER_AND_LEAVE if name.endswith("_handler") else 0)
        print(f"{name:28} {cycles:6} {cycles / 168:14.2f} {cost.memory:7} {cost.loops:6} "
              f"{cost.pointers:9}")


main()
