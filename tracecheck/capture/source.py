"""Where bytes come from: a file, or standard input (`-`), as it is or compressed by gzip or Zstandard.

A format is recognised by its first bytes; so is what was put around it.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

from tracecheck.capture.files import open_file
from tracecheck.errors import CaptureError

HEAD: Final = 4096
"""Bytes from the beginning that a format is recognised by."""
STDIN: Final = "-"
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_LAYERS: Final = 2
"""One inside the other; more is no way to keep a capture."""
_COPY: Final = 1 << 20
_MOST_SPOOLED: Final = 1 << 36
"""Bytes that an archive inside another, or from standard input, may take on disk."""


class Source:
    """Bytes to be read once. `path` is what messages call them; `plain`: they are the file at `path` as it stands."""

    def __init__(self, path: str, *, unpacked: bool = True) -> None:
        """`unpacked`: what is compressed is unpacked."""
        self.path = "standard input" if path == STDIN else path
        self.plain = path != STDIN
        raw: io.RawIOBase = _stdin() if path == STDIN else open_file(path)
        self.stream: io.BufferedReader[Any] = io.BufferedReader(raw, _COPY)
        self._open = [self.stream]
        try:
            for _ in range(_LAYERS if unpacked else 0):
                opener = _opener(self.head)
                if opener is None:
                    break
                self.plain = False
                self.stream = io.BufferedReader(_Guarded(self.path, opener(self.stream)), _COPY)
                self._open.append(self.stream)
            if not self.head:
                raise CaptureError(self.path, "is empty (0 bytes); record or copy it again")
        except BaseException:
            self.close()
            raise

    @property
    def head(self) -> bytes:
        """The first bytes, which stay to be read."""
        return self.stream.peek(HEAD)[:HEAD]

    def spooled(self) -> str:
        """The rest as a temporary file, for formats that jump about in theirs; whoever opens it removes it."""
        with tempfile.NamedTemporaryFile(prefix="tracecheck-", delete=False) as copy:
            try:
                size = 0
                while piece := self.stream.read(_COPY):
                    size += copy.write(piece)
                    if size > _MOST_SPOOLED:
                        raise CaptureError(
                            self.path, f"unpacks to more than {_MOST_SPOOLED >> 30} GiB; unpack it first"
                        )
            except BaseException:
                Path(copy.name).unlink(missing_ok=True)
                raise
            return copy.name

    def close(self) -> None:
        """Close what was opened."""
        for stream in reversed(self._open):
            stream.close()


class _Guarded(io.RawIOBase):
    """Decompressed bytes, whose damage is told as what it is."""

    def __init__(self, path: str, inner: Any) -> None:
        self._path, self._inner = path, inner

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        try:
            data = self._inner.read(len(buffer))
        except EOFError:
            raise CaptureError(self._path, "the compressed data ends too early; copy it again") from None
        except CaptureError:
            raise
        except (OSError, ValueError) as error:
            raise CaptureError(self._path, f"the compressed data is damaged ({error}); copy it again") from None
        buffer[: len(data)] = data
        return len(data)


def _opener(head: bytes) -> Callable[[io.BufferedReader[Any]], Any] | None:
    if head.startswith(_GZIP):
        return _gzip
    if head.startswith(_ZSTD):
        return _zstd
    return None


def _gzip(stream: io.BufferedReader[Any]) -> Any:
    from isal import igzip  # noqa: PLC0415  (only when it is wanted)

    return igzip.IGzipFile(fileobj=stream)  # type: ignore[no-untyped-call]


def _zstd(stream: io.BufferedReader[Any]) -> Any:
    import pyarrow as pa  # noqa: PLC0415  (heavy; and where tables are wanted it is loaded anyway)

    return pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd")


def _stdin() -> io.RawIOBase:
    if sys.stdin is None:
        raise CaptureError("standard input", "is closed; give a file, or send it a capture")
    if sys.stdin.isatty():
        raise CaptureError("standard input", "is a terminal; send it a capture: tracecheck info - < capture.vcd")
    binary = sys.stdin.buffer
    return cast("io.RawIOBase", io.FileIO(os.dup(binary.fileno())) if hasattr(binary, "fileno") else binary)
