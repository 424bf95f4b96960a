"""A run as test cases, one a rule and capture: what the formats for CI and the pytest plugin tell of.

Together they say what the exit code says: it is 1 where a case failed, else 2 where one is unchecked, else 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from tracecheck.report.findings import failed_lines, measured_text, place_text, reason, undecided_lines
from tracecheck.report.judged import Judged, Unreadable
from tracecheck.report.style import Style
from tracecheck.rules.describe import describe
from tracecheck.rules.finding import Finding
from tracecheck.rules.library import preset_names
from tracecheck.rules.result import RuleResult

Outcome = Literal["passed", "failed", "warned", "unchecked", "skipped"]
_STYLE = Style(width=100)


@dataclass(frozen=True, slots=True)
class Case:
    """One rule on one capture, or, where `result` is None, the capture as a whole.

    `outcome`: "warned" is a failure that the exit code does not count; "unchecked" one that was not judged and had to
    be; "skipped" one that was not judged and need not be. `said`: one line. `told`: the lines below it.
    """

    name: str
    outcome: Outcome
    said: str
    told: str = ""
    result: RuleResult | None = None

    def failures(self, most: int) -> list[Finding]:
        """Its first failed instances."""
        found = () if self.result is None else self.result.findings()
        return list(islice((f for f in found if f.verdict == "fail"), most))

    @property
    def place(self) -> tuple[str, int] | None:
        """File and line of the rule; None for what stands in no file of the project."""
        rule = self.result.rule if self.result is not None else None
        return None if rule is None or not rule.line or rule.source in preset_names() else (rule.source, rule.line)


def cases(one: Judged | Unreadable) -> Iterator[Case]:
    """One case a rule, in the report's order; then one of the capture as a whole, where there is more to say."""
    if isinstance(one, Unreadable):
        yield Case("capture", "unchecked", f"could not be read: {one.reason.removeprefix(f'{one.path}: ')}")
        return
    found = [case_of(one, result) for result in one.report.rules]
    yield from found
    last = whole(one)
    if last is not None:
        yield last


def whole(one: Judged) -> Case | None:
    """What is to be said of a capture and of no rule of it."""
    if one.terms.verdict == "fail" and one.verdict == "pass":
        return Case("verdict", "failed", "every rule passed, but the suite expects this capture to fail")
    if not one.report.rules:
        return Case("verdict", "unchecked", "there are no rules to judge by")
    if not any(result.judged for result in one.report.rules):
        return Case("verdict", "unchecked", f"none of {len(one.report.rules)} rules found anything to judge")
    return None


def to_tell(one: Judged | Unreadable, case: Case) -> bool:
    """Whether a case is news: it failed and was not meant to, or was not checked and had to be."""
    return case.outcome in ("failed", "unchecked") or (case.outcome == "warned" and one.terms.verdict == "pass")


def case_of(one: Judged, result: RuleResult) -> Case:
    """One rule of a capture."""
    rule = result.rule
    if result.failed:
        first = next(f for f in result.findings() if f.verdict == "fail")
        said = f"{_counted(result)}: {finding_text(one, first)}"
        told = "\n".join(failed_lines(result, _STYLE, one.outline))
        if one.terms.verdict == "fail":
            return Case(rule.id, "warned", f"as expected, {said}", told, result)
        return Case(rule.id, "failed" if one.counts(result) else "warned", said, told, result)
    open_matters = one.terms.strict and result.inconclusive
    if result.judged and not open_matters:
        return Case(rule.id, "passed", f"{result.passed} passed", describe(rule), result)
    said = _not_checked(one, result)
    told = "\n".join(undecided_lines(result, _STYLE, one.outline)) if result.inconclusive else describe(rule)
    had_to_be = open_matters or (rule.severity == "error" and not rule.optional)
    # The suite that expects a failure, and got it, asks for no more.
    wanted = had_to_be and one.exit_code != 0
    return Case(rule.id, "unchecked" if wanted else "skipped", said, told, result)


def finding_text(one: Judged, finding: Finding) -> str:
    """`at 1.914875 ms, i2c0 transfer 3 (write 0x3C, 3 bytes): wake came 154 us after irq.begin; measured ...`."""
    return f"{place_text(finding, one.outline)}: {measured_text(finding, _STYLE)}"


def _counted(result: RuleResult) -> str:
    return f"{result.failed} of {result.judged} failed"


def _not_checked(one: Judged, result: RuleResult) -> str:
    if result.inconclusive:
        count = f"{result.inconclusive} instance{'' if result.inconclusive == 1 else 's'}"
        return f"not decided: {count} could not be decided"
    return f"not checked: {reason(result, one.report)}"
