"""The findings of a report, rule by rule: what was found, when, at which transfer, measured against which bound."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import islice

from tracecheck import words
from tracecheck.outline import Outline
from tracecheck.report.rule_table import MARKS, mark
from tracecheck.report.style import Style
from tracecheck.report.visible import visible
from tracecheck.rules.bounds import FAIL, INCONCLUSIVE
from tracecheck.rules.describe import describe
from tracecheck.rules.finding import Finding
from tracecheck.rules.result import RuleResult
from tracecheck.rules.verdict import Report
from tracecheck.rules.vocabulary import ROLES, ROLES_OF
from tracecheck.timebase import instant_text, ns_text, to_ns

LIMIT = 10
"""Findings shown of one rule."""


def finding_lines(
    report: Report, style: Style, outline: Outline | None = None, *, every: bool = False, strict: bool = False
) -> list[str]:
    """Failed rules first, severest first; then what could not be decided; then what was not checked at all."""
    lines: list[str] = []
    failed = sorted((r for r in report.rules if r.failed), key=lambda r: list(MARKS).index(r.rule.severity))
    for result in failed:
        lines += ["", *failed_lines(result, style, outline, None if every else LIMIT)]
    for result in (r for r in report.rules if r.inconclusive and not r.beyond_the_rate):
        # Of instances that others were judged beside, only the strict want to hear; of a bound on all of them, anyone.
        whole = every or strict or not result.judged
        if whole:
            lines += ["", *undecided_lines(result, style, outline, None if every else 3)]
        elif count := sum(s.verdict == INCONCLUSIVE for _, s in result.statistics):
            found = (f for f in result.findings() if f.verdict == "inconclusive")
            lines += ["", *_titled(result, "?", "yellow", style)]
            lines += [line for finding in islice(found, count) for line in _one(finding, style, outline)]
    lines += unchecked_lines(report, style)
    return lines


def failed_lines(
    result: RuleResult, style: Style, outline: Outline | None = None, limit: int | None = LIMIT
) -> list[str]:
    """A failed rule: its name and place, what it asks for, and its first `limit` failures."""
    word = mark(result)
    lines = _titled(result, word, "red" if word == "FAIL" else "yellow", style)
    return [*lines, *_each(result, FAIL, limit, style, outline)]


def undecided_lines(
    result: RuleResult, style: Style, outline: Outline | None = None, limit: int | None = LIMIT
) -> list[str]:
    """As `failed_lines`, of what could not be decided."""
    return [*_titled(result, "?", "yellow", style), *_each(result, INCONCLUSIVE, limit, style, outline)]


def _titled(result: RuleResult, word: str, colour: str, style: Style) -> list[str]:
    rule = result.rule
    title = f"{word} {rule.id}"
    place = visible(f"{rule.source}:{rule.line}" if rule.line else rule.source, line=True)
    if len(title) + len(place) + 2 <= style.width:
        gap = " " * (style.width - len(title) - len(place))
        lines = [style.paint(title, "bold", colour) + gap + style.paint(place, "dim")]
    else:
        lines = [style.paint(title, "bold", colour), f"  {style.paint(place, 'dim')}"]
    lines += wrapped(f"Rule: {describe(rule)}.", style, 2)
    if rule.why:
        lines += wrapped(rule.why, style, 2)
    return lines


def _each(result: RuleResult, verdict: int, limit: int | None, style: Style, outline: Outline | None) -> list[str]:
    word, count = words.VERDICTS[verdict], result.count(verdict)
    unlisted = result.unlisted_of(verdict)
    shown = count - unlisted if limit is None else min(limit, count - unlisted)
    found = (f for f in result.findings() if f.verdict == word)
    lines = [line for finding in islice(found, shown) for line in _one(finding, style, outline)]
    if unlisted:
        lines.append(f"    and {count - shown} more, {unlisted} of them only counted; --max-findings 0 keeps them all")
    elif count > shown:
        lines.append(f"    and {count - shown} more; --verbose or --format json gives them all")
    return lines


def _one(finding: Finding, style: Style, outline: Outline | None) -> list[str]:
    lines = wrapped(f"{place_text(finding, outline)}:", style, 2)
    lines += wrapped(measured_text(finding, style), style, 6)
    return lines


def place_text(finding: Finding, outline: Outline | None = None) -> str:
    """`at 1.914875 ms, i2c0 transfer 3 (write 0x3C, 3 bytes)`."""
    time = f"sample {finding.sample}" if finding.t_ns is None else instant_text(finding.t_ns)
    where = [f"at {time}"]
    if finding.bus is not None and finding.transfer is not None:
        where.append(f"{finding.bus} transfer {finding.transfer}")
        facts = outline.facts(finding.bus, finding.transfer) if outline is not None else None
        if facts is not None:
            where[-1] += f" ({facts.summary})"
    elif finding.bus is not None:
        where.append(finding.bus)
    return ", ".join(where)


def measured_text(finding: Finding, style: Style) -> str:
    """What was found, and what was measured against which bound."""
    return finding.message + (_against(finding, style) or _unbounded(finding))


def _unbounded(finding: Finding) -> str:
    """`; before 1, after 1`, of counts, whose message says what is allowed."""
    beside = beside_text(finding)
    return f"; {beside}" if beside else ""


def _against(finding: Finding, style: Style) -> str:
    """`; 154 us +- 42 ns against at most 50.0 us`, where both are times."""
    bounds = []
    if finding.lower_ns is not None:
        bounds.append(f"at least {ns_text(finding.lower_ns)}")
    if finding.upper_ns is not None:
        bounds.append(f"at most {ns_text(finding.upper_ns)}")
    if not bounds:
        return ""
    if finding.value_ns is None or finding.uncertainty_ns is None:
        beside = beside_text(finding)
        return f"; allowed: {' and '.join(bounds)}" + (f" ({beside})" if beside else "")
    plus = style.glyph("±", "+-")
    measured = f"{ns_text(finding.value_ns)} {plus} {ns_text(finding.uncertainty_ns)}"
    return f"; measured {measured}, allowed {' and '.join(bounds)}{_beyond(finding)}"


def _beyond(finding: Finding) -> str:
    """`: 208 % over (before 2.71 us, after 2.79 us, median 2.75 us)`: by how much, and what is usual."""
    told = [beside_text(finding), "" if finding.median_ns is None else f"median {ns_text(finding.median_ns)}"]
    usual = f" ({', '.join(filter(None, told))})" if any(told) else ""
    missed = beyond_text(finding)
    return f": {missed}{usual}" if missed else usual


def beyond_text(finding: Finding) -> str:
    """`208 % over`, `12 % short`; nothing where no bound was missed."""
    if finding.beyond_percent is None or finding.value_ns is None:
        return ""
    side = "over" if finding.upper_ns is not None and finding.value_ns > finding.upper_ns else "short"
    return f"{percent_text(finding.beyond_percent)} {side}"


def beside_text(finding: Finding) -> str:
    """`before 2.71 us, after 2.79 us`: the same rule's instances next to this one, where there are any."""
    told = []
    for word, near in (("before", finding.before), ("after", finding.after)):
        if near is not None:
            known = ns_text(near.value_ns) if near.value_ns is not None else near.count
            told.append(f"{word} {'none' if known is None else known}")
    return ", ".join(told)


