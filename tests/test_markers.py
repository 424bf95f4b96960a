"""Marker pins: levels and pulse counts, cut anywhere, and what the capture's ends leave untold."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracecheck.capture.memory import ArrayCapture
from tracecheck.capture.model import Channel, EdgeBlock
from tracecheck.decoding.markers import CODE_GAP, CODE_LEAD, CODE_SLACK, LevelMarker, MarkerDecoder, PulseCountMarker
from tracecheck.decoding.stream import decode_capture
from tracecheck.decoding.wiring import BusWire, MarkerWire, Wiring
from tracecheck.rules.engine import Engine
from tracecheck.rules.model import AbsenceRule, ResponseRule, RuleSet


@dataclass
class Told:
    """What a decoder says of a line."""

    begins: list[int]
    ends: list[int]
    pulses: list[int]
    known_from: int
    watermark: int


def levels(line: str) -> list[int]:
    """`_` low, `~` high, one character a sample."""
    return [int(c == "~") for c in line]


def blocks(line: list[int], cuts: list[int], begin: int = 0) -> list[EdgeBlock]:
    """Edge blocks of one line at bit 3."""
    points = sorted({0, len(line), *(c % (len(line) + 1) for c in cuts)})
    found = []
    for first, last in pairwise(points):
        before = line[max(first - 1, 0)]
        at = [i for i in range(max(first, 1), last) if line[i] != line[i - 1]]
        words = np.array([line[i] << 3 for i in at], np.uint8)
        found.append(EdgeBlock(np.array(at, np.int64) + begin, words, before << 3, first + begin, last + begin))
    return found


def told(decoder: MarkerDecoder, line: list[int], cuts: list[int] | None = None, begin: int = 0) -> Told:
    """Everything a decoder hands over; rows never come from behind its watermark."""
    found = Told([], [], [], 0, begin)
    for block in blocks(line, cuts or [], begin):
        decoder.feed(block)
        taken(decoder, found)
    decoder.finish(begin + len(line))
    taken(decoder, found)
    return found


def taken(decoder: MarkerDecoder, found: Told) -> None:
    rows = decoder.take()
    assert all(at >= found.watermark for at in rows.begins.tolist())
    assert decoder.watermark >= found.watermark
    found.begins += rows.begins.tolist()
    found.ends += rows.ends.tolist()
    found.pulses += rows.pulses.tolist()
    found.known_from, found.watermark = decoder.known_from, decoder.watermark


# Levels ---------------------------------------------------------------------------------------------------------------


def test_active_high_and_low() -> None:
    line = levels("___~~___~_")
    assert told(LevelMarker(3), line) == Told([3, 8], [5, 9], [1, 1], 0, 10)
    low = LevelMarker(3, active_low=True)
    assert told(low, line) == Told([5, 9], [3, 8], [1, 1], 0, 10)
    assert low.initially_active


def test_already_active() -> None:
    marker = LevelMarker(3)
    assert told(marker, levels("~~__~~")) == Told([4], [2], [1], 0, 6)
    assert marker.initially_active


# Pulse counts: written out -------------------------------------------------------------------------------------------


def codes(line: list[int], *, active_low: bool = False) -> Told:
    """The slow twin: pulses one by one, any number of them a code."""
    line = [1 - level for level in line] if active_low else line
    pulses, up = [], 0 if line[0] else -1
    for i in range(1, len(line)):
        if line[i] and not line[i - 1]:
            up = i
        elif line[i - 1] and not line[i]:
            pulses.append((up, i))
    under_way = up if line[-1] else None
    starts = [a for a, _ in pulses[1:]] + ([under_way] if under_way is not None else [len(line)])
    if not pulses:
        starts = []
    found, code = [], []
    for (a, b), following in zip(pulses, starts, strict=True):
        code.append((a, b))
        if following - b >= CODE_GAP * (b - a) + CODE_SLACK:
            found.append(code)
            code = []
    rest = code[0][0] if code else under_way
    known = 0
    if found:
        (a, b), last = found[0][0], found[0][-1]
        if line[0] or a < min(CODE_GAP * (b - a) + CODE_SLACK, CODE_LEAD):
            known = last[1] + 1
            del found[0]
    return Told(
        [c[0][0] for c in found],
        [c[-1][1] for c in found],
        [len(c) for c in found],
        known,
        len(line) if rest is None else rest,
    )


LINES = st.lists(
    st.tuples(st.sampled_from([1, 1, 2, 3, 6, 9, 13, 14, 15, 30]), st.sampled_from([1, 1, 2, 3])),
    min_size=1,
    max_size=12,
).map(lambda runs: [level for low, high in runs for level in [0] * low + [1] * high])


@given(LINES, st.integers(0, 40), st.booleans(), st.booleans(), st.lists(st.integers(0, 200), max_size=10))
def test_pulse_counts_equal_their_slow_twin_however_cut(
    line: list[int], tail: int, high_first: bool, active_low: bool, cuts: list[int]
) -> None:
    line = ([1, 1] if high_first else []) + line + [0] * tail
    if active_low:
        line = [1 - level for level in line]
    assert told(PulseCountMarker(3, None, active_low=active_low), line, cuts) == codes(line, active_low=active_low)


@given(LINES, st.lists(st.integers(0, 200), max_size=10), st.integers(1, 3))
def test_each_marker_of_a_line_takes_its_own_codes(line: list[int], cuts: list[int], pulses: int) -> None:
    every = codes(line)
    mine = told(PulseCountMarker(3, pulses), line, cuts)
    assert mine.begins == [b for b, n in zip(every.begins, every.pulses, strict=True) if n == pulses]
    assert set(mine.pulses) <= {pulses}
    assert (mine.known_from, mine.watermark) == (every.known_from, every.watermark)


# Pulse counts: by hand ------------------------------------------------------------------------------------------------

QUIET = "_" * 20


def test_a_gap_of_four_widths_splits() -> None:
    # A pulse of 2 samples: a gap of 2 * 4 + 2 samples ends the code, one of 9 does not.
    assert told(PulseCountMarker(3, None), levels(QUIET + "~~" + "_" * 10 + "~~" + QUIET)).pulses == [1, 1]
    assert told(PulseCountMarker(3, None), levels(QUIET + "~~" + "_" * 9 + "~~" + QUIET)).pulses == [2]


def test_one_pulse_and_two() -> None:
    line = levels(QUIET + "~~" + QUIET + "~~__~~" + QUIET)
    assert told(PulseCountMarker(3, 1), line) == Told([20], [22], [1], 0, 68)
    assert told(PulseCountMarker(3, 2), line) == Told([42], [48], [2], 0, 68)


@pytest.mark.parametrize("tail", ["~~__", "~~", "~~__~~__", "~~__~"])
def test_a_code_that_the_end_cuts_is_not_told_but_bounds_what_is_known(tail: str) -> None:
    line = levels(QUIET + "~~" + QUIET + tail)
    assert told(PulseCountMarker(3, 1), line) == Told([20], [22], [1], 0, 42)


@pytest.mark.parametrize("head", ["~", "~~__~~", "__~~", "_" * 9 + "~~"])
def test_a_code_that_may_have_begun_before_the_capture_is_not_told(head: str) -> None:
    line = levels(head + QUIET + "~~" + QUIET)
    assert told(PulseCountMarker(3, 1), line) == Told([len(head) + 20], [len(head) + 22], [1], len(head) + 1, len(line))


def test_nothing_is_known_while_the_first_code_is_undecided() -> None:
    marker = PulseCountMarker(3, 1, begin=100)
    for block in blocks(levels("_" * 30 + "~~__"), [10, 31], begin=100):
        marker.feed(block)
        assert marker.watermark == 100
    marker = PulseCountMarker(3, 1)
    marker.feed(EdgeBlock(np.empty(0, np.int64), np.empty(0, np.uint8), 0, 0, CODE_LEAD + 5))
    assert marker.watermark == CODE_LEAD + 5


# What it means for rules ----------------------------------------------------------------------------------------------

WIRING = Wiring(
    (BusWire("i2c0", Channel("SCL", 0), Channel("SDA", 1)),),
    (
        MarkerWire("irq", Channel("MARK", 2), "pulse-count", pulses=1, role="irq", bus="i2c0"),
        MarkerWire("run", Channel("MARK", 2), "pulse-count", pulses=2, role="run", bus="i2c0"),
    ),
)


def judged(mark: str) -> dict[str, tuple[int, int, int]]:
    """(passed, failed, cut) of two rules on an idle bus with this MARK line."""
    samples = np.array([3 | level << 2 for level in levels(mark)], np.uint8)
    rules = RuleSet(
        rules=(
            ResponseRule(id="wakes", trigger="irq", response="wake"),
            AbsenceRule(id="no-run", event="run", scope="capture"),
        )
    )
    engine = Engine(rules, WIRING, 1_000_000)
    for batch in decode_capture(ArrayCapture(samples, 1_000_000, ("SCL", "SDA", "MARK")), WIRING):
        engine.feed(batch)
    return {r.rule.id: (r.passed, r.failed, r.cut) for r in engine.results()}


def test_rules_judge_codes() -> None:
    line = QUIET + "~" + QUIET + "~_~" + QUIET + "~" + QUIET
    assert judged(line) == {"wakes": (1, 0, 1), "no-run": (0, 1, 0)}


def test_rules_do_not_judge_what_cannot_be_told() -> None:
    # The last code may be the wake that is asked for, or the run that must not come.
    assert judged(QUIET + "~" + QUIET + "~_~") == {"wakes": (0, 0, 1), "no-run": (0, 0, 1)}
    assert judged(QUIET + "~" + QUIET + "~") == {"wakes": (0, 0, 1), "no-run": (0, 0, 1)}
    # The first may be the rest of a wake: it is no interrupt, and nothing before its end is judged.
    assert judged("~" + QUIET + QUIET) == {"wakes": (0, 0, 0), "no-run": (1, 0, 0)}
