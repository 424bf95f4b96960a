"""Draws all of a capture in one line each: transfers, markers, and where the findings are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tracecheck.report.activity import BINS, OUTCOMES, Activity
from tracecheck.report.html.svg import drawing, element, text, titled
from tracecheck.report.judged import Judged
from tracecheck.timebase import NS, ns_text, time_text

_GUTTER, _WIDTH, _RIGHT = 84.0, 940.0, 16.0
_ROW, _BAR, _TOP = 22.0, 11.0, 22.0
_MOST_MARKS = 400
"""Findings marked; where more lie in one place than can be told apart, one mark stands for them."""
_NAME_CHARS = 12

Place = tuple[int, str, str, bool]
"""A finding: its sample, what a pointer there is told, the id of its place in the page, whether it failed."""


def overview(one: Judged, places: Sequence[Place]) -> str:
    """The drawing as an SVG element."""
    samples = max(one.capture.samples, 1)
    rows: list[tuple[str, list[str]]] = []
    y = _TOP
    activity = one.activity or Activity(samples)
    for bus in one.outline.buses:
        rows.append((bus, list(_transfers(bus, activity, y))))
        y += _ROW
    for marker in activity.markers:
        said = f"{marker} active"
        rows.append((marker, [_bar(a, b, y, "pin", said) for a, b in activity.active(marker)]))
        y += _ROW
    parts = _axis(samples, one.capture.rate_hz, y)
    for i, (name, bars) in enumerate(rows):
        base = _TOP + i * _ROW
        short = name if len(name) <= _NAME_CHARS else f"{name[: _NAME_CHARS - 1]}…"
        label = text(short, _GUTTER - 12, base + _BAR - 1.5, class_="name", text_anchor="end")
        parts.append(element("g", titled(name), label))
        parts.append(
            element(
                "line", x1=_GUTTER, x2=_GUTTER + _WIDTH, y1=base + _BAR - 0.5, y2=base + _BAR - 0.5, class_="ground"
            )
        )
        parts += bars
    parts += _findings(places, samples, y)
    lasts = time_text(samples, one.capture.rate_hz)
    title = f"Overview of {lasts}: {one.outline.count} transfers, {len(places)} findings marked"
    return drawing(_GUTTER + _WIDTH + _RIGHT, y + 24, title, parts, kind="overview")


def _transfers(bus: str, activity: Activity, y: float) -> Iterator[str]:
    for outcome in OUTCOMES:
        said = "void or unfinished transfers" if outcome == "other" else f"{outcome} transfers"
        for a, b in activity.transfers(bus, outcome):
            yield _bar(a, b, y, f"transfer {outcome}", said)


def _bar(a: int, b: int, y: float, kind: str, said: str) -> str:
    x = _GUTTER + a / BINS * _WIDTH
    width = max((b - a) / BINS * _WIDTH, 0.7)
    return element("rect", titled(said), x=x, y=y, width=width, height=_BAR, class_=kind)


def _findings(places: Sequence[Place], samples: int, bottom: float) -> list[str]:
    """A mark above the rows for each place, linked to what is said of it; failures win over what is undecided."""
    seen: dict[int, Place] = {}
    for place in sorted(places, key=lambda p: (not p[3], p[0])):
        seen.setdefault(int(place[0] / samples * _WIDTH / 3), place)
    parts = []
    for sample, said, where, failed in sorted(list(seen.values())[:_MOST_MARKS], key=lambda p: p[0]):
        x = _GUTTER + sample / samples * _WIDTH
        kind = "mark failed" if failed else "mark open"
        points = f"{x - 4:.1f},6 {x + 4:.1f},6 {x:.1f},14"
        parts.append(
            element(
                "a",
                titled(said),
                element("line", x1=int(x) + 0.5, x2=int(x) + 0.5, y1=14, y2=bottom - 6, class_=f"drop {kind}"),
                element("polygon", points=points, class_=kind),
                href=f"#{where}",
                aria_label=said,
            )
        )
    return parts


def _axis(samples: int, rate_hz: int | None, y: float) -> list[str]:
    whole = samples * NS / rate_hz if rate_hz else float(samples)
    step = 10.0 ** np.floor(np.log10(whole / 5)) if whole > 5 else 1.0
    step *= next((m for m in (1, 2, 5) if whole / (step * m) <= 10), 10)
    parts = [element("line", x1=_GUTTER, x2=_GUTTER + _WIDTH, y1=y - 3.5, y2=y - 3.5, class_="axis")]
    for value in np.arange(0, whole, step).tolist():
        x = _GUTTER + value / whole * _WIDTH
        said = ns_text(value) if rate_hz else f"{value:.0f}"
        parts.append(element("line", x1=int(x) + 0.5, x2=int(x) + 0.5, y1=_TOP - 4, y2=y, class_="grid"))
        parts.append(text("0" if not value else said, x, y + 11, class_="tick", text_anchor="middle"))
    return parts
