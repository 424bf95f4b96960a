"""Comma-separated values: sigrok's output (a row a sample, or a change), Saleae's raw export (a row a change).

With a column of times the rows are changes at times; without one, samples. Names come from the head line, or from
sigrok's remarks. Commas, semicolons and tabs separate; with semicolons a decimal comma is understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tracecheck.capture.edge_list import EdgeListCapture, narrowest
from tracecheck.capture.grid import MOST_LINES, Timed, gridded
from tracecheck.capture.model import Capture, Channel
from tracecheck.capture.rate import parse_rate
from tracecheck.capture.source import Source
from tracecheck.errors import CaptureError, UsageError

_SEPARATORS: Final = (",", ";", "\t")
_LONGEST_LINE: Final = 1 << 16
_NUMBER: Final = re.compile(r"[+-]?[0-9]+([.,][0-9]*)?([eE][+-]?[0-9]+)?")
_TIME: Final = re.compile(
    r"(?P<name>time|zeit|temps|seconds|milliseconds|microseconds|nanoseconds|picoseconds)\s*(\[(?P<unit>\w+)\])?",
    re.IGNORECASE,
)
_UNITS: Final = {
    **dict.fromkeys(("s", "seconds"), 0),
    **dict.fromkeys(("ms", "milliseconds"), 3),
    **dict.fromkeys(("us", "microseconds"), 6),
    **dict.fromkeys(("ns", "nanoseconds"), 9),
    **dict.fromkeys(("ps", "picoseconds"), 12),
}
_TICK: Final = Fraction(1, 10**12)
"""Of times that are decimal fractions: picoseconds."""


def recognise(head: bytes) -> bool:
    """Whether a file that begins like this is text in columns."""
    text = head.decode("utf-8", "replace")
    if "\0" in text or "\ufffd" in text[:-4]:
        return False
    rows = [line for line in text.splitlines()[:-1] if line.strip() and not line.startswith((";", "#"))]
    return len(rows) > 1 and all(any(mark in row for mark in _SEPARATORS) for row in rows[:2]) and _is_row(rows[1])


def _is_row(line: str) -> bool:
    cells = re.split(r"[,;\t]", line)
    return len(cells) > 1 and all(_NUMBER.fullmatch(cell.strip()) for cell in cells if cell.strip())


@dataclass(frozen=True, slots=True)
class _Head:
    """What stands before the data: the separator, the columns' names, the first row, sigrok's samplerate."""

    separator: str
    names: tuple[str, ...]
    first: tuple[str, ...]
    rate_hz: int | None
    lines: int

    @property
    def time(self) -> int | None:
        """The column of times."""
        return next((i for i, name in enumerate(self.names) if _TIME.fullmatch(name.strip())), None)


def open_csv(source: Source, rate_hz: int | None, max_samples: int | None, device: int | None) -> Capture:
    """A file of columns as a capture; it is read to its end. Raises CaptureError with the row."""
    head, rest = _head(source)
    logic = _logic(source.path, head)
    channels = [Channel(head.names[column], bit) for bit, column in enumerate(logic)]
    notes = _left_out(head, logic)
    rows = _rows(source, head, rest, logic)
    if head.time is None:
        rate = rate_hz or head.rate_hz
        return _sampled(source.path, rows, channels, (rate, max_samples, notes))
    return _timed(source.path, head, rows, channels, (rate_hz, max_samples, notes))


def _head(source: Source) -> tuple[_Head, bytes]:
    remarks: list[str] = []
    kept: list[bytes] = []
    lines = 0
    while len(kept) < 2:
        line = source.stream.readline(_LONGEST_LINE)
        lines += 1
        if len(line) == _LONGEST_LINE and not line.endswith(b"\n"):
            raise CaptureError(
                source.path, f"line {lines} is longer than {_LONGEST_LINE} bytes; this is no table of a capture"
            )
        if not line:
            break
        if line.lstrip().startswith((b";", b"#")):
            remarks.append(line.decode("utf-8", "replace").strip(" ;#\r\n"))
        elif line.strip():
            kept.append(line)
    texts = [line.decode("utf-8-sig", "replace").strip("\r\n") for line in kept]
    separator = max(_SEPARATORS, key=texts[0].count) if texts else ","
    rows = [tuple(cell.strip().strip('"') for cell in text.split(separator)) for text in texts]
    if not rows or (len(rows) == 1 and not _is_row(texts[0])):
        raise CaptureError(source.path, "a table without a single row of samples")
    if _is_row(texts[0].replace(separator, ",") if separator != "," else texts[0]):
        names, first, rest = tuple(f"D{i}" for i in range(len(rows[0]))), rows[0], b"".join(kept)
        lines -= len(kept) - 1
    else:
        names, first, rest = rows[0], rows[1], kept[1]
    names, rate = _named(names, remarks)
    if len(first) != len(names):
        raise CaptureError(
            source.path,
            f"line {lines}: {len(first)} columns where the head names {len(names)}; is the separator {separator!r}?",
        )
    return _Head(separator, names, first, rate, lines), rest


def _named(names: tuple[str, ...], remarks: Sequence[str]) -> tuple[tuple[str, ...], int | None]:
    """Names as sigrok's remarks have them where its head line has none, and the samplerate it states."""
    rate: int | None = None
    listed: list[str] = []
    for remark in remarks:
        key, _, value = remark.partition(":")
        if key.lower() == "samplerate":
            try:
                rate = parse_rate(value)
            except UsageError:
                rate = None
        elif key.lower().startswith("channels"):
            listed = [name.strip() for name in value.split(",")]
    unnamed = [i for i, name in enumerate(names) if name.lower() == "logic"]
    if unnamed and len(unnamed) == len(listed):
        for i, name in zip(unnamed, listed, strict=True):
            names = (*names[:i], name, *names[i + 1 :])
    elif unnamed:
        names = tuple(f"D{unnamed.index(i)}" if i in unnamed else name for i, name in enumerate(names))
    return names, rate


