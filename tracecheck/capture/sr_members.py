"""The ZIP directory of a sigrok session: which members hold the samples, where, and how large they say they are.

The directory is `zipfile`'s to read; the data is not, as that would cost more than decoding it. So everything that is
needed to read a member safely is checked here, before a byte of it is inflated.
Source: APPNOTE.TXT, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (4.3.7, local file header).
"""

from __future__ import annotations

import io
import os
import re
import struct
import zipfile
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from tracecheck.errors import CaptureError

MAX_DIRECTORY = 16 * 1024 * 1024
"""Bytes of ZIP directory read at most: over 200,000 members, where long captures have some thousand."""

# Deflate's best: 258 bytes from a length code and a distance code of one bit each.
_MAX_RATIO = 1032

_METHODS = {1: "shrink", 6: "implode", 9: "deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz", 99: "AES"}
# What zipfile lets out when a directory makes no sense; RuntimeError covers its NotImplementedError.
_ZIPFILE_ERRORS = (
    zipfile.BadZipFile, struct.error, OSError, ValueError, RuntimeError, LookupError, ArithmeticError, EOFError,
)  # fmt: skip
_UTF8 = 0x800  # flag: the name is UTF-8, else it is code page 437
_MAX_DESCRIPTOR = 24  # bytes that may follow a member: signature, CRC, two sizes of 8 bytes
_LOCAL_HEADER = struct.Struct("<4s5H3L2H")


@dataclass(frozen=True, slots=True)
class Member:
    """One member's data: `packed` bytes at `offset`, which become `size` bytes with checksum `crc`."""

    name: str
    offset: int
    packed: int
    size: int
    crc: int
    stored: bool


