"""`tracecheck mutate`: its arguments and its help."""

from __future__ import annotations

from typing import Annotated

import typer

from tracecheck.cli import options as opt
from tracecheck.cli.lines import Lines
from tracecheck.cli.reading import Reading


def mutate(
    capture: opt.CaptureFile,
    rules: Annotated[
        list[str] | None,
        typer.Option(
            "--rules",
            metavar="FILE|PRESET",
            help="The rules to test; give it again for more.",
            autocompletion=opt.preset_names,
        ),
    ] = None,
    expect: Annotated[
        list[str] | None, typer.Option("--expect", metavar="RULE", help="A rule in one line, as analyze takes it.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Which places are taken; the same N, the same.")] = 0,
    sites: Annotated[
        int,
        typer.Option(
            "--sites", metavar="N", min=1, help="Places of each sort: each fault, bound and shape of transfer."
        ),
    ] = 1,
    fail_on: Annotated[
        opt.Severity, typer.Option("--fail-on", help="A fault is caught by a failed rule of this severity or above.")
    ] = "note",
    scl: opt.Scl = None,
    sda: opt.Sda = None,
    bus: opt.Buses = None,
    marker: opt.Markers = None,
    samplerate: opt.Samplerate = None,
    max_samples: opt.MaxSamples = None,
    device: opt.Device = None,
    unitsize: opt.Unitsize = None,
    output_format: Annotated[opt.TextOrJson, typer.Option("--format", help="For people, or for programs.")] = "text",
    output: opt.OutputFile = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="The verdict only.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Every fault that could not be seen, too.")] = False,
) -> int:
    """Test your rules: inject faults, and see which of them are caught.

    \b
    Examples:
      tracecheck mutate good.sr --rules board.toml
      tracecheck mutate good.sr --rules three-pin --rules embassy-rp --rules i2c
      tracecheck mutate good.sr --rules board.toml --fail-on error
      tracecheck mutate good.sr --rules board.toml --seed 7 --sites 5
      tracecheck mutate good.sr --rules board.toml --format json -o mutants.json

    \b
    Interrupts and wakes are left out, doubled, swapped, and made 1.5 times as late
    as each rule allows; START, STOP and ACK are taken away, the clock is held,
    pulses and wrong bits are put in, the recording is cut. Each is done to the
    edges and judged as a recording would be. What survives is a blind spot of the
    rules, listed with its transfer. What this scheme of marker pins cannot show is
    told apart: docs/mutate.md has the table.

    \b
    Exit codes: 0 every fault that can be seen was caught, 1 some survived, 2 could
    not check: no rules, or the capture does not pass to begin with.
    """
    from tracecheck.cli.mutate import Request, run

    return run(
        Request(
            capture=capture,
            rules=rules or [],
            expect=expect or [],
            seed=seed,
            sites=sites,
            fail_on=fail_on,
            lines=Lines(scl, sda, bus or (), marker or ()),
            reading=Reading(samplerate, max_samples, device, unitsize),
            output_format=output_format,
            output=output,
            quiet=quiet,
            verbose=verbose,
        )
    )