def _logic(path: str, head: _Head) -> list[int]:
    """The columns that hold levels: 0 or 1 in the first row."""
    found = [i for i, cell in enumerate(head.first) if i != head.time and cell in ("0", "1")]
    if not found:
        raise CaptureError(
            path, f"line {head.lines}: no column holds a level, 0 or 1; export the digital channels as raw data"
        )
    if len(found) > MOST_LINES:
        raise CaptureError(path, f"{len(found)} columns of levels, more than {MOST_LINES}; export those that matter")
    return found


def _left_out(head: _Head, logic: Sequence[int]) -> list[str]:
    others = [name for i, name in enumerate(head.names) if i != head.time and i not in logic]
    return [f"Columns that hold no levels are passed over: {', '.join(others[:8])}."] if others else []


def _rows(
    source: Source, head: _Head, rest: bytes, logic: Sequence[int]
) -> Iterator[tuple[NDArray[np.float64] | None, NDArray[np.uint64], int]]:
    """Times, words and the number of the first row, batch by batch."""
    import pyarrow as pa  # noqa: PLC0415  (heavy)
    from pyarrow import csv  # noqa: PLC0415

    names = [str(i) for i in range(len(head.names))]
    types = {names[i]: pa.uint8() for i in logic}
    if head.time is not None:
        types[names[head.time]] = pa.float64()
    try:
        reader = csv.open_csv(
            pa.PythonFile(_Chained(rest, source.stream), mode="r"),
            read_options=csv.ReadOptions(column_names=names, block_size=1 << 22),
            parse_options=csv.ParseOptions(delimiter=head.separator),
            convert_options=csv.ConvertOptions(
                column_types=types,
                include_columns=list(types),
                null_values=[],
                decimal_point="," if head.separator == ";" and any("," in cell for cell in head.first) else ".",
            ),
        )
        row = 1
        for batch in reader:
            levels = [batch.column(names[i]).to_numpy(zero_copy_only=False) for i in logic]
            words = np.zeros(len(batch), np.uint64)
            for bit, level in enumerate(levels):
                if level.max(initial=0) > 1:
                    bad = int(np.argmax(level > 1))
                    raise CaptureError(
                        source.path,
                        f'row {row + bad}: "{level[bad]}" in column "{head.names[logic[bit]]}" is no level, 0 or 1',
                    )
                words |= level.astype(np.uint64) << np.uint64(bit)
            times = None
            if head.time is not None:
                times = batch.column(names[head.time]).to_numpy(zero_copy_only=False).astype(np.float64)
            yield times, words, row
            row += len(batch)
    except pa.ArrowInvalid as error:
        raise CaptureError(source.path, f"not a table that can be read: {str(error).splitlines()[0]}") from None


