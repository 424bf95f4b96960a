"""Draws how what a rule measured is spread, and where its bounds lie."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracecheck.report.html.svg import CHAR, drawing, element, text, titled
from tracecheck.rules.measured import Measured

_WIDTH, _HEIGHT = 520.0, 92.0
_LEFT, _RIGHT, _TOP, _FOOT = 8.0, 8.0, 30.0, 20.0
_BARS = 64
_LOGARITHMIC = 25
"""Values that differ by more than this factor are drawn on a logarithmic axis."""


_LOG = "log"


class _Mark(NamedTuple):
    """A line across the drawing, at `x`: a bound, or a percentile."""

    x: float
    said: str
    bound: bool


class _Axis(NamedTuple):
    low: float
    high: float
    logarithmic: bool

    def x(self, value: float) -> float:
        low, high, at = self.low, self.high, min(max(value, self.low), self.high)
        if self.logarithmic:
            low, high, at = log10(low), log10(high), log10(at)
        return _LEFT + (at - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    def edges(self) -> NDArray[np.float64]:
        space = np.geomspace if self.logarithmic else np.linspace
        return np.asarray(space(self.low, self.high, _BARS + 1), np.float64)


def histogram(measured: Measured, title: str) -> str:
    """The drawing as an SVG element."""
    axis = _axis(measured)
    bars, most = _bars(measured, axis)
    floor = _TOP + _HEIGHT
    parts = [*bars, element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=floor + 0.5, y2=floor + 0.5, class_="axis")]
    parts += _ticks(measured, axis, floor)
    marks = _marks(measured, axis)
    parts += _drawn(marks, floor)
    parts.append(text(f"{most}", _free(len(f"{most}") * CHAR, marks), _TOP + 8, class_="tick"))
    if axis.logarithmic:
        parts.append(text(_LOG, _WIDTH, floor + 15, class_="tick", text_anchor="end"))
    return drawing(_WIDTH, floor + _FOOT, title, parts, kind="histogram")


def spark(measured: Measured) -> str:
    """A line's height of it, for a table."""
    axis = _axis(measured)
    lowest, highest = axis.x(axis.low), axis.x(axis.high)
    width, height = 120.0, 18.0

    def x(value: float) -> float:
        return 1 + (axis.x(value) - lowest) / (highest - lowest) * (width - 2)

    a, b = x(measured.values[0]), x(measured.values[-1])
    parts = [element("rect", x=a, y=7.0, width=max(b - a, 1.5), height=4.0, class_="range")]
    middle = x(measured.ranked(50_000))
    parts.append(element("rect", x=middle - 1, y=4.0, width=2.0, height=10.0, class_="median"))
    for bound in (measured.lower, measured.upper):
        if bound is not None:
            at = int(x(bound)) + 0.5
            parts.append(element("line", x1=at, x2=at, y1=1.0, y2=height - 1, class_="limit"))
    said = f"{measured.text(measured.values[0])} to {measured.text(measured.values[-1])}"
    return drawing(width, height, said, parts, kind="spark")


def _axis(measured: Measured) -> _Axis:
    """From the least to the most that is measured or asked for, with a little room."""
    ends = [float(measured.values[0]), float(measured.values[-1])]
    ends += [bound for bound in (measured.lower, measured.upper) if bound is not None]
    low, high = min(ends), max(ends)
    if low > 0 and high > _LOGARITHMIC * low:
        return _Axis(low / 1.15, high * 1.15, True)
    room = max((high - low) * 0.06, high * 0.01, 0.5)
    return _Axis(max(low - room, 0) if low >= 0 else low - room, high + room, False)


