"""Every error tracecheck raises on purpose: one tree, each also a builtin's child, the facts as attributes.

A message says where, what and what to try. The command line prints it as it stands and exits with 2; nothing below
this root ever means a bug in tracecheck.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from os import PathLike

_Path = str | PathLike[str]


class TracecheckError(Exception):
    """Root of all errors that are tracecheck's to explain."""


class CaptureError(TracecheckError, ValueError):
    """A capture cannot be read: `path`, `reason`."""

    def __init__(self, path: _Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


class ChannelError(TracecheckError, LookupError):
    """A channel was asked for that the capture does not have, or cannot serve: `name`, `names` (those there are)."""

    def __init__(self, path: _Path, reason: str, name: str | None = None, names: Sequence[str] = ()) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason, self.name, self.names = path, reason, name, tuple(names)


class RuleError(TracecheckError, ValueError):
    """A rule file makes no sense: `mistakes` holds one line each, already with file, line and column."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


class SuiteError(RuleError):
    """A suite file makes no sense, or names captures or rule files that are not there: `mistakes` as of RuleError."""


class PatternError(RuleError):
    """An order pattern is not understood: `text`, `offset` of the character in it, `reason`."""

    def __init__(self, text: str, offset: int, reason: str) -> None:
        super().__init__([f"pattern, character {offset + 1}: {reason}"])
        self.text, self.offset, self.reason = text, offset, reason


class UsageError(TracecheckError, ValueError):
    """Arguments that contradict each other or name what does not exist."""


class OutputError(TracecheckError, OSError):
    """An output cannot be written: `path`, `reason`. Nothing half-written is left behind."""

    def __init__(self, path: _Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


class FirmwareError(TracecheckError, ValueError):
    """A firmware image cannot be run: `path`, `reason`."""

    def __init__(self, path: _Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


class ExtraError(TracecheckError, ImportError):
    """A package that is an extra of tracecheck is not installed or does not fit: `extra`."""

    def __init__(self, reason: str, extra: str) -> None:
        super().__init__(f"{reason}; try: pip install 'tracecheck[{extra}]' (in a checkout: -e '.[{extra}]')")
        self.extra = extra


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """`; did you mean "x"?` for the nearest of `known`, or an empty string when nothing is near."""
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""
