"""`tracecheck watch`: a stream judged as it comes."""

from __future__ import annotations

import json
import sys
import time

from tracecheck.cli.console import Output, PipeClosedError, destination, note, say, state
from tracecheck.cli.watch_source import Request, opened
from tracecheck.cli.wiring import rule_set
from tracecheck.decoding.find import wire
from tracecheck.decoding.wiring import Wiring
from tracecheck.errors import CaptureError, ChannelError, UsageError
from tracecheck.live.first import FirstFailure
from tracecheck.live.load import Load
from tracecheck.live.part import part
from tracecheck.live.prefix import begin_with
from tracecheck.live.ring import Ring
from tracecheck.live.savings import Piece, Savings
from tracecheck.live.sources import Stream
from tracecheck.live.watcher import Watcher
from tracecheck.report import json as as_json
from tracecheck.report import text as as_text
from tracecheck.report.rule_table import MARKS
from tracecheck.report.style import Style
from tracecheck.report.visible import visible
from tracecheck.rules.defaults import fitting_rules
from tracecheck.rules.finding import Finding
from tracecheck.rules.model import RuleSet
from tracecheck.rules.quantity import parse_seconds
from tracecheck.rules.stacks import rules_on_stacks
from tracecheck.timebase import instant_text
from tracecheck.words import SEVERITIES

_STATUS_S = 0.2


class _EnoughError(Exception):
    """Nothing more is to be read, although the stream has not ended."""


def run(request: Request) -> int:
    """Watch until the stream ends, something stops it, or Ctrl-C. Raises what the command line explains."""
    state.quiet = request.quiet
    rules = rule_set(request.rules, request.lines, request.expect)
    if heard := rules_on_stacks(rules):
        places = ", ".join(f"{rule.id} ({rule.source}:{rule.line})" if rule.line else rule.id for rule in heard)
        raise UsageError(
            "what sigrok's decoders say is not known before a recording has ended; record it and let analyze judge, or "
            f"leave out these rules: {places}"
        )
    with opened(request) as stream, destination(None) as out:
        return _Watch(request, stream, rules, out).run()


