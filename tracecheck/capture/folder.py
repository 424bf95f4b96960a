"""The captures in a folder, for who names the folder instead of each of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from tracecheck.errors import CaptureError

SUFFIXES: Final = (".sr", ".vcd", ".fst")
"""What captures in a folder are called. A capture of another name is named itself."""


def captures_in(folder: str | os.PathLike[str]) -> list[str]:
    """Every capture in a folder and in those below it, sorted by path; hidden ones are left out.

    Raises CaptureError where there is none, or where a folder cannot be read.
    """

    def unreadable(error: OSError) -> None:
        raise CaptureError(error.filename or folder, f"cannot be read: {error.strerror}")

    found = []
    for where, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            str(Path(where, name)) for name in names if name.lower().endswith(SUFFIXES) and not name.startswith(".")
        ]
    if not found:
        kinds = ", ".join(f"*{suffix}" for suffix in SUFFIXES)
        raise CaptureError(folder, f"is a folder with no captures in it ({kinds}); name the files, or another folder")
    return sorted(found)
