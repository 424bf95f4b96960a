"""What `tracecheck watch` watches: a device, standard input or a file, opened and looked at."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tracecheck.capture.rate import parse_rate
from tracecheck.capture.vcd import declarations
from tracecheck.cli.console import say
from tracecheck.cli.lines import Lines
from tracecheck.cli.reading import Reading
from tracecheck.errors import CaptureError, UsageError
from tracecheck.live import sigrok
from tracecheck.live.content import ENOUGH, is_vcd, whole_file
from tracecheck.live.sources import Bytes, RawStream, Stream, VcdStream


@dataclass(frozen=True, slots=True)
class Request:
    """The arguments, as typed."""

    source: str | None
    driver: str | None
    channels: Sequence[str]
    rules: Sequence[str]
    expect: Sequence[str]
    lines: Lines
    reading: Reading
    follow: bool
    save: str | None
    margin: str
    save_at_most: int
    stop_on: str | None
    lasting: str | None
    output_format: str
    fail_on: str
    strict: bool
    quiet: bool

    @property
    def rate_hz(self) -> int | None:
        """As `--samplerate` says it. Raises UsageError."""
        try:
            return None if self.reading.samplerate is None else parse_rate(self.reading.samplerate)
        except UsageError as error:
            raise UsageError(f"--samplerate: {error}") from None


@contextmanager
def opened(request: Request) -> Iterator[Stream]:
    """The stream that was asked for. Raises UsageError, CaptureError."""
    if (request.driver is None) == (request.source is None):
        raise UsageError("watch what? Give a file, - for standard input, or --driver NAME")
    if request.driver is not None:
        if request.follow or request.reading.unitsize is not None:
            raise UsageError("--follow and --unitsize are of files; a --driver knows its width")
        with _device(request) as stream:
            yield stream
        return
    source = request.source or "-"
    if request.follow and source == "-":
        raise UsageError("--follow is for a file that grows; standard input is read until it ends anyway")
    descriptor, path = (sys.stdin.fileno(), "standard input") if source == "-" else (_file(source), source)
    try:
        yield _stream(request, path, descriptor)
    finally:
        if source != "-":
            os.close(descriptor)


def _file(path: str) -> int:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise CaptureError(path, f"cannot be opened: {error.strerror}") from None
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise CaptureError(path, "is a folder; give a file, or - for standard input")
    return descriptor


def _stream(request: Request, path: str, descriptor: int) -> Stream:
    data = Bytes(descriptor, follow=request.follow, stalled=_stalled)
    unitsize = request.reading.unitsize
    if unitsize is not None:
        if not 1 <= unitsize <= 8:
            raise UsageError(f"--unitsize {unitsize}: raw samples have 1 to 8 bytes")
        if request.rate_hz is None:
            raise UsageError("raw samples tell no time; give their --samplerate")
    head = _head(data)
    if not head:
        more = (
            "what writes into it ended without a word" if request.source in (None, "-") else "record or copy it again"
        )
        raise CaptureError(path, f"is empty (0 bytes); {more}")
    whole = whole_file(head)
    if whole is not None:
        raise CaptureError(
            path,
            f"is {whole}, which is read as a whole; let analyze judge it: tracecheck analyze {request.source or '-'}",
        )
    if unitsize is not None:
        if is_vcd(head):
            raise CaptureError(path, "is a VCD and no raw samples; leave out --unitsize")
        data.put_back(head)
        return RawStream(path, data, unitsize, request.rate_hz)
    if not is_vcd(head):
        raise CaptureError(path, "no VCD; of raw samples say the width: --unitsize 1 --samplerate 24MHz")
    if not _declared(head):
        for piece in data:
            head += piece
            if _declared(head):
                break
    lines, rest, line = declarations(path, head)
    return VcdStream(path, data, lines, rest, line, request.rate_hz)


def _head(data: Bytes) -> bytes:
    """What the stream begins with; less than `ENOUGH` bytes where it ends there."""
    head = b""
    for piece in data:
        head += piece
        if len(head) >= ENOUGH:
            break
    return head


def _declared(head: bytes) -> bool:
    return b"$end" in head.partition(b"$enddefinitions")[2]


def _stalled(seconds: float) -> None:
    say(f"nothing has come for {seconds:.0f} s; still waiting (Ctrl-C ends the watching)")


@contextmanager
def _device(request: Request) -> Iterator[Stream]:
    driver = request.driver or ""
    device = sigrok.the_device(driver)
    named = dict(sigrok.asked_channels(device, request.channels)) if request.channels else {}
    everything = [(name, name) for name in device.digital]
    unitsize, channels = sigrok.lines_of(device, [(name, named.get(name, name)) for name, _ in everything])
    rate_hz = request.rate_hz
    if rate_hz is None:
        raise UsageError("--driver: at which rate? Give --samplerate, for example 24MHz")
    command = sigrok.arguments(driver, rate_hz, everything, ["--continuous", "--output-format", "binary"])
    with sigrok.Recording(command) as recording:
        data = Bytes(recording.descriptor, stalled=_stalled)
        yield RawStream(f"{device.driver} ({device.text})", data, unitsize, rate_hz, channels)
        ended = recording.process.poll()
        said = recording.stop()
        if ended:
            raise CaptureError(driver, f"sigrok-cli ended with {ended}: {said or 'it gave no reason'}")
