"""The rules of a report as tables: verdict, counts, and the margins that were measured; then what is asked of all
instances of a rule together, its percentiles and its jitter, each with a verdict of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from tracecheck.report.style import Align, Style, aligned, shortened
from tracecheck.rules.bounds import FAIL, PASS
from tracecheck.rules.result import RuleResult, Stats
from tracecheck.rules.statistic import Statistic
from tracecheck.rules.verdict import Report
from tracecheck.timebase import NS, ns_text

MARKS = {"error": "FAIL", "warning": "WARN", "note": "NOTE"}
_COLOURS = {"pass": "green", "FAIL": "red", "WARN": "yellow", "NOTE": "cyan", "?": "yellow", "-": "dim"}
_COUNTS = ("judged", "failed", "open", "cut")
_MARGINS = ("min", "median", "p99", "max", "headroom", "closest")
_OF_ALL = ("value", "at most", "headroom", "of", "needs")
_NARROWEST_ID = 16


def mark(result: RuleResult) -> str:
    """`pass`; FAIL, WARN or NOTE by severity; `?` for undecided; `-` for an optional rule that judged nothing."""
    if result.verdict == "pass":
        return "pass"
    if result.verdict == "fail":
        return MARKS[result.rule.severity]
    if result.beyond_the_rate:
        return "-"
    return "-" if result.rule.optional and not result.inconclusive else "?"


def rule_lines(report: Report, style: Style, *, every: bool = False) -> list[str]:
    """One table where it fits the width, else two: verdicts, then margins. `every`: idle optional rules too.

    Percentiles and jitter, where a rule has any, are a table below.
    """
    results = [result for result in report.rules if every or mark(result) != "-"]
    if not results:
        return []
    several = len(report.capture.get("buses", ())) > 1
    together = _of_all(results, several, style)
    return [*_single(results, several, style), *(["", *together] if together else [])]


def _single(results: Sequence[RuleResult], several: bool, style: Style) -> list[str]:
    """What single instances came to."""
    marks = [mark(result) for result in results]
    counts = [_counts(result) for result in results]
    margins = [_margins(result, several) for result in results]
    ids = [result.rule.id for result in results]
    wide = _table(marks, ids, [[*c, *m] for c, m in zip(counts, margins, strict=True)], (*_COUNTS, *_MARGINS))
    if not any(any(m) for m in margins):
        return _table(marks, ids, counts, _COUNTS)
    if max(len(line) for line in wide) <= style.width:
        return _painted(wide, marks, style)
    measured = [i for i, m in enumerate(margins) if any(m)]
    first = _painted(_fitted(marks, ids, counts, _COUNTS, style), marks, style)
    second = _fitted(None, [ids[i] for i in measured], [margins[i] for i in measured], _MARGINS, style, "margins")
    return [*first, "", style.paint(second[0], "dim"), *second[1:]]


def _of_all(results: Sequence[RuleResult], several: bool, style: Style) -> list[str]:
    """A row for each percentile and each jitter of each bus."""
    marks, ids, cells = [], [], []
    for result in results:
        for bus, statistic in result.statistics:
            marks.append({PASS: "pass", FAIL: MARKS[result.rule.severity]}.get(statistic.verdict, "?"))
            ids.append(f"{result.rule.id} {statistic.name}" + (f" {bus}" if several else ""))
            cells.append(statistic_cells(statistic, result.rate_hz, style))
    return _painted(_fitted(marks, ids, cells, _OF_ALL, style, "of all"), marks, style) if marks else []


def _table(
    marks: Sequence[str] | None,
    ids: Sequence[str],
    cells: Sequence[Sequence[str]],
    head: Sequence[str],
    title: str = "rule",
) -> list[str]:
    align: list[Align] = [*(["<", "<"] if marks is not None else ["<"]), *([">"] * len(head))]  # type: ignore[list-item]
    rows = [[*([""] if marks is not None else []), title, *head]]
    rows += [[*([marks[i]] if marks is not None else []), id_, *cells[i]] for i, id_ in enumerate(ids)]
    return aligned(rows, align)


def _fitted(
    marks: Sequence[str] | None,
    ids: Sequence[str],
    cells: Sequence[Sequence[str]],
    head: Sequence[str],
    style: Style,
    title: str = "rule",
) -> list[str]:
    """As `_table`, with the ids shortened to what the width leaves them."""
    lines = _table(marks, ids, cells, head, title)
    over = max(len(line) for line in lines) - style.width
    if over > 0:
        room = max(max(len(id_) for id_ in ids) - over, _NARROWEST_ID)
        lines = _table(marks, [shortened(id_, room, style) for id_ in ids], cells, head, title)
    return lines


def _painted(lines: list[str], marks: Sequence[str], style: Style) -> list[str]:
    painted = [style.paint(lines[0], "dim")]
    for line, word in zip(lines[1:], marks, strict=True):
        painted.append(style.paint(line[: len(word)], _COLOURS[word]) + line[len(word) :])
    return painted


def _counts(result: RuleResult) -> list[str]:
    return [str(result.judged), *(str(n) if n else "" for n in (result.failed, result.inconclusive, result.cut))]


def _margins(result: RuleResult, several: bool) -> list[str]:
    stats = result.stats
    if stats is None:
        return [""] * len(_MARGINS)
    room = "" if stats.headroom is None else value_text(stats, stats.headroom)
    numbers = [value_text(stats, x) for x in (stats.min, stats.p50, stats.p99, stats.max)]
    return [*numbers, room, _closest(result, several) if stats.headroom is not None else ""]


def statistic_cells(statistic: Statistic, rate_hz: int | None, style: Style) -> list[str]:
    """Its value, or between what it lies; its bound, the room to that; of how many instances, and how many it needs."""

    def shown(value: float) -> str:
        if statistic.unit == "scl":
            return f"{value:.1f} scl"
        return ns_text(value * NS / rate_hz) if rate_hz else f"{value:.0f} sa"

    low, high = statistic.low, statistic.high
    if low is None:
        value = style.glyph("∞", "inf")
    elif high is None:
        value = f"{style.glyph('≥', '>=')} {shown(low)}"
    else:
        value = shown(low) if low == high else f"{shown(low)} .. {shown(high)}"
    bound = statistic.bound.samples(rate_hz, 1)
    room = shown(float(bound) - high) if bound is not None and high is not None else ""
    needs = str(statistic.needed) if statistic.count < statistic.needed else ""
    return [value, str(statistic.bound), room, str(statistic.count), needs]


def value_text(stats: Stats, value: float) -> str:
    """A measured value in its unit: `7.42 us`, `12 sa` where no rate is known, `2` for a count."""
    if stats.unit == "ns":
        return ns_text(value)
    return f"{value:.0f}" if stats.unit == "count" else f"{value:.0f} sa"


def _closest(result: RuleResult, several: bool) -> str:
    closest = result.closest
    if closest is None or closest[1] < 0:
        return ""
    bus, transfer, _ = closest
    return f"{bus} #{transfer}" if several else f"#{transfer}"
