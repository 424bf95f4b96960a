"""`tracecheck decode`: its arguments and its help."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from tracecheck.cli import options as opt
from tracecheck.cli.lines import Lines
from tracecheck.cli.reading import Reading
from tracecheck.words import TABLES

TableFormat = Literal["text", "csv", "jsonl", "parquet", "arrow", "sigrok"]


def decode(
    capture: opt.CaptureFile,
    table: Annotated[
        str | None,
        typer.Option(
            "--table",
            metavar="TABLE",
            help=f"One of {', '.join(TABLES)}. With csv, jsonl, parquet, arrow; default: transfers.",
            autocompletion=lambda incomplete: [t for t in TABLES if t.startswith(incomplete)],
        ),
    ] = None,
    output_format: Annotated[
        TableFormat | None,
        typer.Option("--format", help="Default: text; with --table csv, or what FILE's name ends with."),
    ] = None,
    output: opt.OutputFile = None,
    stack: opt.Stacks = None,
    scl: opt.Scl = None,
    sda: opt.Sda = None,
    bus: opt.Buses = None,
    marker: opt.Markers = None,
    rules: opt.WiringRules = None,
    samplerate: opt.Samplerate = None,
    max_samples: opt.MaxSamples = None,
    device: opt.Device = None,
    unitsize: opt.Unitsize = None,
    quiet: opt.Quiet = False,
) -> int:
    """Decode a capture: one line a transfer, or one of its tables.

    \b
    Examples:
      tracecheck decode capture.sr
      tracecheck decode capture.sr --marker irq=D2 --marker run=D3
      tracecheck decode capture.sr --table messages --format csv
      tracecheck decode capture.sr --table timeline -o timeline.parquet
      tracecheck decode capture.sr --format sigrok
      tracecheck decode capture.sr --stack eeprom24xx --stack ds1307
      tracecheck decode capture.sr --stack eeprom24xx -o annotations.csv

    \b
    In the lines, irq is the time from STOP to the interrupt that ends the transfer
    (negative: it came before STOP), wake the time from that interrupt to the
    task. Without a STOP, irq counts from START and is marked with an S.
    On a terminal long data is cut to its width: (8) are eight bytes; -o or a pipe has
    them all.
    --format sigrok prints what sigrok-cli's I2C decoder prints, byte for byte.
    In csv and jsonl, data bytes are hex.

    \b
    --stack prints under each transfer what sigrok's decoder says of it, or gives
    the table annotations; with --format sigrok, what sigrok-cli prints for the
    same stack. Exit code 2 where a decoder failed; the rest is printed all the
    same. Needs pysigrok: pip install 'tracecheck[sigrok]'.
    """
    from tracecheck.cli.decode import Request, run

    return run(
        Request(
            capture=capture,
            lines=Lines(scl, sda, bus or (), marker or ()),
            rules=rules or [],
            reading=Reading(samplerate, max_samples, device, unitsize),
            table=table,
            output_format=output_format,
            output=output,
            quiet=quiet,
            stacks=stack or (),
        )
    )
