"""`tracecheck show`: its arguments and its help."""

from __future__ import annotations

from typing import Annotated

import typer

from tracecheck.cli import options as opt
from tracecheck.cli.lines import Lines
from tracecheck.cli.reading import Reading


def show(
    capture: opt.CaptureFile,
    transfer: Annotated[
        int, typer.Argument(metavar="TRANSFER", min=0, help="Its number on its bus, as decode prints it.")
    ],
    bus: Annotated[
        list[str] | None,
        typer.Option("--bus", metavar="NAME", help="Which bus, where there are several (or NAME:scl=..,sda=..)."),
    ] = None,
    width: Annotated[
        int | None, typer.Option("--width", metavar="N", min=40, help="Columns to draw in; default: the terminal's.")
    ] = None,
    scl: opt.Scl = None,
    sda: opt.Sda = None,
    marker: opt.Markers = None,
    rules: opt.WiringRules = None,
    samplerate: opt.Samplerate = None,
    max_samples: opt.MaxSamples = None,
    device: opt.Device = None,
    unitsize: opt.Unitsize = None,
    quiet: opt.Quiet = False,
) -> int:
    """Draw one transfer with its interrupts and wakes in the terminal.

    \b
    Examples:
      tracecheck show capture.sr 3
      tracecheck show capture.sr 12 --bus i2c1 --width 160
      tracecheck show capture.sr 0 --marker irq=D2 --marker run=D3

    \b
    Time is not to scale: a bit takes one column or more, and what is dashed
    lasts longer than it is drawn; the axis gives the times from START. A column
    in which a line goes up and down has a glyph of its own, and where a line
    changes more often than that the column is shaded.
    """
    from tracecheck.cli.show import run

    select = [name for name in bus or () if ":" not in name]
    declared = [text for text in bus or () if ":" in text]
    return run(
        capture,
        transfer,
        select,
        width,
        Lines(scl, sda, declared, marker or ()),
        rules or [],
        Reading(samplerate, max_samples, device, unitsize),
        quiet,
    )
