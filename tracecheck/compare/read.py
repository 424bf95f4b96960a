"""A baseline file is read, and what is wrong in it is named with its line and what would be right."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any, Final

from tracecheck.compare.baseline import SCHEMA, Baseline, RuleSide, Table
from tracecheck.errors import CaptureError

_AGAIN: Final = "write it anew: tracecheck compare CAPTURE --save-baseline FILE"
_VERDICTS: Final = ("pass", "fail", "inconclusive")


class _WrongError(ValueError):
    """A value that does not belong there. `path`: the keys that lead to it."""

    def __init__(self, path: tuple[str, ...], reason: str) -> None:
        super().__init__(reason)
        self.path, self.reason = path, reason


def read_baseline(path: str, text: str) -> Baseline:
    """Raises CaptureError where it is none, or of another schema."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise CaptureError(f"{path}:{error.lineno}:{error.colno}", f"is no JSON: {error.msg}; {_AGAIN}") from None
    except RecursionError:
        raise CaptureError(path, f"is nested too deeply to be a baseline; {_AGAIN}") from None
    if not isinstance(found, dict) or "schema" not in found:
        raise CaptureError(path, f'is no baseline: a JSON object with the key "schema"; {_AGAIN}')
    if found["schema"] != SCHEMA or isinstance(found["schema"], bool):
        said = f"is a baseline of schema {found['schema']!r}, this version reads schema {SCHEMA}; {_AGAIN}"
        raise CaptureError(f"{path}:{_line(text, ('schema',))}", said)
    try:
        return _baseline(found)
    except _WrongError as wrong:
        where = f"{path}:{_line(text, wrong.path)}"
        raise CaptureError(where, f"{'.'.join(wrong.path)}: {wrong.reason}; {_AGAIN}") from None


def _baseline(found: dict[str, Any]) -> Baseline:
    rate = _of(found, (), "rate_hz")
    return Baseline(
        name=_text(_of(found, (), "capture"), ("capture",)),
        rate_hz=None if rate is None else _whole(rate, 1, ("rate_hz",)),
        rules={name: _rule(side, ("rules", name)) for name, side in _object(found, "rules").items()},
        shapes={name: _whole(n, 1, ("shapes", name)) for name, n in _object(found, "shapes").items()},
        durations={name: _table(rows, ("durations", name)) for name, rows in _object(found, "durations").items()},
        periods={name: _table(rows, ("periods", name)) for name, rows in _object(found, "periods").items()},
    )


def _rule(side: object, path: tuple[str, ...]) -> RuleSide:
    if not isinstance(side, dict):
        raise _WrongError(path, "is no object with verdict, optional, asks, unit and values")
    verdict, optional, asks, unit, values = (
        _of(side, path, key) for key in ("verdict", "optional", "asks", "unit", "values")
    )
    if verdict not in _VERDICTS:
        raise _WrongError((*path, "verdict"), f"{verdict!r} is none of {', '.join(_VERDICTS)}")
    if not isinstance(optional, bool):
        raise _WrongError((*path, "optional"), f"{optional!r} is neither true nor false")
    if not isinstance(asks, dict):
        raise _WrongError((*path, "asks"), "is no object")
    if unit not in ("samples", "count", None):
        raise _WrongError((*path, "unit"), f'{unit!r} is none of "samples", "count" and null')
    if unit is None and values != []:
        raise _WrongError((*path, "values"), "there are values, and unit is null")
    return RuleSide(verdict, optional, asks, unit, () if unit is None else _table(values, (*path, "values")))


def _object(found: dict[str, Any], key: str) -> dict[str, Any]:
    value = _of(found, (), key)
    if not isinstance(value, dict):
        raise _WrongError((key,), "is no object")
    return value


def _of(found: dict[str, Any], path: tuple[str, ...], key: str) -> Any:
    if key not in found:
        raise _WrongError(path or (key,), f'the key "{key}" is missing')
    return found[key]


def _text(value: object, path: tuple[str, ...]) -> str:
    if not isinstance(value, str):
        raise _WrongError(path, f"{value!r} is no text")
    return value


def _whole(value: object, least: int, path: tuple[str, ...]) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise _WrongError(path, f"{value!r} is no whole number of {least} or more")
    return value


def _table(rows: object, path: tuple[str, ...]) -> Table:
    right = "a distribution is a list of [value, count], ascending by value"
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) and len(row) == 2 for row in rows):
        raise _WrongError(path, right)
    table = tuple((_whole(value, 0, path), _whole(count, 1, path)) for value, count in rows)
    if any(one >= other for (one, _), (other, _) in pairwise(table)):
        raise _WrongError(path, right)
    return table


def _line(text: str, path: tuple[str, ...]) -> int:
    """The line of the last of these keys, each looked for behind the one before it."""
    at = 0
    for key in path:
        found = re.compile(re.escape(json.dumps(key, ensure_ascii=False)) + r"\s*:").search(text, at)
        if found is None:
            break
        at = found.start() + 1
    return text.count("\n", 0, at) + 1
