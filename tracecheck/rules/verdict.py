"""Verdicts: what became of each rule, the findings, and what the whole analysis says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from math import isnan, nan
from typing import TYPE_CHECKING, Any, Literal

from tracecheck import notebook, words
from tracecheck.errors import UsageError, did_you_mean
from tracecheck.rules.bounds import CUT, FAIL, INCONCLUSIVE, PASS
from tracecheck.rules.checks.base import Expectation, Instances
from tracecheck.rules.counted import Counted
from tracecheck.rules.model import Rule
from tracecheck.rules.neighbours import Neighbour
from tracecheck.rules.statistic import Statistic
from tracecheck.rules.tally import Judged
from tracecheck.rules.timing import group_of, is_vague
from tracecheck.timebase import NS, to_ns

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.axes import Axes

    from tracecheck.stack import Annotation

Verdict = Literal["pass", "fail", "inconclusive"]
_RANK = {name: i for i, name in enumerate(words.SEVERITIES)}


@dataclass(frozen=True, slots=True)
class Stats:
    """What a rule measured, over all instances with a value. Times in ns when `unit` is "ns", else plain counts.

    Percentiles are nearest rank. `headroom`: the smallest distance of a judged value to its bound, negative when over.
    """

    unit: Literal["ns", "samples", "count"]
    count: int
    min: float
    p50: float
    p99: float
    max: float
    headroom: float | None


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


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule over all lanes. `missing`: events this capture does not have, so that the rule cannot be checked."""

    rule: Rule
    lanes: tuple[Judged, ...]
    missing: tuple[str, ...]
    rate_hz: int | None

    def count(self, verdict: int) -> int:
        return sum(lane.count(verdict) for lane in self.lanes)

    @property
    def passed(self) -> int:
        return self.count(PASS)

    @property
    def failed(self) -> int:
        return self.count(FAIL)

    @property
    def inconclusive(self) -> int:
        return self.count(INCONCLUSIVE)

    @property
    def cut(self) -> int:
        return self.count(CUT)

    @property
    def judged(self) -> int:
        return self.passed + self.failed

    @property
    def verdict(self) -> Verdict:
        """Fail if any instance failed; pass if some were judged and none failed; otherwise inconclusive."""
        if self.failed:
            return "fail"
        return "pass" if self.passed else "inconclusive"

    @property
    def beyond_the_rate(self) -> bool:
        """Whether it is a parameter of a mode's timing that no instance decided: a note, and no reason for anything."""
        return is_vague(self.rule) and not self.judged and self.inconclusive > 0

    @property
    def measures(self) -> str:
        return self.lanes[0].checker.measures if self.lanes else ""

    @property
    def unlisted(self) -> int:
        """Failed and inconclusive instances that are counted, and of which no more is kept: too many of them."""
        return self.unlisted_of(FAIL) + self.unlisted_of(INCONCLUSIVE)

    def unlisted_of(self, verdict: int) -> int:
        """Those of one verdict."""
        return sum(lane.counts[verdict] - lane.kept(verdict) for lane in self.lanes)

    @property
    def stats(self) -> Stats | None:
        """None when nothing was measured."""
        if self.measures not in ("time", "count"):
            return None
        parts = [lane.values for lane in self.lanes if len(lane.values)]
        if not parts:
            return None
        values = Counted.joined(parts)
        count = len(values)
        scale, unit = self._scale()
        worst = self._closest()

        def rank(per_cent: int) -> float:
            return values.ranked(max(1, -(-per_cent * count // 100))) * scale

        return Stats(
            unit=unit,
            count=count,
            min=values.least * scale,
            p50=rank(50),
            p99=rank(99),
            max=values.most * scale,
            headroom=None if worst is None else worst[0] * scale,
        )

    @property
    def closest(self) -> tuple[str | None, int, int] | None:
        """(bus, transfer or -1, sample) of the instance that came closest to a bound, or went furthest over."""
        worst = self._closest()
        return None if worst is None else worst[1:]

    def _scale(self) -> tuple[float, Literal["ns", "samples", "count"]]:
        if self.measures == "count":
            return 1.0, "count"
        return (NS / self.rate_hz, "ns") if self.rate_hz else (1.0, "samples")

    def _closest(self) -> tuple[float, str | None, int, int] | None:
        best: tuple[float, str | None, int, int] | None = None
        for lane in self.lanes:
            near = lane.closest
            if near is not None and (best is None or near.room < best[0]):
                best = near.room, lane.bus, near.transfer, near.at
        return best

    @property
    def statistics(self) -> Iterator[tuple[str | None, Statistic]]:
        """(bus, percentile or jitter), bus by bus."""
        return ((lane.bus, statistic) for lane in self.lanes for statistic in lane.statistics)

    def findings(self) -> Iterator[Finding]:
        """Failed and inconclusive instances, lane by lane in order, as far as they were kept (see `unlisted`); what
        they say together comes before them all.
        """
        for bus, statistic in self.statistics:
            if statistic.verdict in (FAIL, INCONCLUSIVE):
                yield self._of_all(bus, statistic)
        stats = self.stats
        median = stats.p50 if stats is not None and stats.unit == "ns" and stats.count > 1 else None
        for lane in self.lanes if not self.beyond_the_rate else ():
            found = lane.found.where((lane.found.verdict == FAIL) | (lane.found.verdict == INCONCLUSIVE))
            for i in range(len(found)):
                yield self.finding(lane, found, i, median)

    def finding(self, lane: Judged, found: Instances, i: int, median: float | None = None) -> Finding:
        """`median` of what the rule measured, in ns."""
        rate = self.rate_hz
        scale = NS / rate if rate and self.measures == "time" else None
        value = float(found.value[i]) * scale if scale and found.value[i] >= 0 else None
        lower, upper = (float(bound[0]) for bound in lane.checker.limits(found.where(slice(i, i + 1))))
        transfer = int(found.transfer[i])
        failed = int(found.verdict[i]) == FAIL
        key = int(found.at[i]), transfer, int(found.value[i])
        beside = lane.neighbours.of(*key) if failed and lane.neighbours is not None else (None, None)
        return Finding(
            rule=self.rule.id,
            kind=self.rule.kind,
            severity=self.rule.severity,
            verdict=words.VERDICTS[int(found.verdict[i])],
            bus=lane.bus,
            transfer=transfer if transfer >= 0 else None,
            sample=int(found.at[i]),
            t_ns=to_ns(int(found.at[i]), rate) if rate else None,
            value_ns=value,
            lower_ns=lower * scale if scale and not isnan(lower) else None,
            upper_ns=upper * scale if scale and not isnan(upper) else None,
            uncertainty_ns=scale * int(lane.checker.doubt(found.where(slice(i, i + 1)))[0]) if scale else None,
            message=lane.checker.said(found, i, lambda d: time_text(d, rate)),
            why=self.rule.why,
            source=self.rule.source,
            line=self.rule.line,
            beyond_percent=_beyond(float(found.value[i]), lower, upper) if failed and value is not None else None,
            median_ns=median if value is not None else None,
            expectation=lane.checker.expectation(found, i),
            before=self._beside(beside[0]),
            after=self._beside(beside[1]),
        )

    def _beside(self, near: Neighbour | None) -> Beside | None:
        if near is None:
            return None
        rate, known = self.rate_hz, near.value >= 0
        return Beside(
            transfer=near.transfer if near.transfer >= 0 else None,
            sample=near.at,
            t_ns=to_ns(near.at, rate) if rate else None,
            value_ns=near.value * NS / rate if rate and known and self.measures == "time" else None,
            count=near.value if known and self.measures == "count" else None,
        )

    def _of_all(self, bus: str | None, statistic: Statistic) -> Finding:
        rate = self.rate_hz
        scale = NS / rate if rate else None
        upper = statistic.bound.samples(rate)
        return Finding(
            rule=self.rule.id,
            kind=self.rule.kind,
            severity=self.rule.severity,
            verdict=words.VERDICTS[statistic.verdict],
            bus=bus,
            transfer=None,
            sample=statistic.at,
            t_ns=to_ns(statistic.at, rate) if rate else None,
            value_ns=statistic.value * scale if scale and statistic.value is not None else None,
            lower_ns=None,
            upper_ns=float(upper) * scale if scale and upper is not None else None,
            uncertainty_ns=statistic.slack * scale if scale else None,
            message=statistic.said(lambda d: time_text(d, rate)),
            why=self.rule.why,
            source=self.rule.source,
            line=self.rule.line,
            beyond_percent=None
            if upper is None or statistic.value is None or statistic.verdict != FAIL
            else _beyond(statistic.value, nan, float(upper)),
        )


@dataclass(frozen=True, repr=False)
class Report:
    """The verdict on one capture."""

    capture: dict[str, Any]
    rules: tuple[RuleResult, ...]
    notes: tuple[str, ...] = ()
    rate_hz: int | None = None
    trace: Any = field(default=None, repr=False)
    """The Trace the verdict was reached on, where it was kept."""
    complete: bool = False
    """Whether every instance was kept, for the table `checks`."""
    annotations: tuple[Annotation, ...] = field(default=(), repr=False)
    """What the stacks of the rules said, stack by stack and bus by bus."""

    def __repr__(self) -> str:
        path, rules = self.capture.get("path", "a capture"), len(self.rules)
        return f"<Report on {path}: {self.verdict}, {rules} rules, {len(self.findings)} findings>"

    def _repr_html_(self) -> str:
        """What a notebook shows: the verdict, and what became of each rule that had something to judge."""
        head = ("rule", "verdict", "judged", "failed", "open", "cut", "min", "p50", "p99", "max", "headroom")
        results = sorted(self.rules, key=lambda r: ("fail", "inconclusive", "pass").index(r.verdict))
        results = [r for r in results if r.judged or r.inconclusive or not r.rule.optional]
        said = f"{self.verdict}: {len(self.rules)} rules, {len(self.findings) + self.unlisted} findings"
        table = notebook.table(head, (_row(result) for result in results), len(results))
        return notebook.titled(str(self.capture.get("path", "a capture")), said, table)

    @cached_property
    def checks(self) -> pa.Table:
        """Every rule on every instance, columns as `schemas.CHECKS`, rule by rule and bus by bus in order.

        Raises UsageError where the instances were not kept.
        """
        if not self.complete:
            raise UsageError(
                "the instances were not kept, only counts and findings; judge with keep_checks=True: "
                "tracecheck.analyze(path, rules, keep_checks=True).checks"
            )
        from tracecheck.rules.checks_table import checks_table  # noqa: PLC0415  (needs pyarrow)

        return checks_table(self.rules)

    def plot(self, rule: str, *, ax: Axes | None = None) -> Axes:
        """Draw how what a rule measured is spread, over all buses, with its bounds, median and 99th percentile.

        `ax` to draw into. Returns matplotlib's Axes. Raises UsageError for a rule that does not exist or measured
        nothing, ExtraError where matplotlib is missing.
        """
        from tracecheck.rules import measured, plot  # noqa: PLC0415  (they read a RuleResult)

        ids = [result.rule.id for result in self.rules]
        if rule not in ids:
            raise UsageError(f'no rule "{rule}"{did_you_mean(rule, ids)} (rules: {", ".join(ids) or "none"})')
        result = self.rules[ids.index(rule)]
        found = measured.measured_by(result)
        if found is None:
            having = [r.rule.id for r in self.rules if r.stats is not None]
            raise UsageError(f'rule "{rule}" measured nothing (rules that did: {", ".join(having) or "none"})')
        return plot.distribution(found, f"{rule}: {result.verdict}, {found.total} measured", ax)

    @property
    def unlisted(self) -> int:
        """Findings that are counted in the rules and not among `findings`: there were too many of them to keep."""
        return sum(result.unlisted for result in self.rules)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """The findings, of each rule, bus and verdict the first that were kept (the rest: `unlisted`): failures before
        what could not be decided, the severest first, then by bus and sample.
        """
        found = [f for result in self.rules for f in result.findings()]
        order = {"fail": 0, "inconclusive": 1}
        return tuple(sorted(found, key=lambda f: (order[f.verdict], _RANK[f.severity], f.bus or "", f.sample, f.rule)))

    @property
    def unchecked(self) -> tuple[str, ...]:
        """Ids of the error rules that judged nothing and had to: of a mode's timing, all its parameters together."""
        judged = {group_of(r.rule) for r in self.rules if r.judged}
        wanted = (group_of(r.rule) for r in self.rules if r.rule.severity == "error")
        return tuple(dict.fromkeys(group for group in wanted if group is not None and group not in judged))

    def exit_code(self, fail_on: str = "error", *, strict: bool = False) -> int:
        """0 clean, 1 findings at or above `fail_on`, 2 something could not be checked.

        That is an error rule that judged nothing and is not optional, or, of whatever rules, that nothing at all was
        judged; with `strict`, any inconclusive instance.
        """
        at_or_above = [r for r in self.rules if _RANK[r.rule.severity] <= _RANK[fail_on]]
        if any(r.verdict == "fail" for r in at_or_above):
            return 1
        if self.unchecked or not any(r.judged for r in self.rules):
            return 2
        if strict and any(r.inconclusive and not r.beyond_the_rate for r in self.rules):
            return 2
        return 0

    @property
    def verdict(self) -> Verdict:
        """As the exit code with default settings says."""
        verdicts: tuple[Verdict, ...] = ("pass", "fail", "inconclusive")
        return verdicts[self.exit_code()]


def _beyond(value: float, lower: float, upper: float) -> float | None:
    """Percent of the bound that `value` is beyond it; None where it is within both, or the bound is 0."""
    if value > upper > 0:
        return (value - upper) / upper * 100
    if value < lower:
        return (lower - value) / lower * 100
    return None


def _row(result: RuleResult) -> list[object]:
    """A rule's line in a notebook."""
    row: list[object] = [result.rule.id, result.verdict, result.judged, result.failed, result.inconclusive, result.cut]
    stats = result.stats
    if stats is None:
        return [*row, *[None] * 5]
    values = (stats.min, stats.p50, stats.p99, stats.max, stats.headroom)
    return [*row, *(v if v is None else ns_text(v) if stats.unit == "ns" else f"{v:.0f}" for v in values)]


def time_text(samples: int, rate_hz: int | None) -> str:
    """A distance in samples as a person reads it: `7.42 us`, or samples where no rate is known."""
    return f"{samples} samples" if not rate_hz else ns_text(samples * NS / rate_hz)


def ns_text(ns: float) -> str:
    """Nanoseconds in the unit that fits, to three or four figures."""
    size = abs(ns)
    for limit, divisor, unit in ((1e3, 1, "ns"), (1e6, 1e3, "us"), (1e9, 1e6, "ms")):
        if size < limit:
            return f"{_figures(ns / divisor)} {unit}"
    return f"{_figures(ns / 1e9)} s"


def _figures(x: float) -> str:
    size = abs(x)
    return f"{x:.0f}" if size >= 100 else f"{x:.1f}" if size >= 10 else f"{x:.2f}"
