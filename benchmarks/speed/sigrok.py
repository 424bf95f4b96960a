"""sigrok-cli, as it is measured."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def command(capture: Path) -> list[str]:
    """What decodes the capture, and prints every annotation."""
    return ["sigrok-cli", "-i", str(capture), "-P", "i2c:scl=SCL:sda=SDA", "-A", "i2c"]


def version() -> str | None:
    """`sigrok-cli 0.7.2`; None where it is not installed."""
    if shutil.which("sigrok-cli") is None:
        return None
    said = subprocess.run(["sigrok-cli", "--version"], capture_output=True, text=True, check=True).stdout
    return said.splitlines()[0].strip()
