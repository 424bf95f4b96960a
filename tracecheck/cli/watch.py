"""`tracecheck watch`: a stream judged as it comes."""

from __future__ import annotations

import json
import os
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tracecheck.capture.rate import parse_rate
from tracecheck.capture.vcd import declarations
from tracecheck.capture.vcd import recognise as is_vcd
from tracecheck.cli.console import Output, destination, note, say, state
from tracecheck.cli.lines import Lines
from tracecheck.cli.reading import Reading
from tracecheck.cli.wiring import rule_set
from tracecheck.decoding.find import wire
from tracecheck.decoding.wiring import Wiring
from tracecheck.errors import CaptureError, ChannelError, UsageError
from tracecheck.live import sigrok
from tracecheck.live.load import Load
from tracecheck.live.prefix import begin_with
from tracecheck.live.ring import Ring
from tracecheck.live.savings import Savings
from tracecheck.live.sources import Bytes, RawStream, Stream, VcdStream
from tracecheck.live.watcher import Watcher
from tracecheck.report import json as as_json
from tracecheck.report import text as as_text
from tracecheck.report.findings import instant_text
from tracecheck.report.rule_table import MARKS
from tracecheck.report.style import Style
from tracecheck.report.visible import visible
from tracecheck.rules.defaults import fitting_rules
from tracecheck.rules.finding import Finding
from tracecheck.rules.model import RuleSet
from tracecheck.rules.quantity import parse_seconds
from tracecheck.rules.stacks import rules_on_stacks
from tracecheck.words import SEVERITIES

_STATUS_S = 0.2
_HEAD = 1 << 16


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
    with _opened(request) as stream, destination(None) as out:
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
        self._watcher = Watcher(self._rules, wiring, stream.rate_hz)
        self._load = Load(stream.rate_hz, real_time=request.driver is not None)
        margin, last = _samples("--margin", request.margin, stream.rate_hz), None
        if request.lasting is not None:
            last = _samples("--for", request.lasting, stream.rate_hz)
        self._last = last
        settle = _samples("settle", str(self._rules.settle), stream.rate_hz)
        self._ring = Ring(3 * margin + 2 * settle + (stream.rate_hz or 1_000_000))
        self._savings = None
        if request.save is not None:
            settings = (margin, request.save_at_most, stream.rate_hz, stream.channels)
            self._savings = Savings(request.save, self._ring, *settings)
        self._failed = 0
        self._stop_at: int | None = None
        self._margin = margin
        self._status_at = 0.0
        self._style = Style(out.width, out.colour, out.unicode)
        stream.data.idle = self._idle

    def run(self) -> int:
        try:
            self._read()
        except KeyboardInterrupt:
            self._unstatus()
            note("stopped; this is what was seen until then")
        except CaptureError as error:
            self._unstatus()
            say(str(error))
            self._end()
            return 2
        return self._end()

    def _read(self) -> None:
        for block in self._blocks:
            if self._savings is not None:
                self._ring.add(block)
            for finding in self._watcher.feed(block):
                self._tell(finding)
            if self._savings is not None:
                self._savings.write_ready()
            behind = self._load.step(block.end)
            if behind is not None:
                self._unstatus()
                say(behind)
            self._status()
            if self._last is not None and block.end >= self._last:
                return
            if self._stop_at is not None and block.end >= self._stop_at:
                return

    def _idle(self) -> None:
        for finding in self._watcher.flush():
            self._tell(finding)
        if self._savings is not None:
            self._savings.write_ready()
        self._status()

    def _tell(self, finding: Finding) -> None:
        if finding.verdict == "fail":
            self._failed += 1
            if self._savings is not None:
                self._savings.ask(finding)
            stop_on = self._request.stop_on
            severe = stop_on is not None and SEVERITIES.index(finding.severity) <= SEVERITIES.index(stop_on)
            if severe and self._stop_at is None:
                self._stop_at = self._watcher.end + (self._margin if self._savings is not None else 0)
        elif not self._request.strict:
            return  # as analyze: what could not be decided is counted, and told to the strict
        self._unstatus()
        if self._request.output_format == "jsonl":
            self._out.text(json.dumps(as_json.finding_object(finding, self._stream.rate_hz), ensure_ascii=False) + "\n")
        else:
            self._out.text(_line(finding, self._style) + "\n")
        self._out.flush()

    def _end(self) -> int:
        self._unstatus()
        for finding in self._watcher.finish():
            self._tell(finding)
        if self._savings is not None:
            self._savings.write_ready(all_of_them=True)
            if self._savings.left_out:
                note(f"{self._savings.left_out} findings more were not saved; raise --save-at-most")
        report = self._watcher.report(self._stream.path, (*self._stream.notes(), *self._load.notes))
        fail_on, strict = self._request.fail_on, self._request.strict
        if self._request.output_format == "jsonl":
            verdict = as_json.verdict(report, fail_on=fail_on, strict=strict)
            del verdict["findings"]  # they were told one by one
            self._out.text(
                json.dumps({"verdict": verdict, "transfers": self._watcher.transfers}, ensure_ascii=False) + "\n"
            )
        elif self._request.quiet:
            line = as_text.verdict_line(report, self._style, fail_on=fail_on, strict=strict)
            self._out.text(f"{self._stream.path}: {line}\n")
        else:
            text = as_text.render(report, self._style, fail_on=fail_on, strict=strict)
            self._out.text(f"\n{text}" if self._failed else text)
        share = self._load.share
        took = f"; a second of the stream took {share * 1e3:.0f} ms of processor time" if share is not None else ""
        note(f"{self._watcher.transfers} transfers{took}")
        return report.exit_code(fail_on, strict=strict)

    def _status(self) -> None:
        now = time.monotonic()
        if now < self._status_at or state.quiet or sys.stderr is None or not sys.stderr.isatty():
            return
        self._status_at = now + _STATUS_S
        rate = self._stream.rate_hz
        where = instant_text(self._watcher.end * 10**9 // rate) if rate else f"sample {self._watcher.end}"
        text = f"{where.strip()}  {self._watcher.transfers} transfers, {self._failed} failed"
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


@contextmanager
def _opened(request: Request) -> Iterator[Stream]:
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
        return RawStream(path, data, unitsize, request.rate_hz)
    head = b""
    for piece in data:
        head += piece
        if not is_vcd(head[:4096]) and len(head) > 16:
            raise CaptureError(path, "no VCD; of raw samples say the width: --unitsize 1 --samplerate 24MHz")
        if b"$enddefinitions" in head and b"$end" in head.partition(b"$enddefinitions")[2]:
            break
    lines, rest, line = declarations(path, head)
    return VcdStream(path, data, lines, rest, line, request.rate_hz)


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
