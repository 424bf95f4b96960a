"""Order patterns: against Python's `re` on random patterns, and every way to write one wrongly."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracecheck.errors import PatternError, RuleError
from tracecheck.rules.pattern import MAX_STATES, Dfa, compile_pattern

LETTERS = {"start": "s", "restart": "r", "stop": "p", "data": "d", "irq.begin": "i", "wake": "w"}

REPEATS = st.one_of(
    st.sampled_from(["*", "+", "?"]),
    st.integers(1, 3).map(lambda n: f"{{{n}}}"),
    st.integers(0, 3).map(lambda n: f"{{{n},}}"),
    st.tuples(st.integers(0, 2), st.integers(0, 2)).map(lambda b: f"{{{b[0]},{b[0] + b[1] or 1}}}"),
)


def parts(inner: st.SearchStrategy[tuple[str, str]]) -> st.SearchStrategy[tuple[str, str]]:
    """Pairs of our pattern and Python's, from smaller pairs."""
    return st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(
            lambda ps: (" ".join(f"({p[0]})" for p in ps), "".join(f"(?:{p[1]})" for p in ps))
        ),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda ps: ("|".join(p[0] for p in ps), "|".join(f"(?:{p[1]})" for p in ps))
        ),
        st.tuples(inner, REPEATS).map(lambda p: (f"({p[0][0]}){p[1]}", f"(?:{p[0][1]}){p[1]}")),
    )


PATTERNS = st.recursive(st.sampled_from(list(LETTERS.items())), parts, max_leaves=8)
WORDS = st.lists(st.sampled_from(list(LETTERS)), max_size=8)


@settings(max_examples=400, deadline=None)
@given(PATTERNS, st.lists(WORDS, min_size=1, max_size=10))
def test_matches_what_a_regular_expression_matches(pattern: tuple[str, str], words: list[list[str]]) -> None:
    ours, theirs = compile_pattern(pattern[0]), re.compile(pattern[1])
    for word in words:
        seen = [event for event in word if event in ours.symbols]
        assert ours.matches(word) == (theirs.fullmatch("".join(LETTERS[e] for e in seen)) is not None)


@settings(max_examples=200, deadline=None)
@given(PATTERNS, st.data())
def test_a_word_grown_from_what_is_expected_can_always_be_finished(
    pattern: tuple[str, str], data: st.DataObject
) -> None:
    dfa = compile_pattern(pattern[0])
    state, word = dfa.start, ""
    for _ in range(60):
        expected = dfa.expected(state)
        assert expected or dfa.accepting[state]
        if not expected or (dfa.accepting[state] and len(word) > 5):
            break
        event = data.draw(st.sampled_from(expected))
        state = int(dfa.table[state, dfa.symbols.index(event)])
        word += LETTERS[event]
    if dfa.accepting[state]:
        assert re.fullmatch(pattern[1], word)


@settings(max_examples=200, deadline=None)
@given(PATTERNS)
def test_the_table_is_whole_and_only_the_dead_state_is_dead(pattern: tuple[str, str]) -> None:
    dfa = compile_pattern(pattern[0])
    states = len(dfa.table)
    assert dfa.table.shape == (states, len(dfa.symbols)) and dfa.table.dtype == np.int32
    assert dfa.table.min() >= 0 and dfa.table.max() < states
    assert (dfa.table[dfa.dead] == dfa.dead).all() and not dfa.accepting[dfa.dead]
    assert live_states(dfa) == {state for state in range(states) if dfa.live[state]} == set(range(states)) - {dfa.dead}


def live_states(dfa: Dfa) -> set[int]:
    """States from which acceptance can be reached, by walking until nothing is added."""
    live = set(np.flatnonzero(dfa.accepting).tolist())
    while more := {s for s in range(len(dfa.table)) if s not in live and live & set(dfa.table[s].tolist())}:
        live |= more
    return live


@pytest.mark.parametrize(
    ("word", "matches"),
    [
        ("start address data data stop irq.begin wake", True),
        ("start address ack data nack restart address run.begin data stop irq.begin wake", True),
        ("start address data stop wake irq.begin", False),
        ("start address data stop irq.begin", False),
    ],
)
def test_the_pattern_of_the_documentation(word: str, matches: bool) -> None:
    dfa = compile_pattern("start (address data*) (restart address data*)* stop irq wake")
    assert dfa.matches(word.split()) is matches


def test_what_is_expected_next() -> None:
    dfa = compile_pattern("start (address data*) (restart address data*)* stop irq wake")
    assert dfa.symbols == ("start", "restart", "stop", "address", "data", "irq.begin", "wake")
    assert dfa.expected(dfa.start) == ["start"]
    after_data = int(dfa.table[dfa.table[dfa.table[0, 0], 3], 4])
    assert dfa.expected(after_data) == ["restart", "stop", "data"]
    assert dfa.expected(dfa.dead) == []


