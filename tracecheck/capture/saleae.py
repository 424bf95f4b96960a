"""Saleae Logic 2's binary export of digital channels, version 0: a file a channel, `digital_0.bin` and so on.

Little-endian: the identifier `<SALEAE>`, int32 version, int32 type (0 is digital), uint32 initial state, double begin
time, double end time, uint64 number of transitions, and the time of each as a double, in seconds.
Source: https://support.saleae.com/faq/technical-faq/binary-export-format-logic-2.

One of them is asked for; the others beside it are channels of the same capture.
"""

from __future__ import annotations

import re
import struct
from fractions import Fraction
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
_DIGITAL: Final = struct.Struct("<IddQ")
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
    begin = min(b for _, b, _, _ in read.values())
    end = max(e for _, _, e, _ in read.values())
    if not end - begin < 2.0**62 * float(_TICK):
        raise CaptureError(
            source.path, f"runs from {begin:g} to {end:g} s, longer than can be counted; export it again"
        )
    at = np.concatenate([times for _, _, _, times in read.values()])
    bit = np.concatenate([np.full(len(read[n][3]), i, np.uint64) for i, n in enumerate(numbers)])
    order = np.argsort(at, kind="stable")
    initial = sum(bool(read[n][0]) << i for i, n in enumerate(numbers))
    flips = np.uint64(1) << bit[order]
    words = np.bitwise_xor.accumulate(np.concatenate([[np.uint64(initial)], flips]))[1:]
    ticks = np.rint((at[order] - begin) / float(_TICK)).astype(np.int64)
    timed = Timed(ticks, words, initial, round((end - begin) / float(_TICK)), _TICK)
    channels = [Channel(f"Channel {number}", i) for i, number in enumerate(numbers)]
    return gridded(source.path, "Saleae binary export", timed, channels, rate_hz=rate_hz, max_samples=max_samples)


def _number(path: str) -> int:
    form = _NAME.fullmatch(Path(path).name)
    return int(form[1]) if form else 0


def _channel(path: str, data: bytes) -> tuple[int, float, float, NDArray[np.float64]]:
    """Initial state, begin, end, transitions."""
    if len(data) < _HEAD.size or not data.startswith(MAGIC):
        raise CaptureError(path, "not a binary export of Logic 2, though its neighbours are; export the channels again")
    _, version, kind = _HEAD.unpack_from(data)
    if version != 0:
        raise CaptureError(path, f"a binary export of version {version}, of which only 0 is known; export it as CSV")
    if kind != 0:
        raise CaptureError(path, "an export of an analog channel; export the digital ones")
    if len(data) < _HEAD.size + _DIGITAL.size:
        raise CaptureError(path, "ends within its head; export it again")
    initial, begin, end, count = _DIGITAL.unpack_from(data, _HEAD.size)
    room = len(data) - _HEAD.size - _DIGITAL.size
    if count * 8 != room:
        raise CaptureError(path, f"declares {count} transitions and holds {room / 8:g}; export or copy it again")
    times = np.frombuffer(data, "<f8", offset=_HEAD.size + _DIGITAL.size)
    if not (np.isfinite(times).all() and np.isfinite((begin, end)).all()):
        raise CaptureError(path, "holds a time that is no number; export it again")
    if np.any(np.diff(times) < 0) or (count and (times[0] < begin or end < times[-1])):
        raise CaptureError(path, "its times are not in order; export it again")
    return initial, begin, end, times
