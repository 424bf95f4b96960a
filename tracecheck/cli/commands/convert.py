"""`tracecheck convert`: its arguments and its help."""

from __future__ import annotations

from typing import Annotated

import typer

from tracecheck.cli import options as opt
from tracecheck.cli.reading import Reading


def convert(
    capture: opt.CaptureFile,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Write there; it appears whole or not at all.")
    ],
    to: Annotated[
        str | None, typer.Option("--to", metavar="FORMAT", help="sr or vcd. Default: by FILE's name.")
    ] = None,
    line: Annotated[
        list[str] | None,
        typer.Option("--line", metavar="CHANNEL", help="Keep this channel only; give it again for more."),
    ] = None,
    samplerate: opt.Samplerate = None,
    max_samples: opt.MaxSamples = None,
    device: opt.Device = None,
    unitsize: opt.Unitsize = None,
    quiet: opt.Quiet = False,
) -> int:
    """Write a capture of any format as a sigrok session or a VCD.

    \b
    Examples:
      tracecheck convert simulation.vcd -o simulation.sr --samplerate 24MHz
      tracecheck convert export/digital_0.bin -o x.sr --samplerate 100MHz
      tracecheck convert samples.bin --unitsize 2 --samplerate 24MHz -o x.sr
      tracecheck convert capture.sr -o bus.vcd --line SCL --line SDA

    \b
    Reads sigrok sessions, VCD, FST (GTKWave), CSV of sigrok and of Saleae,
    Saleae's binary export, and raw binary; gzip or Zstandard may be around it.
    What is written has the same samples, for the channels that are kept.
    """
    from tracecheck.cli.convert import Request, run

    reading = Reading(samplerate, max_samples, device, unitsize)
    return run(Request(capture=capture, output=output, to=to, lines=line or [], reading=reading, quiet=quiet))
