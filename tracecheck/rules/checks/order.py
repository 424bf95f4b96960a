"""order: the events of every scope, in order, match a pattern from first to last.

One instance per scope. Only events of the pattern's alphabet count, and always start, restart and stop. Events in one
sample may have come in any order, but for those of the bus itself, for what a decoder says of it, which comes after it,
and for ready, which never precedes its interrupt: all orders match is a pass, none a fail, else inconclusive. What
comes in the sample in which a scope begins or ends may lie on either side of it. A scope that the capture cuts fails
only if no continuation could match; the first START of one that began before the capture may be a repeated START.

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
from typing import Any, ClassVar, TypeVar

import numpy as np

from tracecheck import _match
from tracecheck.decoding.exchanges import FOREVER, Samples
from tracecheck.decoding.lane import ANNOTATION_CODE, READY, RESTART, START, STOP
from tracecheck.decoding.rows import distinct
from tracecheck.decoding.window import ANOMALY_CODE, Codes, Mask, Window
from tracecheck.rules.bounds import CUT, FAIL, INCONCLUSIVE, PASS
from tracecheck.rules.checks.base import TOO_MANY, Checker, Expectation, LaneInfo
from tracecheck.rules.checks.instances import NONE, Instances, instances, single
from tracecheck.rules.checks.scopes import Scopes, at_edges, judged_scopes, places_by_row, settled
from tracecheck.rules.model import OrderRule
from tracecheck.rules.pattern import Dfa

MATCHED, UNEXPECTED, ENDED_EARLY, COINCIDENT, CUT_SHORT, NOWHERE = range(6)
MAX_PERMUTED = 6
"""Coincident events whose orders are all tried; more than that in one sample is inconclusive."""
MAX_KNOWN = 1 << 12
"""Scopes with coincident events whose verdicts are remembered."""
_NONE, _MANY = 0xFF, 0xFFFF
"""Stands for no event; a pattern has at most 64."""

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
        free = any(lane.codes[name] >= ANOMALY_CODE for name in self._dfa.symbols)
        self._members = rule.scope if free or rule.scope != "transfer" else "own"
        self._irq = lane.codes.get("irq.begin", -1)
        self._known: dict[tuple[Any, ...], int] = {}
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
        n = len(scopes)
        owners, first, end = places_by_row(window, self._members)
        states, alive, nth = (np.empty(n, np.int32) for _ in range(3))
        died, last, tied = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.uint8)
        dfa = self._dfa
        _match.scopes(
            dfa.table,
            dfa.accepting.view(np.uint8),
            dfa.start,
            dfa.dead,
            self._column,
            window.at,
            window.code,
            owners,
            first,
            end,
            scopes.row,
            self._until(window),
            ANOMALY_CODE,
            states,
            alive,
            died,
            last,
            nth,
            tied,
        )
        matched = dfa.accepting[states] & (died < 0)
        late = self._late(window, scopes)
        if not late and scopes.whole and matched.all() and not tied.any():
            return instances(scopes.start, scopes.transfer, np.zeros(n, np.uint8), extra=np.zeros(n, np.int64))
        verdict = np.where(matched, PASS, FAIL).astype(np.uint8)
        verdict[scopes.cut & (died < 0)] = CUT
        reason = np.where(matched, MATCHED, np.where(died >= 0, UNEXPECTED, ENDED_EARLY)).astype(np.uint8)
        value, extra, where = np.full(n, -1, np.int64), np.zeros(n, np.int64), scopes.start
        if not matched.all():
            ended, fitted = died < 0, last >= 0
            since, where = (np.where(places < 0, 0, window.at.take(places, mode="clip")) for places in (last, died))
            after, came = (self._symbols(window.code.take(places, mode="clip"), places < 0) for places in (last, died))
            extra = _packed(alive.astype(np.int64), after, came) | np.minimum(nth, _MANY) << 16
            value = np.where(fitted, np.where(ended, since - scopes.start, where - since), -1)
        special = {*np.flatnonzero(tied > 0).tolist(), *np.flatnonzero(scopes.cut_begin).tolist(), *late}
        for k in sorted(special):
            row = scopes.row[k]
            part = self._counting(window, first[row] + np.flatnonzero(owners[first[row] : end[row]] == row))
            verdict[k] = self._any_order(scopes, k, window.at[part], window.code[part], late.get(k, []))
            if verdict[k] == INCONCLUSIVE:
                reason[k] = COINCIDENT
            elif scopes.cut_begin[k]:
                reason[k] = NOWHERE
        verdict = settled(verdict, scopes)
        reason[verdict == CUT] = CUT_SHORT
        reason[scopes.lost] = TOO_MANY
        where = np.where((verdict == FAIL) & (reason == UNEXPECTED), where, scopes.start)
        wrong = (verdict == FAIL) & ~matched
        value[~wrong], extra[~wrong] = -1, 0
        return instances(where, scopes.transfer, verdict, value=value, reason=reason, extra=extra)

    def _symbols(self, code: Codes, none: Mask) -> Samples:
        """The columns of the automaton that these codes have."""
        return np.where(none, _NONE, self._column[code]).astype(np.int64)

    def _until(self, window: Window) -> int:
        """From this sample on nothing counts."""
        limit = self.told_to(window)
        return FOREVER if limit is None else limit

    def _seen(self, window: Window) -> Mask:
        seen: Mask = (self._column[window.code] >= 0) & (window.at < self._until(window))
        return seen

    def _counting(self, window: Window, places: Samples) -> Samples:
        """Those of these places in the window at which there are events that count."""
        counts: Mask = (self._column[window.code[places]] >= 0) & (window.at[places] < self._until(window))
        return places[counts]

    def _late(self, window: Window, scopes: Scopes) -> dict[int, Events]:
        """By exchange: what came in the very sample of the next START and may have come before it."""
        found: dict[int, Events] = {}
        if self.rule.scope == "transfer":
            return found
        found_there = at_edges(window)
        if found_there:
            rows = scopes.row.tolist()
            for k in (k for k, row in enumerate(rows) if row in found_there):
                if events := window.code[self._counting(window, found_there[rows[k]])].tolist():
                    found[k] = events
        ahead = window.ahead[self._column[window.ahead] >= 0].tolist()
        if ahead:
            for k in np.flatnonzero(scopes.edge == window.end).tolist():
                found.setdefault(k, []).extend(ahead)
        return found

    def _any_order(self, scopes: Scopes, k: int, at: Samples, code: Codes, late: Events) -> int:
        """The verdict on one scope, in whatever order its coincident events came. Most look like one seen before."""
        where = at == scopes.start[k], at == scopes.edge[k], at[1:] == at[:-1]
        key = (code.tobytes(), *(mask.tobytes() for mask in where), scopes.cut_begin[k], scopes.cut_end[k], *late)
        if key not in self._known:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[key] = self._all_orders(scopes, k, at, code, late)
        return self._known[key]

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
            behind = order.index(STOP) + 1
            order = (*order[:behind], *(code for code in order[behind:] if code >= ANNOTATION_CODE))
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
            and _said_after(order)
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
        if self.told_to(window) is not None:
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


def _said_after(order: Order) -> bool:
    """Whether what decoders say comes after the bus's own events."""
    ours = [code >= ANNOTATION_CODE for code in order if not ANOMALY_CODE <= code < ANNOTATION_CODE]
    return ours == sorted(ours)


_Packable = TypeVar("_Packable", int, Samples)


def _packed(state: _Packable, after: _Packable, came: _Packable) -> _Packable:
    return state << 32 | after << 8 | came


def _unpacked(extra: int) -> tuple[int, int, int, int]:
    return extra >> 32, extra >> 16 & _MANY, extra >> 8 & _NONE, extra & _NONE
