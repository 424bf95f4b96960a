"""`tracecheck decode`: transfers as text, tables as files, or the peer's own text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING

from tracecheck.capture.model import Capture
from tracecheck.cli.console import Output, destination, note, state
from tracecheck.cli.lines import Lines
from tracecheck.cli.pins import Pins, asked, wired
from tracecheck.cli.progress import Progress
from tracecheck.cli.reading import Reading
from tracecheck.decoding import peer
from tracecheck.decoding.find import wire
from tracecheck.decoding.stream import decode_capture
from tracecheck.decoding.wiring import Wiring
from tracecheck.errors import UsageError, did_you_mean
from tracecheck.report.style import Style
from tracecheck.report.transfers import TransferText, transfer_lines
from tracecheck.words import BINARY_FORMATS, TABLE_FORMATS, TABLES

if TYPE_CHECKING:
    from tracecheck.cli.stacked import Stacked
    from tracecheck.trace import Trace

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
        if kind in TABLE_FORMATS:
            return kind, self.table or (_STACKED if self.stacks else "transfers")
        if self.table is not None:
            raise UsageError(f"--format {kind} shows no table; leave --table out, or use {', '.join(TABLE_FORMATS)}")
        return kind, None

    def _by_name(self) -> str | None:
        suffix = PurePath(self.output or "").suffix[1:].lower()
        if suffix not in (*TABLE_FORMATS, *_PLAIN) and self.output != self.capture:
            known = ", ".join(TABLE_FORMATS)
            raise UsageError(f"-o {self.output}: in which format? Give --format text, {known} or sigrok")
        return suffix if suffix in TABLE_FORMATS else None


def run(request: Request) -> int:
    """Decode one capture. Raises what the command line explains."""
    state.quiet = request.quiet
    kind, table = request.chosen
    stacked = _stacked(request.stacks) if request.stacks else None
    pins = asked(request.rules, request.lines)
    capture = request.reading.opened(request.capture)
    request.lines.check(capture)
    for sentence in capture.notes:
        note(sentence)
    with destination(request.output, [request.capture, *request.rules]) as out:
        if kind in BINARY_FORMATS and out.is_terminal:
            raise UsageError(f"--format {kind} is binary and this is a terminal; give -o FILE")
        if kind == "sigrok":
            _sigrok(capture, pins, out, stacked)
        elif table is None and stacked is None:
            _text(capture, pins, out)
        else:
            _tables(capture, pins, (kind, table), out, stacked)
    return 0 if stacked is None else stacked.exit_code


def _stacked(stacks: Sequence[str]) -> Stacked:
    from tracecheck.cli.stacked import Stacked  # noqa: PLC0415  (loads pyarrow)

    return Stacked(stacks)


def _text(capture: Capture, pins: Pins, out: Output) -> None:
    """Writes lines while they are decoded."""
    wiring = pins.found(capture)
    style = Style(out.width, out.colour, out.unicode)
    text = TransferText(wiring, pins.settle(capture), capture.rate_hz, style, whole=not out.is_terminal)
    head = f"{text.head}\n"
    # On a terminal the lines themselves tell how far it is, and a bar would stand between them.
    progress = Progress(f"decoding {PurePath(capture.path).name}", capture.samples)
    with nullcontext() if out.is_terminal else progress as told:
        for piece in text.pieces(decode_capture(capture, text.needed, glitch_s=pins.glitch_s, progress=told)):
            out.text(head + piece.text)
            head = ""
    if head:
        out.text(head)
    note(text.summary)


def _tables(capture: Capture, pins: Pins, chosen: tuple[str, str | None], out: Output, stacked: Stacked | None) -> None:
    kind, table = chosen
    wiring = pins.found(capture)
    if stacked is not None:
        stacked.run(capture, wiring)
    if table in TABLES:
        from tracecheck.cli.decode_tables import write_table  # noqa: PLC0415  (loads pyarrow)

        write_table(capture, pins, wiring, table, kind, out)
    elif stacked is not None:
        trace = _trace(capture, pins, wiring)
        if table is not None:
            stacked.write(trace, kind, out)
        else:
            _under_transfers(trace, stacked, out)


def _trace(capture: Capture, pins: Pins, wiring: Wiring) -> Trace:
    """All of a capture: what decoders said is looked up in it."""
    from tracecheck.trace import Trace  # noqa: PLC0415

    trace = Trace(capture.path, capture.rate_hz, wiring, capture=capture, glitch_s=pins.glitch_s)
    trace.settle = pins.settle(capture)
    with Progress(f"decoding {PurePath(capture.path).name}", capture.samples) as progress:
        return trace.collect(decode_capture(capture, wiring, glitch_s=pins.glitch_s, progress=progress))


def _under_transfers(trace: Trace, stacked: Stacked, out: Output) -> None:
    style = Style(out.width, out.colour, out.unicode)
    text = TransferText(trace.wiring, trace.settle, trace.rate_hz, style, whole=not out.is_terminal)
    shown = stacked.shown(trace, width=out.width if out.is_terminal else None)
    _write(transfer_lines(text, trace, below=shown.below), out)
    _write(shown.elsewhere(), out)
    note(text.summary)
    if shown.left_out:
        note(f"{shown.left_out} annotations more lie within those shown; --table annotations has all")


def _sigrok(capture: Capture, pins: Pins, out: Output, stacked: Stacked | None) -> None:
    wiring = wire(capture, pins.buses)
    wired(capture, wiring, markers_will_do=False)
    if stacked is not None:
        stacked.run(capture, wiring)
        _write(stacked.sigrok_lines(), out)
        return
    for number, bus in enumerate(wiring.buses, 1):
        for columns in peer.annotations(capture, bus.scl.bit, bus.sda.bit):
            _write(peer.lines(columns, f"i2c-{number}"), out)


def _write(lines: Iterable[str], out: Output) -> None:
    rest = iter(lines)
    while piece := list(islice(rest, _LINES_AT_ONCE)):
        out.text("\n".join(piece) + "\n")
