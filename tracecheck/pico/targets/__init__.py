"""Devices on the bus. Each watches the edges itself, as a chip does, and pulls SDA to answer."""

from __future__ import annotations

from tracecheck.pico.targets.attached import attach
from tracecheck.pico.targets.declared import KINDS, TargetSpec, parse_target
from tracecheck.pico.targets.target import ASSUMPTIONS, Interference, Target

__all__ = ["ASSUMPTIONS", "KINDS", "Interference", "Target", "TargetSpec", "attach", "parse_target"]
