"""A file's members as bytes or as edges: memory does not depend on a member's size, nor on what it claims."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial

import numpy as np

from tracecheck._inflate import LEAST_ROOM, PIECE, Stream
from tracecheck.capture.ahead import ahead, cores
from tracecheck.capture.model import EdgeBlock
from tracecheck.capture.scan import word_dtype
from tracecheck.capture.sr_members import Member
from tracecheck.errors import CaptureError

_EDGES = 1 << 15
"""Edges a block holds at most: they stay in a core's second-level cache until they are decoded."""
_LEAST_BYTES = 16 << 20
"""Inflated bytes for which threads are worth starting: some milliseconds' work."""
_PART_BYTES = 1 << 20
_BLOCKS_AHEAD = 4
_MOST_THREADS = 4
"""What decodes is one thread, which more of them would only wait for."""


def member_bytes(path: str, fd: int, member: Member) -> bytes:
    """All of a small member; `fd` is read by position and stays open. Raises CaptureError, naming the member."""
    stream = Stream(1, 0)
    stream.begin(member.size, stored=member.stored)
    parts: list[bytes] = []
    while _go_on(path, fd, member, stream):
        parts.append(stream.read())
    return b"".join(parts)


def member_edges(
    path: str,
    fd: int,
    members: Sequence[Member],
    unitsize: int,
    mask: int,
    *,
    skip: int,
    at: int,
    stop: int,
    threads: int | None = None,
) -> Generator[EdgeBlock, None, None]:
    """The edges of the lines in `mask` in samples [at, stop) of `members`, of which the first `skip` bytes are not
    looked at.

    Samples are little-endian, `unitsize` bytes each, and may straddle members. Never are there more of them than the
    members declare. When the last block has come, sizes and CRC-32 of the members have been compared with the
    directory, but for the last one where `stop` lies before its end. Raises CaptureError, naming the member, as soon
    as something does not fit; the blocks before that are not to be trusted beyond what their reader can check.

    `threads` read ahead, by default as many as there are processors, none where there is one or the members are small.
    They read `fd` until this generator is closed. How many there are changes nothing but where blocks are cut.
    """
    if threads is None:
        threads = min(cores(), _MOST_THREADS) if sum(member.size for member in members) >= _LEAST_BYTES else 1
    if threads < 2:
        yield from _edges(path, fd, members, unitsize, mask, skip, at, stop)
        return
    parts = [
        partial(_edges, path, fd, members[first:end], unitsize, mask, skipped, begin, stop)
        for first, end, skipped, begin in _parts(members, unitsize, skip, at)
    ]
    with closing(ahead(parts, threads, _BLOCKS_AHEAD)) as blocks:
        yield from _joined(blocks)


def _parts(members: Sequence[Member], unitsize: int, skip: int, at: int) -> list[tuple[int, int, int, int]]:
    """Members that can be read by themselves: the first and the end of each run, bytes to skip, number of a sample.

    A part begins with a whole sample and is large enough to be worth a thread's while.
    """
    parts: list[tuple[int, int, int, int]] = []
    first, skipped, begin, size = 0, skip, at, -skip
    for k, member in enumerate(members):
        size += member.size
        if size >= _PART_BYTES and size % unitsize == 0 and k + 1 < len(members):
            parts.append((first, k + 1, skipped, begin))
            first, skipped, begin, size = k + 1, 0, begin + size // unitsize, 0
    return [*parts, (first, len(members), skipped, begin)]


def _joined(blocks: Iterable[EdgeBlock]) -> Iterator[EdgeBlock]:
    """An edge in the first sample of a part, where it differs from the last one before: a part cannot know."""
    lines: int | None = None
    for block in blocks:
        at, words, initial, begin, end = block
        if lines is not None and initial != lines:
            at, words = np.insert(at, 0, begin), np.insert(words, 0, words.dtype.type(initial))
            initial = lines
        lines = int(words[-1]) if len(words) else initial
        yield EdgeBlock(at, words, initial, begin, end)


def _edges(
    path: str, fd: int, members: Sequence[Member], unitsize: int, mask: int, skip: int, at: int, stop: int
) -> Iterator[EdgeBlock]:
    room = _EDGES + LEAST_ROOM
    edges, words = np.empty(room, np.int64), np.empty(room, word_dtype(unitsize))
    stream = Stream(unitsize, mask, at=at, stop=stop)
    for member in members:
        stream.begin(member.size, stored=member.stored, skip=skip)
        skip = 0
        while _go_on(path, fd, member, stream):
            begin = stream.at
            count, samples, initial = stream.edges(edges, words)
            if not samples:
                continue
            if count > _EDGES // 2:
                at_hand = edges[:count], words[:count]
                edges, words = np.empty_like(edges), np.empty_like(words)
            else:
                at_hand = edges[:count].copy(), words[:count].copy()
            yield EdgeBlock(*at_hand, initial, begin, begin + samples)


def _go_on(path: str, fd: int, member: Member, stream: Stream) -> bool:
    """Gives `stream` what it needs of `member`; false when that is all."""
    state = stream.state
    if state == "input":
        given = stream.given
        piece = os.pread(fd, min(PIECE, member.packed - given), member.offset + given)
        # A file that has become shorter ends a member, too.
        stream.give(piece, last=given + len(piece) == member.packed or not piece)
        return True
    if state == "room":
        return True
    if state == "more":
        raise _damaged(path, member, f"inflates to more than the {member.size} bytes it declares")
    if state == "bad":
        raise _damaged(path, member, "does not inflate (invalid deflate data)")
    if state == "short":
        raise _damaged(path, member, f"is not complete within the {member.packed} compressed bytes it declares")
    # Bytes left over may be the next member, which a lying size hides.
    if stream.given - stream.unused != member.packed:
        raise _damaged(path, member, f"ends before the {member.packed} compressed bytes it declares")
    if stream.size != member.size:
        raise _damaged(path, member, f"ends after {stream.size} of {member.size} bytes")
    if stream.crc != member.crc:
        raise _damaged(path, member, f"has CRC {stream.crc:08x}, the directory says {member.crc:08x}")
    return False


def _damaged(path: str, member: Member, reason: str) -> CaptureError:
    return CaptureError(path, f'member "{member.name}" {reason}; the file is damaged, copy or save it again')
