"""Pieces of a stream saved around what was found: each once what comes after the finding is there too."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tracecheck.capture.model import Channel
from tracecheck.errors import OutputError
from tracecheck.live.ring import Ring
from tracecheck.rules.finding import Finding
from tracecheck.timebase import NS

_LONGEST: Final = 4
"""A piece is so many margins longer than its first finding at most: failures that follow each other never end."""
_NAMED: Final = 3
"""Findings that a piece says of itself; the others are a number."""


@dataclass(slots=True)
class Piece:
    """Samples [start, stop) to be saved, with everything that was found in them. `path` once it is written."""

    start: int
    stop: int
    longest: int
    findings: list[Finding] = field(default_factory=list)
    path: Path = Path()

    @property
    def of(self) -> str:
        """`expect-1 i2c0 #3 at sample 82590, i2c-hold i2c0 #3 at sample 82600 and 4 more`."""
        said = [
            " ".join(filter(None, (f.rule, f.bus, f"#{f.transfer}" if f.transfer is not None else "")))
            + f" at sample {f.sample}"
            for f in self.findings[:_NAMED]
        ]
        more = len(self.findings) - len(said)
        return ", ".join(said) + (f" and {more} more" if more else "")

    @property
    def name(self) -> str:
        """The first rule, and how many others."""
        rules = list(dict.fromkeys(finding.rule for finding in self.findings))
        first = re.sub(r"[^A-Za-z0-9_.-]", "_", rules[0])[:80]
        return first if len(rules) == 1 else f"{first}-and-{len(rules) - 1}-more"


class Savings:
    """Writes `folder/0001-RULE.sr`, `margin` samples on either side of what was found, at most `most` of them.

    Findings share a piece where one lies in the piece of the other. Where the folder has pieces from before, the
    numbers go on after theirs.
    """

    def __init__(
        self,
        folder: str,
        ring: Ring,
        margin: int,
        settle: int,
        most: int,
        rate_hz: int | None,
        channels: Sequence[Channel],
    ) -> None:
        """`settle` samples after an event at most, all that is found in it is known."""
        self._folder, self._ring, self._margin, self._settle, self._most = Path(folder), ring, margin, settle, most
        self._rate_hz, self._channels = rate_hz, channels
        self._waiting: list[Piece] = []
        self._written = 0
        self.left_out = 0
        """Findings of which no piece is saved: there were too many."""
        try:
            self._folder.mkdir(exist_ok=True)
            self._before = max((_number(path.name) for path in self._folder.iterdir()), default=0)
        except OSError as error:
            raise OutputError(folder, f"cannot be made: {error.strerror}; give another folder") from None

    def ask(self, finding: Finding) -> None:
        """A piece around this finding, as soon as its surroundings are there; or one that waits and has it."""
        lasted = round(finding.value_ns * self._rate_hz / NS) if finding.value_ns and self._rate_hz else 0
        first, last = finding.sample, finding.sample + lasted
        for piece in self._waiting:
            start, stop = min(piece.start, max(first - self._margin, 0)), max(piece.stop, last + self._margin)
            if piece.start <= first and last < piece.stop and stop - start <= piece.longest:
                piece.start, piece.stop = start, stop
                piece.findings.append(finding)
                return
        if self._written + len(self._waiting) >= self._most:
            self.left_out += 1
            return
        start, stop = max(first - self._margin, 0), last + self._margin
        self._waiting.append(Piece(start, stop, lasted + _LONGEST * self._margin, [finding]))

    def write_ready(self, judged: int | None) -> list[Piece]:
        """Saves, and returns, the pieces that nothing more is found in, as the stream is judged up to that sample.

        None: the stream has ended, and they are saved as far as they are there. Raises OutputError.
        """
        ready = [one for one in self._waiting if judged is None or one.stop + self._settle <= judged]
        for piece in ready:
            self._waiting.remove(piece)
            self._written += 1
            piece.path = self._folder / f"{self._before + self._written:04d}-{piece.name}.sr"
            self._ring.save(
                piece.path,
                (piece.start, piece.stop),
                rate_hz=self._rate_hz,
                channels=self._channels,
                remarks={
                    "cut-from": "a stream",
                    "cut-sample": str(max(piece.start, self._ring.begin)),
                    "cut-around": re.sub(r"[^ -~]", "?", piece.of),
                },
            )
        return ready


def _number(name: str) -> int:
    """Of a file that is called as pieces are; 0 of all others."""
    form = re.fullmatch(r"([0-9]{4,9})-.*\.sr", name)
    return int(form[1]) if form else 0
