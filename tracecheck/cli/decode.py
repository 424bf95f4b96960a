"""`tracecheck decode`: transfers as text, tables as files, or the peer's own text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePath

import pyarrow as pa

import tracecheck
from tracecheck.capture.model import Capture
from tracecheck.cli.console import Output, destination, note, state
from tracecheck.cli.lines import Lines
from tracecheck.cli.progress import Progress
from tracecheck.cli.reading import Reading
from tracecheck.cli.stacked import Stacked
from tracecheck.cli.wiring import rule_set
from tracecheck.decoding import peer
from tracecheck.decoding.exchanges import settle_samples
from tracecheck.decoding.find import wire
from tracecheck.decoding.wiring import Wiring
from tracecheck.errors import ChannelError, UsageError, did_you_mean
from tracecheck.export.tables import BINARY, WRITERS
from tracecheck.report.style import Style
from tracecheck.report.transfers import summary, transfer_lines
from tracecheck.rules.model import RuleSet
from tracecheck.streamed import STREAMED, TableStream, decodes, streamed
from tracecheck.trace import TABLES

_LINES_AT_ONCE = 4096
_STACKED = "annotations"
_PLAIN = ("", "txt", "text", "log")
"""What names of text files end with."""


@dataclass(frozen=True, slots=True)
class Request:
    """The arguments, as typed."""

    capture: str
    lines: Lines
    rules: Sequence[str]
    reading: Reading
    table: str | None
    output_format: str | None
    output: str | None
    quiet: bool
    stacks: Sequence[str] = ()

    @property
    def chosen(self) -> tuple[str, str | None]:
        """The format, and the table where it is a table's. Raises UsageError for what does not go together."""
        there = (*TABLES, _STACKED) if self.stacks else TABLES
        if self.table == _STACKED and not self.stacks:
            raise UsageError("--table annotations: say whose, with --stack DECODER, for example --stack eeprom24xx")
        if self.table is not None and self.table not in there:
            hint = did_you_mean(self.table, there)
            raise UsageError(f'--table: no table "{self.table}"{hint} (tables: {", ".join(there)})')
        kind = self.output_format or self._by_name() or ("text" if self.table is None else "csv")
        if kind in WRITERS:
            return kind, self.table or (_STACKED if self.stacks else "transfers")
        if self.table is not None:
            raise UsageError(f"--format {kind} shows no table; leave --table out, or use {', '.join(WRITERS)}")
        return kind, None

    def _by_name(self) -> str | None:
        suffix = PurePath(self.output or "").suffix[1:].lower()
        if suffix not in (*WRITERS, *_PLAIN) and self.output != self.capture:
            raise UsageError(f"-o {self.output}: in which format? Give --format text, {', '.join(WRITERS)} or sigrok")
        return suffix if suffix in WRITERS else None


def run(request: Request) -> int:
    """Decode one capture. Raises what the command line explains."""
    state.quiet = request.quiet
    kind, table = request.chosen
    stacked = Stacked(request.stacks)
    rules = rule_set(request.rules, request.lines)
    capture = request.reading.opened(request.capture)
    request.lines.check(capture)
    with destination(request.output, [request.capture, *request.rules]) as out:
        if kind in BINARY and out.is_terminal:
            raise UsageError(f"--format {kind} is binary and this is a terminal; give -o FILE")
        if kind == "sigrok":
            _sigrok(capture, rules, out, stacked)
        elif table is None:
            _text(capture, rules, out, stacked)
        elif table in STREAMED:
            wiring = wire(capture, list(rules.buses.values()), list(rules.markers.values()))
            _found(capture, wiring)
            stacked.run(capture, wiring)
            _streamed(capture, wiring, rules, table, WRITERS[kind], out)
        else:
            trace = decoded(capture, rules)
            stacked.run(capture, trace.wiring)
            WRITERS[kind](stacked.table(trace), out)
    return stacked.exit_code


def _streamed(
    capture: Capture,
    wiring: Wiring,
    rules: RuleSet,
    table: str,
    write: Callable[[TableStream, Output], None],
    out: Output,
) -> None:
    """Writes a table while it is decoded."""
    # Arrow's own pool gives memory back late, and so grows with a long capture.
    pa.set_memory_pool(pa.system_memory_pool())
    settle = settle_samples(rules.settle.amount, capture.rate_hz)
    with Progress(f"decoding {PurePath(capture.path).name}", capture.samples * decodes(wiring, table)) as progress:
        found = streamed(capture, wiring, table, settle=settle, glitch_s=rules.glitch.amount, progress=progress)
        write(found, out)


def decoded(capture: Capture, rules: RuleSet) -> tracecheck.Trace:
    """The trace of a capture, with a progress bar. Raises ChannelError where there is nothing to decode."""
    with Progress(f"decoding {PurePath(capture.path).name}", capture.samples) as progress:
        trace = tracecheck.decode(capture, rules=rules, progress=progress)
    _found(capture, trace.wiring)
    return trace


def _found(capture: Capture, wiring: Wiring) -> None:
    """Raises ChannelError where a capture has nothing to decode; notes what was found out."""
    wired(capture, wiring)
    for hint in wiring.hints:
        note(hint)


def wired(capture: Capture, wiring: Wiring, *, markers_will_do: bool = True) -> None:
    """Raises ChannelError where a capture has nothing to decode."""
    if wiring.buses or (markers_will_do and wiring.markers):
        return
    reason = next(
        (hint for hint in wiring.hints if "no I2C bus" in hint), "no bus; name its lines with --scl and --sda"
    )
    raise ChannelError(capture.path, reason, None, [channel.name for channel in capture.channels])


def _text(capture: Capture, rules: RuleSet, out: Output, stacked: Stacked) -> None:
    trace = decoded(capture, rules)
    stacked.run(capture, trace.wiring)
    style = Style(out.width, out.colour, out.unicode)
    shown = stacked.shown(trace, width=out.width if out.is_terminal else None)
    _write(transfer_lines(trace, style, whole=not out.is_terminal, below=shown.below), out)
    _write(shown.elsewhere(), out)
    note(summary(trace))
    if shown.left_out:
        note(f"{shown.left_out} annotations more lie within those shown; --table annotations has all")


def _sigrok(capture: Capture, rules: RuleSet, out: Output, stacked: Stacked) -> None:
    wiring = wire(capture, list(rules.buses.values()))
    wired(capture, wiring, markers_will_do=False)
    if stacked.asked:
        stacked.run(capture, wiring)
        _write(stacked.sigrok_lines(), out)
        return
    for number, bus in enumerate(wiring.buses, 1):
        for columns in peer.annotations(capture, bus.scl.bit, bus.sda.bit):
            _write(peer.lines(columns, f"i2c-{number}"), out)


def _write(lines: Iterator[str], out: Output) -> None:
    while piece := list(islice(lines, _LINES_AT_ONCE)):
        out.text("\n".join(piece) + "\n")
