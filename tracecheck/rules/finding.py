"""What is told of one instance that failed or could not be decided."""

from __future__ import annotations

from dataclasses import dataclass

from tracecheck.rules.checks.base import Expectation


@dataclass(frozen=True, slots=True)
class Beside:
    """What a rule measured next to a finding: `value_ns` of times, `count` of counts; both null where nothing came."""

    transfer: int | None
    sample: int
    t_ns: int | None
    value_ns: float | None
    count: int | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One instance that failed or could not be decided. Times in ns, null where no samplerate is known.

    `beyond_percent`  how far the value of a failed one lies beyond the bound it breaks, in percent of that bound
    `median_ns`       of all that the rule measured, this one among them; null where there were no others
    `expectation`     of a failed order
    `before`, `after` the instances of the rule before and after a failed one; null where there is none
    """

    rule: str
    kind: str
    severity: str
    verdict: str
    bus: str | None
    transfer: int | None
    sample: int
    t_ns: int | None
    value_ns: float | None
    lower_ns: float | None
    upper_ns: float | None
    uncertainty_ns: float | None
    message: str
    why: str
    source: str
    line: int
    beyond_percent: float | None = None
    median_ns: float | None = None
    expectation: Expectation | None = None
    before: Beside | None = None
    after: Beside | None = None
