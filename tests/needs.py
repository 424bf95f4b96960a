"""Marks of tests that need a program. Where CI runs, a missing one is a failure and not a skip."""

from __future__ import annotations

import os
import shutil

import pytest

IN_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")
CHROMIUM = "/usr/bin/chromium"


def _program(name: str, package: str) -> pytest.MarkDecorator:
    missing = not IN_CI and shutil.which(name) is None
    return pytest.mark.skipif(missing, reason=f"{package} is not installed (apt install {package})")


sigrok_cli = _program("sigrok-cli", "sigrok-cli")
chromium = _program(CHROMIUM, "chromium")
