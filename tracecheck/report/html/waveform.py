"""Draws a scene: decoded bytes, SCL and SDA, markers, what was measured and the bound it is held to, and a time axis.

From top to bottom: the bounds, the span that was measured, what stacked decoders say, the decoded bytes, the lines, the
axis. Where time is not to scale (see timescale.py) the background is hatched and the axis says how long it lasts.
Colours are the page's.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tracecheck.exchange import Mark, Wave
from tracecheck.report.html.scene import SaidRow, Scene
from tracecheck.report.html.svg import CHAR, drawing, element, text, titled
from tracecheck.report.html.timescale import Hole, Timescale
from tracecheck.timebase import instant_text, time_text, to_ns

_GUTTER = 84
_RIGHT = 30
_WIDTH = 980
"""Px that a scene is meant to take beside its names; where bytes would become unreadable it takes more."""
_NARROW, _WIDE = 4.3, 11.0
"""Px of an SCL period."""
_MOST_BYTES = 16
"""Bytes drawn; of more, those in the middle are left out, but none where something was measured."""
_HEAD = 6
_MOST_EDGES = 1600
"""Edges of all lines drawn."""

_LIMITS, _SPAN, _ROWS = 13, 30, 44
"""Where the rows are, in px from the top; below it, a row for each decoder, that of the bytes, and the lines."""
_SAID, _DECODED = 22, 30
"""Heights of the rows of decoders and of bytes."""
_BOX, _SWING, _STEP = 18, 16, 27
_NAME_CHARS = 12
_EVENT_NAMES = {"start": "START", "stop": "STOP", "restart": "Sr"}


@dataclass(frozen=True, slots=True)
class _View:
    """The part of the scene that is drawn, on its scale."""

    scene: Scene
    scale: Timescale
    begin: int
    end: int
    bottom: int
    """Below the last line, in px."""

    @property
    def bus(self) -> int:
        """Where the row of decoded bytes is."""
        return _ROWS + len(self.scene.said) * _SAID

    def x(self, sample: float) -> float:
        return _GUTTER + self.scale.x(sample)

    def shows(self, sample: int) -> bool:
        return self.begin <= sample <= self.end and not self.scale.left_out(sample)

    def time(self, samples: int) -> str:
        return time_text(samples, self.scene.rate_hz)


def waveform(scene: Scene, title: str, *, failed: bool = True) -> str:
    """The drawing as an SVG element. `title`: what it shows, read to whoever does not see it."""
    view = _view(scene)
    parts = [
        *_shortened(view),
        *_beyond(view),
        *_guides(view),
        *(part for i, row in enumerate(scene.said) for part in _said(view, row, _ROWS + i * _SAID)),
        *_bytes(view),
        *(part for i, wave in enumerate(scene.waves) for part in _wave(view, wave, view.bus + _DECODED + i * _STEP)),
        *_holes(view),
        *_limits(view),
        *_span(view),
        *_axis(view),
    ]
    width, height = _GUTTER + view.scale.width + _RIGHT, view.bottom + 37
    kind = "wave failed" if failed else "wave open"
    return drawing(width, height, title, parts, kind=kind)


def _view(scene: Scene) -> _View:
    begin, end = _cropped(scene)
    focus = [at for at in scene.focus.instants if begin <= at <= end]
    boxes = [m for m in scene.marks if m.begin < m.end and begin <= m.begin and m.end <= end]
    holes = _left_out(boxes, focus)
    edges = np.concatenate([np.empty(0, np.int64), *(wave.edges for wave in scene.waves)])
    edges = edges[(edges >= begin) & (edges <= end)]
    period = scene.period or _typical(edges) or max((end - begin) / 60, 1)
    points = [*edges.tolist(), *focus, *(at for m in scene.marks for at in (m.begin, m.end))]
    bottom = _ROWS + len(scene.said) * _SAID + _DECODED + len(scene.waves) * _STEP - 4
    scale = _fitted(begin, max(end, begin + 1), points, period, holes)
    return _View(scene, scale, begin, end, bottom)


def _fitted(begin: int, end: int, points: list[int], period: float, holes: list[Hole]) -> Timescale:
    """As wide as the page, or what clocks of the least and the greatest width make it."""
    clock = _WIDE
    while True:
        scale = Timescale(begin, end, points, clock / period, holes)
        if scale.width <= _WIDTH or clock <= _NARROW:
            return scale
        clock = max(clock * min(_WIDTH / scale.width, 0.97), _NARROW)


def _cropped(scene: Scene) -> tuple[int, int]:
    """All of the scene, or what lies around the focus where there is more to draw than anyone can see."""
    edges = np.sort(np.concatenate([np.empty(0, np.int64), *(wave.edges for wave in scene.waves)]))
    boxes = sum(m.begin < m.end for m in scene.marks)
    # Clocks of bytes that will be left out do not count.
    if len(edges) - max(boxes - _MOST_BYTES, 0) * 27 <= _MOST_EDGES:
        return scene.begin, scene.end
    middle = int(np.searchsorted(edges, scene.focus.begin))
    first, last = max(middle - _MOST_EDGES // 3, 0), min(middle + _MOST_EDGES // 3, len(edges) - 1)
    return max(int(edges[first]), scene.begin), min(int(edges[last]), scene.end)


def _typical(edges: np.ndarray) -> float:
    gaps = np.diff(np.unique(edges))
    return float(np.median(gaps)) * 2 if len(gaps) else 0.0


def _left_out(boxes: list[Mark], focus: list[int]) -> list[Hole]:
    """Runs of bytes to leave out: neither the first or last ones nor any beside what was measured."""
    if len(boxes) <= _MOST_BYTES:
        return []
    keep = np.zeros(len(boxes), np.bool_)
    keep[:_HEAD], keep[-(_MOST_BYTES - _HEAD - 2) :] = True, True
    begins = np.array([m.begin for m in boxes])
    for at in focus:
        near = int(np.searchsorted(begins, at, side="right")) - 1
        if boxes[0].begin <= at <= boxes[-1].end:
            keep[max(near - 1, 0) : near + 2] = True
    holes, i = [], 0
    while i < len(boxes):
        j = i
        while j < len(boxes) and not keep[j]:
            j += 1
        if j - i > 1:
            # From after the acknowledge of the byte before, up to the next byte.
            holes.append(Hole(boxes[i].begin, boxes[j].begin, j - i))
        i = j + 1
    return holes


def _shortened(view: _View) -> list[str]:
    """Hatched ground where a gap lasts longer than it is drawn."""
    height = view.bottom - view.bus + 8
    parts = []
    for gap in view.scale.shortened:
        told = f"not to scale: {view.time(gap.end - gap.begin)}"
        x = _GUTTER + gap.x
        box = element("rect", titled(told), x=x, y=view.bus - 4, width=gap.width, height=height, class_="gap")
        parts.append(box)
    return parts


def _beyond(view: _View) -> list[str]:
    """What was over the bound, shaded: from the upper bound to the end, or from the end to the lower bound."""
    focus = view.scene.focus
    end = view.end if focus.end is None else focus.end
    backward = focus.begin < focus.at
    parts = []
    for bound, over in ((focus.upper, True), (focus.lower, False)):
        if bound is None:
            continue
        a, b = (focus.begin, bound) if backward else (bound, end)
        if not over:
            a, b = b, a
        if a < b and (over or focus.end is not None):
            x, stop = view.x(a), view.x(b)
            parts.append(element("rect", x=x, y=_SPAN, width=stop - x, height=view.bottom + 4 - _SPAN, class_="over"))
    return parts


def _guides(view: _View) -> list[str]:
    focus = view.scene.focus
    at = {focus.at, focus.begin, *([focus.end] if focus.end is not None else [])}
    return [_upright(view, sample, _SPAN, "guide") for sample in sorted(at) if view.shows(sample)]


def _upright(view: _View, sample: int, top: int, kind: str) -> str:
    x = _crisp(view.x(sample))
    return element("line", x1=x, x2=x, y1=top, y2=view.bottom + 4, class_=kind)


def _limits(view: _View) -> list[str]:
    """Each bound: a dashed line, and what it is above it; at the edge, with an arrow, where it lies beyond."""
    focus, parts = view.scene.focus, []
    start = focus.at
    taken = -1e9
    for bound, sign in sorted(((b, s) for b, s in ((focus.lower, "≥"), (focus.upper, "≤")) if b is not None)):
        said = f"{sign} {view.time(abs(bound - start))}"
        if bound > view.end:
            said += " →"
        elif bound < view.begin:
            said = f"← {said}"
        x = view.x(bound)
        if view.shows(bound):
            parts.append(_upright(view, bound, _LIMITS + 4, "limit"))
        half = len(said) * CHAR / 2
        at = min(max(x, _GUTTER + half), _GUTTER + view.scale.width + _RIGHT - half)
        if at - half < taken:
            at = taken + half
        taken = at + half + CHAR
        parts.append(text(said, at, _LIMITS, class_="limit", text_anchor="middle"))
    return parts


def _span(view: _View) -> list[str]:
    """What was measured, between arrows. Where it never ended, the arrow runs out of the drawing."""
    focus = view.scene.focus
    y = _SPAN + 5.5
    if focus.end is not None and focus.end == focus.begin:
        x = view.x(focus.at)
        points = f"{x - 4.5:.1f},{_SPAN} {x + 4.5:.1f},{_SPAN} {x:.1f},{_SPAN + 8}"
        return [element("polygon", titled("here"), points=points, class_="here")]
    end = view.end if focus.end is None else min(focus.end, view.end)
    a, b = view.x(max(focus.begin, view.begin)), view.x(end)
    open_end = focus.end is None or focus.end > view.end
    said = "never came" if focus.end is None else view.time(focus.end - focus.begin)
    parts = [element("path", d=f"M{_crisp(a)} {y}H{b:.1f}", class_="span")]
    parts.append(element("path", d=f"M{_crisp(a)} {y - 4}V{y + 4}", class_="span"))
    if open_end:
        parts.append(element("path", d=f"M{b - 5:.1f} {y - 4}L{b:.1f} {y}L{b - 5:.1f} {y + 4}", class_="span"))
    else:
        parts.append(element("path", d=f"M{_crisp(b)} {y - 4}V{y + 4}", class_="span"))
    width = len(said) * CHAR + 8
    if b - a >= width + 10:
        middle = (a + b) / 2
        parts.append(element("rect", x=middle - width / 2, y=y - 6, width=width, height=12, class_="paper"))
        parts.append(text(said, middle, y + 3.5, class_="span", text_anchor="middle"))
    elif b + width < _GUTTER + view.scale.width + _RIGHT:
        parts.append(text(said, b + 6, y + 3.5, class_="span"))
    else:
        parts.append(text(said, a - 6, y + 3.5, class_="span", text_anchor="end"))
    return parts


def _bytes(view: _View) -> list[str]:
    """The decoded bytes as boxes, acknowledges and conditions as letters between them."""
    if not view.scene.marks:
        return []
    parts = [text("bus", _GUTTER - 12, view.bus + 13, class_="name", text_anchor="end")]
    middle = view.bus + 13
    for mark in view.scene.marks:
        if not (view.begin <= mark.begin and mark.end <= view.end):
            continue
        if mark.begin == mark.end:
            if view.shows(mark.begin):
                kind = "nack" if mark.text == "N" else "ack" if mark.text == "A" else "cond"
                parts.append(text(mark.text, view.x(mark.begin), middle, class_=kind, text_anchor="middle"))
            continue
        if view.scale.left_out((mark.begin + mark.end) // 2):
            continue
        a, b = view.x(mark.begin) + 1, view.x(mark.end) + 2.5
        address = mark.text.endswith((" R", " W"))
        top, bottom, tip = view.bus + 0.5, view.bus + _BOX - 0.5, min(3.5, (b - a) / 4)
        half = (top + bottom) / 2
        outline = (
            f"M{a:.1f} {half}L{a + tip:.1f} {top}H{b - tip:.1f}L{b:.1f} {half}L{b - tip:.1f} {bottom}H{a + tip:.1f}Z"
        )
        parts.append(element("path", d=outline, class_="byte address" if address else "byte"))
        said = mark.text if len(mark.text) * CHAR <= b - a else mark.text.split()[0]
        if len(said) * CHAR <= b - a + 2:
            parts.append(text(said, (a + b) / 2, middle, class_="value", text_anchor="middle"))
    return parts


def _said(view: _View, row: SaidRow, top: int) -> list[str]:
    """What a decoder said, in boxes; of a text that is too long, its beginning."""
    parts = [_name(row.decoder, top + 13)]
    for told in row.told:
        begin, end = max(told.begin, view.begin), min(told.end, view.end)
        if begin > end:
            continue
        a, b = view.x(begin), max(view.x(end), view.x(begin) + 3)
        fits = int((b - a - 6) / CHAR)
        said = told.text if len(told.text) <= fits else f"{told.text[: fits - 1]}…" if fits > 2 else ""
        kind = "told warn" if "warn" in told.kind else "told"
        box = element("rect", x=a, y=top + 1.5, width=b - a, height=_BOX - 3, rx=3, class_=kind)
        label = text(said, (a + b) / 2, top + 13, text_anchor="middle") if said else ""
        parts.append(element("g", titled(f"{row.decoder} {told.kind}: {told.text}"), box, label))
    return parts


def _name(name: str, y: float) -> str:
    """A row's name, shortened where it is too long; whole for whoever points at it."""
    short = name if len(name) <= _NAME_CHARS else f"{name[: _NAME_CHARS - 1]}…"
    return element("g", titled(name), text(short, _GUTTER - 12, y, class_="name", text_anchor="end"))


