"""Which samples each column of a drawing covers.

Every clock edge (or, when room is short, every clock) and every marker edge outside the clocks gets a column of its
own; gaps between them get as many more as they last, up to a limit. So time is not to scale, but order always is, and
what lasts longer than it is drawn is marked.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tracecheck.decoding.rows import distinct
from tracecheck.exchange import Exchange

Samples = NDArray[np.int64]

MOST_FILL = 6
"""Columns a gap gets at most, """
TIGHT_FILL = 3
"""and where room is so short that a clock has one column only."""
EDGE_COLUMNS = 2
"""Columns before START, and after the last edge."""
ELISION = 7
"""Columns that stand for what is left out."""
_HEAD_SHARE = 0.6
"""Of the room for bytes, so much goes to those at the beginning when not all fit."""


@dataclass(frozen=True, slots=True)
class Column:
    """Samples [begin, end). `squeezed`: lasts longer than a column elsewhere; `left_out`: not drawn at all."""

    begin: int
    end: int
    squeezed: bool = False
    left_out: bool = False


def layout(exchange: Exchange, width: int) -> list[Column]:
    """At most `width` columns, in as much detail as fits: four, two or one a clock, then without the middle."""
    half = max(exchange.facts.period / 2, 1.0)
    for unit, every_edge in ((half / 2, True), (half, True), (2 * half, False)):
        columns = _columns(exchange, unit, every_edge=every_edge)
        if len(columns) <= width:
            return columns
    return _shortened(exchange, columns, width)


def find(columns: list[Column], sample: int) -> int | None:
    """Index of the column that shows a sample; None where it lies outside or in what is left out."""
    begins = [column.begin for column in columns]
    i = int(np.searchsorted(begins, sample, side="right")) - 1
    if i < 0 or columns[i].left_out or sample >= columns[i].end:
        return None
    return i


def _columns(exchange: Exchange, unit: float, *, every_edge: bool) -> list[Column]:
    scl = exchange.waves[0]
    inside = scl.edges[(scl.edges >= exchange.facts.start) & (scl.edges <= exchange.facts.end)]
    levels = (np.searchsorted(scl.edges, inside) + scl.initial) % 2  # before the edge
    falls = inside[levels == 1]
    clocks = inside if every_edge else inside[levels == 0]
    points = distinct(np.concatenate([clocks, _framing(exchange), *_outside(exchange, inside, unit)]))
    points = points[(points > exchange.begin) & (points < exchange.end)]
    if not len(points):
        return [Column(exchange.begin, exchange.end)]
    markers = set(np.concatenate([np.empty(0, np.int64), *(w.edges for w in exchange.waves if not w.bus)]).tolist())
    cuts: list[tuple[int, bool]] = [(cut, False) for cut in _evenly(exchange.begin, int(points[0]), EDGE_COLUMNS)]
    ends = [*points[1:].tolist(), exchange.end]
    for p, q in zip(points.tolist(), ends, strict=True):
        fill, squeezed = _fill(q - p, unit, MOST_FILL if every_edge else TIGHT_FILL)
        if q == exchange.end:
            fill = max(fill, EDGE_COLUMNS)
        elif p in markers or q in markers:
            fill = max(fill, 1)
        cuts += [(cut, squeezed) for cut in _cuts(p, q, fill, None if every_edge else falls)]
    begins = [exchange.begin, *(cut for cut, _ in cuts)]
    # What a gap is squeezed into are the columns between the first and the last of its cuts.
    flags = [False, *(flag and i + 1 < len(cuts) and cuts[i + 1][1] for i, (_, flag) in enumerate(cuts))]
    stops = [*begins[1:], exchange.end]
    return [Column(a, b, s) for a, b, s in zip(begins, stops, flags, strict=True) if a < b]


def _framing(exchange: Exchange) -> Samples:
    return np.array([m.begin for m in exchange.marks if m.text in ("S", "Sr", "P")], np.int64)


def _outside(exchange: Exchange, clocks: Samples, unit: float) -> list[Samples]:
    """Marker edges (and, behind STOP, edges of the bus) that no clock stands close to."""
    found = []
    for wave in exchange.waves:
        edges = wave.edges
        if wave.bus:
            edges = edges[edges > exchange.facts.end]
        elif len(clocks):
            i = np.searchsorted(clocks, edges)
            before = edges - clocks[np.maximum(i - 1, 0)]
            after = clocks[np.minimum(i, len(clocks) - 1)] - edges
            alone = (np.abs(before) > unit) & (np.abs(after) > unit)
            edges = edges[alone | (edges > exchange.facts.end) | (edges < clocks[0])]
        found.append(edges)
    return found


def _fill(gap: int, unit: float, most: int) -> tuple[int, bool]:
    """How many columns a gap gets, and whether it deserves more."""
    wanted = round(gap / unit) - 1 if gap > 1.75 * unit else 0
    return min(wanted, most), wanted > most


def _cuts(p: int, q: int, fill: int, falls: Samples | None) -> list[int]:
    """Where the columns between two points begin: `fill` of them, and that of `q` itself."""
    fill = min(fill, q - p - 1)
    if falls is not None:
        i = int(np.searchsorted(falls, p, side="right"))
        if i < len(falls) and p < falls[i] < q:
            first = int(falls[i])
            return [first, *_evenly(first, q, min(fill, q - first - 1) + 1)[1:]]
    gap = q - p
    return [p + max(1, gap * (2 * i + 1) // (2 * (fill + 1))) for i in range(fill + 1)]


def _evenly(a: int, b: int, n: int) -> list[int]:
    """`n` cuts that part [a, b] evenly, the first behind `a` unless there is only one, the last before or at `b`."""
    return sorted({a + (b - a) * (i + 1) // (n + 1) for i in range(n)} - {a})


def _shortened(exchange: Exchange, columns: list[Column], width: int) -> list[Column]:
    """Without whole bytes in the middle; where that is not enough, without whatever stands in the middle."""
    scl = exchange.waves[0].edges
    clocks = scl[scl <= exchange.facts.end]
    last_clock = int(clocks[-1]) if len(clocks) else exchange.facts.end
    tail = next((i for i, c in enumerate(columns) if c.end > last_clock), len(columns) - 1)
    room = max(width - ELISION - (len(columns) - tail), 0)
    starts = sorted({i for m in exchange.marks if m.begin < m.end if (i := find(columns, m.begin)) is not None})
    head = max((i for i in starts if i <= int(room * _HEAD_SHARE)), default=0) or min(room, width // 2)
    rest = max(width - ELISION - head, 0)
    again = min((i for i in starts if i >= len(columns) - rest), default=len(columns) - rest)
    again = max(again, len(columns) - rest)
    gap = Column(columns[head].begin, columns[again].begin if again < len(columns) else exchange.end, left_out=True)
    begins = np.linspace(gap.begin, gap.end, ELISION + 1).astype(int).tolist()
    holes = [Column(a, b, left_out=True) for a, b in pairwise(begins)]
    return [*columns[:head], *holes, *columns[again:]]
