"""The stage as the pins drive it: steps and triggers counted from what the firmware wrote to its
pins. The truth that its own counts are compared with."""
from collections import namedtuple

AXES = 3

# A pulse to the radar: position of each axis, and the steps of each so far.
Sync = namedtuple("Sync", "position steps")


class Stage:
    def __init__(self, board):
        self.board = board
        self.position = [0] * AXES
        self.steps = [0] * AXES
        self.inverted = [False] * AXES
        self.level = {}
        self.syncs = []
        self.enables = []   # (axis, on) as they came
        self.resets = []    # of the radar: 1 released
        self.sop = None     # at the last release
        self.odd = 0        # times that STEP or SYNC rose and was up already

        self.forget_reach()

    def forget_reach(self):
        """`reach` is where each axis has been since, and `start` where it was."""
        self.start = tuple(self.position)
        self.reach = [(position, position) for position in self.position]

    def read(self):
        """Takes what the pins did since the last time."""
        for name, level in self.board.pin_writes():
            before = self.level.get(name)
            self.level[name] = level
            if name == "SYNC":
                self._edge(before, level, self._sync)
            elif name.startswith("STEP"):
                self._edge(before, level, self._step, int(name[4:]))
            elif name.startswith("EN") and before != level:
                self.enables.append((int(name[2:]), not level))
            elif name == "RADAR_RESET" and before != level:
                self.resets.append(level)
                self.sop = [self.level.get(f"SOP{bit}") for bit in range(3)]
        return self

    def _edge(self, before, level, rising, *arguments):
        if before is None:
            return  # all low at the start
        self.odd += bool(before and level)
        if level and not before:
            rising(*arguments)

    def _step(self, axis):
        forward = bool(self.level.get(f"DIR{axis}")) != self.inverted[axis]
        self.steps[axis] += 1
        self.position[axis] += 1 if forward else -1
        low, high = self.reach[axis]
        self.reach[axis] = min(low, self.position[axis]), max(high, self.position[axis])

    def _sync(self):
        self.syncs.append(Sync(tuple(self.position), tuple(self.steps)))
