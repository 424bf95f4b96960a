"""Which reader a file is for: decided by what it begins with, never by its name."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike, fspath
from typing import NamedTuple

from tracecheck.capture import sr
from tracecheck.capture.files import open_file
from tracecheck.capture.model import Capture
from tracecheck.capture.rate import check_rate
from tracecheck.errors import CaptureError, UsageError

_HEAD = 4096
"""Bytes from a file's beginning that a format is recognised by."""


class Format(NamedTuple):
    """One file format: `recognise` judges a file's first bytes, `open` takes the arguments of `open_capture`."""

    recognise: Callable[[bytes], bool]
    open: Callable[[str, int | None, int | None, int | None], Capture]


FORMATS: list[Format] = [Format(sr.recognise, sr.open_sr)]


def open_capture(
    path: str | PathLike[str],
    *,
    rate_hz: int | None = None,
    max_samples: int | None = None,
    device: int | None = None,
) -> Capture:
    """Open the capture at `path`, whatever its format (so far: sigrok sessions, versions 1 and 2).

    `rate_hz`      samples per second, where the file says none or a wrong one
    `max_samples`  refuse captures that declare more samples; None: no limit, as memory does not depend on it
    `device`       for sessions that hold several: the number of the device to read; None: the first with logic samples

    Only the directory and metadata are read; data is read, and checked, by `Capture.edges`. Raises CaptureError for
    a file that cannot be read, UsageError for arguments that make no sense.
    """
    if rate_hz is not None:
        check_rate(rate_hz)
    if max_samples is not None and max_samples < 0:
        raise UsageError(f"a limit of {max_samples} samples makes no sense")
    name = fspath(path)
    with open_file(name) as file:
        head = file.read(_HEAD)
    for known in FORMATS:
        if known.recognise(head):
            return known.open(name, rate_hz, max_samples, device)
    raise CaptureError(
        name, "not a capture that tracecheck can read: it knows sigrok sessions (.sr); save it as one, in PulseView say"
    )
