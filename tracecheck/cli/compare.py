"""`tracecheck compare`: a new capture against a base, which is a capture or a baseline file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath

import tracecheck
from tracecheck.cli.console import destination, note, state
from tracecheck.cli.lines import Lines
from tracecheck.cli.percent import parse_percent
from tracecheck.cli.progress import Progress
from tracecheck.cli.reading import Reading
from tracecheck.cli.wiring import rule_set
from tracecheck.compare import Baseline, baseline_of, read_baseline, shifts
from tracecheck.errors import UsageError
from tracecheck.report.visible import visible
from tracecheck.rules.verdict import ns_text


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
        with destination(request.save, [request.base, *request.rules]) as out:
            out.text(json.dumps(base.as_object(), indent=1, ensure_ascii=False) + "\n")
        note(f"{request.save}: {sum(base.shapes.values())} transfers; try: tracecheck compare {request.save} NEW")
        return 0
    new = _side(str(request.new), request, saved=False)
    found, silent = shifts(base, new, tolerance)
    broken = sorted(name for name, was in base.verdicts.items() if was == "pass" and new.verdicts.get(name) == "fail")
    vanished, appeared = sorted(base.shapes.keys() - new.shapes.keys()), sorted(new.shapes.keys() - base.shapes.keys())
    slower = [shift for shift in found if shift.verdict == "regression"]
    shared = bool(found or base.shapes.keys() & new.shapes.keys())
    code = 1 if slower or broken else 0 if shared else 2
    with destination(None) as out:
        if request.output_format == "json":
            told = {"schema": 1, "base": base.name, "new": new.name, "exit_code": code, "broken": broken}
            told |= {"shifts": [asdict(shift) for shift in found], "vanished": vanished, "appeared": appeared}
            out.text(json.dumps(told | {"not_said": silent}, indent=2, ensure_ascii=False) + "\n")
            return code
        lines = [
            f"{s.of} {s.name}, {s.figure}: {ns_text(s.base_ns)} -> {ns_text(s.new_ns)}, {s.verdict}"
            for s in found
            if s.verdict != "same"
        ]
        lines += [f"rule {name}: passed, now fails" for name in broken]
        lines += [f"shape {name}: vanished, {base.shapes[name]} before" for name in vanished]
        lines += [f"shape {name}: new, {new.shapes[name]} times" for name in appeared]
        lines += silent
        end = f"{len(slower)} of {len(found)} figures longer, {len(broken)} rules broken"
        end = "NOTHING IN COMMON, so nothing was compared" if code == 2 else end
        out.text("".join(f"{visible(line, line=True)}\n" for line in [*lines, f"{base.name} -> {new.name}: {end}"]))
    return code


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
