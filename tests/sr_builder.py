"""Builds sigrok sessions as bytes, by hand: every variant there is, and every field a lie if need be."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass
class Entry:
    """A member of the archive. What is None is computed; what is given is written, true or not."""

    name: str | bytes
    data: bytes = b""
    method: int = 8
    flags: int = 0
    packed: bytes | None = None  # the compressed bytes themselves
    size: int | None = None
    packed_size: int | None = None
    crc: int | None = None
    extra: bytes = b""  # in the local header only
    offset: int | None = None  # of the local header, as the directory gives it


def deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(6, zlib.DEFLATED, -15)
    return stream.compress(data) + stream.flush()


def archive(entries: Sequence[Entry], *, prefix: bytes = b"", zip64: bool = False) -> bytes:
    """A ZIP archive of `entries` in this order. With `zip64`, directory sizes and offsets are 64-bit ones."""
    body = bytearray(prefix)
    directory = bytearray()
    for entry in entries:
        name = entry.name if isinstance(entry.name, bytes) else entry.name.encode()
        packed = entry.packed
        if packed is None:
            packed = entry.data if entry.method == 0 else deflate(entry.data)
        crc = zlib.crc32(entry.data) if entry.crc is None else entry.crc
        packed_size = len(packed) if entry.packed_size is None else entry.packed_size
        size = len(entry.data) if entry.size is None else entry.size
        offset = len(body) if entry.offset is None else entry.offset
        common = struct.pack("<4HL", entry.flags, entry.method, 0, 0x21, crc)
        lengths = struct.pack("<2L2H", packed_size & 0xFFFFFFFF, size & 0xFFFFFFFF, len(name), len(entry.extra))
        body += b"PK\3\4" + struct.pack("<H", 20) + common + lengths + name + entry.extra + packed
        big = struct.pack("<HH3Q", 1, 24, size, packed_size, offset) if zip64 else b""
        limits = (0xFFFFFFFF,) * 3 if zip64 else (packed_size, size, offset)
        directory += b"PK\1\2" + struct.pack("<2H", 20, 20) + common
        directory += struct.pack("<2L5H2L", limits[0], limits[1], len(name), len(big), 0, 0, 0, 0, limits[2])
        directory += name + big
    start = len(body)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, len(entries), len(entries), len(directory), start, 0)
    if zip64:
        end64 = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, *(len(entries),) * 2, len(directory), start)
        end = end64 + struct.pack("<4sLQL", b"PK\6\7", 0, start + len(directory), 1) + end
    return bytes(body + directory + end)


def metadata(
    unitsize: int | str | None = 1,
    samplerate: str | None = "24 MHz",
    probes: dict[int, str] | None = None,
    *,
    capturefile: str | None = "logic-1",
    equals: str = "=",
    extra: str = "",
) -> bytes:
    """The metadata of one device; None leaves a key out."""
    lines = ["[global]", f"sigrok version{equals}0.5.2", "", "[device 1]"]
    values = {"capturefile": capturefile, "total probes": 8, "samplerate": samplerate, "unitsize": unitsize}
    lines += [f"{key}{equals}{value}" for key, value in values.items() if value is not None]
    names = {1: "SCL", 2: "SDA"} if probes is None else probes
    lines += [f"probe{number}{equals}{name}" for number, name in names.items()]
    return "\n".join([*lines, extra, ""]).encode()


def chunks(data: bytes, cuts: Sequence[int] = (), *, method: int = 8) -> list[Entry]:
    """`logic-1-1`, `logic-1-2` and so on, the data cut at these bytes."""
    bounds = [0, *sorted(cuts), len(data)]
    return [
        Entry(f"logic-1-{number}", data[bounds[number - 1] : bounds[number]], method)
        for number in range(1, len(bounds))
    ]


def session(*logic: Entry, meta: bytes | None = None, version: bytes | None = b"2", zip64: bool = False) -> bytes:
    """A whole session: version, metadata and these members."""
    head = [] if version is None else [Entry("version", version, 0)]
    return archive([*head, Entry("metadata", metadata() if meta is None else meta), *logic], zip64=zip64)
