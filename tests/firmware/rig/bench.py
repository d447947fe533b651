"""The clock that the emulated parts go by: that of the emulated board, read from its timer. On a
busy machine the emulator is slow; by the wall's clock a sensor of 200 Hz would then be one of 300
Hz to the hub."""
import threading
import time

STEP_S = 2.0        # the timer is read far more often: a larger step is a timer that began anew
SHORTEST_S = 0.0005  # of the pauses between two looks


class Bench(threading.Thread):
    """Calls each part's beat() every period_s. One that is late is made up for."""

    def __init__(self, board):
        super().__init__(daemon=True)
        self.board = board
        self.rate = board.facts.timer[1]
        self.count = board.count()
        self.now = 0.0
        self.latest_s = 0.0  # by which a look came late: what the host did not run the emulator
        self.parts = []
        self.ended = threading.Event()
        self.failed = None

    def add(self, part):
        part.due = self.now
        self.parts.append(part)

    def look(self):
        """The time now."""
        count = self.board.count()
        step = ((count - self.count) & 0xFFFFFFFF) / self.rate
        self.count = count
        if step < STEP_S:
            self.now += step
        return self.now

    def run(self):
        try:
            while not self.ended.is_set():
                asked = time.monotonic()
                now = self.look()
                self.latest_s = max(self.latest_s, time.monotonic() - asked)
                for part in self.parts:
                    part.catch_up(now)
                due = min((part.due for part in self.parts if not part.over), default=now + 0.01)
                pause = max(SHORTEST_S, min(due - now, 0.01))
                asked = time.monotonic()
                time.sleep(pause)
                self.latest_s = max(self.latest_s, time.monotonic() - asked - pause)
        except (OSError, RuntimeError, ValueError) as error:
            if not self.ended.is_set():
                self.failed = error

    def pass_time(self, seconds):
        """Waits until the board's clock has gone on by so much."""
        until = self.now + seconds
        limit = time.monotonic() + 10 + 20 * seconds
        while self.now < until and time.monotonic() < limit and self.is_alive():
            time.sleep(min(0.01, seconds))

    def end(self):
        self.ended.set()
        if self.is_alive():
            self.join(10)
