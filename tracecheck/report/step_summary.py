"""A run as Markdown, for the summary of a GitHub step: a table of the captures, what failed, and how that looked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from itertools import islice
from typing import Final

from tracecheck.report.cases import Case, cases, to_tell
from tracecheck.report.drawing import draw
from tracecheck.report.judged import Judged, Run, Unreadable
from tracecheck.report.run_text import summary
from tracecheck.report.style import Style
from tracecheck.report.visible import visible

LONGEST: Final = 200_000
"""Characters; GitHub refuses a summary of more than 1 MiB, and one step may run several commands."""
_ROWS: Final = 100
_LISTED: Final = 50
_DRAWN: Final = 3
_SAID: Final = 600
_WORDS: Final = ("passed", "**failed**", "**could not be checked**")
_SPECIAL: Final = re.compile(r"([\\`*_\[\]#|~@])")


def render(run: Run) -> str:
    """The Markdown, at most `LONGEST` characters."""
    text = "".join(_parts(run))
    return text if len(text) <= LONGEST else text[:LONGEST].rpartition("\n")[0] + "\n"


def _parts(run: Run) -> Iterator[str]:
    yield f"### tracecheck: {summary(run)}\n\n"
    # What went wrong comes first where not all fit.
    ordered = (
        sorted(run.captures, key=lambda one: (1, 0, 0)[one.exit_code]) if len(run.captures) > _ROWS else run.captures
    )
    yield "| capture | | rules | failed | not checked |\n| --- | --- | ---: | ---: | ---: |\n"
    yield from (_row(one) for one in ordered[:_ROWS])
    if len(ordered) > _ROWS:
        yield f"\n{len(ordered) - _ROWS} more captures are not listed.\n"
    told = [(one, case) for one in run.captures for case in cases(one) if to_tell(one, case)]
    if told:
        yield "\n"
    for one, case in told[:_LISTED]:
        yield _item(one, case)
    if len(told) > _LISTED:
        yield f"\n{len(told) - _LISTED} more are not listed.\n"
    yield from _drawings(run)


def _row(one: Judged | Unreadable) -> str:
    word = _WORDS[one.exit_code]
    if isinstance(one, Unreadable):
        return f"| {_plain(one.path)} | {word} | | | |\n"
    if one.terms.verdict == "fail":
        word = "failed, as expected" if one.as_wanted else word
    outcomes = [case.outcome for case in cases(one) if case.result is not None]
    failed, unchecked = outcomes.count("failed") + outcomes.count("warned"), outcomes.count("unchecked")
    return f"| {_plain(one.path)} | {word} | {len(outcomes)} | {failed} | {unchecked} |\n"


def _item(one: Judged | Unreadable, case: Case) -> str:
    said = case.said if len(case.said) <= _SAID else f"{case.said[:_SAID]} ..."
    word = case.result.rule.severity if case.outcome == "warned" and case.result is not None else case.outcome
    return f"- {word}: **{_plain(case.name)}** on {_plain(one.path)}: {_plain(said)}\n"


def _drawings(run: Run) -> Iterator[str]:
    failed = (one for one in run.judged if one.terms.verdict == "pass" and one.verdict == "fail")
    drawn = ((one, exchange) for one in failed for exchange in one.failing_exchanges(1))
    for one, exchange in islice(drawn, _DRAWN):
        # A fence of four: no line of a drawing ends it.
        picture = visible(draw(exchange, Style(width=100))).replace("````", "''''")
        yield f"\n<details><summary>{_escaped(one.path)}</summary>\n\n````text\n{picture}````\n\n</details>\n"


def _plain(text: str) -> str:
    """Text in which nothing is Markdown or HTML."""
    return _SPECIAL.sub(r"\\\1", _escaped(text))


def _escaped(text: str) -> str:
    return escape(visible(text, line=True), quote=False)
