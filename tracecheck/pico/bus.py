"""An I2C bus: two open-drain lines that anybody may pull low, and what their edges mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, TypeAlias

from tracecheck.pico.clock import Clock

LineName: TypeAlias = Literal["scl", "sda"]
Watcher: TypeAlias = Callable[[LineName, int, float], None]

ASSUMPTIONS: Final = ("the lines of the bus rise and fall at once: no capacitance, no pull-up's time constant",)


class Bus:
    """SCL and SDA, both high while nobody pulls.

    `transfers` STARTs so far, repeated ones not counted: the current or last transfer has the number `transfers - 1`
    `busy`      between START and STOP
    `on_start`, `on_stop`  called with the transfer's number and the time
    """

    def __init__(self, name: str, clock: Clock) -> None:
        self.name, self._clock = name, clock
        self.transfers = 0
        self.busy = False
        self.on_start: list[Callable[[int, float], None]] = []
        self.on_stop: list[Callable[[int, float], None]] = []
        self._pulling: dict[LineName, set[str]] = {"scl": set(), "sda": set()}
        self._watchers: list[Watcher] = []

    def level(self, line: LineName) -> int:
        """0 while anybody pulls `line` low."""
        return 0 if self._pulling[line] else 1

    def pull(self, line: LineName, driver: str, low: bool) -> None:
        """`driver` pulls `line` low, or lets it go."""
        pulling = self._pulling[line]
        before = not pulling
        if low:
            pulling.add(driver)
        else:
            pulling.discard(driver)
        if before == (not pulling):
            return
        now, level = self._clock.now_ns, int(not pulling)
        starts = stops = False
        if line == "sda" and not self._pulling["scl"]:
            starts, stops = not level and not self.busy, bool(level) and self.busy
        if starts:
            self.busy = True
            self.transfers += 1
            for call in self.on_start:
                call(self.transfers - 1, now)
        elif stops:
            self.busy = False
        for watcher in self._watchers:
            watcher(line, level, now)
        if stops:
            for call in self.on_stop:
                call(self.transfers - 1, now)

    def watch(self, watcher: Watcher) -> None:
        """Call `watcher(line, level, ns)` at every edge from now on."""
        self._watchers.append(watcher)
