"""A run of `analyze`: each capture with its verdict and the terms it is held to, and what they come to together.

This is what every output format is made of. Nothing in it knows a clock, a terminal or the environment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from tracecheck import api
from tracecheck.capture.model import Capture
from tracecheck.decoding.exchanges import settle_samples
from tracecheck.decoding.find import wire
from tracecheck.exchange import Exchange, read_exchange
from tracecheck.outline import Outline, TransferFacts
from tracecheck.report.activity import Activity
from tracecheck.rules.finding import Finding
from tracecheck.rules.model import RuleSet
from tracecheck.rules.result import RuleResult, Verdict
from tracecheck.rules.tally import MAX_FINDINGS
from tracecheck.rules.verdict import Report
from tracecheck.words import SEVERITIES

COULD_NOT_CHECK: Final = 2
DRAWINGS: Final = 3
"""Failing exchanges drawn of one capture: the first of each failed rule, the severest first."""
_VERDICTS: Final[tuple[Verdict, ...]] = ("pass", "fail", "inconclusive")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a capture is held to. `fail_on`, `strict`: as `Report.exit_code` takes them.

    `verdict`: the one it has to get; "fail" is for a capture of something wrong, which the rules must find. `suite`,
    `place`: the suite that says so, and its file and line.
    """

    fail_on: str = "error"
    strict: bool = False
    verdict: Literal["pass", "fail"] = "pass"
    suite: str | None = None
    place: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A capture that was read, and what the rules say of it."""

    path: str
    rules: RuleSet
    capture: Capture
    report: Report
    outline: Outline
    terms: Terms = field(default=Terms())
    activity: Activity | None = None

    @property
    def verdict(self) -> Verdict:
        """What the rules say, with the terms' severity and strictness."""
        return _VERDICTS[self.report.exit_code(self.terms.fail_on, strict=self.terms.strict)]

    @property
    def as_wanted(self) -> bool:
        """Whether that is the verdict the terms ask for."""
        return self.verdict == self.terms.verdict

    @property
    def exit_code(self) -> int:
        """0 where the verdict is the one wanted, 1 where it is the other one, 2 where nobody can say."""
        return COULD_NOT_CHECK if self.verdict == "inconclusive" else int(not self.as_wanted)

    def counts(self, result: RuleResult) -> bool:
        """Whether a rule's failure is one that the exit code counts."""
        return SEVERITIES.index(result.rule.severity) <= SEVERITIES.index(self.terms.fail_on)

    def failed(self) -> list[RuleResult]:
        """The rules that failed, the severest first."""
        return sorted((r for r in self.report.rules if r.failed), key=lambda r: SEVERITIES.index(r.rule.severity))

    def exchange(self, bus: str | None, transfer: int | None) -> Exchange | None:
        """One exchange, read from the capture once more; None where there is no such transfer."""
        facts = self.outline.facts(bus, transfer)
        return None if facts is None else next(self.exchanges([facts]))

    def exchanges(self, chosen: Iterable[TransferFacts]) -> Iterator[Exchange]:
        """These exchanges, read from the capture once more."""
        rules = self.rules
        wiring = wire(self.capture, list(rules.buses.values()), list(rules.markers.values()))
        settle = settle_samples(rules.settle.amount, self.capture.rate_hz)
        for facts in chosen:
            yield read_exchange(self.capture, wiring, facts, settle, glitch_s=rules.glitch.amount)

    def failing_exchanges(self, most: int = DRAWINGS) -> Iterator[Exchange]:
        """The exchange of the first failure of each failed rule, each once, the severest first."""
        chosen: list[TransferFacts] = []
        for result in self.failed():
            finding = first_failure(result)
            facts = self.outline.facts(finding.bus, finding.transfer) if finding is not None else None
            if facts is not None and facts not in chosen and len(chosen) < most:
                chosen.append(facts)
        return self.exchanges(chosen) if chosen else iter(())


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A capture that could not be read, and why; the reason begins with its path."""

    path: str
    reason: str
    terms: Terms = field(default=Terms())

    exit_code: Literal[2] = 2


@dataclass(frozen=True, slots=True)
class Run:
    """All captures of one run, in the order they were asked for. `single`: it was about one capture, named as such."""

    captures: tuple[Judged | Unreadable, ...]
    single: bool = False

    @property
    def judged(self) -> list[Judged]:
        """The captures that could be read."""
        return [one for one in self.captures if isinstance(one, Judged)]

    @property
    def exit_code(self) -> int:
        """1 if any capture failed, else 2 if one could not be checked, or there is none, else 0."""
        return worst([one.exit_code for one in self.captures] or [COULD_NOT_CHECK])

    @property
    def verdict(self) -> Verdict:
        return _VERDICTS[self.exit_code]


def worst(codes: Iterable[int]) -> int:
    """Of several captures: 1 if one failed, else 2 if one could not be checked, else 0."""
    found = set(codes)
    return next((code for code in (1, 2) if code in found), 0)


def judge(
    capture: Capture,
    rules: RuleSet,
    terms: Terms | None = None,
    progress: Callable[[int], None] | None = None,
    *,
    max_findings: int | None = MAX_FINDINGS,
) -> Judged:
    """Decode and judge a capture. A rule set in which nothing at all is asked for means the presets that fit.

    `max_findings` as for `tracecheck.analyze`. Raises CaptureError, ChannelError.
    """
    outline, activity = Outline(), Activity(capture.samples)
    report = api.analyze(
        capture,
        asked(rules),
        max_findings=max_findings,
        progress=progress,
        observe=activity.add,
        outline=outline,
    )
    return Judged(capture.path, rules, capture, report, outline, terms or Terms(), activity)


def asked(rules: RuleSet) -> RuleSet | None:
    """None where nothing at all was asked for, so that the presets that fit are chosen."""
    return rules if rules.rules or rules.buses or rules.markers or rules.stacks or rules.sources else None


def first_failure(result: RuleResult) -> Finding | None:
    """A rule's first failed instance."""
    return next((f for f in result.findings() if f.verdict == "fail"), None)
