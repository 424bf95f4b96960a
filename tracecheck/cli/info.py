"""`tracecheck info`: what a capture holds and what was found in it."""

from __future__ import annotations

import json
from pathlib import PurePath

from tracecheck.cli.console import destination, state
from tracecheck.cli.lines import Lines
from tracecheck.cli.progress import Progress
from tracecheck.cli.reading import Reading
from tracecheck.cli.wiring import rule_set
from tracecheck.decoding.find import wire
from tracecheck.report import info
from tracecheck.report.style import Style


def run(path: str, lines: Lines, reading: Reading, as_json: bool, quiet: bool) -> int:
    """Survey one capture. An empty one is no error here. Raises what the command line explains."""
    state.quiet = quiet
    rules = rule_set((), lines)
    capture = reading.opened(path, empty=True)
    lines.check(capture)
    wiring = wire(capture, list(rules.buses.values()), list(rules.markers.values()))
    with Progress(f"reading {PurePath(path).name}", capture.samples) as progress:
        found = info.survey(capture, wiring, progress)
    with destination(None) as out:
        if as_json:
            out.text(json.dumps(info.as_object(capture, wiring, found), indent=2, ensure_ascii=False) + "\n")
        else:
            out.text(info.render(capture, wiring, found, Style(out.width, out.colour, out.unicode)))
    return 0
