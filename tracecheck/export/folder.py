"""All tables of a trace as files in a folder, which appears whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tracecheck.errors import OutputError
from tracecheck.export.tables import WRITERS
from tracecheck.trace import Trace

if TYPE_CHECKING:
    import pyarrow as pa


def write_folder(
    path: str | os.PathLike[str], trace: Trace, kind: str, more: Mapping[str, pa.Table] | None = None
) -> list[str]:
    """Writes TABLE.KIND for every table there is into a new folder at `path`; returns the names of the files.

    `more`: tables by name beside those of the trace. `kind` is a key of `tables.WRITERS`. An empty folder is taken, one
    that holds something never. Raises OutputError.
    """
    place = Path(os.path.realpath(path))
    if place.exists() and not place.is_dir():
        raise OutputError(path, "this is a file; the tables go into a folder, give another name")
    if place.is_dir() and any(place.iterdir()):
        raise OutputError(path, "this folder holds something already; give the name of a new one")
    draft = place.with_name(f".{place.name}.{secrets.token_hex(4)}.part")
    try:
        draft.mkdir()
    except OSError as error:
        hint = "" if place.parent.is_dir() else f'; make the folder "{place.parent.name}" first'
        raise OutputError(path, f"cannot write here: {error.strerror}{hint}") from error
    try:
        names = []
        for table in (*trace.tables, *(more or {})):
            names.append(f"{table}.{kind}")
            with (draft / names[-1]).open("xb") as file:
                WRITERS[kind](more[table] if more and table in more else trace.table(table), file)
        draft.replace(place)
    except OSError as error:
        raise OutputError(path, f"writing failed: {error.strerror or error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return names
