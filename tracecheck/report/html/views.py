"""What the page's template is given: captures, their rules, and the findings of those."""

from __future__ import annotations

from dataclasses import dataclass, field

from markupsafe import Markup

from tracecheck.rules.measured import Measured
from tracecheck.rules.result import RuleResult


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding as the template shows it; `drawing` where there is one."""

    id: str
    verdict: str
    when: str
    where: str
    facts: str
    message: str
    measured: str
    allowed: str
    missed: str = ""
    beside: str = ""
    drawing: Markup | None = None
    told: str = ""


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule as the template shows it."""

    id: str
    result: RuleResult
    mark: str
    says: str
    place: str
    measured: Measured | None
    spark: Markup | None
    histogram: Markup | None
    headroom: str
    closest: str
    together: list[list[str]]
    unchecked: str
    findings: list[FindingView]
    unlisted: int

    @property
    def name(self) -> str:
        return self.result.rule.id

    @property
    def drawn(self) -> list[FindingView]:
        return [f for f in self.findings if f.drawing is not None]

    @property
    def listed(self) -> list[FindingView]:
        return [f for f in self.findings if f.drawing is None]


@dataclass(frozen=True, slots=True)
class CaptureView:
    """A capture as the template shows it."""

    id: str
    name: str
    path: str
    verdict: str
    line: str
    error: str = ""
    expected: str = ""
    facts: list[str] = field(default_factory=list)
    wires: list[tuple[str, str, str]] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    overview: Markup | None = None
    rules: list[RuleView] = field(default_factory=list)
    idle: list[str] = field(default_factory=list)
