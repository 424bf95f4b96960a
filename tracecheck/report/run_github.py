"""A run as GitHub Actions shows it: annotations by workflow commands, and a line that sums up.

GitHub takes 10 errors, 10 warnings and 10 notices of a step, and 50 of a run, and drops the rest without a word
(docs.github.com, "Workflow commands"; "Usage limits for annotations"). So there is one annotation a failed rule and
capture, with its first finding, and where there are more than fit, the last one says how many.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from tracecheck.report.cases import Case, cases, to_tell
from tracecheck.report.formats import Detail
from tracecheck.report.judged import Judged, Run, Unreadable
from tracecheck.report.run_text import summary
from tracecheck.report.style import Style
from tracecheck.report.visible import visible

MOST: Final = 10
"""Annotations of each level."""
_LONGEST: Final = 1000
"""Characters of one message; GitHub cuts at 4096 bytes."""
_LEVELS: Final = {"error": "error", "warning": "warning", "note": "notice"}


class Annotation(NamedTuple):
    """One workflow command. `place`: file and line, where there is one to point at."""

    level: str
    title: str
    message: str
    place: tuple[str, int | None] | None

    def line(self) -> str:
        """`::error file=board.toml,line=3,title=...::message`, with a line end."""
        properties = {"title": self.title}
        if self.place is not None:
            file, number = self.place
            properties = {"file": file, **({"line": str(number)} if number else {}), **properties}
        listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
        return f"::{self.level} {listed}::{_data(self.message)}\n"


def render(run: Run, style: Style, detail: Detail) -> Iterator[str]:
    """Errors first, then warnings, then notices; then the line that sums up."""
    found = [note for one in run.captures for note in annotated(one)]
    for level in _LEVELS.values():
        mine = [note for note in found if note.level == level]
        fit = mine if len(mine) <= MOST else mine[: MOST - 1]
        yield from (note.line() for note in fit)
        if len(mine) > len(fit):
            more = f"{len(mine) - len(fit)} more of {len(mine)}; the step's summary has them"
            yield Annotation(level, "tracecheck", more, None).line()
    yield f"tracecheck: {run.verdict}; {summary(run)}\n"


def annotated(one: Judged | Unreadable) -> Iterator[Annotation]:
    """One for each case that failed, or was not checked and had to be."""
    return (_annotation(one, case) for case in cases(one) if to_tell(one, case))


def _annotation(one: Judged | Unreadable, case: Case) -> Annotation:
    level = "error"
    if case.outcome == "warned" and case.result is not None:
        level = _LEVELS[case.result.rule.severity]
    place: tuple[str, int | None] | None = case.place or one.terms.place
    if place is None:
        place = (one.path, None)
    message = f"{one.path}: {case.said}"
    if len(message) > _LONGEST:
        message = f"{message[: _LONGEST - 4]} ..."
    return Annotation(level, f"tracecheck: {case.name}", message, place)


def _data(text: str) -> str:
    """Escaped as the runner's own toolkit does it."""
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