class _Watch:
    def __init__(self, request: Request, stream: Stream, rules: RuleSet, out: Output) -> None:
        self._request, self._stream, self._out = request, stream, out
        capture, self._blocks = begin_with(stream, look=False)
        request.lines.check(capture)
        wiring = wire(capture, list(rules.buses.values()), list(rules.markers.values()))
        if not wiring.buses:
            note("no lines called SCL and SDA: looking at what the lines do")
            capture, self._blocks = begin_with(stream, look=True)
            wiring = wire(capture, list(rules.buses.values()), list(rules.markers.values()))
        self._rules, self._wiring = _chosen(rules, wiring), wiring
        if not wiring.buses and not wiring.markers:
            raise ChannelError(
                stream.path,
                "no I2C bus is seen; name its lines with --scl and --sda",
                None,
                [c.name for c in stream.channels],
            )
        self._watcher = self._new() if request.stop_on is None else FirstFailure(self._new, self._stops, stream.rate_hz)
        self._load = Load(stream.rate_hz, real_time=request.driver is not None)
        margin, last = _samples("--margin", request.margin, stream.rate_hz), None
        if request.lasting is not None:
            last = _samples("--for", request.lasting, stream.rate_hz)
        self._last = last
        settle = _samples("settle", str(self._rules.settle), stream.rate_hz)
        self._ring = Ring(5 * margin + 2 * settle + (stream.rate_hz or 1_000_000))
        self._savings = None
        if request.save is not None:
            settings = (margin, settle, request.save_at_most, stream.rate_hz, stream.channels)
            self._savings = Savings(request.save, self._ring, *settings)
        self._failed = 0
        self._unread = False
        self._margin = margin
        self._status_at = 0.0
        self._style = Style(out.width, out.colour, out.unicode)
        stream.data.idle = self._idle

    def run(self) -> int:
        code = 0
        try:
            self._read()
        except _EnoughError:
            pass
        except KeyboardInterrupt:
            self._unstatus()
            note("stopped; this is what was seen until then")
        except CaptureError as error:
            self._unstatus()
            say(str(error))
            code = 2
        cut = self._unread
        verdict = self._end()
        if cut and not code:
            code = self._cut_short(verdict)
        return code or verdict

    def _new(self) -> Watcher:
        return Watcher(self._rules, self._wiring, self._stream.rate_hz)

    def _read(self) -> None:
        for block in self._blocks:
            seen = block if self._last is None else part(block, block.begin, self._last)
            if self._savings is not None:
                self._ring.add(seen)
            self._told(self._watcher.feed(seen))
            behind = self._load.step(seen.end)
            if behind is not None:
                self._unstatus()
                say(behind)
            self._status()
            if self._unread or self._stopped(seen.end) or (self._last is not None and seen.end >= self._last):
                return

    def _idle(self) -> None:
        self._told(self._watcher.flush())
        self._status()
        # What is to be saved behind the failure may still come.
        if self._unread or (self._savings is None and self._stopped(self._watcher.end)):
            raise _EnoughError

    def _stopped(self, end: int) -> bool:
        """Whether the failure to stop at was met, and what is to be saved behind it is there."""
        behind = self._margin if self._savings is not None else 0
        watcher = self._watcher
        return isinstance(watcher, FirstFailure) and watcher.stopped and end >= watcher.end + behind

    def _stops(self, finding: Finding) -> bool:
        stop_on = self._request.stop_on
        if stop_on is None or finding.verdict != "fail":
            return False
        return SEVERITIES.index(finding.severity) <= SEVERITIES.index(stop_on)

    def _told(self, findings: list[Finding]) -> None:
        for finding in findings:
            if finding.verdict == "fail":
                self._failed += 1
                if self._savings is not None:
                    self._savings.ask(finding)
            elif not self._request.strict:
                continue  # as analyze: what could not be decided is counted, and told to the strict
            if self._request.output_format == "jsonl":
                found = as_json.finding_object(finding, self._stream.rate_hz)
                self._print(json.dumps(found, ensure_ascii=False) + "\n")
            elif not self._request.quiet:
                self._print(_line(finding, self._style) + "\n")
        if self._savings is not None:
            self._saved(self._savings.write_ready(self._watcher.judged))

    def _saved(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            self._unstatus()
            note(f"saved {piece.path}: {piece.of}")

    def _print(self, text: str) -> None:
        """At once. Nothing where the reader is gone: that ends the watching, and leaves the verdict as it is."""
        self._unstatus()
        if self._unread:
            return
        try:
            self._out.text(text)
            self._out.flush()
        except PipeClosedError:
            self._unread = True

    def _end(self) -> int:
        self._unstatus()
        self._told(self._watcher.finish())
        if self._savings is not None:
            self._saved(self._savings.write_ready(None))
            if self._savings.left_out:
                note(f"{self._savings.left_out} findings more were not saved; raise --save-at-most")
        report = self._watcher.report(self._stream.path, (*self._stream.notes(), *self._load.notes))
        fail_on, strict = self._request.fail_on, self._request.strict
        if self._request.output_format == "jsonl":
            verdict = as_json.verdict(report, fail_on=fail_on, strict=strict)
            del verdict["findings"]  # they were told one by one
            self._print(
                json.dumps({"verdict": verdict, "transfers": self._watcher.transfers}, ensure_ascii=False) + "\n"
            )
        elif self._request.quiet:
            line = as_text.verdict_line(report, self._style, fail_on=fail_on, strict=strict)
            self._print(f"{self._stream.path}: {line}\n")
        else:
            text = as_text.render(report, self._style, fail_on=fail_on, strict=strict)
            self._print(f"\n{text}" if self._failed else text)
        share = self._load.share
        took = f"; a second of the stream took {share * 1e3:.0f} ms of processor time" if share is not None else ""
        note(f"{self._watcher.transfers} transfers{took}")
        return report.exit_code(fail_on, strict=strict)

    def _cut_short(self, verdict: int) -> int:
        """Whoever read the findings left before the stream ended: a pass until then is none of the rest."""
        note(f"nobody reads standard output any more; the watching ended at {self._where()}")
        return verdict or 2

    def _where(self) -> str:
        rate = self._stream.rate_hz
        return instant_text(self._watcher.end * 10**9 // rate).strip() if rate else f"sample {self._watcher.end}"

    def _status(self) -> None:
        now = time.monotonic()
        if now < self._status_at or state.quiet or sys.stderr is None or not sys.stderr.isatty():
            return
        self._status_at = now + _STATUS_S
        text = f"{self._where()}  {self._watcher.transfers} transfers, {self._failed} failed"
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()

    def _unstatus(self) -> None:
        if self._status_at and sys.stderr is not None and sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _line(finding: Finding, style: Style) -> str:
    where = instant_text(finding.t_ns) if finding.t_ns is not None else f"{finding.sample:>14}"
    mark = MARKS[finding.severity] if finding.verdict == "fail" else "?"
    of = f"{finding.bus} #{finding.transfer}" if finding.transfer is not None else finding.bus or ""
    colour = {"FAIL": "red", "?": "dim"}.get(mark, "yellow")
    return (
        f"{where:>14}  {style.paint(f'{mark:<4}', colour)}  {visible(finding.rule)}  {of}: {visible(finding.message)}"
    )


def _chosen(rules: RuleSet, wiring: Wiring) -> RuleSet:
    if rules.rules:
        return rules
    fitting, names = fitting_rules(wiring, list(rules.markers.values()))
    note(f"no rule file given, using {', '.join(names) or 'none'}")
    return fitting.merged(rules)


def _samples(option: str, text: str, rate_hz: int | None) -> int:
    try:
        found = parse_seconds(text).samples(rate_hz)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None
    return int(found) if found is not None else 100_000
