"""The members of a capture inflated and let go, by zlib and by libdeflate: the floor of whatever reads it."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tracecheck._inflate import LEAST_ROOM, PIECE, Stream

WINDOW = 256 * 1024


def zlib_inflate(capture: Path) -> None:
    """Zlib in windows of 256 KiB, without a look at the CRC."""
    for raw, packed, size in _members(capture):
        stream, done, left = zlib.decompressobj(-15), 0, packed
        while left:
            data = raw.read(min(left, PIECE))
            left -= len(data)
            while data:
                done += len(stream.decompress(data, WINDOW))
                data = stream.unconsumed_tail
        _whole(capture, size, done + len(stream.flush()))


def libdeflate_inflate(capture: Path) -> None:
    """Libdeflate as it is compiled into tracecheck: windows that stay in the cache, CRC computed, nothing scanned.

    Its own bindings for Python make a new object of each member, which takes longer than inflating it.
    """
    stream = Stream(1, 0, stop=0)  # samples from `stop` on are inflated and passed over
    nowhere = np.empty(LEAST_ROOM, np.int64), np.empty(LEAST_ROOM, np.uint8)
    for raw, packed, size in _members(capture):
        stream.begin(size)
        left = packed
        while (state := stream.state) in ("input", "room"):
            if state == "room":
                stream.edges(*nowhere)
            else:
                data = raw.read(min(left, PIECE))
                left -= len(data)
                stream.give(data, last=not left)
        _whole(capture, size, stream.size if state == "done" else -1)


def _members(capture: Path) -> Iterator[tuple[BinaryIO, int, int]]:
    """The file, at each sample member's compressed bytes; how many there are, and how many samples they make."""
    with zipfile.ZipFile(capture) as archive, capture.open("rb") as raw:
        for member in archive.infolist():
            if member.filename.startswith("logic-1"):
                raw.seek(member.header_offset + 26)
                name, extra = (int.from_bytes(raw.read(2), "little") for _ in range(2))
                raw.seek(name + extra, os.SEEK_CUR)
                yield raw, member.compress_size, member.file_size


def _whole(capture: Path, size: int, done: int) -> None:
    if done != size:
        raise ValueError(f"{capture}: {done} of {size} bytes inflated; it is not the capture that was made")
