"""The one engine: batches of decoded rows in, instances of every rule out, then a report.

`analyze` and a notebook drive the same checkers; how the batches are cut never changes a verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracecheck.decoding.exchanges import Samples, settle_samples
from tracecheck.decoding.lane import Lane, lane_markers
from tracecheck.decoding.rows import distinct
from tracecheck.decoding.stream import Batch
from tracecheck.decoding.window import Window
from tracecheck.decoding.wiring import Wiring
from tracecheck.rules.bounds import FAIL, INCONCLUSIVE
from tracecheck.rules.checks.absence import AbsenceChecker
from tracecheck.rules.checks.base import Checker, LaneInfo
from tracecheck.rules.checks.duration import DurationChecker
from tracecheck.rules.checks.instances import Instances
from tracecheck.rules.checks.integrity import IntegrityChecker
from tracecheck.rules.checks.model_order import order_checker
from tracecheck.rules.checks.occurrence import OccurrenceChecker
from tracecheck.rules.checks.precedence import PrecedenceChecker
from tracecheck.rules.checks.recurrence import RecurrenceChecker
from tracecheck.rules.checks.response import ResponseChecker
from tracecheck.rules.checks.timing import TimingChecker
from tracecheck.rules.finding import Finding
from tracecheck.rules.model import Rule, RuleSet
from tracecheck.rules.result import RuleResult
from tracecheck.rules.tally import MAX_FINDINGS, Judged, Tally
from tracecheck.rules.timing import taken_apart

CHECKERS: dict[str, Callable[[Any, LaneInfo], Checker[Any]]] = {
    "response": ResponseChecker,
    "precedence": PrecedenceChecker,
    "absence": AbsenceChecker,
    "occurrence": OccurrenceChecker,
    "duration": DurationChecker,
    "recurrence": RecurrenceChecker,
    "order": order_checker,
    "integrity": IntegrityChecker,
    "timing": TimingChecker,
}


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is kept beside counts: so many findings of a rule, lane and verdict (None: all), and every instance."""

    findings: int | None
    instances: bool
    observe: Callable[[Finding], None] | None = None
    said: Mapping[str, Mapping[str, Samples]] = field(default_factory=dict)


class _LaneRun:
    """One lane and its checkers. Made at the first batch, when it is known which markers begin active."""

    def __init__(
        self, rules: RuleSet, wiring: Wiring, bus: str | None, rate_hz: int | None, batch: Batch, kept: _Kept
    ) -> None:
        wires = wiring.markers_of(bus)
        active = {m.name: batch.initially_active[m.name] for m in wires}
        self.lane = Lane(
            bus,
            lane_markers(wires, active),
            settle_samples(rules.settle.amount, rate_hz),
            kept.said.get(bus, {}) if bus is not None else {},
        )
        by_name = {m.role or m.name: m for m in wires} | {m.name: m for m in wires}
        specs = {name: rules.markers.get(m.name) for name, m in by_name.items()}
        info = LaneInfo(
            bus=bus,
            codes=self.lane.codes,
            names=self.lane.names,
            rate_hz=rate_hz,
            timebase_ppm=rules.timebase_ppm,
            initially_active={name: active[m.name] for name, m in by_name.items()},
            marker_where={
                name: spec.where for name, spec in specs.items() if spec is not None and spec.where is not None
            },
            rise=rules.rise,
        )
        self.checkers: dict[str, Checker[Any]] = {}
        self.missing: dict[str, tuple[str, ...]] = {}
        self.tallies: dict[str, Tally] = {}
        self.synced = 0
        self._rate_hz, self._observe = rate_hz, kept.observe
        for rule in rules.rules:
            missing = tuple(e for e in rule.events if e not in self.lane.codes)
            if bus is None and not missing and (not rule.events or rule.scope != "capture"):
                missing = ("a bus",)
            if rule.kind == "timing" and bus is not None and bus not in batch.timings:
                missing = ("timings",)
            self.missing[rule.id] = missing
            if not missing:
                checker = CHECKERS[rule.kind](rule, info)
                self.checkers[rule.id] = checker
                self.tallies[rule.id] = Tally(checker, limit=kept.findings, keep=kept.instances)

    def feed(self, window: Window) -> None:
        self.synced = max(window.synced, 0)
        for name, checker in self.checkers.items():
            found = checker.decided(window)
            self.tallies[name].add(found)
            if self._observe is not None and len(found):
                self._tell(checker, found)

    def _tell(self, checker: Checker[Any], found: Instances) -> None:
        """Each finding to whoever watches, whether or not it is among those that are kept."""
        found = found.where((found.verdict == FAIL) | (found.verdict == INCONCLUSIVE))
        if not len(found) or self._observe is None:
            return
        lane = self.judged(checker.rule.id)
        result = RuleResult(checker.rule, (lane,), (), self._rate_hz)
        for finding in result.told(lane, found):
            self._observe(finding)

    def named(self) -> tuple[NDArray[np.int64], int]:
        """The transfers that findings, or what is still undecided, may name; from that sample on any may be."""
        parts = [checker.waiting for checker in self.checkers.values()]
        for tally in self.tallies.values():
            parts += tally.named
        return distinct(np.concatenate([np.empty(0, np.int64), *parts])), self.lane.held_from

    def judged(self, name: str) -> Judged:
        """What became of one rule."""
        return self.tallies[name].judged(self.lane.bus, self.synced)


