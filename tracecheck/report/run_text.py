"""A run as a person reads it in a terminal: one capture after the other, and how many of them passed."""

from __future__ import annotations

from collections.abc import Iterator

from tracecheck.report import text
from tracecheck.report.drawing import draw
from tracecheck.report.formats import Detail
from tracecheck.report.judged import Judged, Run
from tracecheck.report.style import Style
from tracecheck.report.visible import visible


def render(run: Run, style: Style, detail: Detail) -> Iterator[str]:
    """The captures that could be read; why another could not is said on standard error."""
    for i, one in enumerate(run.judged):
        if detail == "quiet":
            yield f"{visible(one.path, line=True)}: {_line(one, style)}\n"
        else:
            yield ("\n" if i else "") + _whole(one, style, verbose=detail == "verbose")
    if not run.single and detail != "quiet":
        yield f"\n{summary(run)}\n"


def summary(run: Run) -> str:
    """`3 captures: 1 passed, 1 failed, 1 could not be checked`."""
    codes = [one.exit_code for one in run.captures]
    if not codes:
        return "no captures"
    words = ("passed", "failed", "could not be checked")
    parts = [f"{codes.count(code)} {word}" for code, word in enumerate(words) if code in codes]
    wanted = sum(one.terms.verdict == "fail" and one.exit_code == 0 for one in run.captures)
    parts[0] += f" ({wanted} by failing as expected)" if wanted else ""
    return f"{len(codes)} capture{'' if len(codes) == 1 else 's'}: {', '.join(parts)}"


def _whole(one: Judged, style: Style, *, verbose: bool) -> str:
    wanted = one.terms.verdict == "pass"
    rendered = text.render(
        one.report,
        style,
        outline=one.outline,
        drawings=[draw(exchange, style) for exchange in (one.failing_exchanges() if wanted else ())],
        fail_on=one.terms.fail_on,
        strict=one.terms.strict,
        verbose=verbose,
    )
    return rendered if wanted else f"{rendered}{expected(one)}\n"


def _line(one: Judged, style: Style) -> str:
    line = text.verdict_line(one.report, style, outline=one.outline, fail_on=one.terms.fail_on, strict=one.terms.strict)
    return line if one.terms.verdict == "pass" else f"{line}; {expected(one)}"


def expected(one: Judged) -> str:
    """What a suite that wants a failure says to the verdict."""
    if one.as_wanted:
        return "as expected: the suite wants this capture to fail"
    return "NOT AS EXPECTED: the suite wants this capture to fail"
