"""A member's bytes, a window at a time: memory does not depend on the member's size, nor on what it claims."""

from __future__ import annotations

import os
from collections.abc import Iterator

from isal import igzip_lib, isal_zlib

from tracecheck.capture.scan import WINDOW
from tracecheck.capture.sr_members import Member
from tracecheck.errors import CaptureError

# isal's stub declares its exception as an instance, which `except` must not name.
_IsalError: type[Exception] = igzip_lib.IsalError  # type: ignore[assignment]

# Compressed bytes read at a time; large enough that one read mostly fills a window of a busy bus.
_PIECE = 64 * 1024


def member_windows(path: str, fd: int, member: Member) -> Iterator[memoryview]:
    """The inflated bytes of `member`, in windows of at most 256 KiB; `fd` is read by position and stays open.

    The sum of the windows is never more than the member declares. When it is exhausted, size and CRC-32 have been
    compared with the directory. Raises CaptureError, naming the member, as soon as something does not fit; the
    windows before that are then not to be trusted beyond what their reader can check.
    """
    size = crc = 0
    for window in _stored(fd, member) if member.stored else _inflated(path, fd, member):
        size += len(window)
        if size > member.size:
            raise _damaged(path, member, f"inflates to more than the {member.size} bytes it declares")
        crc = isal_zlib.crc32(window, crc)
        yield memoryview(window)
    if size != member.size:
        raise _damaged(path, member, f"ends after {size} of {member.size} bytes")
    if crc != member.crc:
        raise _damaged(path, member, f"has CRC {crc:08x}, the directory says {member.crc:08x}")


def _stored(fd: int, member: Member) -> Iterator[bytes]:
    for done in range(0, member.packed, WINDOW):
        yield os.pread(fd, min(WINDOW, member.packed - done), member.offset + done)


def _inflated(path: str, fd: int, member: Member) -> Iterator[bytes]:
    stream = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)
    taken = 0
    while not stream.eof:
        piece = b""
        if stream.needs_input:
            piece = os.pread(fd, min(_PIECE, member.packed - taken), member.offset + taken)
            taken += len(piece)
        try:
            window = stream.decompress(piece, WINDOW)
        except _IsalError as error:
            raise _damaged(path, member, f"does not inflate ({error})") from error
        if window:
            yield window
        elif not piece and not stream.eof:
            raise _damaged(path, member, f"is not complete within the {member.packed} compressed bytes it declares")
    # Bytes left over may be the next member, which a lying size hides.
    if taken - len(stream.unused_data) != member.packed:
        raise _damaged(path, member, f"ends before the {member.packed} compressed bytes it declares")


def _damaged(path: str, member: Member, reason: str) -> CaptureError:
    return CaptureError(path, f'member "{member.name}" {reason}; the file is damaged, copy or save it again')