def test_start_restart_and_stop_are_always_seen() -> None:
    dfa = compile_pattern("data+")
    assert dfa.symbols == ("start", "restart", "stop", "data")
    assert dfa.matches(["data", "ack", "data"])
    assert not dfa.matches(["data", "restart", "data"])


def test_a_plain_marker_name_is_its_begin() -> None:
    assert compile_pattern("irq irq.begin irq.end missing-stop").symbols[3:] == ("irq.begin", "irq.end", "missing-stop")


def test_one_automaton_serves_all_and_cannot_be_changed() -> None:
    dfa = compile_pattern("start stop")
    assert compile_pattern("start stop") is dfa
    with pytest.raises(ValueError, match="read-only"):
        dfa.table[0, 0] = 1


@pytest.mark.parametrize(
    ("pattern", "offset", "reason"),
    [
        ("", 0, "the pattern is empty"),
        ("  ", 2, "the pattern is empty"),
        ("start (address data*", 6, 'this "(" is never closed'),
        ("start data) stop", 10, 'this ")" closes nothing'),
        ("start () stop", 7, "an event or a group is missing here; for an optional part write (...)?"),
        ("start | ", 8, "an event or a group is missing here; for an optional part write (...)?"),
        ("(|start)", 1, "an event or a group is missing here; for an optional part write (...)?"),
        ("* start", 0, '"*" repeats nothing; it stands after an event or a group'),
        ("start data** stop", 11, "two repeats in a row; put the first in parentheses"),
        ("start data{2}?", 13, "two repeats in a row; put the first in parentheses"),
        ("data{3,1}", 4, '"{3,1}" runs backwards; write the smaller count first'),
        ("start data{0}", 10, '"{0}" allows none at all; leave the event out instead'),
        ("data{2 3}", 4, '"{2 3}" has no comma; a count is {n}, {n,} or {n,m}'),
        ("data{,3}", 4, '"{" has no meaning in a pattern; a count is {n}, {n,} or {n,m}'),
        ("start, stop", 5, '"," has no meaning in a pattern; blanks alone separate events'),
        ("start $stop", 6, '"$" has no meaning in a pattern'),
        ("start irq.up", 6, 'a marker has "irq.begin" and "irq.end", not "irq.up"'),
        ("start stop.end", 6, '"stop" is an instant and has no ".end"; write "stop"'),
        (
            "start irq.begin.end",
            6,
            '"irq.begin.end" is not an event name; events are for example "stop", "irq.begin", "wake"',
        ),
        ("(" * 200 + "data", 101, "parentheses more than 100 deep"),
        (" ".join(f"m{i}" for i in range(62)), 234, "more than 64 different events"),
    ],
)
def test_what_is_wrong_and_where(pattern: str, offset: int, reason: str) -> None:
    with pytest.raises(PatternError) as caught:
        compile_pattern(pattern)
    assert (caught.value.offset, caught.value.reason) == (offset, reason)
    assert str(caught.value) == f"pattern, character {offset + 1}: {reason}"
    with pytest.raises(RuleError) as broader:
        compile_pattern(pattern)
    assert broader.value.mistakes == (str(caught.value),)


TOO_MANY = "too big: more than 10,000 states; use * or + instead of counts"


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (
            "((data{1000}){1000}){1000}",
            "too big: 1,000,000 events when written out (at most 20,000); use * or +",
        ),
        ("data{999999}", "too big: 999,999 events when written out (at most 20,000); use * or +"),
        ("(data{150,}){150,}", "too big: 22,500 events when written out (at most 20,000); use * or +"),
        ("data{10000}", TOO_MANY),
        ("(data | ack)* data (data | ack){13}", TOO_MANY),
        ("(data | ack)* data (data | ack){2000}", TOO_MANY),
        ("(data?){5000}", TOO_MANY),
        ("((data{0,90}){1,90} ack?){1,2}", TOO_MANY),
    ],
)
def test_what_would_grow_too_big_is_refused_at_once(pattern: str, reason: str) -> None:
    begin = time.perf_counter()
    with pytest.raises(PatternError) as caught:
        compile_pattern(pattern)
    assert caught.value.reason == reason
    assert time.perf_counter() - begin < 10


def test_just_below_the_limit_it_is_compiled() -> None:
    dfa = compile_pattern("data{9000}")
    assert len(dfa.table) == 9002 <= MAX_STATES
    assert dfa.matches(["data"] * 9000) and not dfa.matches(["data"] * 8999)
    optional = compile_pattern("start data{0,9000} stop")
    assert optional.matches(["start", "stop"]) and optional.matches(["start", *["data"] * 9000, "stop"])
    assert not optional.matches(["start", *["data"] * 9001, "stop"])
