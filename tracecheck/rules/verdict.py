"""The verdict on one capture: what became of all its rules together."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tracecheck import notebook, words
from tracecheck.errors import UsageError, did_you_mean
from tracecheck.rules.finding import Finding
from tracecheck.rules.result import RuleResult, Verdict
from tracecheck.rules.timing import group_of
from tracecheck.timebase import ns_text

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.axes import Axes

    from tracecheck.stack import Annotation

_RANK = {name: i for i, name in enumerate(words.SEVERITIES)}


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


def _row(result: RuleResult) -> list[object]:
    """A rule's line in a notebook."""
    row: list[object] = [result.rule.id, result.verdict, result.judged, result.failed, result.inconclusive, result.cut]
    stats = result.stats
    if stats is None:
        return [*row, *[None] * 5]
    values = (stats.min, stats.p50, stats.p99, stats.max, stats.headroom)
    return [*row, *(v if v is None else ns_text(v) if stats.unit == "ns" else f"{v:.0f}" for v in values)]
