"""Whether the watching keeps up: time spent at work against time that the stream stands for."""

from __future__ import annotations

import time

BEHIND_S = 0.5
"""So far behind a device is worth a word."""
_EVERY_S = 5.0


class Load:
    """`step` after each block. A source in real time is one that samples by the clock, as a device does."""

    def __init__(self, rate_hz: int | None, *, real_time: bool) -> None:
        self._rate_hz, self._real_time = rate_hz, real_time
        self._begun: float | None = None
        self._told = 0.0
        self._most = 0.0
        self._samples = 0
        self._cpu = time.process_time()

    def step(self, samples: int) -> str | None:
        """Samples done so far; a sentence where the device is getting ahead of us."""
        self._samples = samples
        if not self._real_time or not self._rate_hz:
            return None
        now = time.monotonic()
        if self._begun is None:
            self._begun = now - samples / self._rate_hz
        behind = now - self._begun - samples / self._rate_hz
        self._most = max(self._most, behind)
        if behind < BEHIND_S or now - self._told < _EVERY_S:
            return None
        self._told = now
        return f"{behind:.1f} s behind the device: what it recorded waits to be judged, and may be lost when it cannot"

    @property
    def notes(self) -> tuple[str, ...]:
        """What to say of it at the end."""
        if self._most < BEHIND_S:
            return ()
        return (f"The watching was up to {self._most:.1f} s behind the device.",)

    @property
    def share(self) -> float | None:
        """Processor time a second of the stream; None for less than a second, of which starting up takes the most."""
        if not self._rate_hz or self._samples < self._rate_hz:
            return None
        return (time.process_time() - self._cpu) * self._rate_hz / self._samples
