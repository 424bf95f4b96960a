"""How a capture file is to be read, as the command line says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracecheck.errors import CaptureError, UsageError

if TYPE_CHECKING:
    from tracecheck.capture.model import Capture


@dataclass(frozen=True, slots=True)
class Reading:
    """The options that every command that reads a capture shares, as typed."""

    samplerate: str | None = None
    max_samples: int | None = None
    device: int | None = None
    unitsize: int | None = None

    def opened(self, path: str, *, empty: bool = False) -> Capture:
        """The capture at `path`. Raises CaptureError, also for one without samples unless `empty`; UsageError."""
        from tracecheck import capture as captures  # noqa: PLC0415  (options are parsed before anything heavy is loaded)

        try:
            rate_hz = None if self.samplerate is None else captures.parse_rate(self.samplerate)
        except UsageError as error:
            raise UsageError(f"--samplerate: {error}") from None
        if self.max_samples is not None and self.max_samples < 0:
            raise UsageError(f"--max-samples: {self.max_samples} makes no sense; give a number of samples")
        capture = captures.open(
            path, rate_hz=rate_hz, max_samples=self.max_samples, device=self.device, unitsize=self.unitsize
        )
        if capture.samples == 0 and not empty:
            raise CaptureError(path, "the capture is empty (0 samples); record it again")
        return capture
