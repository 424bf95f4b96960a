"""Order patterns, compiled to automata: `start (address data*) (restart address data*)* stop irq wake`.

    pattern  = sequence ("|" sequence)*
    sequence = item+
    item     = (NAME | "(" pattern ")") repeat?
    repeat   = "*" | "+" | "?" | "{n}" | "{n,}" | "{n,m}"

The alphabet is the names used, and always start, restart and stop: a pattern says of these all that may happen, so an
unexpected repeated START breaks it although it does not name it. Events outside the alphabet are not seen.

The text becomes a tree, the tree an automaton with empty moves (Thompson's construction), that one a deterministic
automaton (subset construction). Each step is bounded, so no pattern takes long or much memory to be refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from tracecheck.errors import PatternError
from tracecheck.rules.vocabulary import BUS_EVENTS, canonical

MAX_STATES: Final = 10_000
"""States of the finished automaton."""
_MAX_COPIES: Final = 20_000
"""Names after {n,m} is written out; a sequence of more than MAX_STATES could not be compiled anyway."""
_MAX_WORK: Final = 2_000_000
"""Members of all subsets together, while the deterministic automaton is built: about a second."""
_MAX_DEPTH: Final = 100
_MAX_NAMES: Final = 64

_ALWAYS: Final = ("start", "restart", "stop")
_BLANKS: Final = re.compile(r"\s*")
_TOKEN: Final = re.compile(
    r"(?:(?P<name>[A-Za-z_][A-Za-z0-9_.:-]*)|(?P<count>\{\s*(?P<low>[0-9]{1,6})\s*(?P<comma>,)?\s*(?P<high>[0-9]{1,6})?\s*\})"
    r"|(?P<sign>[()|*+?]))"
)


@dataclass(frozen=True, slots=True, eq=False)
class Dfa:
    """A deterministic automaton over event names. It begins in `start`; the scope's events must end in `accepting`.

    `table`      int32 [states, symbols]: the next state, columns in the order of `symbols`
    `accepting`  bool [states]
    `live`       bool [states]: acceptance can still be reached
    `dead`       the state from which it cannot; it leads only to itself
    Arrays are read-only, as one automaton serves every rule with its pattern.
    """

    symbols: tuple[str, ...]
    table: NDArray[np.int32]
    start: int
    accepting: NDArray[np.bool_]
    dead: int
    live: NDArray[np.bool_]

    def expected(self, state: int) -> list[str]:
        """The events that keep a match possible in this state, in the order of `symbols`."""
        row = self.table[state]
        return [symbol for symbol, to in zip(self.symbols, row, strict=True) if self.live[to]]

    def fits(self, scope: str) -> bool:
        """Whether some `transfer` or `exchange` could match: START first and once, STOP at most once, and after it
        nothing of the bus, or, in a transfer, nothing but what a decoder says of it in the very sample of STOP.
        """
        table, live = self.table, self.live
        columns = {symbol: column for column, symbol in enumerate(self.symbols)}
        bus = {columns[event] for event in BUS_EVENTS if event in columns} | {columns[event] for event in _ALWAYS}
        inside = [c for c in columns.values() if c not in (columns["start"], columns["stop"])]
        behind = [c for s, c in columns.items() if (c not in bus if scope == "exchange" else ":" in s)]
        todo = [(int(table[self.start, columns["start"]]), True)]
        seen = set(todo)
        for state, under_way in todo:  # grows while it is walked
            if self.accepting[state]:
                return True
            moves = [(column, True) for column in inside] if under_way else [(column, False) for column in behind]
            moves += [(columns["stop"], False)] if under_way else []
            for column, still in moves:
                step = (int(table[state, column]), still)
                if live[step[0]] and step not in seen:
                    seen.add(step)
                    todo.append(step)
        return False

    def index(self, event: str) -> int | None:
        """The column of an event, or None where the pattern does not see it."""
        return self.symbols.index(event) if event in self.symbols else None

    def matches(self, events: list[str]) -> bool:
        """Whether these events, in this order, match the whole pattern; those outside the alphabet are not seen."""
        columns = {symbol: column for column, symbol in enumerate(self.symbols)}
        state = self.start
        for event in events:
            if (column := columns.get(event)) is not None:
                state = int(self.table[state, column])
        return bool(self.accepting[state])


@dataclass(slots=True)
class _Node:
    """A part of the pattern: a name, parts in sequence, alternatives, or one part repeated."""

    op: Literal["name", "sequence", "choice", "repeat"]
    name: str = ""
    parts: list[_Node] = field(default_factory=list)
    low: int = 1
    high: int | None = 1
    copies: int = 1
    """Names in it once its repeats are written out."""


class _Parser:
    """Recursive descent; `at` is the offset of the token under `kind`."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.end = text, 0, 0
        self.token: re.Match[str] | None = None
        self.names: dict[str, None] = dict.fromkeys(_ALWAYS)
        self.advance()

    def advance(self) -> None:
        self.at = _BLANKS.match(self.text, self.end).end()  # type: ignore[union-attr]  # it matches anywhere
        self.token = _TOKEN.match(self.text, self.at)
        if self.token is not None:
            self.end = self.token.end()
        elif self.at < len(self.text):
            found = self.text[self.at]
            hint = "; a count is {n}, {n,} or {n,m}" if found in "{}" else ""
            hint = "; blanks alone separate events" if found in ",;>" else hint
            raise PatternError(self.text, self.at, f'"{found}" has no meaning in a pattern{hint}')

    def sign(self) -> str | None:
        return self.token["sign"] if self.token else None

    def choice(self, depth: int) -> _Node:
        if depth > _MAX_DEPTH:
            raise PatternError(self.text, self.at, f"parentheses more than {_MAX_DEPTH} deep")
        parts = [self.sequence(depth)]
        while self.sign() == "|":
            self.advance()
            parts.append(self.sequence(depth))
        if len(parts) == 1:
            return parts[0]
        return _Node("choice", parts=parts, copies=sum(part.copies for part in parts))

    def sequence(self, depth: int) -> _Node:
        parts: list[_Node] = []
        while self.token is not None and self.sign() not in ("|", ")"):
            parts.append(self.item(depth))
        if not parts:
            what = "an event or a group is missing here; for an optional part write (...)?"
            raise PatternError(self.text, self.at, what if self.text.strip() else "the pattern is empty")
        if len(parts) == 1:
            return parts[0]
        return self.bounded(_Node("sequence", parts=parts, copies=sum(part.copies for part in parts)))

    def item(self, depth: int) -> _Node:
        token, at = self.token, self.at
        if token is not None and token["name"]:
            node = _Node("name", name=self.event(token["name"], at))
            self.advance()
        elif self.sign() == "(":
            self.advance()
            node = self.choice(depth + 1)
            if self.sign() != ")":
                raise PatternError(self.text, at, 'this "(" is never closed')
            self.advance()
        else:
            found = self.text[at : self.end].strip()
            raise PatternError(self.text, at, f'"{found}" repeats nothing; it stands after an event or a group')
        return self.repeated(node)

    def repeated(self, node: _Node) -> _Node:
        if not self.is_repeat():
            return node
        at, token = self.at, self.token
        assert token is not None
        low, high = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(token["sign"] or "", (0, None))
        if token["count"]:
            low = int(token["low"])
            high = int(token["high"]) if token["high"] else None if token["comma"] else low
            if token["high"] and not token["comma"]:
                raise PatternError(
                    self.text, at, f'"{token["count"]}" has no comma; a count is {{n}}, {{n,}} or {{n,m}}'
                )
            if high is not None and high < low:
                raise PatternError(self.text, at, f'"{token["count"]}" runs backwards; write the smaller count first')
            if high == 0:
                raise PatternError(self.text, at, f'"{token["count"]}" allows none at all; leave the event out instead')
        self.advance()
        if self.is_repeat():
            raise PatternError(self.text, self.at, "two repeats in a row; put the first in parentheses")
        written_out = max(low, 1) if high is None else high
        return self.bounded(_Node("repeat", parts=[node], low=low, high=high, copies=node.copies * written_out), at)

    def is_repeat(self) -> bool:
        return self.token is not None and (bool(self.token["count"]) or self.token["sign"] in ("*", "+", "?"))

    def event(self, name: str, at: int) -> str:
        try:
            event = canonical(name)
        except ValueError as error:
            raise PatternError(self.text, at, str(error)) from None
        self.names.setdefault(event)
        if len(self.names) > _MAX_NAMES:
            raise PatternError(self.text, at, f"more than {_MAX_NAMES} different events")
        return event

    def bounded(self, node: _Node, at: int = 0) -> _Node:
        if node.copies > _MAX_COPIES:
            raise PatternError(
                self.text, at, f"too big: {node.copies:,} events when written out (at most {_MAX_COPIES:,}); use * or +"
            )
        return node


