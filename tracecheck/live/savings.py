"""Pieces of a stream saved around what was found: each once what comes after the finding is there too."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tracecheck.capture.model import Channel
from tracecheck.errors import OutputError
from tracecheck.live.ring import Ring
from tracecheck.rules.finding import Finding
from tracecheck.timebase import NS


@dataclass(frozen=True, slots=True)
class _Waiting:
    start: int
    stop: int
    path: Path
    of: str


class Savings:
    """Writes `folder/0001-RULE.sr`, `margin` samples on either side, at most `most` of them."""

    def __init__(
        self, folder: str, ring: Ring, margin: int, most: int, rate_hz: int | None, channels: Sequence[Channel]
    ) -> None:
        self._folder, self._ring, self._margin, self._most = Path(folder), ring, margin, most
        self._rate_hz, self._channels = rate_hz, channels
        self._waiting: list[_Waiting] = []
        self.written: list[Path] = []
        self.left_out = 0
        """Findings of which no piece is saved: there were too many."""
        try:
            self._folder.mkdir(exist_ok=True)
        except OSError as error:
            raise OutputError(folder, f"cannot be made: {error.strerror}; give another folder") from None

    def ask(self, finding: Finding) -> None:
        """A piece around this finding, as soon as its surroundings are there."""
        count = len(self.written) + len(self._waiting)
        if count >= self._most:
            self.left_out += 1
            return
        lasted = round(finding.value_ns * self._rate_hz / NS) if finding.value_ns and self._rate_hz else 0
        name = f"{count + 1:04d}-{re.sub(r'[^A-Za-z0-9_.-]', '_', finding.rule)[:80]}.sr"
        start, stop = finding.sample - self._margin, finding.sample + lasted + self._margin
        self._waiting.append(_Waiting(max(start, 0), stop, self._folder / name, finding.rule))

    def write_ready(self, *, all_of_them: bool = False) -> None:
        """Saves what is there to its end; at the stream's end, what there is. Raises OutputError."""
        ready = [one for one in self._waiting if all_of_them or one.stop <= self._ring.end]
        for one in ready:
            self._waiting.remove(one)
            self._ring.save(
                one.path,
                (one.start, one.stop),
                rate_hz=self._rate_hz,
                channels=self._channels,
                remarks={
                    "cut-from": "a stream",
                    "cut-sample": str(max(one.start, self._ring.begin)),
                    "cut-around": one.of,
                },
            )
            self.written.append(one.path)
