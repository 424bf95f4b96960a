"""Outputs that appear whole or not at all.

A file is written beside its place under a name of its own and renamed at the end. Whatever ends the writing early (an
error, Ctrl-C), the unfinished file is removed and what stood at the place before stays as it was.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from tracecheck.errors import OutputError


class Writable(Protocol):
    """All that a format's writer asks of what it writes to: bytes are taken."""

    def write(self, data: bytes, /) -> Any: ...


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A binary file, open for writing and seeking, that stands at `path` once the block has ended without an error.

    A symbolic link is followed, so that its target is replaced and not the link; a device or a pipe is written to as it
    is. Raises OutputError where the folder does not take the file or the disk fills up.
    """
    place = Path(os.path.realpath(path))
    if place.is_dir():
        raise OutputError(path, "this is a folder; name a file in it")
    special = place.exists() and not place.is_file()
    draft = place if special else place.with_name(f".{place.name}.{secrets.token_hex(4)}.part")
    try:
        file = draft.open("wb" if special else "xb")
    except OSError as error:
        hint = "" if place.parent.is_dir() else f'; make the folder "{place.parent.name}" first'
        raise OutputError(path, f"cannot write here: {error.strerror}{hint}") from error
    try:
        try:
            with file:
                yield file
            if not special:
                draft.replace(place)
        except BaseException:
            if not special:
                with suppress(OSError):
                    draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        # An error that names another file is not about this output (a source that could not be read, say).
        if isinstance(error, OutputError) or error.filename not in (None, str(draft)):
            raise
        raise OutputError(path, f"writing failed: {error.strerror or error}") from error
