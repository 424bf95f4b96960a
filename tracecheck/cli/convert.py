"""`tracecheck convert`: a capture of any format as a sigrok session or a VCD, sample for sample."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from tracecheck.capture.model import Capture, Channel, EdgeBlock
from tracecheck.cli.console import destination, note, refuse_inputs, state
from tracecheck.cli.progress import Progress
from tracecheck.cli.reading import Reading
from tracecheck.errors import UsageError, did_you_mean
from tracecheck.export.sr import write_sr
from tracecheck.export.vcd import write_vcd

FORMATS: Final = ("sr", "vcd")
_MOST_SAMPLES: Final = 1 << 34
"""A session holds every sample; a file of changes on a fine tick may last longer than anybody wants to store."""


@dataclass(frozen=True, slots=True)
class Request:
    """The arguments, as typed."""

    capture: str
    output: str
    to: str | None
    lines: Sequence[str]
    reading: Reading
    quiet: bool

    @property
    def kind(self) -> str:
        """The format, as said or by the output's name. Raises UsageError."""
        kind = self.to or PurePath(self.output).suffix[1:].lower()
        if kind not in FORMATS:
            if self.to is None:
                raise UsageError(f"-o {self.output}: in which format? Give --to sr or --to vcd, or a name that ends so")
            raise UsageError(f'--to: no format "{kind}"{did_you_mean(kind, FORMATS)} (formats: {", ".join(FORMATS)})')
        return kind


def run(request: Request) -> int:
    """Convert one capture. Raises what the command line explains."""
    state.quiet = request.quiet
    kind = request.kind
    capture = request.reading.opened(request.capture)
    kept = tuple(capture.channel(name.strip()) for name in request.lines) or capture.channels
    refuse_inputs(request.output, [request.capture])
    for sentence in capture.notes:
        note(sentence)
    if kind == "sr":
        if capture.samples > _MOST_SAMPLES:
            raise UsageError(
                f"{capture.path}: {capture.samples} samples are too many for a session, which stores each; give "
                "--samplerate for a coarser grid, or --to vcd"
            )
        _session(request.output, capture, kept)
    else:
        with destination(request.output, [request.capture]) as out:
            write_vcd(out, capture, channels=kept)
    return 0


def _session(path: str, capture: Capture, kept: Sequence[Channel]) -> None:
    remarks = {key: capture.remarks[key] for key in ("origin",) if key in capture.remarks}
    write_sr(
        path,
        _watched(capture, kept),
        rate_hz=capture.rate_hz,
        channels=kept,
        remarks={**remarks, "converted-from": f"{capture.format} {_printable(capture.path.rpartition('/')[2])}"},
    )


def _watched(capture: Capture, kept: Sequence[Channel]) -> Iterator[EdgeBlock]:
    with Progress(f"converting {PurePath(capture.path).name}", capture.samples) as progress:
        for block in capture.edges([channel.bit for channel in kept]):
            yield block
            progress(block.end)


def _printable(text: str) -> str:
    return "".join(c if " " <= c <= "~" else "?" for c in text)
