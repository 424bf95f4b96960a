"""What is timed in one process. Each job takes a capture's path, and says of it what the page tells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import tracecheck
from tracecheck.decoding.find import wire
from tracecheck.decoding.stream import decode_capture
from tracecheck.report import json as as_json
from tracecheck.rules.model import BusSpec
from tracecheck.rules.verdict import Report
from tracecheck.trace import Trace

from .inflates import libdeflate_inflate, zlib_inflate

Facts = dict[str, int | str]
STORED = ("bytes", "messages", "transfers", "markers", "anomalies", "stretches")
"""All tables but the timeline, which is put together on access."""


def edges(capture: Path) -> None:
    """The members inflated, checked and scanned for edges of SCL and SDA."""
    opened = tracecheck.open(capture)
    for _ in opened.edges([opened.channel(name).bit for name in ("SCL", "SDA")]):
        pass


def decode(capture: Path) -> None:
    """Edges become rows: bytes, messages, transfers, anomalies, stretches; as columns in NumPy, which are let go."""
    opened = tracecheck.open(capture)
    for _ in decode_capture(opened, wire(opened, [BusSpec(name="i2c0", scl="SCL", sda="SDA")], [])):
        pass


def tables(capture: Path) -> Facts:
    """`tracecheck.decode` and all stored tables, in Arrow."""
    return _stored(tracecheck.decode(capture, "SCL", "SDA"))


def tables_and_rules(capture: Path) -> Facts:
    """`tracecheck.analyze` with the tables, and its verdict."""
    report = tracecheck.analyze(capture, keep_trace=True)
    assert report.trace is not None
    return {**_stored(report.trace), **_verdict(report)}


def analyze(capture: Path) -> Facts:
    """`tracecheck.analyze` and its verdict; no tables."""
    return _verdict(tracecheck.analyze(capture))


def _stored(trace: Trace) -> Facts:
    return {"rows": sum(getattr(trace, name).num_rows for name in STORED)}


def _verdict(report: Report) -> Facts:
    found = as_json.verdict(report)
    return {
        "rules": len(found["rules"]),
        "presets": ", ".join(report.capture["rules"]),
        "judged": sum(rule["judged"] for rule in found["rules"]),
        "findings": len(found["findings"]),
    }


JOBS: dict[str, Callable[[Path], Facts | None]] = {
    "zlib": zlib_inflate,
    "libdeflate": libdeflate_inflate,
    "edges": edges,
    "decode": decode,
    "tables": tables,
    "tables+rules": tables_and_rules,
    "analyze": analyze,
}
