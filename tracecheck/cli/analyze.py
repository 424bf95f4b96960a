"""`tracecheck analyze`: each capture judged by itself, one output, the worst exit code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import tracecheck
from tracecheck.capture.model import Capture
from tracecheck.cli.console import Output, destination, say, state
from tracecheck.cli.lines import Lines
from tracecheck.cli.progress import Progress
from tracecheck.cli.reading import Reading
from tracecheck.cli.wiring import asked, rule_set
from tracecheck.decoding.exchanges import settle_samples
from tracecheck.decoding.find import wire
from tracecheck.errors import CaptureError, ChannelError
from tracecheck.report import json as as_json
from tracecheck.report import text as as_text
from tracecheck.report.drawing import draw
from tracecheck.report.exchange import Exchange, read_exchange
from tracecheck.report.outline import Outline, TransferFacts
from tracecheck.report.style import Style
from tracecheck.rules.model import RuleSet
from tracecheck.rules.verdict import Report
from tracecheck.words import SEVERITIES

COULD_NOT_CHECK = 2
DRAWINGS = 3
"""Failing exchanges drawn of one capture: the first of each failed rule, the severest first."""


@dataclass(frozen=True, slots=True)
class Request:
    """The arguments, as typed."""

    captures: Sequence[str]
    rules: Sequence[str]
    expect: Sequence[str]
    lines: Lines
    reading: Reading
    output_format: str
    output: str | None
    fail_on: str
    strict: bool
    quiet: bool
    verbose: bool


@dataclass(frozen=True, slots=True)
class _Judged:
    path: str
    rules: RuleSet
    capture: Capture
    report: Report
    outline: Outline


@dataclass(frozen=True, slots=True)
class _Unreadable:
    path: str
    reason: str


class _NothingReadError(Exception):
    """No capture could be read: an output file that stands there already is left as it is."""


def run(request: Request) -> int:
    """Judge every capture; one that cannot be read does not stop the others. Raises what the command line explains."""
    state.quiet = request.quiet
    rules = rule_set(request.rules, request.lines, request.expect)
    done: list[_Judged | _Unreadable] = []
    # The output is opened first: that it cannot be written is better known before a long capture is read.
    with suppress(_NothingReadError), destination(request.output, [*request.captures, *request.rules]) as out:
        done += [_judged(path, rules, request) for path in request.captures]
        readable = [one for one in done if isinstance(one, _Judged)]
        if request.output_format == "json":
            out.text(as_json.render([_object(one, request) for one in done]))
        elif readable:
            out.text(_text(readable, out, request))
        else:
            raise _NothingReadError
    return worst(
        one.report.exit_code(request.fail_on, strict=request.strict) if isinstance(one, _Judged) else COULD_NOT_CHECK
        for one in done
    )


def worst(codes: Iterable[int]) -> int:
    """Of several captures: 1 if one failed, else 2 if one could not be checked, else 0."""
    found = set(codes)
    return next((code for code in (1, 2) if code in found), 0)


def _judged(path: str, rules: RuleSet, request: Request) -> _Judged | _Unreadable:
    outline = Outline()
    try:
        capture = request.reading.opened(path)
        request.lines.check(capture)
        with Progress(f"reading {PurePath(path).name}", capture.samples) as progress:
            report = tracecheck.analyze(capture, asked(rules), progress=progress, observe=outline.add)
    except (CaptureError, ChannelError) as error:
        say(str(error))
        return _Unreadable(path, str(error))
    return _Judged(path, rules, capture, report, outline)


def _object(one: _Judged | _Unreadable, request: Request) -> dict[str, Any]:
    if isinstance(one, _Unreadable):
        return as_json.unreadable(one.path, one.reason)
    return as_json.verdict(one.report, one.outline, fail_on=request.fail_on, strict=request.strict)


def _text(done: Sequence[_Judged], out: Output, request: Request) -> str:
    style = Style(out.width, out.colour, out.unicode)
    if request.quiet:
        return "".join(f"{one.path}: {_line(one, style, request)}\n" for one in done)
    return "\n".join(_one_text(one, style, request) for one in done)


def _one_text(one: _Judged, style: Style, request: Request) -> str:
    return as_text.render(
        one.report,
        style,
        outline=one.outline,
        drawings=[draw(exchange, style) for exchange in _exchanges(one)],
        fail_on=request.fail_on,
        strict=request.strict,
        verbose=request.verbose,
    )


def _exchanges(one: _Judged) -> Iterator[Exchange]:
    """The exchanges to be drawn, read from the capture once more."""
    failed = sorted((r for r in one.report.rules if r.failed), key=lambda r: SEVERITIES.index(r.rule.severity))
    chosen: list[TransferFacts] = []
    for result in failed:
        finding = next(f for f in result.findings() if f.verdict == "fail")
        facts = one.outline.facts(finding.bus, finding.transfer)
        if facts is not None and facts not in chosen and len(chosen) < DRAWINGS:
            chosen.append(facts)
    if not chosen:
        return
    rules = one.rules
    wiring = wire(one.capture, list(rules.buses.values()), list(rules.markers.values()))
    settle = settle_samples(rules.settle.amount, one.capture.rate_hz)
    for facts in chosen:
        yield read_exchange(one.capture, wiring, facts, settle, glitch_s=rules.glitch.amount)


def _line(one: _Judged, style: Style, request: Request) -> str:
    return as_text.verdict_line(one.report, style, outline=one.outline, fail_on=request.fail_on, strict=request.strict)
