"""Writes a sigrok session of a pattern repeated: compressed once and copied, so that a thousand million samples take
about a second. Read, it is as any other: each copy lies at its own place in the file and is inflated anew.

The ZIP is written by hand, as `zipfile` takes no data that is compressed already. Its parts are described in
APPNOTE.TXT, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (4.3.7, 4.3.12, 4.3.16).
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from tracecheck.capture.model import Channel
from tracecheck.export.atomic import atomic_file
from tracecheck.export.sr import MEMBER_BYTES, metadata

_LOCAL = struct.Struct("<4sHHHHHLLLHH")
_CENTRAL = struct.Struct("<4sHHHHHHLLLHHHHHLL")
_END = struct.Struct("<4sHHHHLLH")
_VERSION, _DEFLATED, _MIDNIGHT_1980 = 20, 8, 0x21
_LARGEST = 0xFFFF_FFFE  # one more means: see the Zip64 extra field
_EMPTY_LAST_BLOCK = b"\x03\x00"


def write_repeated(
    path: Path,
    pattern: NDArray[np.uint8],
    samples: int,
    *,
    rate_hz: int,
    channels: Sequence[Channel],
    remarks: dict[str, str],
    level: int = 6,
    one_member: bool = False,
) -> None:
    """`samples` samples of one byte, `pattern` over and over, at a zlib level.

    Members are of 4 MiB, of which `pattern` is a multiple, or all is one member. Raises ValueError for a file that
    would need Zip64.
    """
    if len(pattern) % MEMBER_BYTES:
        raise ValueError(f"a pattern of {len(pattern)} samples is no whole number of members")
    with atomic_file(path) as out:
        archive = _Archive(out)
        for name, text in (("version", "2"), ("metadata", metadata(rate_hz, channels, 1, remarks))):
            data = text.encode()
            archive.add(name, [_deflated(data, level)], zlib.crc32(data), len(data))
        if one_member:
            archive.add("logic-1-1", _one_stream(pattern, samples, level), _crc(pattern, samples), samples)
        else:
            for number, (packed, crc, size) in enumerate(_members(pattern, samples, level), 1):
                archive.add(f"logic-1-{number}", [packed], crc, size)
        archive.close()


def _members(pattern: NDArray[np.uint8], samples: int, level: int) -> Iterator[tuple[bytes, int, int]]:
    pieces = pattern.reshape(-1, MEMBER_BYTES)[: -(-samples // MEMBER_BYTES)]
    whole = [(_deflated(piece.data, level), zlib.crc32(piece.data), MEMBER_BYTES) for piece in pieces]
    for number in range(samples // MEMBER_BYTES):
        yield whole[number % len(whole)]
    rest = samples % MEMBER_BYTES
    if rest:
        piece = pieces[samples // MEMBER_BYTES % len(pieces)][:rest]
        yield _deflated(piece.data, level), zlib.crc32(piece.data), rest


def _one_stream(pattern: NDArray[np.uint8], samples: int, level: int) -> Iterator[bytes]:
    """Pieces of one deflate stream. At a full flush nothing refers back, so what was flushed may be repeated."""
    copies, rest = divmod(samples, len(pattern))
    if copies:
        whole = _flushed(pattern, level)
        for _ in range(copies):
            yield whole
    yield _flushed(pattern[:rest], level) + _EMPTY_LAST_BLOCK


def _flushed(samples: NDArray[np.uint8], level: int) -> bytes:
    stream = zlib.compressobj(level, zlib.DEFLATED, -15)
    return stream.compress(samples.data) + stream.flush(zlib.Z_FULL_FLUSH)


def _deflated(data: bytes | memoryview, level: int) -> bytes:
    stream = zlib.compressobj(level, zlib.DEFLATED, -15)
    return stream.compress(data) + stream.flush()


def _crc(pattern: NDArray[np.uint8], samples: int) -> int:
    crc = 0
    for done in range(0, samples, len(pattern)):
        crc = zlib.crc32(pattern[: samples - done].data, crc)
    return crc


class _Archive:
    """A ZIP under way."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._directory: list[bytes] = []

    def add(self, name: str, pieces: Iterable[bytes], crc: int, size: int) -> None:
        """A member of compressed `pieces`; its header is completed when their length is known."""
        begin, encoded = self._out.tell(), name.encode()
        if size > _LARGEST:
            raise ValueError(f"{name}: {size} bytes; larger than a ZIP without Zip64 can hold")
        self._out.write(bytes(_LOCAL.size) + encoded)
        packed = sum(self._out.write(piece) for piece in pieces)
        if max(begin, packed) > _LARGEST:
            raise ValueError(f"{name}: ends at byte {begin + packed}; further than a ZIP without Zip64 can hold")
        fields = (_VERSION, 0, _DEFLATED, 0, _MIDNIGHT_1980, crc, packed, size, len(encoded), 0)
        self._out.seek(begin)
        self._out.write(_LOCAL.pack(b"PK\x03\x04", *fields))
        self._out.seek(0, os.SEEK_END)
        self._directory.append(_CENTRAL.pack(b"PK\x01\x02", _VERSION, *fields, 0, 0, 0, 0, begin) + encoded)

    def close(self) -> None:
        begin, count = self._out.tell(), len(self._directory)
        size = sum(self._out.write(entry) for entry in self._directory)
        if begin > _LARGEST:
            raise ValueError(f"a directory at byte {begin}: further than a ZIP without Zip64 can hold")
        self._out.write(_END.pack(b"PK\x05\x06", 0, 0, count, count, size, begin, 0))
