"""A client of the hub: commands that are repeated until answered, records kept by kind, and the
account of what was made, received and dropped."""
import collections
import threading
import time

import wire

Record = collections.namedtuple("Record", "name channel sequence time_ns values tail wall")


SLOWER = 4  # than the clock on the wall: what an emulator on a busy machine may be


class NoAnswer(Exception):
    pass


class Refused(Exception):
    def __init__(self, command, reply):
        self.result = wire.RESULTS[reply.result] if reply.result < len(wire.RESULTS) else "?"
        self.detail = reply.detail
        super().__init__(f"{command}: {self.result}, detail {reply.detail}")


Reply = collections.namedtuple("Reply", "command result detail number tail time_ns")


class Hub:
    """`port` sends bytes and hands over what it reads (emulated_board.Port)."""

    def __init__(self, port):
        self.port = port
        self.reader = wire.Reader()
        self.lock = threading.Condition()
        self.records = []
        self.unknown = 0  # of no known kind, or too short for it
        self.bytes = 0
        self.sequence = 0
        self.replies = {}
        port.hand_to(self.take)

    # --- what the hub says -----------------------------------------------------------------------

    def take(self, piece):
        wall = time.monotonic()
        messages = self.reader.feed(piece)
        with self.lock:
            self.bytes += len(piece)
            for message in messages:
                self._keep(message, wall)
            if messages:
                self.lock.notify_all()

    def _keep(self, message, wall):
        payload = wire.BY_KIND.get(message.kind)
        parts = payload.unpack(message.payload) if payload else None
        if parts is None:
            self.unknown += 1
            return
        values, tail = parts
        self.records.append(Record(payload.name, message.channel, message.sequence,
                                   message.time_ns, values, tail, wall))
        if payload.name == "reply":
            self.replies[values["number"]] = Reply(
                values["command"], values["result"], values["detail"], values["number"], tail,
                message.time_ns)

    def mark(self):
        """Where the records are now, for `since`."""
        with self.lock:
            return len(self.records)

    def of(self, name, since=0, channel=None):
        with self.lock:
            return [record for record in self.records[since:] if record.name == name
                    and (channel is None or record.channel == channel)]

    def wait(self, name, test=None, since=0, timeout=20.0, channel=None):
        """The first record of that name that passes the test; None after the time-out, in seconds
        of an emulator that runs at a quarter of its speed."""
        end = time.monotonic() + SLOWER * timeout
        at = since
        with self.lock:
            while True:
                for record in self.records[at:]:
                    if (record.name == name and (channel is None or record.channel == channel)
                            and (test is None or test(record.values))):
                        return record
                at = len(self.records)
                left = end - time.monotonic()
                if left <= 0:
                    return None
                self.lock.wait(left)

    def wait_error(self, error, latched=1, since=0, timeout=20.0):
        code = wire.ERRORS.index(error)
        return self.wait("error", lambda v: v["error"] == code and v["latched"] == latched,
                         since, timeout)

    # --- what the host says ----------------------------------------------------------------------

    def send_bytes(self, data):
        self.port.send(data)

    def send(self, name, tail=b"", channel=0, sequence=None, raw=None, **values):
        """Sends a command without waiting; returns its sequence number. `raw` replaces the payload."""
        payload = wire.PAYLOADS[name] if isinstance(name, str) else None
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        content = raw if raw is not None else payload.pack(values, tail) if payload else b""
        kind = payload.kind if payload else name
        self.send_bytes(wire.encode(kind, channel, sequence, 0, content))
        return sequence

    def try_command(self, name, tail=b"", channel=0, timeout=5.0, tries=4, raw=None, **values):
        """The reply. The same sequence number is sent again after each time-out: the hub answers
        twice and acts once."""
        sequence = None
        for _ in range(tries):
            sequence = self.send(name, tail, channel, sequence, raw, **values)
            end = time.monotonic() + timeout
            with self.lock:
                while sequence not in self.replies:
                    left = end - time.monotonic()
                    if left <= 0:
                        break
                    self.lock.wait(left)
                if sequence in self.replies:
                    return self.replies.pop(sequence)
        raise NoAnswer(f"{name}: no answer in {tries} times {timeout} s")

    def command(self, name, tail=b"", **values):
        """The reply of a command that must be done."""
        reply = self.try_command(name, tail, **values)
        if reply.result != 0:
            raise Refused(name, reply)
        return reply

    def hello(self, timeout=5.0, tries=4):
        """Introduces itself; returns the hub's hello."""
        at = self.mark()
        self.command("do_hello", major=wire.MAJOR, minor=wire.MINOR, timeout=timeout, tries=tries)
        record = self.wait("hello", since=at, timeout=5)
        if record is None:
            raise NoAnswer("do_hello: done, but no hello came")
        return record.values

    def status(self, timeout=5.0):
        """A status made after now."""
        at = self.mark()
        self.command("do_status", timeout=timeout)
        record = self.wait("status", since=at, timeout=5)
        if record is None:
            raise NoAnswer("do_status: done, but no status came")
        return record

    def clear(self, errors=0xFFFFFFFF):
        return self.try_command("do_clear", errors=errors)


def errors_of(status):
    """Names of the errors latched in a status."""
    return [name for bit, name in enumerate(wire.ERRORS) if status.values["errors"] >> bit & 1]


Account = collections.namedtuple("Account", "made received dropped missing double order")


def account(hub, since=0):
    """Compares the sequence numbers received since a mark (the beginning of a start of the hub)
    with the last status among them. Everything made is received or counted as dropped when
    made = received + dropped; `missing` is what neither explains."""
    with hub.lock:
        records = hub.records[since:]
    last = max((i for i, r in enumerate(records) if r.name == "status"), default=None)
    if last is None:
        raise NoAnswer("no status to take the account from")
    status = records[last]
    before = [r.sequence for r in records[:last]]
    received = set(before)
    made, dropped = status.values["made"], status.values["dropped"]
    order = sum(b <= a for a, b in zip(before, before[1:]))
    return Account(made, len(received), dropped, made - len(received) - dropped,
                   len(before) - len(received), order)
