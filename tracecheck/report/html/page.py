"""Puts the page together: what stands in it, in which order, and how much of it.

The page grows with the findings only up to a limit, and says so where it is reached. A capture's drawings are made
when its section is written, so that a report on many captures holds one of them in memory at a time.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

import tracecheck
from tracecheck.errors import CaptureError
from tracecheck.report.findings import beside_text, beyond_text, duration_text, reason
from tracecheck.report.html.histogram import histogram, spark
from tracecheck.report.html.overview import Place, overview
from tracecheck.report.html.scene import Scene, scenes
from tracecheck.report.html.svg import printable
from tracecheck.report.html.views import CaptureView, FindingView, RuleView
from tracecheck.report.html.waveform import told, waveform
from tracecheck.report.judged import Judged, Run, Unreadable
from tracecheck.report.rule_table import mark, statistic_cells
from tracecheck.report.run_text import expected, summary
from tracecheck.report.style import Style
from tracecheck.report.text import rate_text, verdict_line
from tracecheck.rules.describe import describe
from tracecheck.rules.finding import Finding
from tracecheck.rules.library import preset_names
from tracecheck.rules.measured import measured_by
from tracecheck.rules.result import RuleResult
from tracecheck.timebase import instant_text, ns_text
from tracecheck.words import VERDICTS

DRAWN_PER_RULE: Final = 6
"""Waveforms of a rule that failed; of one that could not be decided a third."""
DRAWN: Final = 150
"""Waveforms in a page."""
ROWS_PER_RULE: Final = 1000
ROWS: Final = 20_000
"""Findings in a page; the others are counted."""

_PLAIN: Final = Style(width=10**6)


@dataclass(slots=True)
class _Left:
    """What the page still has room for."""

    drawn: int = DRAWN
    rows: int = ROWS


def pieces(run: Run) -> Iterator[str]:
    """The page, a piece at a time."""
    here = files("tracecheck.report.html") / "templates"
    css, script = ((here / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    left = _Left()
    several = len(run.captures) != 1
    named = _names([one.path for one in run.captures])
    index = [
        {
            "id": f"c{i}",
            "name": name,
            "verdict": _verdict(one),
            "line": one.reason if isinstance(one, Unreadable) else _line(one),
        }
        for i, (one, name) in enumerate(zip(run.captures, named, strict=True))
    ]
    environment = Environment(
        loader=PackageLoader("tracecheck.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    yield from environment.get_template("report.html").generate(
        version=tracecheck.__version__,
        title=summary(run) if several else f"{named[0]}: {index[0]['verdict']}",
        verdict=run.verdict,
        line=summary(run) if several else index[0]["line"],
        index=index if several else [],
        captures=(_capture(one, f"c{i}", named[i], left) for i, one in enumerate(run.captures)),
        css=Markup(css),
        script=Markup(script),
        css_hash=_hash(css),
        script_hash=_hash(script),
        left=left,
        drawn=DRAWN,
        rows=ROWS,
    )


def _names(paths: Sequence[str]) -> list[str]:
    """The files' names, or whole paths where two are called alike."""
    names = [Path(path).name for path in paths]
    return [name if names.count(name) == 1 else path for name, path in zip(names, paths, strict=True)]


