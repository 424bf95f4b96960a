"""Raw binary: samples and nothing else, as `sigrok-cli -O binary` and Logic 1's export of every sample write them.

Nothing in such a file tells what it is, so its width has to be said: `unitsize` bytes a sample, little-endian.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tracecheck.capture.files import open_file
from tracecheck.capture.model import Capture, Channel, EdgeBlock
from tracecheck.capture.scan import WINDOW, line_mask, sample_range, scan_windows
from tracecheck.errors import CaptureError, UsageError

LARGEST_UNIT = 8


class RawCapture(Capture):
    """A file of raw samples. Channels are called D0, D1 and so on, by their bits. Raises CaptureError, UsageError."""

    format = "raw binary"

    def __init__(self, path: str, unitsize: int, rate_hz: int | None, max_samples: int | None = None) -> None:
        if not 1 <= unitsize <= LARGEST_UNIT:
            raise UsageError(f"a sample of {unitsize} bytes: raw samples have 1 to {LARGEST_UNIT}")
        self.path, self.unitsize, self.rate_hz = path, unitsize, rate_hz
        open_file(path).close()
        self._bytes = Path(path).stat().st_size
        self.channels = tuple(Channel(f"D{bit}", bit) for bit in range(8 * unitsize))
        if self._bytes % unitsize:
            odd = f"The file's {self._bytes} bytes are no whole number of samples of {unitsize}."
            self.notes = (f"{odd} Is that the width? The last one is left out.",)
        if max_samples is not None and self.samples > max_samples:
            raise CaptureError(
                path, f"holds {self.samples} samples, more than the limit of {max_samples}; raise --max-samples"
            )

    @property
    def samples(self) -> int:
        return self._bytes // self.unitsize

    def edges(self, bits: Sequence[int], *, start: int = 0, stop: int | None = None) -> Iterator[EdgeBlock]:
        mask = line_mask(self, bits)
        start, stop = sample_range(self, start, stop)
        return scan_windows(self._windows(start, stop), self.unitsize, mask, start, stop) if start < stop else iter(())

    def _windows(self, start: int, stop: int) -> Iterator[memoryview]:
        with open_file(self.path) as file:
            file.seek(start * self.unitsize)
            left = (stop - start) * self.unitsize
            while left:
                piece = file.read(min(WINDOW, left))
                if not piece:
                    raise CaptureError(self.path, "has become shorter since it was opened; open it again")
                left -= len(piece)
                yield memoryview(piece)
