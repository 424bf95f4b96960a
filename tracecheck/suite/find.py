"""Where a suite file is: in this folder, or in one above it."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Final

NAME: Final = "tracecheck.toml"
PYPROJECT: Final = "pyproject.toml"
TABLE: Final = ("tool", "tracecheck")
"""Where in a pyproject.toml a suite file's keys stand."""


def find_suite(folder: Path) -> Path | None:
    """`tracecheck.toml`, or a `pyproject.toml` with a table [tool.tracecheck]; the nearest, as a path from `folder`."""
    above = folder
    for _ in folder.resolve().parts:
        if (found := above / NAME).is_file():
            return found
        if holds_suite(found := above / PYPROJECT):
            return found
        above /= ".."
    return None


def holds_suite(pyproject: Path) -> bool:
    """Whether a pyproject.toml has the table. One that cannot be read has none: other tools will say why."""
    with suppress(OSError, ValueError, RecursionError):
        table = tomllib.loads(pyproject.read_text(encoding="utf-8")).get("tool", {})
        return isinstance(table, dict) and TABLE[1] in table
    return False
