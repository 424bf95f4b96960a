"""Time, as the models of the bus need it: now, and alarms; nanoseconds since reset, floats that hold whole cycles."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from typing import Protocol


class Alarm(Protocol):
    """Calls its callback once, `delay_ns` after `schedule`; scheduling again forgets the time before."""

    def schedule(self, delay_ns: float) -> None: ...

    def cancel(self) -> None: ...


class Clock(Protocol):
    """Where time comes from; alarms due at one instant are called in the order they were scheduled."""

    @property
    def now_ns(self) -> float: ...

    @property
    def cycle_ns(self) -> float: ...

    def alarm(self, callback: Callable[[], None]) -> Alarm: ...


class StepClock:
    """A clock that goes from alarm to alarm, for the models without a processor."""

    def __init__(self, cycle_ns: float = 8.0) -> None:
        self.now_ns = 0.0
        self.cycle_ns = cycle_ns
        self._due: list[tuple[float, int, _StepAlarm]] = []
        self._order = count()

    def alarm(self, callback: Callable[[], None]) -> Alarm:
        return _StepAlarm(self, callback)

    def run(self, until_ns: float = float("inf")) -> None:
        """Call what is due up to `until_ns`; without it, until nothing is."""
        while self._due and self._due[0][0] <= until_ns:
            self.step()
        if until_ns != float("inf"):
            self.now_ns = max(self.now_ns, until_ns)

    def step(self) -> bool:
        """Go to the next alarm and call it; False where there is none."""
        while self._due:
            at, ticket, alarm = heapq.heappop(self._due)
            if alarm.ticket == ticket:
                alarm.ticket = -1
                self.now_ns = at
                alarm.callback()
                return True
        return False

    def enlist(self, delay_ns: float, alarm: _StepAlarm) -> int:
        ticket = next(self._order)
        heapq.heappush(self._due, (self.now_ns + delay_ns, ticket, alarm))
        return ticket


class _StepAlarm:
    def __init__(self, clock: StepClock, callback: Callable[[], None]) -> None:
        self._clock, self.callback = clock, callback
        self.ticket = -1

    def schedule(self, delay_ns: float) -> None:
        self.ticket = self._clock.enlist(delay_ns, self)

    def cancel(self) -> None:
        self.ticket = -1
