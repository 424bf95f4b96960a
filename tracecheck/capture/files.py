"""Opening a capture's file: what can go wrong before its format matters."""

from __future__ import annotations

import io
import stat
from pathlib import Path

from tracecheck.errors import CaptureError


def open_file(path: str) -> io.FileIO:
    """`path` for reading, unbuffered. Raises CaptureError unless it is a file that holds something."""
    try:
        # Asked before opening: to open a pipe would wait for its writer.
        status = Path(path).stat()
        if stat.S_ISDIR(status.st_mode):
            raise CaptureError(path, "is a folder, not a capture; give a file in it")
        if not stat.S_ISREG(status.st_mode):
            raise CaptureError(path, "is not a regular file; save the capture to a file first")
        if status.st_size == 0:
            raise CaptureError(path, "is empty (0 bytes); record or copy it again")
        return io.FileIO(path)
    except FileNotFoundError as error:
        raise CaptureError(path, "there is no such file; check the name and the folder") from error
    except (OSError, ValueError) as error:
        if isinstance(error, CaptureError):
            raise
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise CaptureError(path, f"cannot be opened: {reason}") from error
