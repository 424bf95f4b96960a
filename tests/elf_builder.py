"""Small ELF files: a program of a few Thumb instructions, for the RP2040 or not."""

from __future__ import annotations

import struct
from collections.abc import Mapping

FLASH = 0x1000_0100


def elf(
    code: bytes = b"\xfe\xe7",
    *,
    at: int = FLASH,
    stack: int = 0x2004_2000,
    machine: int = 40,
    kind: int = 2,
    symbols: Mapping[str, tuple[int, int]] | None = None,
    architecture: int | None = None,
) -> bytes:
    """An ELF with a vector table at `at` and `code` 64 bytes behind it; a branch to itself by default.

    `symbols`: name -> (address, type); `architecture`: Tag_CPU_arch of a build-attributes section.
    """
    entry = at + 64
    data = struct.pack("<II", stack, entry | 1).ljust(64, b"\0") + code
    names, table = b"\0", b"\0" * 16
    for name, (address, typ) in (symbols or {"main": (entry | 1, 2)}).items():
        table += struct.pack("<IIIBBH", len(names), address, 0, typ, 0, 1)
        names += name.encode() + b"\0"
    attributes = b""
    if architecture is not None:
        tags = bytes([5]) + b"cortex\0" + bytes([6, architecture, 8, 1])
        inner = b"\x01" + struct.pack("<I", len(tags) + 5) + tags
        attributes = b"A" + struct.pack("<I", len(inner) + 10) + b"aeabi\0" + inner
    begin = 52 + 32
    offsets = [begin, begin + len(data), begin + len(data) + len(table)]
    offsets.append(offsets[2] + len(names))
    sections = [
        (0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        (0, 2, 0, 0, offsets[1], len(table), 2, 0, 4, 16),
        (0, 3, 0, 0, offsets[2], len(names), 0, 0, 1, 0),
        (0, 0x7000_0003, 0, 0, offsets[3], len(attributes), 0, 0, 1, 0),
    ][: 4 if attributes else 3]
    head = b"\x7fELF\x01\x01\x01".ljust(16, b"\0") + struct.pack(
        "<HHIIIIIHHHHHH", kind, machine, 1, entry, 52, offsets[3] + len(attributes), 0, 52, 32, 1, 40, len(sections), 0
    )
    program = struct.pack("<8I", 1, begin, at, at, len(data), len(data), 5, 4)
    return head + program + data + table + names + attributes + b"".join(struct.pack("<10I", *s) for s in sections)
