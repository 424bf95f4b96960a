"""`tracecheck analyze`: its arguments and its help."""

from __future__ import annotations

from typing import Annotated

import typer

from tracecheck.cli import options as opt
from tracecheck.cli.lines import Lines
from tracecheck.cli.reading import Reading


def analyze(
    captures: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CAPTURE",
            help="Captures, and folders of them; each is judged by itself. Without any: what tracecheck.toml says.",
        ),
    ] = None,
    rules: Annotated[
        list[str] | None,
        typer.Option(
            "--rules",
            metavar="FILE|PRESET",
            help="Judge by this rule file or preset; give it again for more. Without it (and without --expect): the "
            "presets that fit what the capture has.",
            autocompletion=opt.preset_names,
        ),
    ] = None,
    expect: Annotated[
        list[str] | None,
        typer.Option(
            "--expect", metavar="RULE", help="A rule in one line: 'irq -> wake < 20us', 'never missing-stop'."
        ),
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
    output_format: opt.ReportFormat = None,
    output: opt.OutputFile = None,
    report: opt.Reports = None,
    suite: Annotated[
        str | None,
        typer.Option(
            "--suite", metavar="FILE", help="This suite file in place of the tracecheck.toml here or in a folder above."
        ),
    ] = None,
    fail_on: Annotated[
        opt.Severity | None,
        typer.Option("--fail-on", help="Exit with 1 for failed rules of this severity and above. [default: error]"),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 2 where any instance is inconclusive.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="The verdict only: one line a capture.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Every finding, and what each rule says.")] = False,
    max_findings: Annotated[
        int,
        typer.Option(
            "--max-findings",
            metavar="N",
            min=0,
            help="Findings kept of each rule, bus and verdict; those beyond are counted. 0: all.",
        ),
    ] = 1000,
) -> int:
    """Judge captures by rules: what failed, where, by how much.

    \b
    Examples:
      tracecheck analyze                      the suite in tracecheck.toml
      tracecheck analyze capture.sr
      tracecheck analyze capture.sr --rules embassy-rp --rules board.toml
      tracecheck analyze capture.sr --expect 'irq.begin -> wake < 20us'
      tracecheck analyze capture.sr --expect 'never missing-stop' --scl D0 --sda D1
      tracecheck analyze capture.sr --marker irq=D2 --marker run=D3
      tracecheck analyze capture.sr --stack ds1307 --format html -o report.html
      tracecheck analyze recordings/ --rules board.toml --format json -o verdicts.json
      tracecheck analyze recordings/ --rules board.toml --report junit=report.xml

    \b
    --expect takes
      TRIGGER -> RESPONSE [< BOUND] [> BOUND]    each trigger is answered in time
      ... p99 < BOUND                            so many of all are
      EVENT <- CAUSE [within BOUND]              each event has its cause before it
      every EVENT < BOUND [jitter < BOUND]       it comes again in time, evenly
      never EVENT
      order: start address data* stop irq wake   each exchange matches a pattern

    \b
    What sigrok's decoders say are events, too: 'never eeprom24xx:warnings'. With
    --stack they get options, and are drawn in the HTML report.

    \b
    Exit codes: 0 no rule failed, 1 a rule failed, 2 something could not be
    checked: a file cannot be read, or a rule judged nothing because its marker
    is not there. Of several captures any failure gives 1, else any 2 gives 2.
    """
    from tracecheck.cli.analyze import Request, run

    return run(
        Request(
            captures=captures or [],
            suite=suite,
            rules=rules or [],
            expect=expect or [],
            stacks=stack or (),
            lines=Lines(scl, sda, bus or (), marker or ()),
            reading=Reading(samplerate, max_samples, device, unitsize),
            output_format=output_format,
            output=output,
            reports=report or [],
            fail_on=fail_on,
            strict=strict,
            quiet=quiet,
            verbose=verbose,
            max_findings=max_findings or None,
        )
    )