def _wave(view: _View, wave: Wave, top: int) -> list[str]:
    """A name and a line that steps at every edge."""
    high, low = top + 0.5, top + _SWING + 0.5
    skipped = int(np.searchsorted(wave.edges, view.begin, side="right"))
    edges = wave.edges[skipped:]
    edges = edges[edges <= view.end]
    level = (wave.initial + skipped) % 2
    drawn = view.scale.drawn(edges)
    # Edges in what is left out change the level all the same: it is counted, not followed.
    levels = (level + 1 + np.searchsorted(edges, drawn)) % 2
    d = [f"M{_GUTTER} {high if level else low}"]
    now = level
    for x, after in zip((_GUTTER + view.scale.xs(drawn)).tolist(), levels.tolist(), strict=True):
        if after != now:
            d.append(f"H{_crisp(x):g}V{high if after else low:g}")
            now = after
    d.append(f"H{_GUTTER + view.scale.width:.1f}")
    kind = {"SCL": "scl", "SDA": "sda"}.get(wave.name, "pin") if wave.bus else "pin"
    return [
        element("line", x1=_GUTTER, x2=_GUTTER + view.scale.width, y1=low, y2=low, class_="ground"),
        _name(wave.name, top + 12.5),
        element("path", d="".join(d), class_=f"line {kind}"),
    ]