class _Nfa:
    """Thompson's automaton: each state has empty moves, and at most one move on a symbol."""

    def __init__(self) -> None:
        self.empty: list[list[int]] = []
        self.symbol: list[int] = []
        self.to: list[int] = []

    def state(self) -> int:
        self.empty.append([])
        self.symbol.append(-1)
        self.to.append(-1)
        return len(self.empty) - 1

    def build(self, node: _Node, columns: dict[str, int], begin: int) -> int:
        """Adds `node` after state `begin`; gives the state in which it is matched."""
        if node.op == "name":
            end, here = self.state(), begin
            if self.symbol[here] >= 0 or self.empty[here]:
                here = self.state()
                self.empty[begin].append(here)
            self.symbol[here], self.to[here] = columns[node.name], end
            return end
        if node.op == "sequence":
            for part in node.parts:
                begin = self.build(part, columns, begin)
            return begin
        if node.op == "choice":
            end = self.state()
            for part in node.parts:
                first = self.state()
                self.empty[begin].append(first)
                self.empty[self.build(part, columns, first)].append(end)
            return end
        return self.repeat(node, columns, begin)

    def repeat(self, node: _Node, columns: dict[str, int], begin: int) -> int:
        part, end = node.parts[0], self.state()
        for _ in range(node.low if node.high is not None else max(node.low - 1, 0)):
            begin = self.build(part, columns, begin)
        if node.high is None:
            loop = self.state()
            self.empty[begin].append(loop)
            if node.low == 0:
                self.empty[begin].append(end)
            done = self.build(part, columns, loop)
            self.empty[done] += [loop, end]
            return end
        for _ in range(node.high - node.low):
            # Each optional copy leaves straight to the end, not through its followers: subsets stay small.
            self.empty[begin].append(end)
            first = self.state()
            self.empty[begin].append(first)
            begin = self.build(part, columns, first)
        self.empty[begin].append(end)
        return end

    def closure(self, states: set[int]) -> frozenset[int]:
        seen, open_ = set(states), list(states)
        while open_:
            for to in self.empty[open_.pop()]:
                if to not in seen:
                    seen.add(to)
                    open_.append(to)
        return frozenset(seen)


