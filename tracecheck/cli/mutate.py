"""`tracecheck mutate`: faults injected into a capture that passes, to test the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from tracecheck.cli.console import destination, state
from tracecheck.cli.lines import Lines
from tracecheck.cli.progress import Progress
from tracecheck.cli.reading import Reading
from tracecheck.cli.wiring import rule_set
from tracecheck.mutate.run import mutate
from tracecheck.report import mutants
from tracecheck.report.style import Style


@dataclass(frozen=True, slots=True)
class Request:
    """The arguments, as typed."""

    capture: str
    rules: Sequence[str]
    expect: Sequence[str]
    seed: int
    sites: int
    fail_on: str
    lines: Lines
    reading: Reading
    output_format: str
    output: str | None
    quiet: bool
    verbose: bool


def run(request: Request) -> int:
    """0: no visible fault survived, 1: some did. Raises what the command line explains."""
    state.quiet = request.quiet
    rules = rule_set(request.rules, request.lines, request.expect)
    with destination(request.output, [request.capture, *request.rules]) as out:
        capture = request.reading.opened(request.capture)
        request.lines.check(capture)
        with Progress(f"mutating {PurePath(request.capture).name}", 100) as progress:
            found = mutate(
                capture,
                rules,
                seed=request.seed,
                sites=request.sites,
                fail_on=request.fail_on,
                progress=lambda done, count: progress(100 * done // count),
            )
        style = Style(out.width, out.colour, out.unicode)
        if request.output_format == "json":
            out.text(mutants.render_json(found))
        elif request.quiet:
            out.text(f"{request.capture}: {mutants.verdict_line(found, style)}\n")
        else:
            out.text(mutants.render(found, style, verbose=request.verbose))
    return found.exit_code
