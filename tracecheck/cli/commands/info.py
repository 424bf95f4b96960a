"""`tracecheck info`: its arguments and its help."""

from __future__ import annotations

from typing import Annotated

import typer

from tracecheck.cli import options as opt
from tracecheck.cli.lines import Lines
from tracecheck.cli.reading import Reading


def info(
    capture: opt.CaptureFile,
    scl: opt.Scl = None,
    sda: opt.Sda = None,
    bus: opt.Buses = None,
    marker: opt.Markers = None,
    samplerate: opt.Samplerate = None,
    max_samples: opt.MaxSamples = None,
    device: opt.Device = None,
    unitsize: opt.Unitsize = None,
    output_format: Annotated[opt.TextOrJson, typer.Option("--format", help="For people, or for programs.")] = "text",
    quiet: opt.Quiet = False,
) -> int:
    """What a capture holds: format, channels, buses, markers.

    \b
    Examples:
      tracecheck info capture.sr
      tracecheck info capture.sr --format json
      tracecheck info capture.sr --scl 6 --sda 7

    Edges are counted over the whole capture. A warning says when SCL was sampled too slowly to be decoded.
    """
    from tracecheck.cli.info import run

    lines = Lines(scl, sda, bus or (), marker or ())
    return run(capture, lines, Reading(samplerate, max_samples, device, unitsize), output_format == "json", quiet)
