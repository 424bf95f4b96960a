"""`tracecheck export`: a capture, or a piece of it, as other programs read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

import tracecheck
from tracecheck.capture.model import Capture
from tracecheck.cli.console import destination, note, refuse_inputs, state
from tracecheck.cli.lines import Lines
from tracecheck.cli.pins import wired
from tracecheck.cli.progress import Progress
from tracecheck.cli.reading import Reading
from tracecheck.cli.wiring import rule_set
from tracecheck.errors import UsageError, did_you_mean
from tracecheck.export.around import span_of
from tracecheck.export.cutout import Span, write_cutout
from tracecheck.export.folder import write_folder
from tracecheck.export.perfetto import write_perfetto
from tracecheck.export.tables import WRITERS
from tracecheck.export.vcd import write_vcd
from tracecheck.report.judged import asked
from tracecheck.rules.model import RuleSet
from tracecheck.rules.quantity import parse_seconds
from tracecheck.rules.verdict import Report
from tracecheck.stack.table import annotations_table

SUFFIXES: Final = {"vcd": "vcd", "pftrace": "perfetto", "perfetto-trace": "perfetto", "sr": "sr"}
FORMATS: Final = ("vcd", "perfetto", "sr", *WRITERS)
_UNTIMED_MARGIN: Final = 1000
"""Samples on either side where no samplerate tells how many a time is."""


@dataclass(frozen=True, slots=True)
class Request:
    """The arguments, as typed."""

    capture: str
    output: str
    to: str | None
    around: str | None
    margin: str
    lines_only: bool
    rules: Sequence[str]
    expect: Sequence[str]
    lines: Lines
    reading: Reading
    quiet: bool
    stacks: Sequence[str] = ()

    @property
    def kind(self) -> str:
        """The format, as said or by the output's name. Raises UsageError."""
        suffix = PurePath(self.output).suffix[1:].lower()
        kind = self.to or SUFFIXES.get(suffix)
        if kind is None:
            if suffix in WRITERS:
                raise UsageError(
                    f"-o {self.output}: one table into one file is tracecheck decode --table TABLE -o {self.output}; "
                    f"for all of them give --to {suffix} and -o FOLDER"
                )
            raise UsageError(f"-o {self.output}: in which format? Give --to {', '.join(FORMATS)}")
        if kind not in FORMATS:
            raise UsageError(f'--to: no format "{kind}"{did_you_mean(kind, FORMATS)} (formats: {", ".join(FORMATS)})')
        if self.around is not None and kind not in ("sr", "vcd"):
            raise UsageError(f"--around cuts samples, and --to {kind} has none; use --to sr or --to vcd")
        if self.lines_only and kind != "vcd":
            raise UsageError(
                f"--lines-only leaves the decoded text out of a vcd; --to {kind} has none beside its lines"
            )
        if self.stacks and kind in ("sr", "vcd"):
            raise UsageError(f"--stack: a {kind} has no place for what decoders say; use --to perfetto, csv or parquet")
        if self.around is None and kind == "sr":
            raise UsageError("--to sr cuts a piece out: say which with --around RULE, transfer:7 or 3.44ms")
        return kind


def run(request: Request) -> int:
    """Export one capture. Raises what the command line explains."""
    state.quiet = request.quiet
    kind = request.kind
    rules = rule_set(request.rules, request.lines, request.expect, request.stacks)
    capture = request.reading.opened(request.capture)
    request.lines.check(capture)
    inputs = [request.capture, *request.rules]
    refuse_inputs(request.output, inputs)
    report, trace = _judged(capture, rules, timings=kind in WRITERS)
    span = _span(request, capture, report, trace)
    if kind == "sr":
        count = write_cutout(request.output, capture, span)
        note(f"{count} samples from {span.start} on, around {span.of}, are in {request.output}")
    elif kind in WRITERS:
        more = {"annotations": annotations_table(trace, report.annotations)} if rules.stacks else {}
        names = write_folder(request.output, trace, kind, more)
        note(f"{len(names)} tables are in {request.output}")
    else:
        with destination(request.output, inputs) as out:
            if kind == "vcd":
                write_vcd(out, capture, None if request.lines_only else trace, start=span.start, stop=span.stop)
            else:
                write_perfetto(out, trace, report)
    return 0


def _judged(capture: Capture, rules: RuleSet, *, timings: bool) -> tuple[Report, tracecheck.Trace]:
    with Progress(f"reading {PurePath(capture.path).name}", capture.samples) as progress:
        report = tracecheck.analyze(capture, asked(rules), keep_trace=True, timings=timings, progress=progress)
    trace: tracecheck.Trace = report.trace
    wired(capture, trace.wiring)
    return report, trace


def _span(request: Request, capture: Capture, report: Report, trace: tracecheck.Trace) -> Span:
    if request.around is None:
        return Span(0, capture.samples, "all of it")
    try:
        margin = parse_seconds(request.margin).samples(capture.rate_hz)
    except ValueError as error:
        raise UsageError(f"--margin: {error}") from None
    samples = _UNTIMED_MARGIN if margin is None else int(margin)
    return span_of(request.around, report, trace).around(samples, capture.samples)
