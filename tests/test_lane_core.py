"""The loops of the core behind lanes, order rules and counts, each against a slow, obvious twin."""

from __future__ import annotations

import os
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tracecheck import _bounds, _lane, _match, _tally

EXAMPLES = int(os.environ.get("TRACECHECK_EXAMPLES", "300"))
thorough = settings(max_examples=EXAMPLES, deadline=None)
FIRST_FREE, NEVER = 16, -(1 << 63)
SAMPLES = st.integers(0, 30)
Stream = tuple[NDArray[np.int64], NDArray[np.int16], NDArray[np.int64]]


def samples(values: list[int]) -> NDArray[np.int64]:
    return np.array(values, np.int64)


def stream(events: list[tuple[int, int, int]]) -> Stream:
    at, code, own = zip(*events, strict=True) if events else ((), (), ())
    return samples(list(at)), np.array(code, np.int16), samples(list(own))


def empty(n: int) -> Stream:
    return np.empty(n, np.int64), np.empty(n, np.int16), np.empty(n, np.int64)


EVENTS = st.lists(st.tuples(SAMPLES, st.integers(0, 40), st.integers(-1, 6)), max_size=25)


# Merging --------------------------------------------------------------------------------------------------------------


@thorough
@given(st.lists(EVENTS, max_size=8))
def test_streams_are_merged_as_a_stable_sort_would(parts: list[list[tuple[int, int, int]]]) -> None:
    parts = [sorted(part, key=lambda e: e[:2]) for part in parts]
    merged = empty(sum(map(len, parts)))
    _lane.interleave([stream(part) for part in parts], *merged)
    expected = sorted((event for part in parts for event in part), key=lambda e: e[:2])
    assert list(zip(*(column.tolist() for column in merged), strict=True)) == expected


def test_streams_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 64"):
        _lane.interleave([stream([])] * 65, *empty(0))
    with pytest.raises(ValueError, match="room for exactly all"):
        _lane.interleave([stream([(1, 2, 3)])], *empty(2))
    at, code, own = stream([(1, 2, 3)])
    with pytest.raises(ValueError, match="differ in length"):
        _lane.interleave([(at, code[:0], own)], *empty(1))


# Whose each event is --------------------------------------------------------------------------------------------------


@st.composite
def lanes(draw: st.DrawFn) -> tuple[list[tuple[int, int, int]], list[tuple[int, int, int]], list[tuple[int, bool]]]:
    """Events of the bus, all others, and the transfers: number, void."""
    gaps = draw(st.lists(st.integers(1, 3) if draw(st.booleans()) else st.just(1), max_size=5))
    ids = np.cumsum(gaps).tolist()
    transfers = [(number, draw(st.booleans())) for number in ids]
    bus = draw(st.lists(st.tuples(SAMPLES, st.integers(0, 6), st.integers(0, 8)), max_size=20))
    others = draw(EVENTS)
    return sorted(bus, key=lambda e: e[0]), sorted(others, key=lambda e: e[:2]), transfers


@thorough
@given(lanes(), st.data())
def test_every_event_learns_whose_it_is(
    lane: tuple[list[tuple[int, int, int]], list[tuple[int, int, int]], list[tuple[int, bool]]], data: st.DataObject
) -> None:
    bus, others, transfers = lane
    rows = [row for row, (_, void) in enumerate(transfers) if not void]
    edges = sorted(data.draw(st.lists(SAMPLES, min_size=2 * len(rows), max_size=2 * len(rows))))
    start, close = edges[::2], edges[1::2]
    n = len(bus) + len(others)
    at, code, own, owner = np.empty(n, np.int64), np.empty(n, np.int16), np.empty(n, np.int64), np.empty(n, np.int64)
    own_row, owner_row = np.empty(n, np.int32), np.empty(n, np.int32)
    _lane.build(
        stream(bus),
        stream(others),
        samples([number for number, _ in transfers]),
        np.array([void for _, void in transfers], np.bool_).view(np.uint8),
        samples(start),
        samples(close),
        samples(rows),
        FIRST_FREE,
        at,
        code,
        own,
        owner,
        own_row,
        owner_row,
    )
    expected = sorted([(*event, 0) for event in bus] + [(*event, 1) for event in others], key=lambda e: (e[0], e[3]))
    assert list(zip(at.tolist(), code.tolist(), own.tolist(), strict=True)) == [e[:3] for e in expected]
    row_of = {number: row for row, (number, _) in enumerate(transfers)}
    void = {number for number, is_void in transfers if is_void}
    for i, (when, what, mine, _) in enumerate(expected):
        whose = mine
        if mine < 0 or mine in void:
            holds = [k for k in range(len(rows)) if start[k] <= when]
            free = mine < 0 or what >= FIRST_FREE
            whose = transfers[rows[holds[-1]]][0] if free and holds and when < close[holds[-1]] else -1
        assert (owner[i], owner_row[i]) == (whose, row_of.get(whose, -1))
        assert own_row[i] == row_of.get(mine, -1)


