"""Instructions of `tracecheck analyze` on small captures, from start to exit; most of it is imports."""

from __future__ import annotations

import platform
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from benchmarks.callgrind import ENVIRONMENT, ROOT, Counts, profile, total

CAPTURES = {
    "without findings": "captures/sigrok-dumps/i2c-sht21-100khz-read-serial-hold.sr",
    "with findings": "captures/synthetic/synthetic-late-wake.sr",
}
FINE = (0, 1)
"""A verdict, whichever."""
IMPORTED = ("numpy", "pyarrow", "pydantic", "pydantic-core", "toml-rs", "typer")


def circumstances() -> dict[str, str]:
    """What the count depends on beside the sources: the interpreter, and what is imported."""
    return {
        "python": f"{platform.machine()} {platform.python_version()}",
        "packages": ", ".join(f"{name} {metadata.version(name)}" for name in IMPORTED),
    }


def counted() -> Counts:
    """Of each analysis; one without valgrind goes before it, as what was never imported is compiled first."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, capture in CAPTURES.items():
            arguments = ["-m", "tracecheck", "analyze", str(ROOT / capture)]
            subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, env=ENVIRONMENT, check=False)
            found[name] = total(profile(arguments, Path(folder) / "callgrind", fine=FINE))
    return found
