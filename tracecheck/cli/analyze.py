"""`tracecheck analyze`: captures judged one by one, written in the formats asked for, the worst exit code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import NamedTuple

from tracecheck.capture.folder import captures_in
from tracecheck.cli.console import destination, say, state
from tracecheck.cli.github import append_summary
from tracecheck.cli.lines import Lines
from tracecheck.cli.progress import Progress
from tracecheck.cli.reading import Reading
from tracecheck.cli.wiring import rule_set
from tracecheck.errors import CaptureError, ChannelError, UsageError
from tracecheck.report.formats import FORMATS, SUFFIXES, Detail, Format, format_named, renderer
from tracecheck.report.judged import Judged, Run, Terms, Unreadable, judge
from tracecheck.report.style import Style
from tracecheck.rules.model import RuleSet
from tracecheck.rules.tally import MAX_FINDINGS
from tracecheck.suite.file import load_suites
from tracecheck.suite.find import NAME, find_suite


@dataclass(frozen=True, slots=True)
class Request:
    """The arguments, as typed."""

    captures: Sequence[str]
    rules: Sequence[str]
    expect: Sequence[str]
    lines: Lines
    reading: Reading
    output_format: str | None
    output: str | None
    fail_on: str | None
    strict: bool
    quiet: bool
    verbose: bool
    reports: Sequence[str] = ()
    max_findings: int | None = MAX_FINDINGS
    suite: str | None = None
    stacks: Sequence[str] = ()


class _Job(NamedTuple):
    """A capture to judge."""

    path: str
    rules: RuleSet
    terms: Terms
    reading: Reading


class _Target(NamedTuple):
    """A format, and the file it goes to; None: standard output."""

    format: Format
    path: str | None


class _NothingReadError(Exception):
    """No capture could be read: an output file that stands there already is left as it is."""


def run(request: Request) -> int:
    """Judge every capture; one that cannot be read does not stop the others. Raises what the command line explains."""
    state.quiet = request.quiet
    targets = _targets(request)
    jobs = _jobs(request)
    sources = list(dict.fromkeys(name for job in jobs for name in _inputs(job)))
    single = len(request.captures) == 1 and not _is_folder(request.captures[0])

    def judged() -> Run:
        return Run(tuple(_judged(job, request) for job in jobs), single)

    done = _written(targets, sources, judged, request)
    if any(target.format is FORMATS["github"] for target in targets):
        append_summary(done)
    return done.exit_code


def _inputs(job: _Job) -> list[str]:
    """Files that no output may take the place of."""
    return [job.path, *job.rules.sources, *(job.terms.place or ())[:1]]


def _jobs(request: Request) -> list[_Job]:
    if not request.captures:
        return _suite_jobs(request)
    if request.suite is not None:
        raise UsageError("--suite says which captures are judged; name none beside it")
    rules = rule_set(request.rules, request.lines, request.expect, request.stacks)
    terms = Terms(request.fail_on or "error", request.strict)
    paths = [path for name in request.captures for path in (captures_in(name) if _is_folder(name) else [name])]
    return [_Job(path, rules, terms, request.reading) for path in dict.fromkeys(paths)]


def _suite_jobs(request: Request) -> list[_Job]:
    """What the suite file asks for. `--fail-on` and `--strict` have the last word."""
    path = request.suite or find_suite(Path())
    if path is None:
        raise UsageError(f"nothing to judge; name captures, or write a {NAME} that does (see docs/ci.md)")
    options = {
        "--rules": request.rules,
        "--expect": request.expect,
        "--stack": request.stacks,
        "--scl, --sda, --bus, --marker": request.lines != Lines(),
        "--samplerate, --max-samples, --device": request.reading != Reading(),
    }
    for option, given in options.items():
        if given:
            raise UsageError(f"{option}: for captures that are named on the command line; {path} has its own")
    jobs = []
    for suite in load_suites(path):
        fail_on, strict = request.fail_on or suite.terms.fail_on, request.strict or suite.terms.strict
        terms = replace(suite.terms, fail_on=fail_on, strict=strict)
        jobs += [_Job(capture, suite.rules, terms, Reading(suite.samplerate)) for capture in suite.captures]
    return jobs


def _is_folder(name: str) -> bool:
    with suppress(OSError, ValueError):  # what is no path at all is the reader's to explain
        return Path(name).is_dir()
    return False


def _targets(request: Request) -> list[_Target]:
    """Standard output comes first, so that it is written last: whoever reads it may go away early."""
    chosen = request.output_format or SUFFIXES.get(PurePath(request.output or "").suffix.lower(), "text")
    targets = [_Target(format_named(chosen, "--format"), request.output)]
    for text in request.reports:
        name, equals, path = text.partition("=")
        if not equals or not path:
            raise UsageError(f"--report {text}: write FORMAT=FILE, for example junit=report.xml")
        targets.append(_Target(format_named(name, f"--report {text}"), path))
    paths = [target.path for target in targets if target.path not in (None, "-")]
    for path in paths:
        if paths.count(path) > 1:
            raise UsageError(f"{path}: two formats cannot go to one file; give each its own")
    return sorted(targets, key=lambda target: target.path not in (None, "-"))


def _written(targets: Sequence[_Target], sources: Sequence[str], judged: Callable[[], Run], request: Request) -> Run:
    """All outputs are opened before anything is judged: that one cannot be written is better known before the wait."""
    if not targets:
        return judged()
    target, *others = targets
    detail: Detail = "quiet" if request.quiet else "verbose" if request.verbose else "normal"
    done: Run | None = None
    with suppress(_NothingReadError), destination(target.path, sources) as out:
        done = _written(others, sources, judged, request)
        if target.format.needs_captures and not done.judged:
            raise _NothingReadError
        for piece in renderer(target.format)(done, Style(out.width, out.colour, out.unicode), detail):
            out.text(piece)
    assert done is not None  # opening the destination raises, or the run was made
    return done


def _judged(job: _Job, request: Request) -> Judged | Unreadable:
    try:
        capture = job.reading.opened(job.path)
        request.lines.check(capture)
        with Progress(f"reading {PurePath(job.path).name}", capture.samples) as progress:
            return judge(capture, job.rules, job.terms, progress, max_findings=request.max_findings)
    except (CaptureError, ChannelError) as error:
        say(str(error))
        return Unreadable(job.path, str(error), job.terms)
