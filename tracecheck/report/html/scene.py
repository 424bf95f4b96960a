"""What each waveform of a report shows: the lines around a finding, read from the capture in one more pass.

That pass goes from the first place wanted to the last one, whatever their number, and keeps only the edges there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from tracecheck.capture.model import Capture, EdgeBlock
from tracecheck.decoding.exchanges import settle_samples
from tracecheck.decoding.find import wire
from tracecheck.exchange import LEAD_PERIODS, Mark, Wave, read_exchange, read_stretch
from tracecheck.outline import TransferFacts
from tracecheck.report.judged import Judged
from tracecheck.rules.finding import Finding
from tracecheck.stack import Annotation, outermost
from tracecheck.timebase import NS

MOST_BYTES = 4096
"""Transfers of more bytes are not read whole: only what lies around the finding is shown."""
_AROUND_S = 60e-6
"""Shown before and after a finding that belongs to no transfer."""
_AROUND_UNTIMED = 2000
_LONGEST_S = 0.02
"""Of a span that lasts longer, only so much is shown."""
_LONGEST_UNTIMED = 500_000
_MOST_ROWS = 3
"""Rows of a decoder."""
_TAIL = 4
"""SCL periods shown after what was measured, and after what it is measured against."""


class Focus(NamedTuple):
    """What was measured, in samples: from `begin` to `end`, or on and on where `end` is None.

    `lower`, `upper`: the samples at which the bounds lie, where there are any. `at`: the instant the finding is about.
    """

    at: int
    begin: int
    end: int | None
    lower: int | None
    upper: int | None

    @property
    def instants(self) -> list[int]:
        return [at for at in self if at is not None]


class Told(NamedTuple):
    """What a decoder said of the samples from `begin` to `end`. `kind` is its annotation class."""

    begin: int
    end: int
    kind: str
    text: str


class SaidRow(NamedTuple):
    """A row of what one decoder said, in which nothing overlaps."""

    decoder: str
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """Samples [begin, end) of the lines. `zero`: the sample that times count from, and what that is.

    `said`: what stacked decoders say of them.
    """

    begin: int
    end: int
    waves: tuple[Wave, ...]
    marks: tuple[Mark, ...]
    events: tuple[tuple[int, str], ...]
    zero: tuple[int, str]
    period: int
    rate_hz: int | None
    focus: Focus
    cut_tail: bool = False
    said: tuple[SaidRow, ...] = ()


class _Wanted(NamedTuple):
    """One finding's place: `facts` of its transfer where that is shown whole; the samples to read."""

    finding: Finding
    facts: TransferFacts | None
    focus: Focus
    begin: int
    end: int


def focus_of(finding: Finding, rate_hz: int | None) -> Focus:
    """What a finding measured. Only kinds of rule that measure a time have more than an instant."""
    at = finding.sample

    def away(ns: float | None) -> int | None:
        return round(ns * rate_hz / NS) if ns is not None and rate_hz else None

    value, lower, upper = away(finding.value_ns), away(finding.lower_ns), away(finding.upper_ns)
    if finding.kind == "precedence":
        begin = at if value is None else at - value
        return Focus(at, begin, at, None if lower is None else at - lower, None if upper is None else at - upper)
    if finding.kind in ("response", "duration", "recurrence"):
        bounds = (None if bound is None else at + bound for bound in (lower, upper))
        return Focus(at, at, None if value is None else at + value, *bounds)
    return Focus(at, at, at, None, None)


def scenes(one: Judged, findings: Sequence[Finding]) -> Iterator[Scene]:
    """The scene of each finding, in their order. Raises CaptureError where the capture cannot be read any more."""
    rules, capture = one.rules, one.capture
    wiring = wire(capture, list(rules.buses.values()), list(rules.markers.values()))
    settle = settle_samples(rules.settle.amount, capture.rate_hz)
    wanted = [_wanted(one, finding, settle) for finding in findings]
    if not wanted:
        return
    voices = _Voices(one)
    excerpt = Excerpt(capture, wiring.bits, [(w.begin, w.end) for w in wanted])
    for place in wanted:
        if place.facts is not None:
            shown_whole = read_exchange(excerpt, wiring, place.facts, settle, glitch_s=rules.glitch.amount)
            yield voices.added(_of_transfer(place, shown_whole), place.finding.bus)
            continue
        bus = place.finding.bus
        shown = read_stretch(excerpt, wiring, bus, place.begin, place.end, settle, glitch_s=rules.glitch.amount)
        facts = one.outline.facts(bus, place.finding.transfer)
        scene = Scene(
            shown.begin,
            shown.end,
            shown.waves,
            shown.marks,
            shown.events,
            (place.focus.at, "the finding"),
            facts.period if facts is not None else 0,
            capture.rate_hz,
            place.focus,
        )
        yield voices.added(scene, bus)


class _Voices:
    """What the stacks said on each bus, stack by stack."""

    def __init__(self, one: Judged) -> None:
        self._said: dict[str, dict[tuple[str, str], list[Annotation]]] = {}
        for each in one.report.annotations:
            self._said.setdefault(each.bus, {}).setdefault((each.stack, each.decoder), []).append(each)
        self._shown = {
            bus: [(decoder, outermost(found)) for (_, decoder), found in stacks.items()]
            for bus, stacks in self._said.items()
        }

    def added(self, scene: Scene, bus: str | None) -> Scene:
        """The scene with the rows of what was said of its samples."""
        rows = []
        for decoder, found in self._shown.get(bus or "", []):
            here = [a for a in found if a.start < scene.end and max(a.end, a.start + 1) > scene.begin]
            rows += [SaidRow(decoder, tuple(row)) for row in _apart(here)[:_MOST_ROWS]]
        return replace(scene, said=tuple(rows))


