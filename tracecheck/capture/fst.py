"""Fast Signal Trace, GTKWave's compressed waveform, through pywellen. Every variable of one bit is a channel.

The file's first block tells its end (big-endian: type, length, first and last time), which pywellen does not.
Source: https://blog.timhutt.co.uk/fst_spec/.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, Final

import numpy as np

from tracecheck.capture.grid import MOST_LINES, Timed, gridded
from tracecheck.capture.model import Capture, Channel
from tracecheck.capture.source import Source
from tracecheck.errors import CaptureError, ExtraError

_HEADER: Final = struct.Struct(">BQQQ")
_HEADER_LENGTH: Final = 329
_WRAPPED: Final = 254
"""The type of the one block of a file that was compressed as a whole."""
_UNITS: Final = {"s": 0, "ms": 3, "us": 6, "ns": 9, "ps": 12, "fs": 15}
_LEVELS: Final = {"0": 0, "1": 1, "l": 0, "h": 1, "z": 1, "L": 0, "H": 1, "Z": 1}


def recognise(head: bytes) -> bool:
    """Whether a file that begins like this is an FST."""
    if len(head) < _HEADER.size:
        return False
    kind, length, _, _ = _HEADER.unpack_from(head)
    return bool((kind == 0 and length == _HEADER_LENGTH) or kind == _WRAPPED)


def open_fst(source: Source, rate_hz: int | None, max_samples: int | None, device: int | None) -> Capture:
    """An FST as a capture. Raises CaptureError, ExtraError without pywellen."""
    try:
        import pywellen  # noqa: PLC0415  (an extra)
    except ImportError:
        raise ExtraError(f"{source.path}: reading FST needs pywellen", "fst") from None
    head = source.head
    path = source.path if source.plain else source.spooled()
    try:
        with _panics_told(source.path):
            wave = pywellen.Waveform(path, multi_threaded=False, stream_only=True)
            variables = [v for v in wave.all_vars() if v.is_1bit]
            return _captured(source.path, head, wave, variables, rate_hz, max_samples)
    finally:
        if not source.plain:
            from tracecheck.capture.spooled import remove  # noqa: PLC0415

            remove(path)


@contextmanager
def _panics_told(path: str) -> Iterator[None]:
    """What pywellen says of a damaged file as a CaptureError.

    Its Rust code gives up with a panic, which Python has as an exception of its own kind after the panic wrote to
    standard error; that is kept from the person who sees one line from us.
    """
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    except (RuntimeError, OSError, ValueError, OverflowError) as error:
        if isinstance(error, CaptureError):
            raise
        raise CaptureError(path, f"not an FST that can be read ({error}); write it again") from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise CaptureError(path, "an FST that is damaged; write or copy it again") from None
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _captured(
    path: str, head: bytes, wave: Any, variables: list[Any], rate_hz: int | None, max_samples: int | None
) -> Capture:
    notes: list[str] = []
    if not variables:
        raise CaptureError(path, "an FST without any variable of one bit: there is nothing to look at")
    if len(variables) > MOST_LINES:
        raise CaptureError(
            path, f"{len(variables)} variables of one bit, more than {MOST_LINES}; dump those that matter"
        )
    names = [v.name for v in variables]
    channels, released, unknown = [], 0, 0
    at, bit, level = [], [], []
    for i, variable in enumerate(variables):
        full = variable.full_name.removeprefix("libsigrok.")
        channels.append(Channel(full if names.count(names[i]) > 1 else names[i], i))
        changes: list[tuple[int, Any, Any]] = []
        wave.stream_changes(lambda *change: changes.append(change), [variable])  # noqa: B023  (called before it returns)
        for time, _, value in changes:
            text = str(value)
            if text not in _LEVELS:
                unknown += 1
                continue
            released += text in "zZ"
            at.append(time)
            bit.append(i)
            level.append(_LEVELS[text])
    if not at:
        raise CaptureError(path, "an FST in which no line ever has a level; record it again")
    if released:
        notes.append(f"{released} changes to z read as 1: a line that nobody drives is pulled up.")
    if unknown:
        notes.append(f"{unknown} changes to x left their line as it was.")
    ticks, words, initial = _merged(np.array(at, np.int64), np.array(bit, np.uint64), np.array(level, np.uint64))
    kind, _, _, end = _HEADER.unpack_from(head)
    scale = wave.timescale
    tick = Fraction(int(scale.factor), 10 ** _UNITS[str(scale.unit)])
    last = int(ticks[-1]) if len(ticks) else 0
    timed = Timed(ticks, words, initial, max(end, last) if kind == 0 and end < 2**62 else last, tick)
    return gridded(path, "FST", timed, channels, rate_hz=rate_hz, max_samples=max_samples, notes=notes)


def _merged(at: Any, bit: Any, level: Any) -> tuple[Any, Any, int]:
    """Changes of single lines, line by line, to words in order; a line's first level holds from the beginning on."""
    first = np.unique(bit, return_index=True)[1]
    initial = int((level[first] << bit[first]).sum())
    order = np.argsort(at, kind="stable")
    at, bit, level = at[order], bit[order], level[order]
    # What each change does to its line: nothing, where it repeats the level the line has.
    words = np.empty(len(at), np.uint64)
    state = initial
    for i, (b, v) in enumerate(zip(bit.tolist(), level.tolist(), strict=True)):
        state = state | 1 << b if v else state & ~(1 << b)
        words[i] = state
    return at, words, initial
