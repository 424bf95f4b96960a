"""`tracecheck compare`: a new capture against a base, which is a capture or a baseline file."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import tracecheck
from tracecheck.cli.console import Output, destination, note, state
from tracecheck.cli.lines import Lines
from tracecheck.cli.percent import parse_percent
from tracecheck.cli.progress import Progress
from tracecheck.cli.reading import Reading
from tracecheck.cli.wiring import rule_set
from tracecheck.compare import Baseline, baseline_of, compared, read_baseline, said
from tracecheck.errors import UsageError
from tracecheck.report.visible import visible


@dataclass(frozen=True, slots=True)
class Request:
    """The arguments, as typed."""

    base: str
    new: str | None
    rules: Sequence[str]
    lines: Lines
    reading: Reading
    tolerance: str
    save: str | None
    output_format: str
    quiet: bool


def run(request: Request) -> int:
    """Compare, or save a baseline. Raises what the command line explains."""
    state.quiet = request.quiet
    tolerance = parse_percent(request.tolerance, "--tolerance")
    if (request.new is None) == (request.save is None):
        raise UsageError("name two captures to compare, or one and --save-baseline FILE")
    base = _side(request.base, request, saved=request.save is None)
    if request.save is not None:
        with destination(request.save, [request.base, *request.rules], option="--save-baseline") as out:
            out.text(base.text())
        note(f"{request.save}: {sum(base.shapes.values())} transfers; try: tracecheck compare {request.save} NEW")
        return 0
    found = compared(base, _side(str(request.new), request, saved=False), tolerance)
    with destination(None) as out:
        if request.output_format == "json":
            out.text(json.dumps(said.as_object(found), indent=2, ensure_ascii=False) + "\n")
        else:
            for line in said.lines(found):
                out.text("\n".join(_wrapped(visible(line, line=True), out)) + "\n")
    return found.exit_code


def _wrapped(line: str, out: Output) -> list[str]:
    """To the width of a terminal; in a pipe or a file a line stays one."""
    if not out.is_terminal:
        return [line]
    return textwrap.wrap(line, out.width, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


def _side(path: str, request: Request, *, saved: bool) -> Baseline:
    if saved and path != "-" and Path(path).is_file():
        with Path(path).open("rb") as file:
            if file.read(1) == b"{":
                return read_baseline(path, Path(path).read_bytes().decode("utf-8", "replace"))
    rules = rule_set(request.rules, request.lines)
    capture = request.reading.opened(path)
    request.lines.check(capture)
    with Progress(f"reading {PurePath(path).name}", capture.samples) as progress:
        return baseline_of(tracecheck.analyze(capture, rules, keep_trace=True, progress=progress))
