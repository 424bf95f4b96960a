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
_LEVELS: Final[dict[object, int]] = {0: 0, 1: 1, "0": 0, "1": 1, "l": 0, "h": 1, "z": 1, "L": 0, "H": 1, "Z": 1}
_UNKNOWN: Final = 2


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
    at: list[Any] = []
    level: list[Any] = []
    for i, variable in enumerate(variables):
        full = variable.full_name.removeprefix("libsigrok.")
        channels.append(Channel(full if names.count(names[i]) > 1 else names[i], i))
        changes: list[tuple[int, Any, object]] = []
        wave.stream_changes(lambda *change: changes.append(change), [variable])  # noqa: B023  (called before it returns)
        values = [value for _, _, value in changes]
        found = np.array([_LEVELS.get(value, _UNKNOWN) for value in values], np.uint64)
        known = found != _UNKNOWN
        unknown += len(found) - int(known.sum())
        released += sum(map(values.count, "zZ"))
        at.append(np.array([time for time, _, _ in changes], np.int64)[known])
        level.append(found[known])
    if not sum(map(len, at)):
        raise CaptureError(path, "an FST in which no line ever has a level; record it again")
    if released:
        notes.append(f"{released} changes to z read as 1: a line that nobody drives is pulled up.")
    if unknown:
        notes.append(f"{unknown} changes to x left their line as it was.")
    ticks, words, initial = _merged(at, level)
    kind, _, _, end = _HEADER.unpack_from(head)
    scale = wave.timescale
    tick = Fraction(int(scale.factor), 10 ** _UNITS[str(scale.unit)])
    last = int(ticks[-1]) if len(ticks) else 0
    timed = Timed(ticks, words, initial, max(end, last) if kind == 0 and end < 2**62 else last, tick)
    return gridded(path, "FST", timed, channels, rate_hz=rate_hz, max_samples=max_samples, notes=notes)


def _merged(at: list[Any], level: list[Any]) -> tuple[Any, Any, int]:
    """Changes line by line to words in order; a line's first level holds from the beginning on."""
    initial, flips = 0, []
    for bit, levels in enumerate(level):
        initial |= int(levels[0]) << bit if len(levels) else 0
        # A change that repeats the level its line has flips nothing.
        flips.append((levels ^ np.concatenate([levels[:1], levels[:-1]])) << np.uint64(bit))
    ticks = np.concatenate(at)
    order = np.argsort(ticks, kind="stable")
    words = np.bitwise_xor.accumulate(np.concatenate([[np.uint64(initial)], np.concatenate(flips)[order]]))[1:]
    return ticks[order], words, initial