def _shown(value: Any) -> Any:
    """What jinja puts in: text without control characters or halves of characters."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _hash(text: str) -> str:
    return Markup(f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}")


def _verdict(one: Judged | Unreadable) -> str:
    return "inconclusive" if isinstance(one, Unreadable) else one.verdict


def _line(one: Judged) -> str:
    terms = one.terms
    said = verdict_line(one.report, _PLAIN, outline=one.outline, fail_on=terms.fail_on, strict=terms.strict)
    return said.partition(": ")[2]


def _capture(one: Judged | Unreadable, id_: str, name: str, left: _Left) -> CaptureView:
    if isinstance(one, Unreadable):
        return CaptureView(id_, name, one.path, "inconclusive", "could not be read", error=one.reason)
    notes = list(one.report.notes)
    rules, idle, places = [], [], []
    order = {"FAIL": 0, "WARN": 1, "NOTE": 2, "?": 3, "pass": 4, "-": 5}
    results = sorted(one.report.rules, key=lambda r: order[mark(r)])
    chosen = {id(r): _chosen(r, left) for r in results}
    drawn = [f for r in results for f in _worth_drawing(r, chosen[id(r)], left)]
    drawings: dict[int, Scene] = {}
    try:
        drawings.update(zip(map(id, drawn), scenes(one, drawn), strict=False))
    except CaptureError as error:
        notes.append(f"{error}; so no waveforms are drawn")
    for i, result in enumerate(results):
        if mark(result) == "-":
            idle.append(result.rule.id)
            continue
        view = _rule(one, result, f"{id_}-r{i}", chosen[id(result)], drawings)
        rules.append(view)
        places += [
            (finding.sample, f"{result.rule.id}: {finding.message}", shown.id, finding.verdict == "fail")
            for finding, shown in zip(chosen[id(result)], view.findings, strict=True)
        ]
    return CaptureView(
        id=id_,
        name=name,
        path=one.path,
        verdict=one.verdict,
        line=_line(one),
        expected="" if one.terms.verdict == "pass" else expected(one),
        facts=_facts(one),
        wires=_wires(one),
        sources=[s if s in preset_names() else Path(s).name for s in one.report.capture.get("rules", ())],
        notes=notes,
        overview=_drawn(overview(one, _placed(places))) if one.capture.samples else None,
        rules=rules,
        idle=idle,
    )


def _placed(places: Sequence[Place]) -> Sequence[Place]:
    return sorted(places, key=lambda place: place[0])


def _chosen(result: RuleResult, left: _Left) -> list[Finding]:
    """The findings of a rule that the page lists, failures first; those on all instances of a rule come before."""
    found = list(islice((f for f in result.findings() if f.verdict == "fail"), ROWS_PER_RULE))
    if len(found) < ROWS_PER_RULE:
        open_ = (f for f in result.findings() if f.verdict == "inconclusive")
        found += islice(open_, ROWS_PER_RULE - len(found))
    found = found[: max(left.rows, 0)]
    left.rows -= len(found)
    return found


def _worth_drawing(result: RuleResult, found: Sequence[Finding], left: _Left) -> list[Finding]:
    """The first of each verdict; none of what all instances say together, which is in no one place."""
    together = {id(f) for f in found if _of_all(result, f)}
    single = [f for f in found if id(f) not in together]
    failed = [f for f in single if f.verdict == "fail"][:DRAWN_PER_RULE]
    undecided = [f for f in single if f.verdict != "fail"][: DRAWN_PER_RULE // 3]
    drawn = (failed or undecided)[: max(left.drawn, 0)]
    left.drawn -= len(drawn)
    return drawn


def _of_all(result: RuleResult, finding: Finding) -> bool:
    """Whether a finding is about all instances of a rule: a percentile, or the jitter."""
    if finding.transfer is not None:
        return False
    return any(
        finding.bus == bus and finding.sample == s.at and finding.verdict == VERDICTS[s.verdict]
        for bus, s in result.statistics
    )


def _rule(one: Judged, result: RuleResult, id_: str, found: Sequence[Finding], drawings: dict[int, Scene]) -> RuleView:
    rule, stats, measured = result.rule, result.stats, measured_by(result)
    several = len(one.outline.buses) > 1
    closest = ""
    if stats is not None and stats.headroom is not None and result.closest is not None and result.closest[1] >= 0:
        bus, transfer, _ = result.closest
        closest = f"{bus} #{transfer}" if several else f"#{transfer}"
    scale = (stats.unit if stats is not None else "") == "ns"
    return RuleView(
        id=id_,
        result=result,
        mark=mark(result),
        says=describe(rule),
        place=f"{rule.source}:{rule.line}" if rule.line else rule.source,
        measured=measured,
        spark=None if measured is None else _drawn(spark(measured)),
        histogram=None
        if measured is None
        else _drawn(histogram(measured, f"{rule.id}: {measured.total} instances measured")),
        headroom=""
        if stats is None or stats.headroom is None
        else ns_text(stats.headroom)
        if scale
        else f"{stats.headroom:.0f}",
        closest=closest,
        together=[
            [s.name, *statistic_cells(s, result.rate_hz, _PLAIN), VERDICTS[s.verdict], (bus or "") if several else ""]
            for bus, s in result.statistics
        ],
        unchecked="" if result.judged or result.inconclusive else reason(result, one.report),
        findings=[_finding(one, f, f"{id_}-f{i}", drawings.get(id(f))) for i, f in enumerate(found)],
        unlisted=result.failed + result.inconclusive - len(found),
    )


def _finding(one: Judged, finding: Finding, id_: str, scene: Scene | None) -> FindingView:
    facts = one.outline.facts(finding.bus, finding.transfer)
    several = len(one.outline.buses) > 1
    where = "" if finding.transfer is None else f"transfer {finding.transfer}"
    where = f"{finding.bus} {where}".strip() if several and finding.bus else where
    bounds = [("≥", finding.lower_ns), ("≤", finding.upper_ns)]
    plus = f" ± {ns_text(finding.uncertainty_ns)}" if finding.uncertainty_ns is not None else ""
    drawing = None
    if scene is not None:
        said = f"{finding.rule}, {where or 'at one place'}: {finding.message}"
        drawing = _drawn(waveform(scene, said, failed=finding.verdict == "fail"))
    return FindingView(
        id=id_,
        verdict=finding.verdict,
        when=f"sample {finding.sample}" if finding.t_ns is None else instant_text(finding.t_ns),
        where=where,
        facts=facts.summary if facts is not None else "",
        message=finding.message,
        measured="" if finding.value_ns is None else ns_text(finding.value_ns) + plus,
        allowed=", ".join(f"{sign} {ns_text(bound)}" for sign, bound in bounds if bound is not None),
        missed=beyond_text(finding),
        beside=beside_text(finding),
        drawing=drawing,
        told=told(scene) if scene is not None else "",
    )


def _drawn(svg: str) -> Markup:
    return Markup(svg)  # made of elements that were escaped one by one


def _facts(one: Judged) -> list[str]:
    capture = one.report.capture
    rate = capture.get("rate_hz")
    facts = [str(capture["format"])] if capture.get("format") else []
    facts += [rate_text(rate), duration_text(capture["samples"], rate), f"{one.outline.count} transfers"]
    return facts + ([str(capture["origin"])] if capture.get("origin") else [])


def _wires(one: Judged) -> list[tuple[str, str, str]]:
    capture = one.report.capture
    wires = [(f"bus {b['name']}", f"SCL = {b['scl']}, SDA = {b['sda']}", b["chosen"]) for b in capture["buses"]]
    return wires + [(f"marker {m['name']}", f"{m['channel']}, {m['coding']}", m["chosen"]) for m in capture["markers"]]
