"""What became of one rule: counts, what it measured, and its findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isnan, nan
from typing import Literal

from tracecheck import words
from tracecheck.rules.bounds import CUT, FAIL, INCONCLUSIVE, PASS, UNJUDGED
from tracecheck.rules.checks.instances import Instances
from tracecheck.rules.counted import Counted
from tracecheck.rules.finding import Beside, Finding
from tracecheck.rules.model import Rule
from tracecheck.rules.neighbours import Neighbour
from tracecheck.rules.statistic import Statistic
from tracecheck.rules.tally import Judged
from tracecheck.rules.timing import is_vague
from tracecheck.timebase import NS, time_text, to_ns

Verdict = Literal["pass", "fail", "inconclusive"]


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


@dataclass(frozen=True)
class RuleResult:
    """One rule over all lanes. `missing`: events this capture does not have, so that the rule cannot be checked."""

    rule: Rule
    lanes: tuple[Judged, ...]
    missing: tuple[str, ...]
    rate_hz: int | None
    texts: Mapping[tuple[str | None, str, int], str] = field(default_factory=dict, repr=False)
    """What sigrok's decoders said, by bus, event and sample, where the rules name any."""

    def count(self, verdict: int) -> int:
        return self._counts[verdict]

    @cached_property
    def _counts(self) -> tuple[int, ...]:
        """By verdict."""
        return tuple(sum(lane.count(verdict) for lane in self.lanes) for verdict in range(UNJUDGED + 1))

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

    @cached_property
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

        p50, p99 = (values.ranked(max(1, -(-per_cent * count // 100))) for per_cent in (50, 99))
        return Stats(
            unit=unit,
            count=count,
            min=values.least * scale,
            p50=p50 * scale,
            p99=p99 * scale,
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
            yield from self.told(lane, found, median)

    def told(self, lane: Judged, found: Instances, median: float | None = None) -> Iterator[Finding]:
        """A finding for each of these instances of a lane. `median` of what the rule measured, in ns."""
        if not len(found):
            return
        bounds = (bound.tolist() for bound in lane.checker.limits(found))
        for i, (lower, upper, doubt) in enumerate(zip(*bounds, lane.checker.doubt(found).tolist(), strict=True)):
            yield self._finding(lane, found, i, (lower, upper, doubt), median)

    def _finding(
        self, lane: Judged, found: Instances, i: int, limits: tuple[float, float, int], median: float | None
    ) -> Finding:
        """`limits`: of the instance, in samples or counts, and how far its value may be off."""
        rate = self.rate_hz
        scale = NS / rate if rate and self.measures == "time" else None
        at, transfer, measured = int(found.at[i]), int(found.transfer[i]), int(found.value[i])
        value = float(measured) * scale if scale and measured >= 0 else None
        lower, upper, doubt = limits
        failed = int(found.verdict[i]) == FAIL
        key = at, transfer, measured
        beside = lane.neighbours.of(*key) if failed and lane.neighbours is not None else (None, None)
        return Finding(
            rule=self.rule.id,
            kind=self.rule.kind,
            severity=self.rule.severity,
            verdict=words.VERDICTS[int(found.verdict[i])],
            bus=lane.bus,
            transfer=transfer if transfer >= 0 else None,
            sample=at,
            t_ns=to_ns(at, rate) if rate else None,
            value_ns=value,
            lower_ns=lower * scale if scale and not isnan(lower) else None,
            upper_ns=upper * scale if scale and not isnan(upper) else None,
            uncertainty_ns=scale * doubt if scale else None,
            message=lane.checker.said(found, i, lambda d: time_text(d, rate)) + self._words(lane.bus, at),
            why=self.rule.why,
            source=self.rule.source,
            line=self.rule.line,
            beyond_percent=_beyond(float(measured), lower, upper) if failed and value is not None else None,
            median_ns=median if value is not None else None,
            expectation=lane.checker.expectation(found, i),
            before=self._beside(beside[0]),
            after=self._beside(beside[1]),
        )

    def _words(self, bus: str | None, sample: int) -> str:
        """What a decoder said there, if it is one of whom the rule speaks."""
        said = (self.texts.get((bus, event, sample)) for event in self.rule.events) if self.texts else ()
        return "".join(f': "{text}"' for text in said if text)

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


def _beyond(value: float, lower: float, upper: float) -> float | None:
    """Percent of the bound that `value` is beyond it; None where it is within both, or the bound is 0."""
    if value > upper > 0:
        return (value - upper) / upper * 100
    if value < lower:
        return (lower - value) / lower * 100
    return None
