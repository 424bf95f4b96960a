"""The slow, obvious twin of the model of embassy-rp: its calls played step by step on a FIFO and a shift register.

Nothing here knows a formula. Where the driver's code leaves it to chance what happens first (an entry leaves the FIFO
while the task fills it, the task is late by a byte or more) `choose(k)` says which of k ways it goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

Choose = Callable[[int], int]
DEEP = 16


class Played:
    """One call. `events` is what a capture of it shows; `nack`: the data byte that is refused, 0 for the address."""

    def __init__(self, choose: Choose, nack: int | None = None, *, late_handler: bool = False) -> None:
        self.choose, self.nack, self.late_handler = choose, nack, late_handler
        self.events = ["start", "address"]
        self.queue: list[str] = []
        self.shifting = ""
        self.sent = self.received = 0
        self.last_queued = self.aborted = self.stopped = False
        self.address_answered = False

    @property
    def interrupts(self) -> int:
        return self.events.count("irq.begin")

    # ---- the wire ----

    def step(self) -> None:
        """The wire's next event: an entry leaves the FIFO, a byte is over, or STOP comes."""
        if self.aborted:
            self.stop()
            return
        if not self.address_answered and self.nack == 0:
            self.refuse()
            return
        self.address_answered = True
        if not self.shifting and not self.queue:
            if self.last_queued:
                self.stop()
            return
        if self.shifting:
            self.events.append("data")
            self.sent += self.shifting == "write"
            self.received += self.shifting == "read"
            self.shifting = ""
            if self.nack is not None and self.sent == self.nack:
                self.refuse()
                return
        if self.queue:
            before, self.shifting = self.received, self.queue.pop(0)
            if self.shifting == "read" and self.sent and not before:
                self.events += ["restart", "address"]
                if self.nack == -1:
                    self.refuse()

    def refuse(self) -> None:
        self.events.append("nack")
        self.queue.clear()
        self.shifting = ""
        self.aborted = True

    def stop(self) -> None:
        if not self.stopped:
            self.events.append("stop")
        self.stopped = True

    # ---- the driver ----

    def told(self) -> None:
        """An interrupt, and the task after it, each perhaps late."""
        for _ in range(self.choose(3) if self.late_handler else 0):
            self.step()
        self.events.append("irq.begin")
        for _ in range(self.choose(4)):
            self.step()
        self.events.append("wake")

    def write(self, n: int, *, stop: bool) -> None:
        left = n
        while not self.aborted:
            leaves = self.choose(2) == 1
            while True:  # one fill; what leaves meanwhile makes room for one more
                for _ in range(DEEP - len(self.queue)):
                    if not left:
                        self.last_queued |= stop
                        return
                    left -= 1
                    self.queue.append("write")
                    self.last_queued |= stop and not left
                if leaves and len(self.queue) == DEEP and (not self.shifting or self.nack != self.sent + 1):
                    leaves = False
                    if self.nack == 0 and not self.address_answered:
                        self.shifting = self.queue.pop(0)  # taken before the address is answered
                    else:
                        self.step()
                if len(self.queue) == DEEP:
                    break
            while len(self.queue) > 1 and not self.aborted:
                self.step()
            self.told()

    def read(self, m: int) -> None:
        asked = got = 0
        while got < m and not self.aborted:
            batch = min(m - asked, DEEP - len(self.queue))
            asked += batch
            self.queue += ["read"] * batch
            self.last_queued = asked == m
            while self.received < asked and not self.aborted:
                self.step()
            self.told()
            got = asked

    def end(self) -> None:
        """wait_stop_det."""
        knew = self.aborted
        if knew:
            if not self.stopped:
                self.stop()
                self.told()
            return
        while not self.stopped and not self.aborted:
            self.step()
            if self.stopped or self.aborted:
                self.told()
        self.stop()


def played(
    n: int | None, m: int | None, choose: Choose, nack: int | None = None, *, late_handler: bool = False
) -> Played:
    """write(n), read(m), or write_read(n, m). `nack` -1: of the read's address after a repeated START."""
    call = Played(choose, nack, late_handler=late_handler)
    if n is not None:
        call.write(n, stop=m is None)
    if m is not None:
        call.read(m)
    call.end()
    return call


def every_way(n: int | None, m: int | None, nack: int | None = None) -> Iterator[Played]:
    """All ways the call can go, with the handler always prompt."""
    script: list[tuple[int, int]] = []
    while True:
        at = 0

        def choose(ways: int) -> int:
            nonlocal at
            if at == len(script):
                script.append((0, ways))
            at += 1
            return script[at - 1][0]

        yield played(n, m, choose, nack)
        while script and script[-1][0] + 1 == script[-1][1]:
            script.pop()
        if not script:
            return
        script[-1] = script[-1][0] + 1, script[-1][1]
