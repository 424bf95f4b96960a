"""`tracecheck export`: its arguments and its help."""

from __future__ import annotations

from typing import Annotated

import typer

from tracecheck.cli import options as opt
from tracecheck.cli.lines import Lines
from tracecheck.cli.reading import Reading


def export(
    capture: opt.CaptureFile,
    output: Annotated[
        str,
        typer.Option("--output", "-o", metavar="FILE|FOLDER", help="Write there; it appears whole or not at all."),
    ],
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="FORMAT",
            help="vcd, perfetto, sr, or all tables as csv, jsonl, parquet, arrow. Default: by FILE's name.",
        ),
    ] = None,
    around: Annotated[
        str | None,
        typer.Option("--around", metavar="WHERE", help="Only what lies around this: RULE, RULE:2, transfer:7, 3.44ms."),
    ] = None,
    margin: Annotated[
        str, typer.Option("--margin", metavar="TIME", help="With --around: so much more on either side.")
    ] = "200us",
    lines_only: Annotated[
        bool, typer.Option("--lines-only", help="With vcd: without decoded text, of which sigrok warns.")
    ] = False,
    rules: Annotated[
        list[str] | None,
        typer.Option("--rules", metavar="FILE|PRESET", help="Judge by these rules, as analyze does."),
    ] = None,
    expect: Annotated[
        list[str] | None, typer.Option("--expect", metavar="RULE", help="A rule in one line, as for analyze.")
    ] = None,
    stack: opt.Stacks = None,
    scl: opt.Scl = None,
    sda: opt.Sda = None,
    bus: opt.Buses = None,
    marker: opt.Markers = None,
    samplerate: opt.Samplerate = None,
    max_samples: opt.MaxSamples = None,
    device: opt.Device = None,
    unitsize: opt.Unitsize = None,
    quiet: opt.Quiet = False,
) -> int:
    """Write a capture, or a piece of it, as other programs read it.

    \b
    Examples:
      tracecheck export capture.sr -o finding.sr --around embassy-wake
      tracecheck export capture.sr -o piece.sr --around transfer:7 --margin 1ms
      tracecheck export capture.sr -o capture.vcd
      tracecheck export capture.sr -o capture.pftrace --rules board.toml
      tracecheck export capture.sr -o capture.pftrace --stack eeprom24xx
      tracecheck export capture.sr --to parquet -o tables/

    \b
    Formats:
      sr        a sigrok session cut out around something, for PulseView
      vcd       the lines, and what was decoded as text, for GTKWave and others
      perfetto  transfers, interrupts, task runs, findings and what stacked
                decoders say on tracks, for https://ui.perfetto.dev
      csv, jsonl, parquet, arrow
                every table, a file each, in a new folder
    One table into one file: tracecheck decode --table.

    \b
    --around takes
      RULE, RULE:2           the first finding of a rule, the second
      transfer:7, i2c1:7     a transfer, by its number on its bus
      3.44ms                 an instant
    """
    from tracecheck.cli.export import Request, run

    return run(
        Request(
            capture=capture,
            output=output,
            to=to,
            around=around,
            margin=margin,
            lines_only=lines_only,
            rules=rules or [],
            expect=expect or [],
            stacks=stack or (),
            lines=Lines(scl, sda, bus or (), marker or ()),
            reading=Reading(samplerate, max_samples, device, unitsize),
            quiet=quiet,
        )
    )
