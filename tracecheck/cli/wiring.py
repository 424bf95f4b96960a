"""From command-line arguments to an opened capture and the rule set that says how its pins are read."""

from __future__ import annotations

from collections.abc import Sequence

import tracecheck
from tracecheck.capture.model import Capture
from tracecheck.capture.rate import parse_rate
from tracecheck.cli.lines import Lines
from tracecheck.errors import CaptureError, UsageError
from tracecheck.rules.consistency import checked
from tracecheck.rules.expect import expect
from tracecheck.rules.file import load_many
from tracecheck.rules.model import RuleSet


def opened(path: str, samplerate: str | None, max_samples: int | None, *, empty: bool = False) -> Capture:
    """The capture at `path`. Raises CaptureError, also for one without samples unless `empty`; UsageError."""
    try:
        rate_hz = None if samplerate is None else parse_rate(samplerate)
    except UsageError as error:
        raise UsageError(f"--samplerate: {error}") from None
    if max_samples is not None and max_samples < 0:
        raise UsageError(f"--max-samples: {max_samples} makes no sense; give a number of samples")
    capture = tracecheck.open(path, rate_hz=rate_hz, max_samples=max_samples)
    if capture.samples == 0 and not empty:
        raise CaptureError(path, "the capture is empty (0 samples); record it again")
    return capture


def rule_set(files: Sequence[str], lines: Lines, expectations: Sequence[str] = ()) -> RuleSet:
    """All that was asked for in one set; it has no rules when none were. Raises RuleError, UsageError."""
    markers = [marker.name for marker in lines.marker_specs()]
    rules = load_many(files, markers) if files else RuleSet()
    rules = lines.applied(rules)
    rules = rules.with_rules([expect(text, i) for i, text in enumerate(expectations, 1)])
    return checked(rules)
