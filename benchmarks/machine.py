"""What the figures were measured on, in a sentence."""

from __future__ import annotations

import os
import platform
import zlib
from importlib import metadata
from pathlib import Path


def processor() -> str:
    """The processor's name as Linux gives it, else its architecture."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def machine() -> str:
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("numpy", "pyarrow", "tracecheck"))
    return (
        f"{processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, zlib {zlib.ZLIB_RUNTIME_VERSION}, {versions}"
    )
