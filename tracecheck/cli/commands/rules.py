"""`tracecheck rules`: its commands, their arguments and their help."""

from __future__ import annotations

from typing import Annotated

import typer

from tracecheck.cli import options as opt
from tracecheck.cli.lines import Lines
from tracecheck.cli.reading import Reading

rules_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@rules_app.callback()
def _rules() -> None:
    """Rule files: what ships, and what is wrong with yours.

    \b
    Examples:
      tracecheck rules list
      tracecheck rules show embassy-rp
      tracecheck rules explain embassy-wake
      tracecheck rules show i2c --raw > mine.toml
      tracecheck rules lint mine.toml
      tracecheck rules init good.sr -o mine.toml
    """


@rules_app.command("list")
def rules_list() -> int:
    """The presets that ship with tracecheck, and the kinds of rule."""
    from tracecheck.cli.rules import list_all

    return list_all()


@rules_app.command("show")
def rules_show(
    name: Annotated[
        str, typer.Argument(metavar="FILE|PRESET", help="A preset or a rule file.", autocompletion=opt.preset_names)
    ],
    raw: Annotated[bool, typer.Option("--raw", help="The TOML of a preset, to begin a file of your own with.")] = False,
) -> int:
    """Every rule of a preset or file, in words, with its reason."""
    from tracecheck.cli.rules import show_one

    return show_one(name, raw=raw)


@rules_app.command("explain")
def rules_explain(
    name: Annotated[str, typer.Argument(metavar="ID|KIND", help="A rule's id, or a kind of rule.")],
    rules: Annotated[
        list[str] | None,
        typer.Option("--rules", metavar="FILE|PRESET", help="Where the rule is; default: the presets."),
    ] = None,
    as_format: Annotated[opt.TextOrJson, typer.Option("--format", help="Words, or an object for programs.")] = "text",
) -> int:
    """What a rule asks, why, and what passes and fails it.

    \b
    Examples:
      tracecheck rules explain embassy-refill-deadline
      tracecheck rules explain response
      tracecheck rules explain wake-after-interrupt --rules board.toml --format json
    """
    from tracecheck.cli.rules import explain_one

    return explain_one(name, files=rules or [], as_json=as_format == "json")


@rules_app.command("lint")
def rules_lint(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Rule files.")],
) -> int:
    """Every mistake in rule files, each with file, line and column. Exit code 0: none, 2: some."""
    from tracecheck.cli.rules import lint_all

    return lint_all(files)


@rules_app.command("init")
def rules_init(
    capture: opt.CaptureFile,
    output: opt.OutputFile = None,
    margin: Annotated[
        str, typer.Option("--margin", metavar="PERCENT", help="How far beyond the longest time seen a bound is put.")
    ] = "50%",
    force: Annotated[bool, typer.Option("--force", help="Write over FILE where there is one.")] = False,
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
    """A rule file learned from a good capture, commented, to be edited.

    \b
    Examples:
      tracecheck rules init good.sr
      tracecheck rules init good.sr -o mine.toml --margin 100%
      tracecheck rules init good.sr -o mine.toml --marker irq=D2 --marker run=D3

    \b
    Written down are the pins, the presets that fit, how long interrupts and
    wakes took, and for each shape of transfer its orders and its count of
    interrupts. On the capture it was learned from the file passes.
    """
    from tracecheck.cli.learn import run

    lines = Lines(scl, sda, bus or (), marker or ())
    reading = Reading(samplerate, max_samples, device, unitsize)
    return run(capture, output, margin, lines, rules or [], reading, force=force, quiet=quiet)
