"""Saleae Logic 2's binary export of digital channels: a file a channel, `digital_0.bin` and so on.

Little-endian: the identifier `<SALEAE>`, int32 version, int32 type (0 is digital). Version 0 goes on with uint32
initial state, double begin time, double end time, uint64 number of transitions, and the time of each as a double, in
seconds. Version 1 has a uint64 number of chunks, and in each the same with a double samplerate after the state; between
chunks nothing was recorded.
Sources: https://support.saleae.com/faq/technical-faq/binary-export-format-logic-2,
https://support.saleae.com/faq/technical-faq/binary-and-csv-export-formats-2025-update.

One of them is asked for; the others beside it are channels of the same capture.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tracecheck.capture.files import open_file
from tracecheck.capture.grid import MOST_LINES, Timed, gridded
from tracecheck.capture.model import Capture, Channel
from tracecheck.capture.source import Source
from tracecheck.errors import CaptureError

MAGIC: Final = b"<SALEAE>"
_HEAD: Final = struct.Struct("<8sii")
_COUNT: Final = struct.Struct("<Q")
_CHUNK: Final = {0: struct.Struct("<IddQ"), 1: struct.Struct("<IdddQ")}
"""Initial state, in version 1 a samplerate, begin, end, number of transitions."""
_NAME: Final = re.compile(r"digital_([0-9]{1,4})\.bin")
_TICK: Final = Fraction(1, 10**12)


def recognise(head: bytes) -> bool:
    """Whether a file that begins like this is a binary export of Logic 2."""
    return head.startswith(MAGIC)


def open_saleae(source: Source, rate_hz: int | None, max_samples: int | None, device: int | None) -> Capture:
    """All channels of an export as one capture. Raises CaptureError, about the file that is wrong."""
    files = {_number(source.path): Path(source.path)}
    if source.plain and _NAME.fullmatch(Path(source.path).name):
        files |= {_number(str(f)): f for f in Path(source.path).parent.iterdir() if _NAME.fullmatch(f.name)}
    numbers = sorted(files)
    if len(numbers) > MOST_LINES:
        raise CaptureError(
            source.path, f"{len(numbers)} channels lie in this folder, more than {MOST_LINES}; move some away"
        )
    read = {}
    for number in numbers:
        if source.plain:
            with open_file(str(files[number])) as file:
                read[number] = _channel(str(files[number]), file.read())
        else:
            read[number] = _channel(source.path, source.stream.read())
    begin = min(one.begin for one in read.values())
    end = max(one.end for one in read.values())
    if not end - begin < 2.0**62 * float(_TICK):
        raise CaptureError(
            source.path, f"runs from {begin:g} to {end:g} s, longer than can be counted; export it again"
        )
    at = np.concatenate([one.times for one in read.values()])
    bit = np.concatenate([np.full(len(read[n].times), i, np.uint64) for i, n in enumerate(numbers)])
    order = np.argsort(at, kind="stable")
    initial = sum(read[n].initial << i for i, n in enumerate(numbers))
    flips = np.uint64(1) << bit[order]
    words = np.bitwise_xor.accumulate(np.concatenate([[np.uint64(initial)], flips]))[1:]
    ticks = np.rint((at[order] - begin) / float(_TICK)).astype(np.int64)
    timed = Timed(ticks, words, initial, round((end - begin) / float(_TICK)), _TICK)
    channels = [Channel(f"Channel {number}", i) for i, number in enumerate(numbers)]
    name = "Saleae binary export"
    notes = _gaps_told(read)
    return gridded(source.path, name, timed, channels, rate_hz=rate_hz, max_samples=max_samples, notes=notes)


@dataclass(frozen=True, slots=True)
class _Line:
    """A channel: its level at first, where it begins and ends, its transitions, and what was not recorded of it."""

    initial: int
    begin: float
    end: float
    times: NDArray[np.float64]
    gaps: tuple[tuple[float, float], ...] = ()


def _gaps_told(read: Mapping[int, _Line]) -> list[str]:
    gaps = sorted({gap for one in read.values() for gap in one.gaps})
    if not gaps:
        return []
    first, last = gaps[0]
    many = f"{len(gaps)} stretches were" if len(gaps) > 1 else "A stretch was"
    return [f"{many} not recorded, the first from {first:g} to {last:g} s: the lines are taken to stay as they were."]


def _number(path: str) -> int:
    form = _NAME.fullmatch(Path(path).name)
    return int(form[1]) if form else 0


def _channel(path: str, data: bytes) -> _Line:
    """A file's channel. Raises CaptureError."""
    if len(data) < _HEAD.size or not data.startswith(MAGIC):
        raise CaptureError(path, "not a binary export of Logic 2, though its neighbours are; export the channels again")
    _, version, kind = _HEAD.unpack_from(data)
    if version not in _CHUNK:
        known = f"a binary export of version {version}, of which only 0 and 1 are known"
        raise CaptureError(path, f"{known}; export it as CSV")
    if kind != 0:
        raise CaptureError(path, "an export of an analog channel; export the digital ones")
    at, count = _HEAD.size, 1
    if version == 1:
        if len(data) < at + _COUNT.size:
            raise CaptureError(path, "ends within its head; export it again")
        (count,) = _COUNT.unpack_from(data, at)
        at += _COUNT.size
        if count == 0:
            raise CaptureError(path, "holds no data; export a stretch in which the channel was recorded")
        if count * _CHUNK[1].size > len(data) - at:
            raise CaptureError(path, f"declares {count} chunks and is too short for them; export or copy it again")
    chunks: list[_Line] = []
    for number in range(count):
        chunk, at = _chunk(path, data, at, _CHUNK[version], last=number == count - 1)
        if chunks and chunk.begin < chunks[-1].end:
            raise CaptureError(path, "its chunks are not in order; export it again")
        chunks.append(chunk)
    return _joined(chunks)


def _chunk(path: str, data: bytes, at: int, head: struct.Struct, *, last: bool) -> tuple[_Line, int]:
    """The stretch that begins at byte `at`, and where the next one does."""
    if len(data) < at + head.size:
        raise CaptureError(path, "ends within its head; export it again")
    initial, *_, begin, end, count = head.unpack_from(data, at)
    at += head.size
    room = len(data) - at
    if count * 8 > room or (last and count * 8 != room):
        raise CaptureError(path, f"declares {count} transitions and holds {room / 8:g}; export or copy it again")
    times = np.frombuffer(data, "<f8", count, at)
    if not (np.isfinite(times).all() and np.isfinite((begin, end)).all()):
        raise CaptureError(path, "holds a time that is no number; export it again")
    if np.any(np.diff(times) < 0) or (count and (times[0] < begin or end < times[-1])):
        raise CaptureError(path, "its times are not in order; export it again")
    return _Line(int(bool(initial)), begin, end, times), at + 8 * count


def _joined(chunks: list[_Line]) -> _Line:
    """Chunks as one line: where the level is another one after a gap, it changes at the gap's end."""
    times, gaps = [chunks[0].times], []
    level = chunks[0].initial ^ len(chunks[0].times) & 1
    for before, chunk in pairwise(chunks):
        if chunk.begin > before.end:
            gaps.append((before.end, chunk.begin))
        times += [np.array([chunk.begin] if chunk.initial != level else [], np.float64), chunk.times]
        level = chunk.initial ^ len(chunk.times) & 1
    return _Line(chunks[0].initial, chunks[0].begin, chunks[-1].end, np.concatenate(times), tuple(gaps))