def _bars(measured: Measured, axis: _Axis) -> tuple[list[str], int]:
    edges = axis.edges()
    heights = np.histogram(measured.values, edges, weights=measured.counts)[0]
    most = int(heights.max())
    parts = []
    for i in np.flatnonzero(heights).tolist():
        low, high = float(edges[i]), float(edges[i + 1])
        inside = measured.values[(measured.values >= low) & (measured.values <= high)]
        over = measured.upper is not None and inside[-1] > measured.upper
        under = measured.lower is not None and inside[0] < measured.lower
        # One instance of a hundred thousand must still be seen.
        tall = max(heights[i] / most * (_HEIGHT - 12), 2.0)
        x, stop = axis.x(low), axis.x(high)
        said = f"{int(heights[i])} between {measured.text(low)} and {measured.text(high)}"
        parts.append(
            element(
                "rect",
                titled(said),
                x=x + 0.5,
                y=_TOP + _HEIGHT - tall,
                width=max(stop - x - 1, 1.0),
                height=tall,
                class_="bar over" if over or under else "bar",
            )
        )
    return parts, most


def _ticks(measured: Measured, axis: _Axis, floor: float) -> list[str]:
    """Round values, apart from each other."""
    scale = measured.scale or 1.0
    parts, taken = [], -1e9
    end = _WIDTH - (len(_LOG) * CHAR + 8 if axis.logarithmic else 0)
    for value in _round_values(axis.low * scale, axis.high * scale, axis.logarithmic):
        x = axis.x(value / scale)
        said = measured.text(value / scale)
        half = len(said) * CHAR / 2
        if x - half < max(taken, 0) or x + half > end:
            continue
        taken = x + half + 8
        parts.append(element("line", x1=int(x) + 0.5, x2=int(x) + 0.5, y1=floor, y2=floor + 4, class_="axis"))
        parts.append(text(said, x, floor + 15, class_="tick", text_anchor="middle"))
    return parts


def _round_values(low: float, high: float, logarithmic: bool) -> list[float]:
    if logarithmic:
        first, last = int(np.floor(log10(low))), int(np.ceil(log10(high)))
        steps = (1,) if last - first > 4 else (1, 2, 5)
        return [s * 10.0**e for e in range(first, last + 1) for s in steps if low <= s * 10.0**e <= high]
    step = 10.0 ** np.floor(log10((high - low) / 4))
    step *= next((m for m in (1, 2, 5) if (high - low) / (step * m) <= 6), 10)
    return [float(v) for v in np.arange(np.ceil(low / step), high / step) * step]


def _marks(measured: Measured, axis: _Axis) -> list[_Mark]:
    """The median and p99, where there are enough instances, and the bounds."""
    ranks = (("p50", 50_000), ("p99", 99_000))
    found = [
        _Mark(int(axis.x(measured.ranked(share))) + 0.5, name, False)
        for name, share in ranks
        if measured.total * (100_000 - share) >= 100_000
    ]
    for bound, sign in ((measured.lower, "≥"), (measured.upper, "≤")):
        if bound is not None:
            found.append(_Mark(int(axis.x(bound)) + 0.5, f"{sign} {measured.text(bound)}", True))
    return found


def _drawn(marks: Sequence[_Mark], floor: float) -> list[str]:
    """Bounds labelled in the first row, percentiles in the second."""
    parts = []
    for x, said, bound in marks:
        if bound:
            half = len(said) * CHAR / 2
            middle = min(max(x, half + 2), _WIDTH - half - 2)
            parts.append(element("line", x1=x, x2=x, y1=14.0, y2=floor, class_="limit"))
            parts.append(text(said, middle, 10.0, class_="limit", text_anchor="middle"))
        else:
            parts.append(element("line", titled(said), x1=x, x2=x, y1=_TOP - 2, y2=floor, class_="rank"))
            parts.append(text(said, x, _TOP - 5, class_="rank", text_anchor="middle"))
    return parts


def _free(width: float, marks: Sequence[_Mark]) -> float:
    """Where a text of this width begins, as far to the left as no mark's line runs through it."""
    x = _LEFT
    for mark in sorted(marks):
        if x - 3 < mark.x < x + width + 3:
            x = mark.x + 4
    return x