def _holes(view: _View) -> list[str]:
    """What is left out: the ground bare, and how many bytes went there."""
    parts = []
    for hole in view.scale.holes:
        x, stop = view.x(hole.begin), view.x(hole.end)
        parts.append(
            element(
                "rect", x=x + 3, y=view.bus - 4, width=stop - x - 6, height=view.bottom - view.bus + 8, class_="hole"
            )
        )
        said = f"+{hole.count} bytes"
        parts.append(text(said, (x + stop) / 2, view.bus + 13, class_="more", text_anchor="middle"))
    return parts


def _axis(view: _View) -> list[str]:
    """Ticks at what happened, with times from the zero where there is room for them, the most telling first."""
    scene, y = view.scene, view.bottom + 8
    zero, name = scene.zero
    last = _GUTTER + view.scale.width
    parts = [element("line", x1=_GUTTER, x2=last, y1=y + 0.5, y2=y + 0.5, class_="axis")]
    focus = scene.focus
    wanted = [zero, focus.at, focus.begin, *([focus.end] if focus.end is not None else [])]
    wanted += [at for at, event in scene.events if event in ("stop", "wake")]
    wanted += [at for at, event in scene.events if event not in ("stop", "wake")]
    labels: list[tuple[float, float]] = []
    names = {at: _EVENT_NAMES.get(event, event.removesuffix(".begin")) for at, event in reversed(scene.events)}
    for at in dict.fromkeys(wanted):
        if not view.shows(at):
            continue
        x = view.x(at)
        parts.append(element("line", x1=_crisp(x), x2=_crisp(x), y1=y + 0.5, y2=y + 5, class_="axis"))
        said = "0" if at == zero else f"{'+' if at > zero else '-'}{view.time(abs(at - zero))}"
        half = max(len(said), len(names.get(at, ""))) * CHAR / 2 + 3
        middle = min(max(x, half), last + _RIGHT - half)
        if any(middle - half < b and a < middle + half for a, b in labels):
            continue
        labels.append((middle - half, middle + half))
        parts.append(text(said, middle, y + 15, class_="tick", text_anchor="middle"))
        if at in names:
            parts.append(text(names[at], middle, y + 24, class_="event", text_anchor="middle"))
    when = f"sample {zero}" if not scene.rate_hz else instant_text(to_ns(zero, scene.rate_hz))
    return [element("g", titled(f"times from {name} at {when}"), *parts)]


def _crisp(x: float) -> float:
    """A line one px wide is sharp in the middle of a pixel."""
    return int(x) + 0.5


def told(scene: Scene) -> str:
    """The events in words, each with the time since the one before: for those who do not see the drawing."""
    events = scene.events[:12]
    if not events:
        return ""
    said = [_EVENT_NAMES.get(events[0][1], events[0][1])]
    for (before, _), (at, name) in pairwise(events):
        short = _EVENT_NAMES.get(name, name.removesuffix(".begin"))
        said.append(f"{short} {time_text(at - before, scene.rate_hz)} later")
    more = len(scene.events) - len(events)
    return ", ".join(said) + (f", and {more} more" if more else "")
