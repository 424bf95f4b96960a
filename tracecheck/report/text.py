"""A verdict as a person reads it in a terminal: head, rules, findings, drawings, and one line that says it all.

A pure function of the report: no clock, no terminal, no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tracecheck.outline import Outline
from tracecheck.report.findings import duration_text, finding_lines, wrapped
from tracecheck.report.rule_table import rule_lines
from tracecheck.report.style import Style, aligned
from tracecheck.report.visible import visible
from tracecheck.rules.library import preset_names
from tracecheck.rules.verdict import Report

WORDS = ("PASS", "FAIL", "INCONCLUSIVE")
_COLOURS = ("green", "red", "yellow")
_RANK = ("error", "warning", "note")


def render(
    report: Report,
    style: Style,
    *,
    outline: Outline | None = None,
    drawings: Sequence[str] = (),
    fail_on: str = "error",
    strict: bool = False,
    verbose: bool = False,
) -> str:
    """The whole text, ending with a line end. `drawings`: exchanges drawn already, shown after the findings."""
    lines = head_lines(report, style)
    table = rule_lines(report, style, every=verbose)
    if table:
        lines += ["", *table]
    lines += finding_lines(report, style, outline, every=verbose, strict=strict)
    for drawing in drawings:
        lines += ["", drawing.rstrip("\n")]
    for note in report.notes:
        lines += ["", *wrapped(f"Note: {note}", style, 0)]
    lines += ["", verdict_line(report, style, outline=outline, fail_on=fail_on, strict=strict)]
    return "\n".join(lines) + "\n"


def head_lines(report: Report, style: Style) -> list[str]:
    """Which capture, how long, and which of its channels were taken for what."""
    capture = report.capture
    facts = [capture[key] for key in ("format",) if capture.get(key)]
    facts.append(rate_text(capture.get("rate_hz")))
    if "samples" in capture:
        facts.append(duration_text(capture["samples"], capture.get("rate_hz")))
    facts += [capture["origin"]] if capture.get("origin") else []
    lines = [style.paint(visible(str(capture.get("path", "")), line=True), "bold"), f"  {', '.join(facts)}"]
    rows = [[f"bus {b['name']}", f"SCL = {b['scl']}, SDA = {b['sda']}", f"({b['chosen']})"] for b in capture["buses"]]
    rows += [
        [f"marker {m['name']}", f"{m['channel']}, {m['coding']}{_owner(m, capture)}", f"({m['chosen']})"]
        for m in capture["markers"]
    ]
    if not capture["buses"]:
        rows.insert(0, ["bus", "none found", ""])
    rows = [[visible(cell, line=True) for cell in row] for row in rows]
    lines += [f"  {line}" for line in aligned(rows, ["<", "<", "<"])]
    sources = [name if name in preset_names() else Path(name).name for name in capture.get("rules", ())]
    if sources:
        lines += wrapped(f"rules: {', '.join(sources)}", style, 2)
    return lines


def _owner(marker: dict[str, object], capture: dict[str, list[object]]) -> str:
    return f", on {marker['bus'] or 'no bus'}" if len(capture["buses"]) > 1 else ""


def rate_text(rate_hz: int | None) -> str:
    """`24 MHz`; without a rate, that times are not known."""
    if not rate_hz:
        return "no samplerate (times are unknown; give --samplerate)"
    for divisor, unit in ((10**9, "GHz"), (10**6, "MHz"), (10**3, "kHz")):
        if rate_hz >= divisor:
            return f"{rate_hz / divisor:.9g} {unit}"
    return f"{rate_hz} Hz"


def verdict_line(
    report: Report,
    style: Style,
    *,
    outline: Outline | None = None,
    fail_on: str = "error",
    strict: bool = False,
) -> str:
    """`FAIL: 2 of 9 rules failed (3 findings); 41 transfers`."""
    code = report.exit_code(fail_on, strict=strict)
    tail = f"; {_counted(outline.count, 'transfer')}" if outline is not None else ""
    said = (_passed, _failed, _open)[code](report, fail_on)
    return style.paint(f"{WORDS[code]}:", "bold", _COLOURS[code]) + f" {said}{tail}"


def _failed(report: Report, fail_on: str) -> str:
    counting = [r for r in report.rules if r.failed and _RANK.index(r.rule.severity) <= _RANK.index(fail_on)]
    findings = sum(r.failed for r in counting)
    said = f"{len(counting)} of {_counted(len(report.rules), 'rule')} failed ({_counted(findings, 'finding')})"
    return said + _lesser(report, fail_on)


def _passed(report: Report, fail_on: str) -> str:
    passed = sum(r.verdict == "pass" for r in report.rules)
    idle = sum(r.verdict == "inconclusive" for r in report.rules)
    said = f"{passed} of {_counted(len(report.rules), 'rule')} passed" if idle else f"{_counted(passed, 'rule')} passed"
    if idle:
        said += f", {idle} had nothing to judge"
    undecided = sum(r.inconclusive for r in report.rules if not r.beyond_the_rate)
    if undecided:
        said += f", {_counted(undecided, 'instance')} could not be decided"
    return said + _lesser(report, fail_on)


def _open(report: Report, fail_on: str) -> str:
    if not report.rules:
        return _without_rules(report)
    open_rules = report.unchecked
    if open_rules:
        shown = ", ".join(open_rules[:3]) + (f" and {len(open_rules) - 3} more" if len(open_rules) > 3 else "")
        return f"{len(open_rules)} of {_counted(len(report.rules), 'rule')} could not be checked: {shown}"
    if not any(r.judged for r in report.rules):
        return f"none of {_counted(len(report.rules), 'rule')} found anything to judge"
    undecided = sum(r.inconclusive for r in report.rules if not r.beyond_the_rate)
    return f"{_counted(undecided, 'instance')} could not be decided (--strict)" + _lesser(report, fail_on)


def _without_rules(report: Report) -> str:
    missing = [f"no {one}" for one, many in (("bus", "buses"), ("marker", "markers")) if not report.capture.get(many)]
    if not missing:
        return "no rules to judge by; give --rules or --expect"
    said = f"{' and '.join(missing)} found, so no rules to judge by"
    return f"{said}; name the lines with --scl and --sda, pins with --marker, or give --rules or --expect"


def _lesser(report: Report, fail_on: str) -> str:
    """Failed rules that the exit code does not count."""
    below = [r.rule.severity for r in report.rules if r.failed and _RANK.index(r.rule.severity) > _RANK.index(fail_on)]
    parts = [_counted(below.count(word), word) for word in _RANK if word in below]
    return f", {' and '.join(parts)}" if parts else ""


def _counted(n: int, word: str) -> str:
    return f"{n} {word}{'' if n == 1 else 's'}"
