"""The pytest plugin: a suite's captures and rules as test items, and a fixture for checks written by hand.

    pytest tracecheck.toml                          a suite file named as an argument
    pytest --tracecheck-suite tracecheck.toml       beside the other tests

    @pytest.mark.tracecheck("capture.sr", scl="D0", sda="D1")
    def test_the_sensor_answers(trace): ...

pytest finds it by its entry point and loads it at every start: nothing heavy is imported before there is a suite to
collect or a capture to decode.
"""

# ruff: noqa: PLC0415  (late imports, see above)

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tracecheck.report.cases import Case
    from tracecheck.report.judged import Judged, Unreadable
    from tracecheck.suite.model import Suite
    from tracecheck.trace import Trace

_OPTION = "--tracecheck-suite"
_WHOLE = "verdict"
"""The item of a capture as a whole: that something was judged at all, and that a failure that is wanted came."""
_MOST_KEPT = 4
"""Decoded traces that are kept for the next test of the same capture."""
_KEPT = pytest.StashKey[dict[Any, Any]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("tracecheck", "captures of a logic analyzer, judged by rules")
    group.addoption(
        _OPTION,
        metavar="FILE",
        default=None,
        help="Collect the captures and rules of this suite file, beside what else is collected.",
    )
    group.addoption(
        "--tracecheck-strict",
        action="store_true",
        default=False,
        help="As the suite's strict: instances that could not be decided fail.",
    )
    group.addoption(
        "--tracecheck-fail-on",
        choices=("error", "warning", "note"),
        default=None,
        help="As the suite's fail_on, which it overrules: failed rules of this severity and above fail.",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "tracecheck(capture, scl=None, sda=None, markers=None, rules=None): the capture, relative to the test's file, "
        "that the fixture `trace` decodes; the others as for tracecheck.decode.",
    )
    suite = config.getoption(_OPTION)
    if suite is not None and suite not in config.args:
        path = config.invocation_params.dir / suite
        if not path.is_file():
            raise pytest.UsageError(f"{_OPTION}: {suite}: there is no such file")
        config.args.append(str(path))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A suite file that was named, as an argument or by the option; one that merely lies about is left alone."""
    if file_path.suffix != ".toml" or not _named(file_path, parent.config):
        return None
    return SuiteFile.from_parent(parent, path=file_path)


def _named(file: Path, config: pytest.Config) -> bool:
    named = (config.invocation_params.dir / argument.partition("::")[0] for argument in config.args)
    return any(path == file or path.resolve() == file.resolve() for path in named)


class SuiteFile(pytest.File):
    """A suite file: a node a suite, below it one a capture, below that an item a rule."""

    def collect(self) -> Iterable[SuiteNode]:
        from tracecheck.errors import TracecheckError
        from tracecheck.suite.file import load_suites

        try:
            suites = load_suites(_seen_from(self.path, self.config.invocation_params.dir))
        except TracecheckError as error:
            raise self.CollectError(str(error)) from None
        return [SuiteNode.from_parent(self, name=_spelled(suite.name), suite=suite) for suite in suites]


class SuiteNode(pytest.Collector):
    """One suite."""

    def __init__(self, *, suite: Suite, **more: Any) -> None:
        super().__init__(**more)
        self.suite = suite

    def collect(self) -> Iterable[CaptureNode]:
        return [
            CaptureNode.from_parent(self, name=_spelled(path), capture=path, suite=self.suite)
            for path in self.suite.captures
        ]


class CaptureNode(pytest.Collector):
    """One capture of a suite; judged once, when the first of its items runs."""

    def __init__(self, *, capture: str, suite: Suite, **more: Any) -> None:
        super().__init__(**more)
        self.capture, self.suite = capture, suite
        self._judged: Judged | Unreadable | None = None

    def collect(self) -> Iterable[RuleItem]:
        # Where the presets that fit are to be judged by, which they are is known only from the capture.
        names = [rule.id for rule in self.suite.rules.rules]
        return [RuleItem.from_parent(self, name=name) for name in (*names, _WHOLE)]

    def judged(self) -> Judged | Unreadable:
        """The verdict on the capture, or why it could not be read."""
        if self._judged is None:
            self._judged = self._judge()
        return self._judged

    def _judge(self) -> Judged | Unreadable:
        from dataclasses import replace

        import tracecheck
        from tracecheck.capture.rate import parse_rate
        from tracecheck.errors import CaptureError, ChannelError
        from tracecheck.report.judged import Unreadable, judge

        options, given = self.config.option, self.suite.terms
        terms = replace(
            given,
            strict=given.strict or options.tracecheck_strict,
            fail_on=options.tracecheck_fail_on or given.fail_on,
        )
        rate = None if self.suite.samplerate is None else parse_rate(self.suite.samplerate)
        try:
            return judge(tracecheck.open(self.capture, rate_hz=rate), self.suite.rules, terms)
        except (CaptureError, ChannelError) as error:
            return Unreadable(self.capture, str(error), terms)

    def teardown(self) -> None:
        """After the last of its items; what was decoded is not kept for the session."""
        self._judged = None


class RuleFailedError(Exception):
    """A rule failed, or was not checked and had to be: the case, and the capture it is of."""

    def __init__(self, case: Case, one: Judged | Unreadable) -> None:
        super().__init__(case.said)
        self.case, self.one = case, one


class RuleItem(pytest.Item):
    """One rule on one capture."""

    parent: CaptureNode

    def runtest(self) -> None:
        from tracecheck.report.cases import cases

        one = self.parent.judged()
        found = list(cases(one))
        case = next((case for case in found if case.name == self.name and case.result is not None), None)
        if case is None:
            self._whole(one, found)
            return
        if case.outcome == "skipped":
            pytest.skip(case.said)
        if case.outcome in ("failed", "unchecked"):
            raise RuleFailedError(case, one)
        if case.outcome == "warned" and case.result is not None:
            self.add_report_section("call", case.result.rule.severity, f"{case.said}\n\n{case.told}\n")

    def _whole(self, one: Judged | Unreadable, found: list[Case]) -> None:
        """What no other item of the capture says: all of it where its rules are not known before it is read."""
        known = {rule.id for rule in self.parent.suite.rules.rules}
        for case in found:
            if case.outcome in ("failed", "unchecked") and (case.result is None or case.name not in known):
                raise RuleFailedError(case, one)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if not isinstance(excinfo.value, RuleFailedError):
            return super().repr_failure(excinfo, style)
        from tracecheck.report.visible import visible

        case, one = excinfo.value.case, excinfo.value.one
        parts = [f"{one.path}: {case.said}", case.told, *_drawing(case, one)]
        return visible("\n\n".join(part for part in parts if part))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        suite, capture = self.parent.suite, self.parent.name
        rule = next((rule for rule in suite.rules.rules if rule.id == self.name), None)
        place = suite.terms.place if rule is None or not Path(rule.source).is_file() else (rule.source, rule.line)
        file, line = place or (str(self.path), 1)
        return Path(file), max(line - 1, 0), f"{capture}: {self.name}"


def _drawing(case: Case, one: Judged | Unreadable) -> Iterator[str]:
    """The exchange of the first failure, drawn."""
    from tracecheck.report.drawing import draw
    from tracecheck.report.judged import Judged
    from tracecheck.report.style import Style

    if isinstance(one, Judged):
        for finding in case.failures(1):
            exchange = one.exchange(finding.bus, finding.transfer)
            if exchange is not None:
                yield draw(exchange, Style(width=100))


def _seen_from(path: Path, folder: Path) -> str:
    """Relative where it is below the folder pytest was started in, so that names are the same on every machine."""
    return str(path.relative_to(folder)) if path.is_relative_to(folder) and folder == Path.cwd() else str(path)


def _spelled(name: str) -> str:
    from tracecheck.report.visible import visible

    return visible(name, line=True).replace("::", ":")


@pytest.fixture
def trace(request: pytest.FixtureRequest) -> Trace:
    """The capture of the test's `@pytest.mark.tracecheck(...)`, decoded: a tracecheck.Trace."""
    import tracecheck

    marker = request.node.get_closest_marker("tracecheck")
    if marker is None or not marker.args:
        raise pytest.UsageError(
            f'{request.node.nodeid}: the fixture "trace" needs a capture; write '
            '@pytest.mark.tracecheck("capture.sr") above the test'
        )
    path = request.path.parent / marker.args[0]
    rules = marker.kwargs.get("rules")
    given = dict(marker.kwargs)
    if rules is not None:
        given["rules"] = [
            _rule_file(request.path.parent, name) for name in ([rules] if isinstance(rules, str) else rules)
        ]
    kept = request.config.stash.setdefault(_KEPT, {})
    key = (str(path), path.stat().st_mtime_ns if path.exists() else 0, repr(sorted(given.items())))
    if key not in kept:
        while len(kept) >= _MOST_KEPT:
            del kept[next(iter(kept))]
        kept[key] = tracecheck.decode(path, **given)
    found: Trace = kept[key]
    return found


def _rule_file(folder: Path, name: str) -> str:
    """A rule file beside the test, or a preset."""
    return str(folder / name) if (folder / name).is_file() else name
