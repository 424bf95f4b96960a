"""The command line: arguments, progress, exit codes; no logic.

Exit codes of every command: 0 clean, 1 findings, 2 could not check (unreadable files, mistakes in rules or arguments).
What is heavy (numpy, pyarrow) is imported by the command that needs it, so that `--help` answers at once.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence

from tracecheck.cli.console import close_streams, say
from tracecheck.cli.console import state as console
from tracecheck.errors import TracecheckError

COULD_NOT_CHECK = 2
_YOUNG = 20_000
"""Objects that may come before garbage is looked for among them; Python's own measure is 700."""
_SIGINT = 130
"""What typer makes of Ctrl-C; this house has no exit codes but 0, 1 and 2."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit code. No exception leaves this function."""
    console.begun = console.quiet = False
    _end_cleanly()
    if arguments is None:  # imports make a hundred thousand objects, none of them garbage
        gc.set_threshold(_YOUNG)
    try:
        code = _run(arguments)
    except KeyboardInterrupt:
        code = _SIGINT
    if code == _SIGINT:
        say("interrupted; the output is cut short" if console.begun else "interrupted; nothing was written")
        code = COULD_NOT_CHECK
    whole = close_streams()
    if arguments is None:  # the process is ours and about to end: looking through all modules for garbage is a waste
        gc.freeze()
    return code if whole else COULD_NOT_CHECK


def _end_cleanly() -> None:
    """A CI job out of time is sent SIGTERM, a closed terminal sends SIGHUP: as with Ctrl-C, nothing is left behind."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        return  # whoever embeds this handles signals
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # ignored ones (nohup) stay so
            signal.signal(number, interrupt)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        from tracecheck.cli.app import program_for  # noqa: PLC0415  (typer is not needed to report that it is missing)

        app = program_for(sys.argv[1:] if arguments is None else arguments)
        code = app(arguments, prog_name="tracecheck", standalone_mode=False)
    except SystemExit as error:  # typer's, for shell completion and for help that nobody reads to its end
        gone = isinstance(error.__context__, BrokenPipeError)
        return error.code if isinstance(error.code, int) and not gone else 0
    except TracecheckError as error:
        say(str(error))
        return COULD_NOT_CHECK
    except MemoryError:
        say("out of memory; decode less at once, or run it where there is more")
        return COULD_NOT_CHECK
    except OSError as error:
        return _system(error)
    except Exception as error:
        return _other(error)
    return code if isinstance(code, int) else 0


def _system(error: OSError) -> int:
    """An error of the operating system that nobody below gave a meaning to."""
    if isinstance(error, BrokenPipeError):
        return COULD_NOT_CHECK  # a reader of standard output who leaves ends up in `destination`; this was another pipe
    if os.environ.get("TRACECHECK_DEBUG"):
        traceback.print_exc()
    say(f"{error.filename or 'standard output'}: {error.strerror or error}")
    return COULD_NOT_CHECK


def _other(error: Exception) -> int:
    if hasattr(error, "format_message"):  # a wrong argument: typer's own errors, or click's in its older versions
        message = error.format_message()
        context = getattr(error, "ctx", None)
        if type(error).__name__ == "NoArgsIsHelpError":  # its message is the help itself
            sys.stderr.write(f"{message}\n")
        else:
            command = context.command_path if context is not None else "tracecheck"
            say(f"{message.replace('Value error, ', '').rstrip('.')}\nTry: {command} --help")
        return COULD_NOT_CHECK
    if os.environ.get("TRACECHECK_DEBUG"):
        traceback.print_exc()
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    say(f"internal error: {what}; please report it (TRACECHECK_DEBUG=1 shows where it happened)")
    return COULD_NOT_CHECK
