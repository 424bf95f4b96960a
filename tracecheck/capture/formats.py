"""Which reader a capture is for: decided by what it begins with, never by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from os import PathLike, fspath
from typing import NamedTuple

from tracecheck.capture import sr
from tracecheck.capture.model import Capture
from tracecheck.capture.rate import check_rate
from tracecheck.capture.raw import RawCapture
from tracecheck.capture.source import Source
from tracecheck.capture.spooled import SpooledCapture, remove
from tracecheck.errors import CaptureError, UsageError

Opener = Callable[[Source, int | None, int | None, int | None], Capture]


class Format(NamedTuple):
    """One format: `recognise` judges the first bytes, `open` takes them and the arguments of `open_capture`."""

    name: str
    recognise: Callable[[bytes], bool]
    open: Opener


def _sr(source: Source, rate_hz: int | None, max_samples: int | None, device: int | None) -> Capture:
    """A ZIP archive is read here and there: one that came compressed, or through a pipe, is put on disk first."""
    if source.plain:
        return sr.open_sr(source.path, rate_hz, max_samples, device)
    copy = source.spooled()
    try:
        return SpooledCapture(source.path, sr.open_sr(copy, rate_hz, max_samples, device))
    except CaptureError as error:
        remove(copy)
        raise CaptureError(source.path, error.reason) from None
    except BaseException:
        remove(copy)
        raise


def _formats() -> Iterator[Format]:
    """Every format, in the order in which they are looked for; a reader is imported when it is come to."""
    yield Format("sigrok sessions (.sr)", sr.recognise, _sr)
    from tracecheck.capture import delimited, fst, saleae, vcd  # noqa: PLC0415  (sessions are what most captures are)

    yield Format("VCD", vcd.recognise, vcd.open_vcd)
    yield Format("FST", fst.recognise, fst.open_fst)
    yield Format("Saleae's binary export", saleae.recognise, saleae.open_saleae)
    yield Format("CSV", delimited.recognise, delimited.open_csv)


def open_capture(
    path: str | PathLike[str],
    *,
    rate_hz: int | None = None,
    max_samples: int | None = None,
    device: int | None = None,
    unitsize: int | None = None,
) -> Capture:
    """Open the capture at `path`, whatever its format; `-` is standard input. gzip and Zstandard may be around it.

    `rate_hz`      samples per second, where the file says none or a wrong one; for formats that give times, the grid
                   they are put on
    `max_samples`  refuse captures that are longer; None: no limit
    `device`       for sessions that hold several: the number of the device to read; None: the first with logic samples
    `unitsize`     the file is raw binary, with so many bytes a sample

    Of sigrok sessions and raw binary only the directory is read; data is read, and checked, by `Capture.edges`. All
    other formats are read to their end. Raises CaptureError for a file that cannot be read, UsageError for arguments
    that make no sense, ExtraError for a format that needs a package that is not there.
    """
    if rate_hz is not None:
        check_rate(rate_hz)
    if max_samples is not None and max_samples < 0:
        raise UsageError(f"a limit of {max_samples} samples makes no sense")
    name = fspath(path)
    source = Source(name, unpacked=unitsize is None)
    try:
        if unitsize is not None:
            if source.plain:
                return RawCapture(name, unitsize, rate_hz, max_samples)
            return SpooledCapture(source.path, RawCapture(source.spooled(), unitsize, rate_hz, max_samples))
        head = source.head
        for known in _formats():
            if known.recognise(head):
                return known.open(source, rate_hz, max_samples, device)
    finally:
        source.close()
    raise CaptureError(
        source.path,
        f"not a capture that tracecheck can read: it knows {', '.join(known.name for known in _formats())}, "
        "and raw binary where --unitsize tells its width",
    )