def _apart(found: Sequence[Annotation]) -> list[list[Told]]:
    """Rows in which nothing overlaps, those that come first on top."""
    rows: list[list[Told]] = []
    for one in found:
        told = Told(one.start, one.end, one.kind, one.text.strip())
        free = next((row for row in rows if row[-1].end <= told.begin and row[-1].begin < told.begin), None)
        if free is None:
            rows.append([told])
        else:
            free.append(told)
    return rows


def _of_transfer(place: _Wanted, shown: Any) -> Scene:
    facts, focus = place.facts, place.focus
    assert facts is not None
    # What was measured may reach beyond the last thing that happened: to the bound, for one.
    tail = _TAIL * max(facts.period, 1)
    end = min(max(shown.end, *(at + tail for at in focus.instants)), place.end)
    begin = max(min(shown.begin, *(at - tail for at in focus.instants)), place.begin)
    return Scene(
        min(shown.begin, begin),
        max(end, shown.end),
        shown.waves,
        shown.marks,
        shown.events,
        (facts.start, "START"),
        facts.period,
        shown.rate_hz,
        focus,
        shown.cut_tail,
    )


def _wanted(one: Judged, finding: Finding, settle: int) -> _Wanted:
    capture = one.capture
    rate, samples = capture.rate_hz, capture.samples
    focus = focus_of(finding, rate)
    facts = one.outline.facts(finding.bus, finding.transfer)
    if facts is not None and facts.n_bytes <= MOST_BYTES:
        lead = max(LEAD_PERIODS * facts.period, 4)
        # As far as read_exchange looks: to the next START, or until the exchange has settled.
        after = facts.end + (min(settle + 1, samples) if rate else 1000 * max(facts.period, 1))
        end = min(samples if facts.following is None else facts.following, after, samples)
        return _Wanted(finding, facts, focus, max(facts.start - lead, 0), max(end, facts.start + 1))
    around = round(_AROUND_S * rate) if rate else _AROUND_UNTIMED
    longest = round(_LONGEST_S * rate) if rate else _LONGEST_UNTIMED
    begin = max(min(focus.instants) - around, focus.at - longest, 0)
    end = min(max(focus.instants) + around, begin + 2 * longest, samples)
    return _Wanted(finding, None, focus, begin, max(end, begin + 1))


class _Kept(NamedTuple):
    begin: int
    end: int
    initial: int
    at: Any
    words: Any


class Excerpt(Capture):
    """Stretches of a capture, held in memory: reads like the capture itself, as long as one stays inside them."""

    def __init__(self, capture: Capture, bits: Sequence[int], ranges: Sequence[tuple[int, int]]) -> None:
        self.path, self.format, self.rate_hz = capture.path, capture.format, capture.rate_hz
        self.unitsize, self.channels = capture.unitsize, capture.channels
        self._samples = capture.samples
        self._kept = _read(capture, bits, _merged(ranges)) if bits and ranges else []
        self._begins = [kept.begin for kept in self._kept]

    @property
    def samples(self) -> int:
        return self._samples

    def edges(self, bits: Sequence[int], *, start: int = 0, stop: int | None = None) -> Iterator[EdgeBlock]:
        stop = self._samples if stop is None else stop
        if start >= stop:
            return
        kept = self._kept[bisect_right(self._begins, start) - 1]
        assert kept.begin <= start <= stop <= kept.end
        mask = kept.words.dtype.type(sum(1 << bit for bit in bits))
        first, last = np.searchsorted(kept.at, [start, stop - 1], side="right")
        before = kept.initial if first == 0 else kept.words[first - 1]
        initial = kept.words.dtype.type(before) & mask
        words = kept.words[first:last] & mask
        changes = np.flatnonzero(np.diff(words, prepend=initial))
        yield EdgeBlock(kept.at[first:last][changes], words[changes], int(initial), start, stop)


def _merged(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(ranges):
        if merged and begin <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((begin, end))
    return merged


def _read(capture: Capture, bits: Sequence[int], ranges: Sequence[tuple[int, int]]) -> list[_Kept]:
    """One pass from the first range to the last."""
    parts: list[list[tuple[Any, Any]]] = [[] for _ in ranges]
    initial = [0] * len(ranges)
    at = 0
    for block in capture.edges(bits, start=ranges[0][0], stop=ranges[-1][1]):
        while at < len(ranges) and ranges[at][1] <= block.begin:
            at += 1
        for i in range(at, len(ranges)):
            begin, end = ranges[i]
            if begin >= block.end:
                break
            first, last = np.searchsorted(block.at, [begin, end - 1], side="right")
            if begin >= block.begin:
                initial[i] = int(block.words[first - 1]) if first else int(block.initial)
            else:
                first = np.intp(0)
            # The block's arrays may be used again for the next one.
            parts[i].append((block.at[first:last].copy(), block.words[first:last].copy()))
    kept = []
    for (begin, end), start, found in zip(ranges, initial, parts, strict=True):
        columns = found or [(np.empty(0, np.int64), np.empty(0, np.uint64))]
        ats, words = (np.concatenate(column) for column in zip(*columns, strict=True))
        kept.append(_Kept(begin, end, start, ats, words))
    return kept