def percent_text(percent: float) -> str:
    """`208 %`, `3.1 %`, `under 0.1 %`."""
    if percent < 0.1:
        return "under 0.1 %"
    return f"{percent:.1f} %" if percent < 10 else f"{percent:,.0f} %"


def unchecked_lines(report: Report, style: Style) -> list[str]:
    """Rules that judged nothing and why: the ones that count each by itself, the optional ones in a sentence."""
    idle = [r for r in report.rules if not r.judged and not r.inconclusive]
    lines: list[str] = []
    for result in (r for r in idle if not r.rule.optional):
        lines += ["", style.paint(f"? {result.rule.id}", "bold", "yellow")]
        lines += wrapped(f"Not checked: {reason(result, report)}", style, 2)
    optional = [r for r in idle if r.rule.optional]
    if optional:
        names = ", ".join(r.rule.id for r in optional)
        rules = "rule" if len(optional) == 1 else "rules"
        lines += ["", *wrapped(f"Nothing to judge for {len(optional)} optional {rules}: {names}.", style, 0)]
    return lines


def reason(result: RuleResult, report: Report) -> str:
    """Why a rule judged nothing, and what would help."""
    if "timings" in result.missing:
        return "the bus's timing was not measured; decode with timings=True."
    if "a bus" in result.missing:
        return "no bus was found; name its lines with --scl and --sda."
    if result.missing:
        have = {m["name"] for m in report.capture.get("markers", ())} | {
            m["role"] for m in report.capture.get("markers", ())
        }
        lacking = [name for name in _markers(result.missing) if name not in have]
        hint = " ".join(f"--marker {name}=CHANNEL" for name in lacking)
        what = " and ".join(result.missing)
        return f"it needs {what}, and there is no marker {' or '.join(lacking) or 'for it'}{_try(hint)}."
    if result.cut:
        return f"the capture's beginning or end cuts all its instances ({result.cut})."
    return "nothing in this capture is what it judges."


def _try(hint: str) -> str:
    return f"; add {hint}" if hint else ""


def _markers(events: Sequence[str]) -> list[str]:
    """The markers behind event names; a derived event stands for those it is made of."""
    names = [name for event in events for name in ROLES_OF.get(event, (event.partition(".")[0],))]
    order = {name: i for i, name in enumerate(ROLES)}
    return sorted(dict.fromkeys(names), key=lambda name: (order.get(name, len(order)), name))


def duration_text(samples: int, rate_hz: int | None) -> str:
    """How long so many samples last."""
    return f"{samples} samples" if not rate_hz else ns_text(to_ns(samples, rate_hz))


def wrapped(text: str, style: Style, indent: int) -> list[str]:
    """Text folded to the width, every line indented."""
    space = " " * indent
    return textwrap.wrap(
        visible(text), max(style.width, 40), initial_indent=space, subsequent_indent=space, break_on_hyphens=False
    )