class Archive:
    """The directory of an open ZIP file. Raises CaptureError, saying which member, for all that is wrong with it."""

    def __init__(self, path: str, file: io.FileIO) -> None:
        self.path = path
        self._fd = file.fileno()
        try:
            with zipfile.ZipFile(_DirectoryFile(path, self._fd)) as directory:
                self._infos = directory.infolist()
                self._end = directory.start_dir
        except CaptureError:
            raise
        except _ZIPFILE_ERRORS as error:
            raise CaptureError(
                path, f"the ZIP directory cannot be read, the file may be cut short ({error}); copy or save it again"
            ) from error
        # Of every member, also of those not read: a chunk that damage gave another name would be missed without a word.
        self._starts = {info.header_offset: self._data_offset(info) for info in self._infos}
        # Each member ends where the next begins, and the last where the directory begins.
        self._offsets = sorted(info.header_offset for info in self._infos)
        self._offsets.append(self._end)
        self._check_gaps()

    def logic(self, capturefile: str) -> list[Member]:
        """The members with the samples, in order: `logic-1` alone, or `logic-1-1`, `logic-1-2` and so on."""
        chunk = re.compile(re.escape(capturefile) + "-([1-9][0-9]{0,8})")
        single: list[zipfile.ZipInfo] = []
        chunks: dict[int, zipfile.ZipInfo] = {}
        for info in self._infos:
            # orig_filename: zipfile cuts `filename` at a NUL, by which another name could pass for this one.
            if info.orig_filename == capturefile:
                single.append(info)
            elif found := chunk.fullmatch(info.orig_filename):
                if int(found[1]) in chunks:
                    raise CaptureError(self.path, f'two members are called "{info.filename}"')
                chunks[int(found[1])] = info
        if len(single) > 1:
            raise CaptureError(self.path, f'two members are called "{capturefile}"')
        if single and chunks:
            raise CaptureError(
                self.path,
                f'holds both "{capturefile}" and "{capturefile}-{min(chunks)}"; which is the capture cannot be told',
            )
        for number in range(1, len(chunks) + 1):
            if number not in chunks:
                raise CaptureError(
                    self.path, f'member "{capturefile}-{number}" is missing, though there are later ones; save it again'
                )
        return self._members(single or [chunks[number] for number in sorted(chunks)])

    def find(self, name: str) -> Member | None:
        """The one member of this exact name, or None."""
        found = [info for info in self._infos if info.orig_filename == name]
        if len(found) > 1:
            raise CaptureError(self.path, f'two members are called "{name}"')
        return self._members(found)[0] if found else None

    def _members(self, infos: Sequence[zipfile.ZipInfo]) -> list[Member]:
        return [self._member(info) for info in infos]

    def _member(self, info: zipfile.ZipInfo) -> Member:
        def wrong(reason: str) -> CaptureError:
            return self._wrong(info, reason)

        stored = info.compress_type == zipfile.ZIP_STORED
        if info.flag_bits & 0x41:
            raise wrong("is encrypted; save the session without a password")
        if not stored and info.compress_type != zipfile.ZIP_DEFLATED:
            method = _METHODS.get(info.compress_type, f"method {info.compress_type}")
            raise wrong(f"is compressed with {method}; only stored and deflated members can be read")
        offset = self._starts[info.header_offset]
        if offset + info.compress_size > self._limit(info):
            raise wrong("overlaps another part of the file; the file is damaged")
        if stored and info.file_size != info.compress_size:
            raise wrong(f"is stored, but {info.compress_size} bytes claim to be {info.file_size}; the file is damaged")
        # An empty member is never inflated, so it is here that its size is checked.
        if info.file_size == 0 and info.CRC != 0:
            raise wrong(f"claims to be empty, but has CRC {info.CRC:08x}; the file is damaged")
        if not stored and info.file_size > _MAX_RATIO * (info.compress_size + 1):
            raise wrong(
                f"claims {info.file_size} bytes from {info.compress_size} compressed ones, which deflate cannot do; "
                "the file is damaged"
            )
        return Member(info.filename, offset, info.compress_size, info.file_size, info.CRC, stored)

    def _data_offset(self, info: zipfile.ZipInfo) -> int:
        """Where the member's data begins: behind its own header, which is checked to be this member's."""
        name = info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8 else "cp437")
        size = _LOCAL_HEADER.size
        header = (
            os.pread(self._fd, size + len(name), info.header_offset) if 0 <= info.header_offset < self._end else b""
        )
        if len(header) < size or not header.startswith(b"PK\x03\x04"):
            raise self._wrong(info, f"has no header at byte {info.header_offset}; the file is damaged")
        *_, name_length, extra_length = _LOCAL_HEADER.unpack_from(header)
        if name_length != len(name) or header[size:] != name:
            raise self._wrong(info, f"has another name in its header at byte {info.header_offset}; the file is damaged")
        return int(info.header_offset + size + name_length + extra_length)

    def _limit(self, info: zipfile.ZipInfo) -> int:
        index = bisect_right(self._offsets, info.header_offset)
        return self._offsets[min(index, len(self._offsets) - 1)]

    def _check_gaps(self) -> None:
        """All bytes before the directory belong to a member it lists.

        Else a chunk that damage took off the list would be missed without a word, were it the last one. Looking for
        the header of such a member is not enough: that may be damaged, too.
        """
        ends = {info.header_offset: self._starts[info.header_offset] + info.compress_size for info in self._infos}
        end = 0
        for offset in self._offsets:
            if offset - end > _MAX_DESCRIPTOR:
                raise CaptureError(
                    self.path,
                    f"bytes {end} to {offset} belong to no member that the ZIP directory lists; the file is damaged",
                )
            end = max(end, ends.get(offset, end))

    def _wrong(self, info: zipfile.ZipInfo, reason: str) -> CaptureError:
        return CaptureError(self.path, f'member "{info.filename}" {reason}')


class _DirectoryFile(io.FileIO):
    """What zipfile reads the directory from; it asks for the directory as a whole, however large it says it is."""

    def __init__(self, path: str, fd: int) -> None:
        super().__init__(fd, closefd=False)
        self._path = path

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_DIRECTORY:
            raise CaptureError(
                self._path, f"the ZIP directory alone claims {size} bytes; a sigrok session's is far smaller"
            )
        return super().read(size) or b""
