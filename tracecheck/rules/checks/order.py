"""order: the events of every scope, in order, match a pattern from first to last.

One instance per scope. Only events of the pattern's alphabet count, and always start, restart and stop. Events in one
sample may have come in any order, but for those of the bus itself and for ready, which never precedes its interrupt:
all orders match is a pass, none a fail, else inconclusive. What comes in the sample in which a scope begins or ends may
lie on either side of it. A scope that the capture cuts fails only if no continuation could match; the first START of
one that began before the capture may be a repeated START.

    [[rule]]
    id = "short-display-write"
    kind = "order"
    scope = "exchange"
    where = { address = 0x3C, direction = "write", length = "1..15" }
    pattern = "start address data* stop irq wake"

With a driver `model` in place of `pattern`, each exchange has to match the pattern of its transfer's own shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import permutations
from typing import ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from tracecheck import _match
from tracecheck.decoding.exchanges import Samples
from tracecheck.decoding.lane import READY, RESTART, START, STOP
from tracecheck.decoding.rows import distinct
from tracecheck.decoding.window import ANOMALY_CODE, Codes, Mask, Window
from tracecheck.rules.bounds import CUT, FAIL, INCONCLUSIVE, PASS
from tracecheck.rules.checks.base import (
    NONE,
    TOO_MANY,
    Checker,
    Expectation,
    Instances,
    LaneInfo,
    instances,
    single,
)
from tracecheck.rules.checks.scopes import Scopes, judged_scopes, settled
from tracecheck.rules.model import OrderRule
from tracecheck.rules.pattern import Dfa

MATCHED, UNEXPECTED, ENDED_EARLY, COINCIDENT, CUT_SHORT, NOWHERE = range(6)
MAX_PERMUTED = 6
"""Coincident events whose orders are all tried; more than that in one sample is inconclusive."""
_NONE, _MANY = 0xFF, 0xFFFF
"""Stands for no event; a pattern has at most 64."""

A = TypeVar("A")
Events = list[int]
"""Codes of what lies in one sample."""
Order = tuple[int, ...]


class OrderChecker(Checker[OrderRule]):
    """Stateless between windows, as every scope of a window is whole; with the scope `capture`, carries the states.

    `extra` of a failed instance holds the state in which it failed, the last event that fitted and the one that came,
    as columns of the automaton, and which of its name in the scope the last one was; `value` how long before the
    instance that last event was, or, where the scope ended too early, how long after its beginning.
    """

    measures: ClassVar[str] = ""

    def __init__(self, rule: OrderRule, lane: LaneInfo, dfa: Dfa | None = None) -> None:
        """`dfa`: in place of the rule's own, where a driver model gives it."""
        super().__init__(rule, lane)
        self._dfa = rule.dfa if dfa is None else dfa
        self._column = np.full(max(lane.codes.values(), default=0) + 2, -1, np.int32)
        for column, name in enumerate(self._dfa.symbols):
            self._column[lane.codes[name]] = column
        self._alphabet = frozenset(lane.codes[name] for name in self._dfa.symbols)
        self._irq = lane.codes.get("irq.begin", -1)
        self._states = {self._dfa.start}
        self._before = (-1, _NONE)
        self._lost = False
        self._done: Instances | None = None

    def feed(self, window: Window) -> Instances:
        if self.rule.scope == "capture":
            return self._capture(window)
        return self.judged(window, judged_scopes(self, window))

    def judged(self, window: Window, scopes: Scopes) -> Instances:
        """One instance for each of these scopes, which are transfers or exchanges."""
        if not len(scopes):
            return NONE
        at, code, offsets = self._sequences(window, scopes)
        symbol, n = self._column[code], len(scopes)
        states, alive, died = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int64)
        _match.run(self._dfa.table, self._dfa.start, self._dfa.dead, symbol, offsets, states, died, alive)
        matched = self._dfa.accepting[states] & (died < 0)
        verdict = np.where(matched, PASS, FAIL).astype(np.uint8)
        verdict[scopes.cut & (died < 0)] = CUT
        reason = np.where(matched, MATCHED, np.where(died >= 0, UNEXPECTED, ENDED_EARLY)).astype(np.uint8)
        last = np.where(died >= 0, died, offsets[1:]) - 1
        came = np.where(died >= 0, np.append(symbol, _NONE)[died], _NONE)
        fitted = last >= offsets[:-1]
        after = np.where(fitted, np.append(symbol, _NONE)[last], _NONE)
        nth = _nth(symbol, offsets[:-1], np.where(fitted & ~matched, last, -1))
        extra = _packed(alive.astype(np.int64), after.astype(np.int64), came.astype(np.int64)) | nth << 16
        since = np.append(at, 0)[last]
        value = np.where(fitted, np.where(died >= 0, np.append(at, 0)[died] - since, since - scopes.start), -1)
        late = self._late(window, scopes)
        for k in self._special(scopes, at, code, offsets, late):
            part = slice(int(offsets[k]), int(offsets[k + 1]))
            verdict[k] = self._all_orders(scopes, k, at[part], code[part], late.get(k, []))
            if verdict[k] == INCONCLUSIVE:
                reason[k] = COINCIDENT
            elif scopes.cut_begin[k]:
                reason[k] = NOWHERE
        verdict = settled(verdict, scopes)
        reason[verdict == CUT] = CUT_SHORT
        reason[scopes.lost] = TOO_MANY
        where = np.where((verdict == FAIL) & (reason == UNEXPECTED), np.append(at, 0)[died], scopes.start)
        value[verdict != FAIL] = -1
        return instances(where, scopes.transfer, verdict, value=value, reason=reason, extra=extra)

    def _seen(self, window: Window) -> Mask:
        seen: Mask = self._column[window.code] >= 0
        if window.cut_short and self.sees_markers:
            seen &= window.at < window.end
        return seen

    def _sequences(self, window: Window, scopes: Scopes) -> tuple[Samples, Codes, Samples]:
        """The seen events of all scopes, one scope after the other, and where each begins."""
        at, code, transfer = self._of_alphabet(window, "owned", self._owned)
        scope_of = np.full(len(window.transfers["start"]) + 1, -1, np.int64)  # the last: of no transfer of this window
        scope_of[scopes.row] = np.arange(len(scopes))
        row = scope_of[transfer]
        mine = row >= 0
        at, code, row = at[mine], code[mine], row[mine]
        if (row[1:] < row[:-1]).any():
            order = np.argsort(row, kind="stable")
            at, code, row = at[order], code[order], row[order]
        return at, code, np.searchsorted(row, np.arange(len(scopes) + 1)).astype(np.int64)

    def _of_alphabet(self, window: Window, what: str, answer: Callable[[Window], A]) -> A:
        """An answer that all patterns of one alphabet share, as those of a driver model do."""
        key = (what, self._alphabet, self.rule.scope, self.sees_markers)
        return window.once(key, lambda: answer(window))

    def _owned(self, window: Window) -> tuple[Samples, Codes, Samples]:
        """The seen events: samples, codes, and the row of the transfer whose scope each is in, -1 for none."""
        seen = self._seen(window)
        at, code = window.at[seen], window.code[seen]
        if self.rule.scope == "exchange":
            owner = window.owner[seen]
        else:
            own = window.own[seen]
            owner = np.where(own >= 0, own, window.transfer_at(at))
        return at, code, window.rows_of(owner)

    def _free(self, window: Window) -> tuple[Samples, Codes]:
        """The seen events that are no transfer's own."""
        free = self._seen(window) & (window.own < 0)
        return window.at[free], window.code[free]

    def _late(self, window: Window, scopes: Scopes) -> dict[int, Events]:
        """By exchange: what came in the very sample of the next START and may have come before it."""
        found: dict[int, Events] = {}
        if self.rule.scope == "transfer":
            return found
        at, code = self._of_alphabet(window, "free", self._free)
        first, last = np.searchsorted(at, scopes.edge, "left"), np.searchsorted(at, scopes.edge, "right")
        for k in np.flatnonzero((scopes.edge >= 0) & (last > first)).tolist():
            found[k] = code[first[k] : last[k]].tolist()
        ahead = window.ahead[self._column[window.ahead] >= 0].tolist()
        if ahead:
            for k in np.flatnonzero(scopes.edge == window.end).tolist():
                found.setdefault(k, []).extend(ahead)
        return found

    @staticmethod
    def _special(scopes: Scopes, at: Samples, code: Codes, offsets: Samples, late: dict[int, Events]) -> list[int]:
        """Scopes that the fast path cannot decide: with coincident events, or cut by the capture's beginning."""
        hits = np.flatnonzero((at[1:] == at[:-1]) & ~((code[1:] < ANOMALY_CODE) & (code[:-1] < ANOMALY_CODE)))
        rows = np.searchsorted(offsets, hits, side="right") - 1
        inside = offsets[rows + 1] > hits + 1
        return sorted({*rows[inside].tolist(), *np.flatnonzero(scopes.cut_begin).tolist(), *late})

    def _all_orders(self, scopes: Scopes, k: int, at: Samples, code: Codes, late: Events) -> int:
        dfa, cut_begin = self._dfa, bool(scopes.cut_begin[k])
        states = set(np.flatnonzero(dfa.live).tolist()) if cut_begin else {dfa.start}
        for sample in distinct(at).tolist():
            events: Events = code[at == sample].tolist()
            if len(events) > MAX_PERMUTED:
                return INCONCLUSIVE
            states = {
                self._walk(state, part)
                for order in self._orders(events)
                for part in self._inside(order, scopes, k, sample)
                for state in states
            }
        if len(late) > MAX_PERMUTED:
            return INCONCLUSIVE
        states |= {
            self._walk(state, order[:length])
            for order in self._orders(late)
            for length in range(1, len(late) + 1)
            for state in set(states)
        }
        if scopes.cut_end[k]:
            return CUT if any(dfa.live[s] for s in states) else FAIL
        accepted = [bool(dfa.accepting[s]) for s in states]
        if cut_begin:
            return CUT if any(accepted) else FAIL
        return PASS if all(accepted) else INCONCLUSIVE if any(accepted) else FAIL

    def _inside(self, order: Order, scopes: Scopes, k: int, sample: int) -> Iterable[Order]:
        """What of these coincident events lies in the scope, in each way it can."""
        if self.rule.scope == "transfer" and sample == scopes.edge[k]:
            order = order[: order.index(STOP) + 1]
        if sample == scopes.start[k]:
            order = order[order.index(START) :]
            if scopes.cut_begin[k]:
                yield (RESTART, *order[1:])
        yield order

    def _orders(self, events: Events) -> list[Order]:
        """Every order the events of one sample may have had."""
        fixed = [code for code in events if code < ANOMALY_CODE]
        irq_first = self._irq in events and READY in events
        return [
            order
            for order in dict.fromkeys(permutations(events))
            if [code for code in order if code < ANOMALY_CODE] == fixed
            and not (irq_first and order.index(READY) < order.index(self._irq))
        ]

    def _walk(self, state: int, order: Order) -> int:
        for code in order:
            state = int(self._dfa.table[state, self._column[code]])
        return state

    def _capture(self, window: Window) -> Instances:
        seen = self._seen(window) & window.judged_at(window.at)
        if self.selects:
            judged, _, lost = self.chosen_events(window, window.at, window.transfer)
            self._lost |= bool((lost & seen).any())
            seen &= judged & ~lost
        if not self._done:
            self._advance(window.at[seen], window.code[seen])
        if not window.final or window.synced < 0:
            return NONE
        return self._whole(window)

    def _advance(self, at: Samples, code: Codes) -> None:
        """Follows the pattern through these events; in sure states, and without coincidences, all at once."""
        groups = np.split(np.arange(len(at)), np.flatnonzero(np.diff(at)) + 1) if len(at) else []
        if len(self._states) == 1 and len(groups) == len(at):
            groups = [np.arange(len(at))] if len(at) else []
        for group in groups:
            before = min(self._states)
            if len(group) > 1 and len(self._states) == 1 and at[group[0]] != at[group[-1]]:
                self._run(before, at, code)
                return
            events: Events = code[group].tolist()
            if len(events) > MAX_PERMUTED:
                self._done = single(int(at[group[0]]), INCONCLUSIVE, reason=COINCIDENT)
                return
            self._states = {self._walk(s, order) for s in self._states for order in self._orders(events)}
            if not any(self._dfa.live[s] for s in self._states):
                self._done = self._unexpected(before, int(at[group[0]]), int(self._column[events[0]]))
                return
            self._before = int(at[group[-1]]), int(self._column[events[-1]])

    def _run(self, start: int, at: Samples, code: Codes) -> None:
        symbol = self._column[code]
        states, alive, died = np.empty(1, np.int32), np.empty(1, np.int32), np.empty(1, np.int64)
        offsets = np.array([0, len(symbol)], np.int64)
        _match.run(self._dfa.table, start, self._dfa.dead, symbol, offsets, states, died, alive)
        self._states = {int(states[0])}
        index = int(died[0])
        last = index if index >= 0 else len(symbol)
        if last > 0:
            self._before = int(at[last - 1]), int(symbol[last - 1])
        if index >= 0:
            self._done = self._unexpected(int(alive[0]), int(at[index]), int(symbol[index]))

    def _unexpected(self, state: int, at: int, came: int) -> Instances:
        since, after = self._before
        value = at - since if after != _NONE else -1
        return single(at, FAIL, value=value, reason=UNEXPECTED, extra=_packed(state, after, came))

    def _whole(self, window: Window) -> Instances:
        """The one instance of the scope `capture`."""
        if self._lost:
            return single(window.synced, INCONCLUSIVE, reason=TOO_MANY)
        if self._done:
            return self._done
        if window.cut_short and self.sees_markers:
            return single(window.synced, CUT, reason=CUT_SHORT)
        accepted = [bool(self._dfa.accepting[s]) for s in self._states]
        if all(accepted):
            return single(window.synced, PASS, reason=MATCHED)
        if any(accepted):
            return single(window.synced, INCONCLUSIVE, reason=COINCIDENT)
        since, after = self._before
        value = since - window.synced if after != _NONE else -1
        extra = _packed(min(self._states), after, _NONE)
        return single(window.synced, FAIL, value=value, reason=ENDED_EARLY, extra=extra)

    def expectation(self, found: Instances, i: int) -> Expectation | None:
        reason = int(found.reason[i])
        if int(found.verdict[i]) != FAIL or reason not in (UNEXPECTED, ENDED_EARLY):
            return None
        state, nth, after, came = _unpacked(int(found.extra[i]))
        at, value, symbols = int(found.at[i]), int(found.value[i]), self._dfa.symbols
        return Expectation(
            after=None if after == _NONE else symbols[after],
            after_at=None if after == _NONE else at - value if reason == UNEXPECTED else at + value,
            nth=nth or None,
            expected=tuple(self._dfa.expected(state)),
            end=bool(self._dfa.accepting[state]),
            came=None if came == _NONE else symbols[came],
        )

    def sentence(self, found: Instances, i: int, time: Callable[[int], str]) -> str:
        if (wrong := self.expectation(found, i)) is not None:
            return self._wrong(wrong, int(found.value[i]), time)
        match int(found.reason[i]):
            case 3:
                return "events in one sample match in some orders and not in others"
            case 4:
                return f"the capture cuts the {self.rule.scope}; what it shows fits so far"
            case 5:
                return f"the capture cuts the {self.rule.scope}, and what it shows of it fits nowhere in the pattern"
            case _:
                return "matched"

    def _wrong(self, wrong: Expectation, value: int, time: Callable[[int], str]) -> str:
        """`after stop, expected irq.begin; came wake, 2.10 us after stop`."""
        scope = self.rule.scope
        awaited = [*wrong.expected, *([f"the end of the {scope}"] if wrong.end else [])]
        expected = f"expected {' or '.join(awaited)}" if wrong.expected else "expected nothing more"
        last = wrong.after if wrong.nth in (None, 1) else f"{wrong.after} number {wrong.nth}"
        if wrong.came is None:
            if wrong.after is None:
                return f"{expected}, but nothing came"
            into = f"{time(value)} into the {scope}"
            return f"{expected} after {last}, which came {into}, but nothing more came"
        if wrong.after is None:
            return f"{expected} at first, came {wrong.came}"
        return f"{expected} after {last}, came {wrong.came} {time(value)} later"


_Packable = TypeVar("_Packable", int, Samples)


def _packed(state: _Packable, after: _Packable, came: _Packable) -> _Packable:
    return state << 32 | after << 8 | came


def _unpacked(extra: int) -> tuple[int, int, int, int]:
    return extra >> 32, extra >> 16 & _MANY, extra >> 8 & _NONE, extra & _NONE


def _nth(symbol: NDArray[np.int32], begin: Samples, place: Samples) -> Samples:
    """Which of its name the event at each place is, counted from where its scope begins; 0 where no place is given."""
    found = np.zeros(len(place), np.int64)
    given = np.flatnonzero(place >= 0)
    names = symbol[place[given]]
    for name in distinct(names).tolist():
        mine = given[names == name]
        count = np.concatenate(([0], np.cumsum(symbol == name)))
        found[mine] = count[place[mine] + 1] - count[begin[mine]]
    return np.minimum(found, _MANY)
