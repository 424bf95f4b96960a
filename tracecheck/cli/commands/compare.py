"""`tracecheck compare`: its arguments and its help."""

from __future__ import annotations

from typing import Annotated

import typer

from tracecheck.cli import options as opt
from tracecheck.cli.lines import Lines
from tracecheck.cli.reading import Reading


def compare(
    base: Annotated[str, typer.Argument(metavar="BASE", help="A capture, or a baseline file.")],
    new: Annotated[str | None, typer.Argument(metavar="NEW", help="The capture to compare with it.")] = None,
    save_baseline: Annotated[
        str | None, typer.Option("--save-baseline", metavar="FILE", help="Write what is compared of BASE there.")
    ] = None,
    rules: Annotated[
        list[str] | None,
        typer.Option(
            "--rules",
            metavar="FILE|PRESET",
            help="Compare the times of these rules. Default: the presets that fit.",
            autocompletion=opt.preset_names,
        ),
    ] = None,
    tolerance: Annotated[
        str, typer.Option("--tolerance", metavar="PERCENT", help="How much longer a time, or more a count, may be.")
    ] = "20%",
    output_format: Annotated[opt.TextOrJson, typer.Option("--format", help="For people, or for programs.")] = "text",
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
    """What got slower, or more, between two captures.

    Times and counts are compared by rule, and by shape of transfer.

    \b
    Examples:
      tracecheck compare before.sr after.sr
      tracecheck compare before.sr --save-baseline base.json
      tracecheck compare base.json after.sr --tolerance 10% --rules board.toml

    \b
    A change is a line; on a terminal long lines are wrapped.

    \b
    Exit codes: 0 nothing longer or more than the tolerance and chance allow, 1 a
    time or a count is, or a rule that passed fails now, 2 nothing in common, a rule
    is not judged any more, or something cannot be read.
    """
    from tracecheck.cli.compare import Request, run

    return run(
        Request(
            base=base,
            new=new,
            rules=rules or [],
            lines=Lines(scl, sda, bus or (), marker or ()),
            reading=Reading(samplerate, max_samples, device, unitsize),
            tolerance=tolerance,
            save=save_baseline,
            output_format=output_format,
            quiet=quiet,
        )
    )