def test_lanes_that_do_not_fit_are_refused() -> None:
    none, nobody = samples([]), np.empty(0, np.uint8)
    room = [*empty(0), none.copy(), np.empty(0, np.int32), np.empty(0, np.int32)]
    with pytest.raises(ValueError, match="an exchange is of no transfer"):
        _lane.build(empty(0), empty(0), none, nobody, samples([1]), samples([2]), samples([0]), 16, *room)
    with pytest.raises(ValueError, match="not enough room"):
        _lane.build(stream([(1, 2, 3)]), empty(0), none, nobody, none, none, none, 16, *room)
    with pytest.raises(ValueError, match="transfers or exchanges differ"):
        _lane.build(empty(0), empty(0), samples([1]), nobody, none, none, none, 16, *room)


# Places ---------------------------------------------------------------------------------------------------------------


@thorough
@given(st.lists(st.integers(0, 9), max_size=60), st.lists(st.integers(-1, 5), min_size=10, max_size=10))
def test_places_are_grouped(keys: list[int], group_of: list[int]) -> None:
    groups = max(group_of) + 1
    for kind in (np.uint8, np.int16, np.int32):
        offsets, scratch, order = (np.empty(n, np.int64) for n in (groups + 1, len(keys), len(keys)))
        count = _lane.group(np.array(keys, kind), samples(group_of), offsets, scratch, order)
        found = [order[offsets[g] : offsets[g + 1]].tolist() for g in range(groups)]
        assert found == [[i for i, key in enumerate(keys) if group_of[key] == g] for g in range(groups)]
        assert count == sum(map(len, found))


def test_a_key_without_a_group_is_refused() -> None:
    for keys, group_of in (([3], [0, 0]), ([-1], [0, 0]), ([0], [7])):
        with pytest.raises(ValueError, match="no group"):
            _lane.group(np.array(keys, np.int16), samples(group_of), samples([0, 0]), samples([0]), samples([0]))


@thorough
@given(st.lists(st.integers(-1, 6), max_size=60))
def test_rows_have_ranges(rows: list[int]) -> None:
    first, end = samples([9] * 7), samples([9] * 7)
    _lane.ranges(np.array(rows, np.int32), first, end)
    for row in range(7):
        places = [i for i, mine in enumerate(rows) if mine == row] or [0, -1]
        assert (first[row], end[row]) == (places[0], places[-1] + 1)
    with pytest.raises(ValueError, match="no entry"):
        _lane.ranges(np.array([7], np.int32), first, end)


@thorough
@given(st.lists(SAMPLES, max_size=40), st.lists(SAMPLES, max_size=40), st.booleans())
def test_samples_are_found_as_numpy_finds_them(events: list[int], at: list[int], ascending: bool) -> None:
    ordered, wanted = samples(sorted(events)), samples([*(sorted(at) if ascending else at), (1 << 63) - 1])
    for side in ("left", "right"):
        found = np.empty(len(wanted), np.int64)
        _lane.search(ordered, wanted, side == "right", found)
        assert found.tolist() == np.searchsorted(ordered, wanted, side=side).tolist()  # type: ignore[call-overload]


@thorough
@given(EVENTS, st.tuples(st.integers(0, 3), st.integers(0, 8)), st.data())
def test_the_latest_event_with_a_code(
    events: list[tuple[int, int, int]], codes: tuple[int, int], data: st.DataObject
) -> None:
    at, code, _ = stream(sorted(events, key=lambda e: e[0]))
    places = sorted(data.draw(st.sets(st.integers(0, len(at) - 1)))) if len(at) else []
    upto, before = np.empty(len(places), np.int64), np.empty(len(places), np.int64)
    _lane.latest(at, code, samples(places), *codes, NEVER, upto, before)
    wire = at[(code >= codes[0]) & (code < codes[1])].tolist()
    assert upto.tolist() == [max((w for w in wire if w <= at[p]), default=NEVER) for p in places]
    assert before.tolist() == [max((w for w in wire if w < at[p]), default=NEVER) for p in places]
    with pytest.raises(ValueError, match="must ascend and lie in the lane"):
        _lane.latest(at, code, samples([len(at)]), *codes, NEVER, samples([0]), samples([0]))


@thorough
@given(st.lists(st.lists(st.integers(0, 3), max_size=12), max_size=6))
def test_data_of_the_first_message_are_counted(transfers: list[list[int]]) -> None:
    code = np.array([what for events in transfers for what in events], np.int16)
    rows = np.array([row for row, events in enumerate(transfers) for _ in events], np.int32)
    count = np.empty(len(transfers), np.int64)
    _lane.first_data(code, rows, 1, 2, count)
    assert count.tolist() == [(e[: e.index(2)] if 2 in e else e).count(1) for e in transfers]


