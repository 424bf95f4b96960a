"""The driver models there are. A new one is a module beside embassy_rp.py, and its name in this list."""

from __future__ import annotations

from typing import Final

from tracecheck.rules.drivers import embassy_rp
from tracecheck.rules.drivers.model import DriverModel

MODELS: Final[dict[str, DriverModel]] = {model.name: model for model in (embassy_rp.MODEL,)}
