"""`tracecheck rules init`: a rule file from a good capture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath

from tracecheck.cli.console import destination, note, refuse_inputs, state
from tracecheck.cli.lines import Lines
from tracecheck.cli.percent import parse_percent
from tracecheck.cli.progress import Progress
from tracecheck.cli.reading import Reading
from tracecheck.cli.wiring import rule_set
from tracecheck.errors import OutputError
from tracecheck.learn import learn


def run(
    path: str,
    output: str | None,
    margin: str,
    lines: Lines,
    rules: Sequence[str],
    reading: Reading,
    *,
    force: bool,
    quiet: bool,
) -> int:
    """Learn, and write. Raises what the command line explains."""
    state.quiet = quiet
    share = parse_percent(margin, "--margin")
    place = None if output in (None, "-") else output
    pins = rule_set(rules, lines).model_copy(update={"rules": ()})
    if place is not None:
        refuse_inputs(place, [path, *pins.sources])
        if Path(place).exists() and not force:
            raise OutputError(place, "there is a file already; --force writes over it, -o names another")
    capture = reading.opened(path)
    lines.check(capture)
    with Progress(f"reading {PurePath(path).name}", capture.samples) as progress:
        text, count = learn(capture, pins, share, progress)
    with destination(place, [path, *pins.sources]) as out:
        out.text(text)
    if place is not None:
        note(f"{place}: {count} rules learned; try: tracecheck analyze {path} --rules {place}")
    return 0
