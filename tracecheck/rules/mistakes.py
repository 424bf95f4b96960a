"""Mistakes in rule files: collected, worded and sorted, so that all of them are reported at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic_core import ErrorDetails

from tracecheck.errors import PatternError, did_you_mean

_LONGEST: Final = 500
"""Characters of one mistake; what is quoted from a hostile file may be a megabyte."""

_INT64: Final = 64
_COMPARED: Final = 100
"""Names that a misspelt one is compared with, and characters of it."""
_SHOWN: Final = 30
"""Names listed in one mistake."""

_EXAMPLES: Final = {
    "id": '"short-name"',
    "kind": '"response"',
    "trigger": '"irq.begin"',
    "response": '"wake"',
    "event": '"irq.begin"',
    "cause": '"stop"',
    "marker": '"irq"',
    "pattern": '"start address data* stop irq wake"',
    "kinds": '["partial-byte", "missing-stop"]',
    "channel": '"D2"',
    "captures": '["recordings/*.sr"]',
}
_TYPES: Final = {
    "string_type": "a string",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "dict_type": "a table",
}


class ContradictionError(ValueError):
    """Keys that are each right and do not go together: `key` is the one to point at."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(reason)
        self.key = key


class UnknownKeyError(ValueError):
    """A key of a table of names is none of these; the key itself is to be pointed at, not its value."""


@dataclass(frozen=True, order=True, slots=True)
class Mistake:
    """One line of the report. Files keep the order in which they were read."""

    file: int
    line: int
    column: int
    text: str


@dataclass(slots=True)
class Mistakes:
    """Collects the mistakes of one load, from all the files it reads."""

    found: list[Mistake] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)

    def add(self, path: str, place: tuple[int, int] | None, reason: str) -> None:
        """`place` is line and column, both from 1; None where the whole file is meant."""
        number = self.files.setdefault(path, len(self.files))
        if len(reason) > _LONGEST:
            reason = f"{reason[: _LONGEST // 2]} ... {reason[-_LONGEST // 2 :]}"
        where = f"{path}:{place[0]}:{place[1]}" if place else path
        self.found.append(Mistake(number, *(place or (0, 0)), f"{where}: {reason}"))

    def quote(self, line: str) -> None:
        """Takes over a mistake that is worded and placed already."""
        self.found.append(Mistake(len(self.files), 0, 0, line))

    def lines(self) -> list[str]:
        """What to print, each mistake once, in the order of the files."""
        return list(dict.fromkeys(mistake.text for mistake in sorted(self.found)))


def nearest(word: str, known: Sequence[str], what: str = "known", near: Sequence[str] = ()) -> str:
    """The end of a sentence about an unknown word: the nearest one of `near` or `known`, or what is known.

    A hostile file may declare thousands of names, and misspell thousands: only the first ones are compared and shown.
    """
    found = did_you_mean(word[:_COMPARED], [*near, *known][:_COMPARED])
    if found:
        return found
    more = ", ..." if len(known) > _SHOWN else ""
    return f" ({what}: {', '.join(known[:_SHOWN]) or 'none'}{more})"


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake in a table: `path` from that table down, whether its key or its value is meant, and the words."""

    path: tuple[str | int, ...]
    at_key: bool
    reason: str
    offset: int | None = None
    """Character inside the value, for patterns."""


def faults(
    errors: Sequence[ErrorDetails],
    owner: str,
    keys: Mapping[tuple[str, ...], Sequence[str]],
    renamed: Mapping[str, str],
) -> Iterable[Fault]:
    """Pydantic's errors about one table in this language's words.

    `owner` names the table in a sentence: `rule "x"`. `keys` gives the keys there are in it and in each table below
    it, `renamed` the fields of the model that a file calls otherwise.
    """
    unknown = [str(error["loc"][-1]) for error in errors if error["type"] == "extra_forbidden"]
    for error in errors:
        path = tuple(renamed.get(step, step) if isinstance(step, str) else step for step in error["loc"])
        if error["type"] == "missing":
            key = str(path[-1])
            if any(f'"{key}"' in nearest(word, _known(keys, path), "") for word in unknown[:_COMPARED]):
                continue  # the misspelt key is reported, with this one as the suggestion
            example = f"; add for example {key} = {_EXAMPLES[key]}" if key in _EXAMPLES else ""
            yield Fault(path[:-1], True, f'{owner} lacks the key "{key}"{example}')
        elif error["type"] == "extra_forbidden":
            known = _known(keys, path)
            inside = f"{'.'.join(map(str, path[:-1]))} of {owner}" if path[:-1] else owner
            hint = nearest(str(path[-1]), known, "keys")
            yield Fault(path, True, f'unknown key "{path[-1]}" in {inside}{hint}')
        else:
            yield _fault_of_value(error, path, owner)


def _fault_of_value(error: ErrorDetails, path: tuple[str | int, ...], owner: str) -> Fault:
    cause: Any = error.get("ctx", {}).get("error")
    if isinstance(cause, ContradictionError):
        path = (*path, cause.key)
    if isinstance(cause, UnknownKeyError):
        return Fault(path, True, f"{owner}, {'.'.join(map(str, path[:-1]))}: {cause}")
    place = ", ".join(part for part in (owner, ".".join(map(str, path))) if part)
    if isinstance(cause, PatternError):
        return Fault(path, False, f"{place}: {cause.reason}", cause.offset)
    return Fault(path, False, f"{place}: {cause if cause is not None else _reason(error)}")


def _known(keys: Mapping[tuple[str, ...], Sequence[str]], path: Sequence[str | int]) -> Sequence[str]:
    return keys.get(tuple(str(step) for step in path[:-1]), ())


def _reason(error: ErrorDetails) -> str:
    kind, given = error["type"], error["input"]
    shown = f'"{given}"' if isinstance(given, str) else described(given)
    if kind == "literal_error":
        words = re.findall(r"'([^']*)'", error["ctx"]["expected"])
        return f"unknown value {shown}{nearest(str(given), words)}"
    if kind in _TYPES:
        return f"expected {_TYPES[kind]}, found {shown}"
    if kind == "greater_than_equal":
        return f"{shown} is too small; at least {error['ctx']['ge']}"
    if kind == "less_than_equal":
        return f"{shown} is too large; at most {error['ctx']['le']}"
    return f"{error['msg']}, found {shown}"


def described(value: object) -> str:
    """A TOML value in words short enough for a message."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int) and value.bit_length() > _INT64:
        return f"a number of more than {_INT64} bits"
    return repr(value) if isinstance(value, str) else str(value)
