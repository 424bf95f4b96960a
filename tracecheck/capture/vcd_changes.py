"""The value changes of a VCD: times, levels of single bits, vectors, token by token.

They are split at white space here, a megabyte at a time: pyvcd looks at every byte in Python, which takes many times as
long.

Levels that are none: `z` on a bus line means that nobody drives it, and its pull-up makes it high, so it reads as 1
(as do `h`, and `l` as 0); `x` and the rest leave a line as it was. Both are counted in the notes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tracecheck.capture.grid import Ticks, Timed
from tracecheck.capture.model import Channel
from tracecheck.errors import CaptureError

PIECE: Final = 1 << 20
"""Bytes read at a time."""
_LEVELS: Final = {
    ord("0"): 0,
    ord("1"): 1,
    ord("l"): 0,
    ord("L"): 0,
    ord("h"): 1,
    ord("H"): 1,
    ord("z"): 1,
    ord("Z"): 1,
}
_RELEASED: Final = frozenset(b"zZ")
_UNKNOWN: Final = frozenset(b"xXuUwW-")
_HASH, _DOLLAR = ord("#"), ord("$")
_COMMANDS: Final = (b"$comment", b"$attrbegin")
"""Whose words, up to $end, mean nothing here."""
_END: Final = b"$end"
_LAST_TICK: Final = 2**62
_MOST_STRANGE: Final = 16


@dataclass(slots=True)
class Lines:
    """What the declarations say: the channels, and for each identifier code the bits of its variable, lowest last."""

    channels: list[Channel] = field(default_factory=list)
    bits: dict[bytes, list[int]] = field(default_factory=dict)
    tick: Fraction = Fraction(1, 10**9)
    version: str = ""
    notes: list[str] = field(default_factory=list)


class Changes:
    """The value changes, token by token: times, levels of single bits, vectors."""

    def __init__(self, path: str, lines: Lines, line: int) -> None:
        self._path, self._lines, self._line = path, lines, line
        self._one = {code: bits[0] for code, bits in lines.bits.items() if len(bits) == 1 and bits[0] >= 0}
        self._known = 0
        self._state = 0
        self._initial = 0
        self._now = 0
        self._ticks: list[int] = []
        self._words: list[int] = []
        self._parts: list[tuple[Any, Any]] = []
        self._released = self._unknown = self._strange = 0
        self._ended = True

    def read(self, stream: io.BufferedReader[Any], rest: bytes) -> None:
        """A whole file: what was read ahead, and the rest of its stream."""
        self.feed(rest)
        while piece := stream.read(PIECE):
            self.feed(piece)
        self.finish()

    def feed(self, piece: bytes) -> None:
        """The next bytes, cut anywhere."""
        data = self._tail + piece
        cut = max(data.rfind(b"\n"), data.rfind(b" "))
        if cut < 0:
            if len(data) > 2 * PIECE:
                raise CaptureError(self._path, f"line {self._line}: a word of more than a megabyte; this is no VCD")
            self._tail = data
            return
        self._tokens(data[:cut])
        self._line += data.count(b"\n", 0, cut)
        self._tail = data[cut:]

    def finish(self) -> None:
        """There are no more bytes. Raises CaptureError where they end within a change."""
        tail, self._tail = self._tail, b""
        self._ended = not tail or tail[-1:].isspace()
        self._tokens(b"" if self._part_of_a_time(tail.strip()) else tail)
        if self._pending is not None:
            raise CaptureError(self._path, "a VCD that ends within a change; the file is cut off, copy it again")

    def _part_of_a_time(self, word: bytes) -> bool:
        """Whether the file's last word is a time that was cut off, as a simulator that is killed leaves it."""
        digits = word[1:]
        return word[:1] == b"#" and (not digits or (digits.isdigit() and len(digits) < 20 and int(digits) < self._now))

    def drained(self) -> tuple[Ticks, NDArray[np.uint64], int]:
        """The changes before the time that was reached, which are taken out, and that time.

        For a stream: the levels before the first change are those that `initial` says by then.
        """
        done = next((i for i, tick in enumerate(self._ticks) if tick >= self._now), len(self._ticks))
        self._parts.append((np.array(self._ticks[:done], np.int64), np.array(self._words[:done], np.uint64)))
        ticks = np.concatenate([part for part, _ in self._parts])
        words = np.concatenate([part for _, part in self._parts])
        self._ticks, self._words, self._parts = self._ticks[done:], self._words[done:], []
        if len(words):
            self._before = int(words[-1])
        return ticks, words, self._now

    @property
    def initial(self) -> int:
        """The lines at the beginning, as far as they are known."""
        return self._initial

    _before: int | None = None
    """The lines after what was drained."""
    _tail = b""
    """The beginning of a word whose end is in the next piece."""
    _pending: bytes | None = None
    """A vector's value, real or text whose identifier is in the next piece."""
    _skipping = False
    """Inside a command whose words mean nothing here."""

    def _tokens(self, data: bytes) -> None:
        state, now, one, levels = self._state, self._now, self._one, _LEVELS
        ticks, words, pending, skipping = self._ticks, self._words, self._pending, self._skipping
        for token in data.split():
            if pending is not None:
                state = self._vector(state, pending, token)
                pending = None
                continue
            if skipping:
                skipping = token != _END
                continue
            first = token[0]
            level = levels.get(first)
            if level is not None:
                bit = one.get(token[1:])
                if bit is None:
                    continue
                if first in _RELEASED:
                    self._released += 1
                mask = 1 << bit
                if not self._known & mask:
                    self._first(bit, level)
                    state = state & ~mask | level << bit
                    continue
                state = state | mask if level else state & ~mask
            elif first == _HASH:
                if ticks and ticks[-1] == now:
                    words[-1] = state
                elif state != (words[-1] if words else self._last()):
                    ticks.append(now)
                    words.append(state)
                now = self._time(token, now)
                if len(ticks) > PIECE:
                    self._flush()
                    ticks, words = self._ticks, self._words
            elif first in b"bBrRsS":
                pending = token
            elif first == _DOLLAR:
                skipping = token in _COMMANDS
            elif first in _UNKNOWN:
                self._unknown += token[1:] in one
            else:
                self._odd(token)
        self._state, self._now, self._pending, self._skipping = state, now, pending, skipping

    def _odd(self, token: bytes) -> None:
        self._strange += 1
        if self._strange > _MOST_STRANGE and self._strange > len(self._ticks):
            raise CaptureError(self._path, f'near line {self._line}: "{_shown(token)}" is no value change')

    def _last(self) -> int:
        if self._parts and len(self._parts[-1][1]):
            return int(self._parts[-1][1][-1])
        return self._initial if self._before is None else self._before

    def _flush(self) -> None:
        # The last one stays: a later change at its time may still belong to it.
        self._parts.append((np.array(self._ticks[:-1], np.int64), np.array(self._words[:-1], np.uint64)))
        self._ticks, self._words = self._ticks[-1:], self._words[-1:]

    def _first(self, bit: int, level: int) -> None:
        """A line's first known level is taken to be its level from the beginning on."""
        self._known |= 1 << bit
        if not level:
            return
        self._initial |= 1 << bit
        set_bit = np.uint64(1 << bit)
        self._parts = [(at, words | set_bit) for at, words in self._parts]
        self._words[:] = [word | 1 << bit for word in self._words]

    def _time(self, token: bytes, now: int) -> int:
        try:
            time = int(token[1:])
        except ValueError:
            raise CaptureError(self._path, f'near line {self._line}: "{_shown(token)}" is no time') from None
        if time < now:
            raise CaptureError(
                self._path, f"near line {self._line}: time goes back from {now} to {time}; a VCD's times only rise"
            )
        if time > _LAST_TICK:
            raise CaptureError(self._path, f"near line {self._line}: time {time} is past what can be counted (2**62)")
        return time

    def _vector(self, state: int, value: bytes, code: bytes) -> int:
        bits = self._lines.bits.get(code)
        if bits is None or value[0] in b"rRsS":
            return state
        digits = value[1:]
        # Left-extended as the standard says: by 0, or by x and z where the value begins with one.
        fill = digits[:1] if digits[:1] in (b"x", b"X", b"z", b"Z") else b"0"
        digits = digits.rjust(len(bits), fill)[-len(bits) :]
        for digit, bit in zip(digits, bits, strict=True):
            if bit < 0:
                continue
            level = _LEVELS.get(digit)
            if level is None:
                self._unknown += 1
                continue
            self._released += digit in _RELEASED
            if not self._known >> bit & 1:
                self._first(bit, level)
            state = state | 1 << bit if level else state & ~(1 << bit)
        return state

    def timed(self) -> Timed:
        """What was read. Raises CaptureError where nothing was."""
        if self._state != (self._words[-1] if self._words else self._last()):
            self._ticks.append(self._now)
            self._words.append(self._state)
        if not self._known:
            raise CaptureError(self._path, "a VCD in which no line ever has a level; record it again")
        self._parts.append((np.array(self._ticks, np.int64), np.array(self._words, np.uint64)))
        ticks = np.concatenate([part for part, _ in self._parts])
        words = np.concatenate([part for _, part in self._parts])
        return Timed(ticks, words, self._initial, self._now, self._lines.tick)

    def notes(self) -> Iterator[str]:
        never = [c.name for c in self._lines.channels if not self._known >> c.bit & 1]
        if never:
            more = ", ..." if len(never) > 8 else ""
            yield f"Never given a level, and taken to be low: {', '.join(never[:8])}{more}."
        if self._released:
            yield f"{self._released} changes to z read as 1: a line that nobody drives is pulled up."
        if self._unknown:
            yield f"{self._unknown} changes to x left their line as it was."
        if self._strange:
            yield f"{self._strange} words that are no value change were passed over."
        if not self._ended:
            yield "The file does not end with a line's end; it may have been cut off."


def _shown(token: bytes) -> str:
    return token[:24].decode("ascii", "replace")
