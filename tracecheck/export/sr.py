"""Writes sigrok session files (.sr, version 2): a ZIP of `version`, `metadata` and the sample data in members.

Samples are little-endian words of `unitsize` bytes, bit N-1 is `probeN`; members are cut by bytes as libsigrok cuts
them, so with a unitsize of 3, 5, 6 or 7 a sample may straddle two. Memory does not depend on the capture's length, the
file appears whole or not at all, and the same samples give the same file: the ZIP's clock stands still.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from tracecheck.capture.model import Channel, EdgeBlock
from tracecheck.errors import UsageError
from tracecheck.export.atomic import atomic_file

MEMBER_BYTES = 4 * 1024 * 1024
"""Inflated bytes of one member, as libsigrok's writer cuts them."""

_WINDOW = 1 << 18
_CLOCK = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_LARGEST_UNIT = 8


class SrWriter:
    """A .sr file under way; a context manager that finishes the file, or removes it when its block raised.

    `channels` name the lines and their bits; `rate_hz` None leaves the samplerate out. `unitsize` is the bytes of a
    sample, by default as few as hold the highest bit. `member_bytes` None writes all samples into one member.
    `remarks` are keys of the `[global]` section, which sigrok reads over: a place to say where the data comes from.
    Raises UsageError for arguments no file can hold, OutputError when the file cannot be written.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        rate_hz: int | None,
        channels: Sequence[Channel],
        unitsize: int | None = None,
        member_bytes: int | None = MEMBER_BYTES,
        remarks: Mapping[str, str] | None = None,
    ) -> None:
        if unitsize is None:
            unitsize = max((c.bit for c in channels), default=0) // 8 + 1
        self.unitsize = unitsize
        self._check(rate_hz, channels, member_bytes, remarks or {})
        self._path, self._member_bytes = path, member_bytes
        self._metadata = metadata(rate_hz, channels, unitsize, remarks or {})
        self._dtype = np.dtype(f"<u{1 << (unitsize - 1).bit_length()}")
        self._resources = ExitStack()
        self._zip: zipfile.ZipFile
        self._member: IO[bytes] | None = None
        self._members = 0
        self._room = 0
        self._origin: int | None = None
        self.samples = 0
        """Samples written so far."""

    def _check(
        self, rate_hz: int | None, channels: Sequence[Channel], member_bytes: int | None, remarks: Mapping[str, str]
    ) -> None:
        if not 1 <= self.unitsize <= _LARGEST_UNIT:
            raise UsageError(f"a sample of {self.unitsize} bytes: a .sr file holds 1 to {_LARGEST_UNIT} bytes a sample")
        if rate_hz is not None and rate_hz <= 0:
            raise UsageError(f"a samplerate of {rate_hz} Hz: it must be positive, or None when it is not known")
        if member_bytes is not None and member_bytes <= 0:
            raise UsageError(f"members of {member_bytes} bytes: the size must be positive, or None for one member")
        taken: set[int] = set()
        for channel in channels:
            if not 0 <= channel.bit < self.unitsize * 8:
                raise UsageError(
                    f'channel "{channel.name}" is bit {channel.bit}, but a sample of {self.unitsize} bytes has bits 0 '
                    f"to {self.unitsize * 8 - 1}"
                )
            if channel.bit in taken:
                raise UsageError(f'channel "{channel.name}" is bit {channel.bit}, which another channel already is')
            taken.add(channel.bit)
        for text in [c.name for c in channels] + [part for pair in remarks.items() for part in pair]:
            if not text.isprintable() or not text.strip():
                raise UsageError(f"a name or remark {text!r}: the metadata of a .sr file holds one printable line each")

    def __enter__(self) -> Self:
        file = self._resources.enter_context(atomic_file(self._path))
        try:
            self._zip = self._resources.enter_context(zipfile.ZipFile(file, "w"))
            self._zip.writestr(_entry("version"), "2")
            self._zip.writestr(_entry("metadata"), self._metadata)
        except BaseException as error:
            self._resources.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._member is not None:
                self._member.close()
        except BaseException as failed:
            self._resources.__exit__(type(failed), failed, failed.__traceback__)
            raise
        self._resources.__exit__(kind, error, trace)

    def write_samples(self, words: NDArray[Any]) -> None:
        """Appends samples: unsigned integers of any width, shape (n,), the lines at their bits."""
        wide = np.ascontiguousarray(words, dtype=self._dtype)
        octets: NDArray[np.uint8] = wide.view(np.uint8)
        if self._dtype.itemsize != self.unitsize:
            octets = np.ascontiguousarray(octets.reshape(-1, self._dtype.itemsize)[:, : self.unitsize]).reshape(-1)
        self._put(octets)
        self.samples += len(words)

    def write_edges(self, block: EdgeBlock) -> None:
        """Appends the samples [block.begin, block.end); a block must begin where the one before it ended.

        Raises UsageError for blocks that do not follow each other and for edges out of order or outside the block.
        """
        if self._origin is None:
            self._origin = block.begin - self.samples
        expected = self._origin + self.samples
        if block.begin != expected or block.end < block.begin:
            raise UsageError(f"a block of samples [{block.begin}, {block.end}) cannot follow sample {expected - 1}")
        at = np.asarray(block.at, dtype=np.int64)
        inside = len(at) == 0 or (at[0] >= block.begin and at[-1] < block.end)
        if len(at) != len(block.words) or not inside or np.any(at[1:] <= at[:-1]):
            raise UsageError(f"the edges of block [{block.begin}, {block.end}) must ascend and lie within it")
        words = np.asarray(block.words).astype(self._dtype)
        state = self._dtype.type(block.initial)
        first = 0
        for begin in range(block.begin, block.end, _WINDOW):
            end = min(begin + _WINDOW, block.end)
            last = int(np.searchsorted(at, end))
            states = np.concatenate(([state], words[first:last]))
            bounds = np.concatenate(([begin], at[first:last], [end]))
            self.write_samples(np.repeat(states, np.diff(bounds)))
            state, first = states[-1], last

    def _put(self, octets: NDArray[np.uint8]) -> None:
        """Deals bytes out to members, opening the next one whenever one is full."""
        done = 0
        while done < len(octets):
            if self._member is None:
                self._members += 1
                # Only the one member of unknown size may pass 4 GiB; its header must leave room for that beforehand.
                self._member = self._zip.open(
                    _entry(f"logic-1-{self._members}"), "w", force_zip64=self._member_bytes is None
                )
                self._room = self._member_bytes or 0
            take = len(octets) - done
            if self._member_bytes is not None:
                take = min(take, self._room)
                self._room -= take
            self._member.write(octets[done : done + take].data)
            done += take
            if self._member_bytes is not None and self._room == 0:
                self._member.close()
                self._member = None


def write_sr(
    path: str | os.PathLike[str],
    blocks: Iterable[EdgeBlock],
    *,
    rate_hz: int | None,
    channels: Sequence[Channel],
    unitsize: int | None = None,
    member_bytes: int | None = MEMBER_BYTES,
    remarks: Mapping[str, str] | None = None,
) -> int:
    """Writes all blocks of edges into a new .sr file and returns the samples written; see SrWriter."""
    with SrWriter(
        path, rate_hz=rate_hz, channels=channels, unitsize=unitsize, member_bytes=member_bytes, remarks=remarks
    ) as writer:
        for block in blocks:
            writer.write_edges(block)
    return writer.samples


def metadata(rate_hz: int | None, channels: Sequence[Channel], unitsize: int, remarks: Mapping[str, str]) -> str:
    """The text of the `metadata` member."""
    lines = ["[global]", *(f"{key}={value}" for key, value in remarks.items()), "", "[device 1]"]
    lines += ["capturefile=logic-1", f"total probes={max((c.bit for c in channels), default=-1) + 1}"]
    if rate_hz is not None:
        lines.append(f"samplerate={spell_rate(rate_hz)}")
    lines.append("total analog=0")
    lines += [f"probe{c.bit + 1}={c.name}" for c in sorted(channels, key=lambda c: c.bit)]
    lines.append(f"unitsize={unitsize}")
    return "\n".join(lines) + "\n"


def spell_rate(rate_hz: int) -> str:
    """A rate as sigrok spells it, exactly: `24 MHz`, `500 kHz`, `32768 Hz`."""
    for factor, unit in ((10**9, "GHz"), (10**6, "MHz"), (10**3, "kHz")):
        if rate_hz % factor == 0:
            return f"{rate_hz // factor} {unit}"
    return f"{rate_hz} Hz"


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _CLOCK)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = _UNIX
    entry.external_attr = 0o644 << 16
    return entry
