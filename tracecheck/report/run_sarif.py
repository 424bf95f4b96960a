"""A run as SARIF 2.1.0 (OASIS Standard), which code scanning reads: a result a finding, at the rule's line in its file.

A rule that stands in no file of the project (a preset's, or one of `--expect`) is pointed at where the suite asks for
it, else at the capture. What could not be checked is a result of the kind "open", and a notification.
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from tracecheck import __version__
from tracecheck.report.cases import Case, cases, finding_text
from tracecheck.report.formats import Detail
from tracecheck.report.judged import Judged, Run, Unreadable
from tracecheck.report.style import Style
from tracecheck.report.visible import visible
from tracecheck.rules.describe import describe
from tracecheck.rules.finding import Finding
from tracecheck.rules.result import RuleResult

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MOST_OF_A_RULE: Final = 100
"""Results of one rule on one capture."""
MOST: Final = 5000
"""Results of a run: GitHub shows no more (docs.github.com, "SARIF support for code scanning")."""
_ROOT: Final = "%SRCROOT%"


def render(run: Run, style: Style, detail: Detail) -> Iterator[str]:
    """The log, as one JSON text."""
    log = _Log()
    for one in run.captures:
        log.add(one)
    yield json.dumps(log.whole(run), indent=2, ensure_ascii=False) + "\n"


@dataclass(slots=True)
class _Log:
    """What is collected over the captures. `index`: rule id, source and line to the rule's number."""

    rules: list[dict[str, Any]] = field(default_factory=list)
    index: dict[tuple[str, str, int], int] = field(default_factory=dict)
    results: list[dict[str, Any]] = field(default_factory=list)
    notifications: list[dict[str, Any]] = field(default_factory=list)

    def add(self, one: Judged | Unreadable) -> None:
        for case in cases(one):
            if case.outcome == "unchecked":
                self._notify(one, f"{_named(one)}: {case.name}: {case.said}", "error")
            if case.result is None:
                if case.outcome == "failed":
                    self._append(_result(one, case, None, 0, None))
                continue
            number = self._number(case.result)
            if case.outcome == "unchecked":
                self._append(_result(one, case, number, 0, None))
            elif one.terms.verdict == "pass" and case.outcome in ("failed", "warned"):
                self._failures(one, case, number)

    def _failures(self, one: Judged | Unreadable, case: Case, number: int) -> None:
        assert case.result is not None
        room = min(MOST_OF_A_RULE, MOST - len(self.results))
        nth: dict[tuple[str | None, int | None], int] = {}
        for finding in case.failures(max(room, 0)):
            key = (finding.bus, finding.transfer)
            nth[key] = nth.get(key, 0) + 1
            self._append(_result(one, case, number, nth[key], finding))
        if (more := case.result.failed - max(room, 0)) > 0:
            said = f"{_named(one)}: {case.name}: {more} more of {case.result.failed} failures are not listed"
            self._notify(one, said, "note")

    def _append(self, result: dict[str, Any]) -> None:
        if len(self.results) < MOST:
            self.results.append(result)

    def _notify(self, one: Judged | Unreadable, said: str, level: str) -> None:
        location = {"physicalLocation": {"artifactLocation": _artifact(one.path)}}
        self.notifications.append({"level": level, "message": {"text": visible(said)}, "locations": [location]})

    def _number(self, result: RuleResult) -> int:
        rule = result.rule
        number = self.index.setdefault((rule.id, rule.source, rule.line), len(self.rules))
        if number == len(self.rules):
            self.rules.append(
                {
                    "id": rule.id,
                    "shortDescription": {"text": visible(describe(rule), line=True)},
                    **({"fullDescription": {"text": visible(rule.why)}} if rule.why else {}),
                    "defaultConfiguration": {"level": rule.severity},
                    "properties": {"kind": rule.kind, "source": visible(rule.source, line=True)},
                }
            )
        return number

    def whole(self, run: Run) -> dict[str, Any]:
        driver = {"name": "tracecheck", "semanticVersion": __version__, "rules": self.rules}
        # Of what could not be checked nobody knows: then the run as a whole was no success.
        successful = all(one.exit_code != 2 for one in run.captures) and bool(run.captures)
        invocation: dict[str, Any] = {"executionSuccessful": successful, "exitCode": run.exit_code}
        if self.notifications:
            invocation["toolExecutionNotifications"] = self.notifications
        found = {
            "tool": {"driver": driver},
            "invocations": [invocation],
            "artifacts": [{"location": _artifact(path)} for path in dict.fromkeys(one.path for one in run.captures)],
            "columnKind": "unicodeCodePoints",
            "results": self.results,
        }
        return {"$schema": SCHEMA, "version": "2.1.0", "runs": [found]}


def _result(
    one: Judged | Unreadable, case: Case, number: int | None, nth: int, finding: Finding | None
) -> dict[str, Any]:
    """A finding, or, without one, what is to be said of the whole case."""
    said = case.said if finding is None or isinstance(one, Unreadable) else finding_text(one, finding)
    failed = finding is not None or case.outcome == "failed"
    level = (case.result.rule.severity if case.result is not None else "error") if failed else "none"
    found: dict[str, Any] = {
        "ruleId": case.name,
        **({"ruleIndex": number} if number is not None else {}),
        "kind": "fail" if failed else "open",
        "level": level,
        "message": {"text": visible(f"{_named(one)}: {said}")},
        "locations": [_location(one, case)],
        "relatedLocations": [
            {
                "physicalLocation": {"artifactLocation": _artifact(one.path)},
                "message": {"text": "the capture"},
            }
        ],
        "partialFingerprints": _fingerprints(one, case, nth, finding),
    }
    if finding is not None:
        keys = ("bus", "transfer", "sample", "t_ns", "value_ns", "lower_ns", "upper_ns", "uncertainty_ns")
        found["properties"] = {key: getattr(finding, key) for key in keys if getattr(finding, key) is not None}
    return found


def _location(one: Judged | Unreadable, case: Case) -> dict[str, Any]:
    place = case.place or one.terms.place
    if place is None:
        return {"physicalLocation": {"artifactLocation": _artifact(one.path)}}
    return {"physicalLocation": {"artifactLocation": _artifact(place[0]), "region": {"startLine": place[1]}}}


def _fingerprints(one: Judged | Unreadable, case: Case, nth: int, finding: Finding | None) -> dict[str, str]:
    """What stays when the rule file is edited elsewhere or the capture decoded by a later version: no line, no time.

    The second key is the one that GitHub tells alerts apart by; what it makes up itself is the same for all findings of
    a rule.
    """
    at = (finding.bus, finding.transfer) if finding is not None else (None, None)
    told = json.dumps([case.name, _uri(one.path), *at, nth])
    digest = hashlib.sha256(told.encode()).hexdigest()[:32]
    return {"tracecheckFinding/v1": digest, "primaryLocationLineHash": digest}


def _artifact(path: str) -> dict[str, Any]:
    uri = _uri(path)
    return {"uri": uri} if uri.startswith("file:") else {"uri": uri, "uriBaseId": _ROOT}


def _uri(path: str) -> str:
    """Relative to the root of the sources where the path is; a name's bytes are what is percent-encoded."""
    uri = quote(posixpath.normpath(os.fsencode(path)))
    return f"file://{uri}" if uri.startswith("/") else uri


def _named(one: Judged | Unreadable) -> str:
    return visible(one.path, line=True)
