"""A run as JUnit XML, as CI servers read it: a testsuite a capture, a testcase a rule.

Failures that the exit code counts are failures, what could not be checked is an error, an optional rule that judged
nothing is skipped; a failed warning passes, and says so in its output. There is no clock in it: all times are 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from junitparser import Attr, Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from tracecheck.report.cases import Case, cases
from tracecheck.report.formats import Detail
from tracecheck.report.judged import Judged, Run, Unreadable
from tracecheck.report.style import Style
from tracecheck.report.visible import visible


class _RuleCase(TestCase):
    """With the place of the rule, as pytest and GitLab have it."""

    file = Attr()
    line = Attr()


def render(run: Run, style: Style, detail: Detail) -> Iterator[str]:
    """The document, UTF-8 by its declaration."""
    document = JUnitXml("tracecheck")
    for one in run.captures:
        document.add_testsuite(_suite(one))
    document.update_statistics()  # type: ignore[no-untyped-call]
    file = BytesIO()
    document.write(file, pretty=True)
    yield file.getvalue().decode()


def _suite(one: Judged | Unreadable) -> TestSuite:
    name = visible(one.path, line=True)
    suite = TestSuite(name)
    if one.terms.suite is not None:
        suite.add_property("suite", visible(one.terms.suite, line=True))
    if isinstance(one, Judged):
        for key in ("format", "rate_hz", "samples", "origin"):
            if one.report.capture.get(key) is not None:
                suite.add_property(key, visible(str(one.report.capture[key]), line=True))
    suite.add_testcases([_case(case, name) for case in cases(one)])
    if isinstance(one, Judged):
        for note in one.report.notes:
            suite.add_property("note", visible(note, line=True))
    return suite


def _case(case: Case, classname: str) -> TestCase:
    found = _RuleCase(case.name, classname, 0)
    said, told = visible(case.said, line=True), visible(f"{case.said}\n\n{case.told}".strip())
    if case.place is not None:
        found.file, found.line = visible(case.place[0], line=True), str(case.place[1])
    kinds = {"failed": Failure, "unchecked": Error, "skipped": Skipped}
    if case.outcome in kinds:
        kind = kinds[case.outcome]
        result = kind(said) if case.outcome == "skipped" else kind(said, case.outcome)
        if case.outcome != "skipped":
            result.text = told
        found.result = [result]
    elif case.outcome == "warned" and case.result is not None:
        found.system_out = f"{case.result.rule.severity}: {told}"
    return found
