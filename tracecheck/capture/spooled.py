"""A capture in a temporary file, which goes with it: a sigrok session that came compressed, or from standard input."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator, Sequence
from contextlib import suppress

from tracecheck.capture.model import Capture, EdgeBlock
from tracecheck.errors import CaptureError


class SpooledCapture(Capture):
    """`inner`, called `path`. Raises what `inner` raises, about `path`."""

    def __init__(self, path: str, inner: Capture) -> None:
        self.path, self._inner = path, inner
        self.format, self.rate_hz, self.unitsize = inner.format, inner.rate_hz, inner.unitsize
        self.channels, self.remarks, self.notes = inner.channels, inner.remarks, inner.notes
        self._removed = weakref.finalize(self, remove, inner.path)

    @property
    def samples(self) -> int:
        return self._inner.samples

    def edges(self, bits: Sequence[int], *, start: int = 0, stop: int | None = None) -> Iterator[EdgeBlock]:
        try:
            yield from self._inner.edges(bits, start=start, stop=stop)
        except CaptureError as error:
            raise CaptureError(self.path, error.reason) from None


def remove(path: str) -> None:
    """Remove a temporary file, if it is there."""
    with suppress(OSError):
        os.unlink(path)  # noqa: PTH108  (pathlib may be gone when the interpreter ends)