# Order ----------------------------------------------------------------------------------------------------------------


@thorough
@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 4), st.integers(-1, 3)), max_size=30),
    st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=3, max_size=3),
    st.lists(st.booleans(), min_size=4, max_size=4),
    st.lists(st.integers(0, 3), max_size=6),
    st.integers(0, 9),
)
def test_the_automaton_runs_over_scopes(
    events: list[tuple[int, int, int]], table: list[list[int]], accepting: list[bool], rows: list[int], until: int
) -> None:
    at, code, owner = stream(sorted(events, key=lambda e: e[0]))
    owners, column, dead = owner.astype(np.int32), np.array([0, 1, -1, 2, 0], np.int32), 3
    first, end = np.empty(4, np.int64), np.empty(4, np.int64)
    _lane.ranges(owners, first, end)
    n = len(rows)
    states, alive, nth = (np.empty(n, np.int32) for _ in range(3))
    died, last, tied = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.uint8)
    transitions = np.array([*table, [dead] * 3], np.int32)
    accepts = np.array([*accepting[:3], False], np.uint8)
    _match.scopes(
        transitions,
        accepts,
        0,
        dead,
        column,
        at,
        code,
        owners,
        first,
        end,
        samples(rows),
        until,
        3,
        states,
        alive,
        died,
        last,
        nth,
        tied,
    )
    for k, row in enumerate(rows):
        mine = [i for i in range(len(at)) if owners[i] == row and column[code[i]] >= 0 and at[i] < until]
        path = [0]
        for i in mine:
            if path[-1] != dead:
                path.append(int(transitions[path[-1], column[code[i]]]))
        lives = path[-1] != dead
        fitted = mine[: len(path) - 1 if lives else len(path) - 2]
        assert died[k] == (-1 if lives else mine[len(path) - 2])
        assert (states[k], alive[k]) == (path[-1], path[-1] if lives else path[-2])
        assert last[k] == (fitted[-1] if fitted else -1)
        names = [column[code[i]] for i in fitted]
        wrong = fitted and not (lives and accepts[path[-1]])
        assert nth[k] == (names.count(names[-1]) if wrong else 0)
        assert bool(tied[k]) == any(at[a] == at[b] and max(code[a], code[b]) >= 3 for a, b in pairwise(mine))


# Counts ---------------------------------------------------------------------------------------------------------------


@thorough
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 20)), max_size=60))
def test_verdicts_and_values_are_counted(instances: list[tuple[int, int]]) -> None:
    verdict, value = np.array([v for v, _ in instances], np.uint8), samples([x for _, x in instances])
    counts = samples([0] * 5)
    assert _tally.verdicts(verdict, value, 3, counts) == sum(x >= 0 and v != 3 for v, x in instances)
    assert counts.tolist() == [sum(v == kind for v, _ in instances) for kind in range(5)]
    kept = [x for _, x in instances if x >= 0]
    dense, beyond = samples([0] * 10), np.empty(len(kept), np.int64)
    far, least, most = _tally.histogram(samples(kept), dense, beyond)
    assert beyond[:far].tolist() == [x for x in kept if x >= 10]
    assert dense.tolist() == [kept.count(x) for x in range(10)]
    assert (least, most) == (min(kept, default=-1), max(kept, default=-1))


def test_counts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="no count"):
        _tally.verdicts(np.array([5], np.uint8), samples([1]), 3, samples([0] * 5))
    with pytest.raises(ValueError, match="below 0"):
        _tally.histogram(samples([1, -1]), samples([0]), samples([0, 0]))
    with pytest.raises(ValueError, match="not enough room"):
        _tally.histogram(samples([1]), samples([0]), samples([]))


# Bounds ---------------------------------------------------------------------------------------------------------------

FARTHEST = 2**63 - 1


@thorough
@given(
    st.lists(st.one_of(st.integers(0, 12), st.just(FARTHEST)), max_size=20),
    st.lists(st.one_of(st.integers(-2, 12), st.sampled_from([-FARTHEST - 1, FARTHEST])), min_size=4, max_size=4),
)
def test_each_distance_lies_within_beyond_or_neither(distances: list[int], limits: list[int]) -> None:
    under, least, most, over = limits
    verdict = np.empty(len(distances), np.uint8)
    _bounds.judge(samples(distances), under, least, most, over, (7, 8, 9), verdict)
    assert verdict.tolist() == [8 if d <= under or d >= over else 7 if least <= d <= most else 9 for d in distances]


def test_verdicts_without_a_distance_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        _bounds.judge(samples([1, 2]), 0, 0, 1, 1, (0, 1, 2), np.empty(1, np.uint8))
