"""What a stream is not: files that are read as a whole are told by what they begin with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tracecheck.capture import delimited, fst, saleae, sr, vcd
from tracecheck.capture.source import HEAD

ENOUGH: Final = 256
"""So many bytes tell one of these from samples."""
_FST_WRAPPED: Final = 0xFE
_WHOLE: Final[list[tuple[str, Callable[[bytes], bool]]]] = [
    ("a sigrok session (.sr)", sr.recognise),
    ("compressed with gzip", lambda head: head.startswith(b"\x1f\x8b\x08")),
    ("compressed with Zstandard", lambda head: head.startswith(b"\x28\xb5\x2f\xfd")),
    # Its compressed kind begins with one byte that any sample may be.
    ("an FST", lambda head: head[:1] != bytes([_FST_WRAPPED]) and fst.recognise(head)),
    ("Saleae's binary export", saleae.recognise),
    ("a CSV", delimited.recognise),
]


def whole_file(head: bytes) -> str | None:
    """What begins like this and can be judged as a whole only: `a sigrok session (.sr)`."""
    head = head[:HEAD]
    return next((what for what, recognise in _WHOLE if recognise(head)), None)


def is_vcd(head: bytes) -> bool:
    """Whether a stream that begins like this is a VCD."""
    return vcd.recognise(head)
