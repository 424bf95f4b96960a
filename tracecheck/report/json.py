"""A verdict for programs. Schema 1; keys stand in a fixed order, times in nanoseconds to the picosecond."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tracecheck import words
from tracecheck.outline import Outline
from tracecheck.rules.checks.base import Expectation
from tracecheck.rules.finding import Beside, Finding
from tracecheck.rules.result import RuleResult
from tracecheck.rules.statistic import Statistic
from tracecheck.rules.verdict import Report
from tracecheck.timebase import NS, to_ns

SCHEMA = 1
_VERDICTS = ("pass", "fail", "inconclusive")


def render(verdicts: Sequence[dict[str, Any]]) -> str:
    """One capture: its object. Several: `{"schema": 1, "captures": [...]}`."""
    whole = verdicts[0] if len(verdicts) == 1 else {"schema": SCHEMA, "captures": list(verdicts)}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def verdict(
    report: Report, outline: Outline | None = None, *, fail_on: str = "error", strict: bool = False
) -> dict[str, Any]:
    """One capture's verdict, as `verdict` of the exit code with these settings."""
    code = report.exit_code(fail_on, strict=strict)
    return {
        "schema": SCHEMA,
        "capture": _capture(report, outline),
        "verdict": _VERDICTS[code],
        "exit_code": code,
        "rules": [_rule(result) for result in report.rules],
        "findings": [finding_object(finding, report.rate_hz) for finding in report.findings],
        "notes": list(report.notes),
    }


def unreadable(path: str, reason: str) -> dict[str, Any]:
    """What stands for a capture that could not be read, among several."""
    return {
        "schema": SCHEMA,
        "capture": {"path": path},
        "verdict": "inconclusive",
        "exit_code": 2,
        "error": reason,
        "rules": [],
        "findings": [],
        "notes": [],
    }


def _capture(report: Report, outline: Outline | None) -> dict[str, Any]:
    facts = dict(report.capture)
    rate, samples = facts.get("rate_hz"), facts.get("samples")
    facts["duration_ns"] = to_ns(samples, rate) if rate and samples is not None else None
    if outline is not None:
        facts["transfers"] = outline.counts
    return facts


def _rule(result: RuleResult) -> dict[str, Any]:
    return {
        "id": result.rule.id,
        "kind": result.rule.kind,
        "severity": result.rule.severity,
        "optional": result.rule.optional,
        "verdict": result.verdict,
        "judged": result.judged,
        "passed": result.passed,
        "failed": result.failed,
        "inconclusive": result.inconclusive,
        "cut": result.cut,
        "unlisted": result.unlisted,
        "missing": list(result.missing),
        "stats": _stats(result),
    }


def _stats(result: RuleResult) -> dict[str, Any] | None:
    """Times end in `_ns`; counts, and samples where no rate is known, have plain names and say their unit.

    `bounds`, where the rule has any: its percentiles and its jitter, each one verdict on all instances of a bus.
    """
    stats, bounds = result.stats, [_bound(result, bus, statistic) for bus, statistic in result.statistics]
    if stats is None and not bounds:
        return None
    found: dict[str, Any] = {"unit": "ns" if result.rate_hz else "samples", "count": 0}
    if stats is not None:
        end = "_ns" if stats.unit == "ns" else ""
        values = {"min": stats.min, "p50": stats.p50, "p99": stats.p99, "max": stats.max, "headroom": stats.headroom}
        closest = result.closest
        found = {
            "unit": stats.unit,
            "count": stats.count,
            **{f"{name}{end}": rounded(value) for name, value in values.items()},
            "closest": None
            if closest is None
            else {"bus": closest[0], "transfer": closest[1] if closest[1] >= 0 else None, "sample": closest[2]},
        }
    return found | ({"bounds": bounds} if bounds else {})


def _bound(result: RuleResult, bus: str | None, statistic: Statistic) -> dict[str, Any]:
    """A percentile or the jitter. It lies from `low` to `high`; a null `high` is longer than any time."""
    in_ns = statistic.unit == "samples" and result.rate_hz
    scale, end = (NS / result.rate_hz, "_ns") if in_ns and result.rate_hz else (1.0, "")
    per = statistic.bound.samples(result.rate_hz, 1)
    ends = {"low": statistic.low, "high": statistic.high, "bound": None if per is None else float(per)}
    return {
        "name": statistic.name,
        "bus": bus,
        "verdict": words.VERDICTS[statistic.verdict],
        "count": statistic.count,
        "needed": statistic.needed,
        "missing": statistic.missing,
        "open": statistic.open,
        "unit": "ns" if in_ns else statistic.unit,
        **{f"{name}{end}": rounded(None if value is None else value * scale) for name, value in ends.items()},
    }


def _beside(near: Beside | None) -> dict[str, Any] | None:
    if near is None:
        return None
    return {
        "transfer": near.transfer,
        "sample": near.sample,
        "t_ns": near.t_ns,
        "value_ns": rounded(near.value_ns),
        "count": near.count,
    }


def finding_object(finding: Finding, rate_hz: int | None) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "kind": finding.kind,
        "severity": finding.severity,
        "verdict": finding.verdict,
        "bus": finding.bus,
        "transfer": finding.transfer,
        "sample": finding.sample,
        "t_ns": finding.t_ns,
        "value_ns": rounded(finding.value_ns),
        "lower_ns": rounded(finding.lower_ns),
        "upper_ns": rounded(finding.upper_ns),
        "uncertainty_ns": rounded(finding.uncertainty_ns),
        "message": finding.message,
        "why": finding.why,
        "source": finding.source,
        "line": finding.line,
        "beyond_percent": rounded(finding.beyond_percent),
        "median_ns": rounded(finding.median_ns),
        "before": _beside(finding.before),
        "after": _beside(finding.after),
        "expectation": None if finding.expectation is None else _expectation(finding.expectation, rate_hz),
    }


def _expectation(wrong: Expectation, rate_hz: int | None) -> dict[str, Any]:
    """The last event that fitted, what could have come then (`end`: or nothing more), and what came, at `sample`."""
    return {
        "after": wrong.after,
        "after_sample": wrong.after_at,
        "after_t_ns": to_ns(wrong.after_at, rate_hz) if rate_hz and wrong.after_at is not None else None,
        "nth": wrong.nth,
        "expected": list(wrong.expected),
        "end": wrong.end,
        "came": wrong.came,
    }


def rounded(value: float | None) -> float | int | None:
    """To the picosecond; whole numbers as integers."""
    if value is None:
        return None
    value = round(value, 3)
    return int(value) if value.is_integer() else value
