"""The program: its commands, in the order of `--help`, and what it says of them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from tracecheck import __version__
from tracecheck.cli.commands.analyze import analyze
from tracecheck.cli.commands.compare import compare
from tracecheck.cli.commands.convert import convert
from tracecheck.cli.commands.decode import decode
from tracecheck.cli.commands.export import export
from tracecheck.cli.commands.info import info
from tracecheck.cli.commands.mutate import mutate
from tracecheck.cli.commands.record import record
from tracecheck.cli.commands.rules import rules_app
from tracecheck.cli.commands.show import show
from tracecheck.cli.commands.watch import watch
from tracecheck.cli.console import destination

_RULES = "rules"
_COMMANDS = (analyze, info, decode, show, record, export, watch, convert, compare, mutate)


def _version(asked: bool) -> None:
    if asked:
        with destination(None) as out:
            out.text(f"tracecheck {__version__}\n")
        raise typer.Exit


def _tracecheck(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Did every I2C transfer's interrupts and task wakes come in order and on time?

    Reads a logic-analyzer capture of SDA, SCL and marker pins, decodes it, and judges it by rules.

    \b
      tracecheck info capture.sr              what is in it, and what was found
      tracecheck decode capture.sr            one line a transfer
      tracecheck show capture.sr 3            draws transfer 3
      tracecheck analyze capture.sr           judges it by the presets that fit
      tracecheck watch --driver fx2lafw ...   judges a bus while it is recorded
      tracecheck export capture.sr -o x.vcd   for other programs; pieces of it, too
      tracecheck convert wave.vcd -o wave.sr  from one format to another
      tracecheck record --driver fx2lafw ...  records a bus, through sigrok-cli
      tracecheck mutate good.sr --rules FILE  tests your rules with injected faults
      tracecheck record --emulate fw.elf      runs a firmware on an emulated Pico
      tracecheck compare base.sr new.sr       what got slower
      tracecheck rules list                   the presets, and the kinds of rule

    \b
    Exit codes: 0 clean, 1 findings, 2 could not check (also wrong arguments and
    files that cannot be read). Results go to standard output, all else to
    standard error.
    """


def program(names: Sequence[str] | None = None) -> typer.Typer:
    """With the commands of these names; None: with all."""
    made = typer.Typer(
        name="tracecheck",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    made.callback()(_tracecheck)
    for command in _COMMANDS:
        if names is None or command.__name__ in names:
            made.command()(command)
    if names is None or _RULES in names:
        made.add_typer(rules_app, name=_RULES)
    return made


def program_for(arguments: Sequence[str]) -> typer.Typer:
    """With the one command that the arguments begin with: putting all together takes a tenth of a small decode."""
    known = [_RULES, *(command.__name__ for command in _COMMANDS)]
    return program(arguments[:1]) if arguments and arguments[0] in known else app


app = program()
