"""The table `checks`: every rule on every instance, where all instances were kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tracecheck import schemas, words
from tracecheck.arrow import coded, column
from tracecheck.rules.bounds import PASS, UNJUDGED
from tracecheck.rules.checks.instances import Instances
from tracecheck.rules.result import RuleResult
from tracecheck.rules.statistic import Statistic
from tracecheck.rules.tally import Judged
from tracecheck.rules.vocabulary import KINDS
from tracecheck.timebase import NS, column_ns, time_text

_KEPT = (PASS, UNJUDGED)
"""Verdicts of which nothing is said: there may be millions of them."""


def checks_table(results: Sequence[RuleResult]) -> pa.Table:
    """Rule by rule and bus by bus, in order of samples; what a rule's instances say together stands before them."""
    ids = [result.rule.id for result in results]
    buses = sorted({lane.bus for result in results for lane in result.lanes if lane.bus is not None})
    parts = [
        part
        for number, result in enumerate(results)
        for lane in result.lanes
        for part in (_together(result, lane, number, ids, buses), _single(result, lane, number, ids, buses))
    ]
    return pa.Table.from_batches(parts, schemas.CHECKS)


def _single(result: RuleResult, lane: Judged, number: int, ids: Sequence[str], buses: Sequence[str]) -> pa.RecordBatch:
    found, rate = lane.found, result.rate_hz
    scale = NS / rate if rate and result.measures == "time" else np.nan
    lower, upper = lane.checker.limits(found)
    columns = {
        "transfer": column(found.transfer, found.transfer < 0),
        "sample": column(found.at),
        "value_ns": _floats(np.where(found.value < 0, np.nan, found.value) * scale),
        "lower_ns": _floats(lower * scale),
        "upper_ns": _floats(upper * scale),
        "uncertainty_ns": _floats(lane.checker.doubt(found).astype(np.float64) * scale),
        "message": pa.array(_messages(lane, found, rate), pa.string(), from_pandas=False),
    }
    return _batch(result, lane, number, ids, buses, found.at, found.verdict, columns)


def _together(
    result: RuleResult, lane: Judged, number: int, ids: Sequence[str], buses: Sequence[str]
) -> pa.RecordBatch:
    """Its percentiles and its jitter."""
    rate, of_all = result.rate_hz, lane.statistics
    scale = NS / rate if rate else np.nan
    at = np.array([s.at for s in of_all], np.int64)
    upper = [s.bound.samples(rate) for s in of_all]
    columns = {
        "transfer": column(np.full(len(at), -1, np.int64), np.ones(len(at), np.bool_)),
        "sample": column(at),
        "value_ns": _floats(_numbers(s.value for s in of_all) * scale),
        "lower_ns": _floats(np.full(len(at), np.nan)),
        "upper_ns": _floats(_numbers(None if bound is None else float(bound) for bound in upper) * scale),
        "uncertainty_ns": _floats(_numbers(s.slack for s in of_all) * scale),
        "message": pa.array([_said(s, rate) for s in of_all], pa.string(), from_pandas=False),
    }
    return _batch(result, lane, number, ids, buses, at, np.array([s.verdict for s in of_all], np.int64), columns)


def _batch(
    result: RuleResult,
    lane: Judged,
    number: int,
    ids: Sequence[str],
    buses: Sequence[str],
    at: NDArray[np.int64],
    verdict: NDArray[Any],
    columns: dict[str, pa.Array],
) -> pa.RecordBatch:
    """The rows with what they have in common."""
    n, rate = len(at), result.rate_hz

    def same(index: int, words_: Sequence[str], kind: Any) -> pa.DictionaryArray:
        return coded(np.full(n, max(index, 0), kind), words_, np.full(n, index < 0))

    rows = {
        "rule": same(number, ids, np.int16),
        "kind": same(KINDS.index(result.rule.kind), KINDS, np.int8),
        "severity": same(words.SEVERITIES.index(result.rule.severity), words.SEVERITIES, np.int8),
        "bus": same(buses.index(lane.bus) if lane.bus is not None else -1, buses, np.int16),
        "t_ns": column(column_ns(at, rate)) if rate else pa.nulls(n, pa.int64()),
        "verdict": coded(verdict.astype(np.int8), words.VERDICTS),
        **columns,
    }
    return pa.RecordBatch.from_arrays([rows[name] for name in schemas.CHECKS.names], schema=schemas.CHECKS)


def _messages(lane: Judged, found: Instances, rate_hz: int | None) -> list[str | None]:
    said: list[str | None] = [None] * len(found)
    for i in np.flatnonzero(~np.isin(found.verdict, _KEPT)).tolist():
        said[i] = lane.checker.said(found, i, lambda d: time_text(d, rate_hz))
    return said


def _said(statistic: Statistic, rate_hz: int | None) -> str | None:
    return None if statistic.verdict == PASS else statistic.said(lambda d: time_text(d, rate_hz))


def _numbers(values: Iterable[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _floats(values: NDArray[np.float64]) -> pa.Array:
    return column(values, np.isnan(values))