@lru_cache(maxsize=256)
def compile_pattern(text: str) -> Dfa:
    """The automaton of a pattern. Raises PatternError with the offset of what is wrong, or that it grows too big."""
    parser = _Parser(text)
    tree = parser.choice(0)
    if parser.token is not None:
        raise PatternError(text, parser.at, 'this ")" closes nothing')
    symbols = tuple(parser.names)
    nfa = _Nfa()
    first = nfa.state()
    final = nfa.build(tree, {symbol: column for column, symbol in enumerate(symbols)}, first)
    return _determined(text, nfa, first, final, symbols)


def _determined(text: str, nfa: _Nfa, first: int, final: int, symbols: tuple[str, ...]) -> Dfa:
    begin = nfa.closure({first})
    numbers = {begin: 0}
    order, rows, work = [begin], [], len(begin)
    for subset in order:  # grows while it is walked
        moves: dict[int, set[int]] = {}
        for state in subset:
            if nfa.symbol[state] >= 0:
                moves.setdefault(nfa.symbol[state], set()).add(nfa.to[state])
        row = [-1] * len(symbols)
        for column, targets in moves.items():
            to = nfa.closure(targets)
            work += len(to)
            if to not in numbers:
                numbers[to] = len(order)
                order.append(to)
            row[column] = numbers[to]
            if len(order) >= MAX_STATES or work > _MAX_WORK:
                raise PatternError(text, 0, f"too big: more than {MAX_STATES:,} states; use * or + instead of counts")
        rows.append(row)
    dead = len(order)
    table = np.full((dead + 1, len(symbols)), dead, dtype=np.int32)
    given = np.asarray(rows, dtype=np.int32)
    table[:dead] = np.where(given < 0, dead, given)
    accepting = np.array([final in subset for subset in order] + [False], dtype=np.bool_)
    live = np.ones(dead + 1, dtype=np.bool_)
    live[dead] = False  # every other state can reach the end: no part of a pattern is a dead end
    for array in (table, accepting, live):
        array.setflags(write=False)
    return Dfa(symbols, table, 0, accepting, dead, live)