class _Chained:
    """Bytes that were read ahead, then the rest of their stream."""

    closed = False

    def __init__(self, first: bytes, stream: Any) -> None:
        self._first, self._stream = first, stream

    def read(self, size: int = -1) -> bytes:
        if self._first:
            found, self._first = self._first, b""
            return found if size < 0 or len(found) <= size else self._split(found, size)
        return bytes(self._stream.read(size))

    def _split(self, found: bytes, size: int) -> bytes:
        self._first = found[size:]
        return found[:size]

    def close(self) -> None:
        """Does nothing: the stream is its owner's."""


def _sampled(
    path: str,
    rows: Iterator[tuple[NDArray[np.float64] | None, NDArray[np.uint64], int]],
    channels: Sequence[Channel],
    settings: tuple[int | None, int | None, list[str]],
) -> Capture:
    rate, max_samples, notes = settings
    parts: list[tuple[NDArray[np.int64], NDArray[np.uint64]]] = []
    count, initial, state = 0, 0, np.uint64(0)
    for _, words, _ in rows:
        if not count:
            initial, state = int(words[0]), words[0]
        at = np.flatnonzero(np.diff(words, prepend=state)).astype(np.int64)
        parts.append((at + count, words[at]))
        count, state = count + len(words), words[-1]
    at = np.concatenate([np.empty(0, np.int64), *(part for part, _ in parts)])
    changed = np.concatenate([np.empty(0, np.uint64), *(part for _, part in parts)])
    return EdgeListCapture(
        path,
        "CSV, a row a sample",
        (at, narrowest(changed, len(channels)), initial),
        samples=count,
        rate_hz=rate,
        channels=channels,
        notes=notes,
        max_samples=max_samples,
    )


def _timed(
    path: str,
    head: _Head,
    rows: Iterator[tuple[NDArray[np.float64] | None, NDArray[np.uint64], int]],
    channels: Sequence[Channel],
    settings: tuple[int | None, int | None, list[str]],
) -> Capture:
    rate, max_samples, notes = settings
    times_of, words_of = [], []
    latest = -np.inf
    for times, words, row in rows:
        assert times is not None
        if not np.isfinite(times).all():
            raise CaptureError(path, f"row {row + int(np.argmin(np.isfinite(times)))}: a time that is no number")
        back = np.flatnonzero(np.diff(times, prepend=latest) < 0)
        if len(back):
            raise CaptureError(
                path,
                f"row {row + int(back[0])}: time goes back to {times[back[0]]:g}; the rows must be in order of time",
            )
        latest = float(times[-1])
        times_of.append(times)
        words_of.append(words)
    times = np.concatenate(times_of)
    words = np.concatenate(words_of)
    timed = _periods(head.rate_hz, times, words) if head.rate_hz and times[0] > 0 else _ticked(path, head, times, words)
    return gridded(
        path,
        "CSV, a row a change",
        timed,
        channels,
        rate_hz=rate or head.rate_hz,
        max_samples=max_samples,
        notes=notes,
    )


def _periods(rate_hz: int, times: NDArray[np.float64], words: NDArray[np.uint64]) -> Timed:
    """The times that sigrok writes: multiples of a sample period cut to whole units, the first being one."""
    at = np.rint(times / times[0]).astype(np.int64) - 1
    return Timed(at, words, int(words[0]), int(at[-1]), Fraction(1, rate_hz))


def _ticked(path: str, head: _Head, times: NDArray[np.float64], words: NDArray[np.uint64]) -> Timed:
    """Any other times, counted from the first in ticks of a picosecond."""
    scale = 10 ** (12 - _power(head))
    if (times[-1] - times[0]) * scale > 2.0**62:
        raise CaptureError(
            path, f"the times run over {times[-1] - times[0]:g}, longer than can be counted; what is their unit?"
        )
    ticks = np.rint((times - times[0]) * scale).astype(np.int64)
    return Timed(ticks, words, int(words[0]), int(ticks[-1]), _TICK)


def _power(head: _Head) -> int:
    """The unit of the times as a power of ten of its part of a second."""
    assert head.time is not None
    form = _TIME.fullmatch(head.names[head.time].strip())
    assert form is not None
    unit = (form["unit"] or form["name"]).lower()
    return _UNITS.get(unit, 0)
