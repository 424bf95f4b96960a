"""A piece of a capture as a session of its own: what PulseView and sigrok-cli open to look at one finding.

The samples are those of the capture, every channel of it; the remarks say from which capture and from which sample on.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Final

from tracecheck.capture.model import Capture
from tracecheck.errors import UsageError
from tracecheck.export.sr import write_sr

_KEPT: Final = ("origin",)
"""Remarks of the capture that hold for every piece of it."""


@dataclass(frozen=True, slots=True)
class Span:
    """Samples [start, stop) of a capture, and of what they are the surroundings, in words."""

    start: int
    stop: int
    of: str

    def around(self, margin: int, samples: int) -> Span:
        """The span with so many samples more on either side, as far as the capture goes."""
        return Span(max(self.start - margin, 0), min(self.stop + margin, samples), self.of)


def write_cutout(path: str | os.PathLike[str], capture: Capture, span: Span) -> int:
    """Writes the samples of `span` as a .sr file and returns how many. Raises UsageError for an empty span."""
    if span.start >= span.stop:
        raise UsageError(f"{capture.path}: samples {span.start} to {span.stop} are none of it")
    remarks = {key: capture.remarks[key] for key in _KEPT if key in capture.remarks}
    remarks |= {
        "cut-from": _printable(capture.path.rpartition("/")[2]),
        "cut-sample": str(span.start),
        "cut-around": _printable(span.of),
    }
    return write_sr(
        path,
        capture.edges([c.bit for c in capture.channels], start=span.start, stop=span.stop),
        rate_hz=capture.rate_hz,
        channels=capture.channels,
        remarks=remarks,
    )


def _printable(text: str) -> str:
    """One line that a .sr file's metadata holds."""
    return re.sub(r"[^ -~]", "?", text).strip() or "?"
