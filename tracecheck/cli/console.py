"""Standard output and standard error: what a terminal can show, and what happens when the other end is gone or full."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

from tracecheck.errors import OutputError
from tracecheck.report.visible import visible

STDOUT = "standard output"
_GLYPHS = "─┌┐└┘┄░▒⋯→µ±✓"


@dataclass(slots=True)
class _State:
    """`begun`: bytes of a result have gone to standard output. `quiet`: no notes and no progress."""

    begun: bool = False
    quiet: bool = False


state = _State()


class PipeClosedError(Exception):
    """Whoever read standard output has seen enough."""


class Output:
    """Where a result goes. A file in the eyes of pyarrow: `write`, `flush`, `tell`, `close`, `closed`."""

    closed = False

    def __init__(self, file: BinaryIO, *, stream: TextIO | None = None) -> None:
        """`stream`: the text stream that `file` is the bytes of, where it is standard output."""
        self._file, self._stream, self._written = file, stream, 0
        self.encoding = (stream.encoding or "utf-8") if stream is not None else "utf-8"
        self.is_terminal = stream is not None and stream.isatty()
        self.width = shutil.get_terminal_size((80, 24)).columns
        self.unicode = _encodes(self.encoding)
        dumb = os.environ.get("TERM") == "dumb"
        self.colour = self.is_terminal and not dumb and not os.environ.get("NO_COLOR")

    def write(self, data: Any) -> int:
        self._guarded(lambda: self._file.write(data))
        if self._stream is not None:
            state.begun = True
        self._written += memoryview(data).nbytes
        return memoryview(data).nbytes

    def text(self, text: str) -> None:
        """Write text in the stream's encoding; what it lacks becomes `?`."""
        self.write(text.encode(self.encoding, "replace"))

    def flush(self) -> None:
        self._guarded(self._file.flush)

    def tell(self) -> int:
        return self._written

    def close(self) -> None:
        """Does nothing: whoever opened the file closes it."""

    def _guarded(self, do: Any) -> None:
        if self._stream is None:
            do()  # a file's errors are atomic_file's to explain
            return
        try:
            do()
        except BrokenPipeError as error:
            _discard(self._stream)
            raise PipeClosedError from error
        except OSError as error:
            _discard(self._stream)
            raise OutputError(STDOUT, f"writing failed: {error.strerror}") from error


@contextmanager
def destination(path: str | None, sources: Sequence[str] = (), *, option: str = "-o") -> Iterator[Output]:
    """The file at `path`, which appears whole or not at all, or standard output where `path` is None or "-".

    A reader of standard output that goes away early ends the block without an error. Raises OutputError, also where
    the output would take the place of one of its `sources`; `option` is the one that names it.
    """
    if path is not None and path != "-":
        refuse_inputs(path, sources, option)
        from tracecheck.export.atomic import atomic_file  # noqa: PLC0415  (not needed for --help)

        with atomic_file(path) as file:
            yield Output(file)
        return
    stream = cast("TextIO | None", sys.stdout)
    if stream is None:
        raise OutputError(STDOUT, "is closed")
    with suppress(PipeClosedError):
        output = Output(stream.buffer, stream=stream)
        yield output
        output.flush()


def refuse_inputs(path: str, sources: Sequence[str], option: str = "-o") -> None:
    """Raises OutputError where the output at `path` would take the place of one of its `sources`."""
    if any(_same_file(path, source) for source in sources):
        raise OutputError(path, f"this is an input; give {option} another name, or the recording is lost")


def _same_file(a: str, b: str) -> bool:
    with suppress(OSError, ValueError):
        return Path(a).is_file() and Path(a).samefile(b)
    return False


def say(message: str) -> None:
    """A message for the person at the terminal, on standard error."""
    stream = cast("TextIO | None", sys.stderr)
    if stream is None:
        return
    text = f"tracecheck: {visible(message)}\n"
    with suppress(OSError, ValueError):
        stream.write(text.encode(stream.encoding or "utf-8", "replace").decode(stream.encoding or "utf-8", "replace"))
        stream.flush()


def note(message: str) -> None:
    """As `say`, but not with --quiet."""
    if not state.quiet:
        say(message)


def close_streams() -> bool:
    """Flush both streams, so that nothing is left to fail when the process ends. False when the output got lost."""
    written = True
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue
        try:
            stream.flush()
        except BrokenPipeError:
            _discard(stream)
        except (OSError, ValueError) as error:
            _discard(stream)
            if stream is sys.stdout:
                say(f"{STDOUT}: writing failed: {getattr(error, 'strerror', None) or error}")
                written = False
    return written


def _discard(stream: TextIO) -> None:
    """Send what is left in a stream's buffers nowhere: the interpreter flushes them at its end, and would complain."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _encodes(encoding: str) -> bool:
    try:
        _GLYPHS.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