class Engine:
    """Judges one capture. `feed` every batch in order, the last of which is final; then `results`.

    Memory does not grow with the capture: of each rule, bus and verdict the first `max_findings` findings are kept
    (None: all of them) and the others counted. With `keep` every instance is kept, for the table `checks`. `observe` is
    called with every failed or inconclusive instance as soon as it is certain. `said`: what sigrok's decoders say of
    each bus, event by event; a rule that names what is not there judges nothing.
    """

    def __init__(
        self,
        rules: RuleSet,
        wiring: Wiring,
        rate_hz: int | None,
        *,
        max_findings: int | None = MAX_FINDINGS,
        keep: bool = False,
        observe: Callable[[Finding], None] | None = None,
        said: Mapping[str, Mapping[str, Samples]] | None = None,
    ) -> None:
        self._rules, self._wiring, self._rate_hz = taken_apart(rules), wiring, rate_hz
        self._kept = _Kept(max_findings, keep, observe, said or {})
        self._runs: dict[str | None, _LaneRun] = {}

    def feed(self, batch: Batch) -> None:
        for bus in self._wiring.lanes:
            if bus not in self._runs:
                self._runs[bus] = _LaneRun(self._rules, self._wiring, bus, self._rate_hz, batch, self._kept)
            run = self._runs[bus]
            window = run.lane.feed(
                batch.buses[bus] if bus is not None else None,
                batch.markers,
                batch.watermarks[bus],
                synced=batch.synced[bus],
                end=batch.end,
                final=batch.final,
                timings=None if bus is None else batch.timings.get(bus),
            )
            if window is not None:
                run.feed(window)

    def named(self, bus: str) -> tuple[NDArray[np.int64], int]:
        """The transfers of a bus that findings may name, as is known by now; from that sample on any may be."""
        return self._runs[bus].named()

    def results(self) -> tuple[RuleResult, ...]:
        """One result a rule, in the order of the rule set."""
        return tuple(self._result(rule) for rule in self._rules.rules)

    def gaps(self) -> tuple[str, ...]:
        """One sentence a bus on which rules could not be judged although they were on another."""
        return tuple(text for bus in self._runs if bus is not None and (text := self._gap(bus)))

    def _gap(self, bus: str) -> str:
        run = self._runs[bus]
        elsewhere = {name for other in self._runs.values() for name in other.checkers}
        skipped = [rule.id for rule in self._rules.rules if run.missing[rule.id] and rule.id in elsewhere]
        if not skipped:
            return ""
        lacking = sorted({name for rule in skipped for name in run.missing[rule]})
        rules = f"{len(skipped)} rules were" if len(skipped) > 1 else f"rule {skipped[0]} was"
        return f"bus {bus} has no {', '.join(lacking)}: {rules} judged on other buses only"

    def _result(self, rule: Rule) -> RuleResult:
        lanes = tuple(run.judged(rule.id) for run in self._runs.values() if rule.id in run.checkers)
        missing = sorted({name for run in self._runs.values() for name in run.missing[rule.id]})
        if not self._runs:
            missing = ["a bus"]
        return RuleResult(rule, lanes, () if lanes else tuple(missing), self._rate_hz)
