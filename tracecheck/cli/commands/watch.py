"""`tracecheck watch`: its arguments and its help."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from tracecheck.cli import options as opt
from tracecheck.cli.lines import Lines
from tracecheck.cli.reading import Reading


def watch(
    source: Annotated[
        str | None,
        typer.Argument(metavar="[SOURCE]", help="A file, or - for standard input: raw samples or a VCD."),
    ] = None,
    driver: Annotated[
        str | None,
        typer.Option(
            "--driver", metavar="NAME", help="Watch a logic analyzer, through sigrok-cli's driver of that name."
        ),
    ] = None,
    channel: Annotated[
        list[str] | None,
        typer.Option("--channel", metavar="D0=SCL", help="With --driver: what a channel is called; again for more."),
    ] = None,
    rules: Annotated[
        list[str] | None,
        typer.Option("--rules", metavar="FILE|PRESET", help="Judge by these rules, as analyze does."),
    ] = None,
    expect: Annotated[
        list[str] | None, typer.Option("--expect", metavar="RULE", help="A rule in one line, as for analyze.")
    ] = None,
    scl: opt.Scl = None,
    sda: opt.Sda = None,
    bus: opt.Buses = None,
    marker: opt.Markers = None,
    samplerate: opt.Samplerate = None,
    unitsize: opt.Unitsize = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="The file grows: wait for more at its end, until Ctrl-C.")
    ] = False,
    save: Annotated[
        str | None,
        typer.Option(
            "--save",
            metavar="FOLDER",
            help="Save what lies around failures there, as sigrok sessions; it may hold others.",
        ),
    ] = None,
    margin: Annotated[
        str, typer.Option("--margin", metavar="TIME", help="With --save: so much on either side.")
    ] = "2ms",
    save_at_most: Annotated[
        int, typer.Option("--save-at-most", metavar="N", min=1, help="With --save: no more files than this.")
    ] = 100,
    stop_on: Annotated[
        opt.Severity | None, typer.Option("--stop-on", help="Stop at the first failure of this severity or above.")
    ] = None,
    lasting: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="Stop after so much of the stream: 10s.")
    ] = None,
    output_format: Annotated[
        Literal["text", "jsonl"], typer.Option("--format", help="A line a finding, for people or for programs.")
    ] = "text",
    fail_on: Annotated[
        opt.Severity, typer.Option("--fail-on", help="Exit with 1 for failed rules of this severity and above.")
    ] = "error",
    strict: Annotated[bool, typer.Option("--strict", help="Tell what could not be decided, and exit with 2.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="The verdict only: one line.")] = False,
) -> int:
    """Judge a stream as it comes: findings at once, then statistics.

    \b
    Examples:
      tracecheck watch --driver fx2lafw --samplerate 24MHz --channel D0=SCL
          --channel D1=SDA --channel D2=IRQ --channel D3=RUN --rules board.toml
      tracecheck watch growing.bin --follow --unitsize 1 --samplerate 24MHz
          --scl 0 --sda 1 --marker irq=2
      simulator | tracecheck watch - --rules board.toml --stop-on error

    \b
    Decodes and judges as analyze does, in memory that does not grow. A finding is
    told once it is certain: after its exchange has closed (settle, 5 ms).
    Ctrl-C and SIGTERM end the watching with the statistics, not in an error.
    The last samples are kept, so that --save can write what came before, too;
    pieces that its FOLDER holds already stay, and the numbers go on.
    --stop-on ends there: what comes later is neither told nor counted.

    \b
    Exit codes, as of analyze: 0 no rule failed, 1 a rule failed, 2 could not check.
    """
    from tracecheck.cli.watch import run
    from tracecheck.cli.watch_source import Request

    return run(
        Request(
            source=source,
            driver=driver,
            channels=channel or [],
            rules=rules or [],
            expect=expect or [],
            lines=Lines(scl, sda, bus or (), marker or ()),
            reading=Reading(samplerate, None, None, unitsize),
            follow=follow,
            save=save,
            margin=margin,
            save_at_most=save_at_most,
            stop_on=stop_on,
            lasting=lasting,
            output_format=output_format,
            fail_on=fail_on,
            strict=strict,
            quiet=quiet,
        )
    )
