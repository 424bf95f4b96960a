"""order: the events of every scope, in order, match a pattern from first to last.

One instance per scope. Only events of the pattern's alphabet count, and always start, restart and stop. Events in one
sample may have come in any order: all orders match is a pass, none a fail, else inconclusive. A scope that the capture
cuts fails only if no continuation could match.

    [[rule]]
    id = "short-display-write"
    kind = "order"
    scope = "exchange"
    where = { address = 0x3C, direction = "write", length = "1..15" }
    pattern = "start address data* stop irq wake"
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from tracecheck import _match
from tracecheck.decoding.lane import ANOMALY_CODE, STOP, Window
from tracecheck.rules.bounds import CUT, FAIL, INCONCLUSIVE, PASS, Samples
from tracecheck.rules.checks.base import NONE, Checker, Instances, LaneInfo, Scopes, instances, scopes_of, settle_cut
from tracecheck.rules.model import OrderRule

MATCHED, UNEXPECTED, ENDED_EARLY, COINCIDENT, CUT_SHORT = range(5)
MAX_PERMUTED = 6
"""Coincident events whose orders are all tried; more than that in one sample is inconclusive."""
_END = 0xFFFF


class OrderChecker(Checker[OrderRule]):
    """Stateless between windows: every scope of a window is whole."""

    measures = ""

    def __init__(self, rule: OrderRule, lane: LaneInfo) -> None:
        super().__init__(rule, lane)
        self._dfa = rule.dfa
        size = max(lane.codes.values(), default=0) + 2
        self._column = np.full(size, -1, np.int32)
        for column, name in enumerate(self._dfa.symbols):
            if name in lane.codes:
                self._column[lane.codes[name]] = column

    def feed(self, window: Window) -> Instances:
        scopes = scopes_of(self, window, self.rule.scope)
        if not len(scopes):
            return NONE
        at, symbol, code, offsets = self._sequences(window, scopes)
        n = len(scopes)
        states, alive, died = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int64)
        _match.run(self._dfa.table, self._dfa.start, self._dfa.dead, symbol, offsets, states, died, alive)
        matched = self._dfa.accepting[states] & (died < 0)
        verdict = np.where(matched, PASS, FAIL).astype(np.uint8)
        verdict[scopes.cut & (died < 0)] = CUT
        reason = np.where(matched, MATCHED, np.where(died >= 0, UNEXPECTED, ENDED_EARLY)).astype(np.uint8)
        came = np.where(died >= 0, np.append(symbol, _END)[died], _END)
        where = np.where(died >= 0, np.append(at, 0)[died], scopes.start)
        extra = alive.astype(np.int64) << 16 | came
        for k in self._special(scopes, at, code, offsets):
            verdict[k] = self._all_orders(scopes, k, at, symbol, code, offsets)
            if verdict[k] == INCONCLUSIVE:
                reason[k] = COINCIDENT
        verdict = settle_cut(verdict, scopes.cut, scopes.overflow)
        reason[verdict == CUT] = CUT_SHORT
        return instances(where, scopes.transfer, verdict, reason=reason, extra=extra)

    def _sequences(
        self, window: Window, scopes: Scopes
    ) -> tuple[Samples, NDArray[np.int32], NDArray[np.int16], NDArray[np.int64]]:
        """The seen events of all scopes, one scope after the other, and where each begins."""
        seen = (self._column[window.code] >= 0) & (window.transfer >= 0)
        at, code, owner = window.at[seen], window.code[seen], window.transfer[seen]
        row = np.minimum(np.searchsorted(scopes.transfer, owner), len(scopes) - 1)
        mine = (scopes.transfer[row] == owner) & (at < np.maximum(scopes.end[row], 1))
        at, code, row = at[mine], code[mine], row[mine]
        order = np.argsort(row, kind="stable")
        at, code, row = at[order], code[order], row[order]
        offsets = np.searchsorted(row, np.arange(len(scopes) + 1))
        return at, self._column[code], code, offsets.astype(np.int64)

    def _special(self, scopes: Scopes, at: Samples, code: NDArray[np.int16], offsets: NDArray[np.int64]) -> list[int]:
        """Scopes that the fast path cannot decide: with coincident events, or cut by the capture's beginning."""
        same = (at[1:] == at[:-1]) & ~((code[1:] <= STOP) & (code[:-1] <= STOP))
        hits = np.flatnonzero(same)
        rows = np.searchsorted(offsets, hits, side="right") - 1
        inside = rows == np.searchsorted(offsets, hits + 1, side="right") - 1
        found = set(rows[inside].tolist()) | set(np.flatnonzero(scopes.cut_begin).tolist())
        # A marker in the very sample of the next START may belong to this scope still.
        first = offsets[:-1][1:]
        touching = np.flatnonzero(scopes.fuzzy[:-1] & (scopes.end[:-1] == scopes.start[1:]))
        for k in touching.tolist():
            group = slice(int(first[k]), int(offsets[k + 2]))
            if ((at[group] == scopes.end[k]) & (code[group] >= ANOMALY_CODE)).any():
                found |= {k}
        return sorted(found)

    def _all_orders(
        self,
        scopes: Scopes,
        k: int,
        at: Samples,
        symbol: NDArray[np.int32],
        code: NDArray[np.int16],
        offsets: NDArray[np.int64],
    ) -> int:
        begin, end = int(offsets[k]), int(offsets[k + 1])
        dfa = self._dfa
        states = {dfa.start}
        if scopes.cut_begin[k]:
            states = set(np.flatnonzero(dfa.live).tolist())
        groups = [
            [(int(symbol[i]), int(code[i])) for i in range(begin, end) if at[i] == sample]
            for sample in np.unique(at[begin:end]).tolist()
        ]
        for number, group in enumerate(groups):
            if len(group) > MAX_PERMUTED:
                return INCONCLUSIVE
            states = {self._walk(state, order, drop=number == 0) for state in states for order in _orders(group)}
        if k + 1 < len(scopes) and scopes.fuzzy[k]:
            late = [
                (int(symbol[i]), int(code[i]))
                for i in range(end, int(offsets[k + 2]))
                if at[i] == scopes.end[k] and code[i] >= ANOMALY_CODE
            ]
            if len(late) > MAX_PERMUTED:
                return INCONCLUSIVE
            states |= {
                self._walk(state, order[:length], drop=False)
                for state in set(states)
                for order in permutations(late)
                for length in range(1, len(late) + 1)
            }
        if scopes.cut[k] and not scopes.cut_begin[k]:
            return CUT if any(dfa.live[s] for s in states) else FAIL
        accepted = [bool(dfa.accepting[s]) for s in states]
        if scopes.cut_begin[k]:
            return CUT if any(accepted) else FAIL
        return PASS if all(accepted) else INCONCLUSIVE if any(accepted) else FAIL

    def _walk(self, state: int, order: tuple[tuple[int, int], ...], *, drop: bool) -> int:
        """The state after these events; with `drop`, those before the scope's own START are not part of it."""
        codes = [code for _, code in order]
        first = codes.index(0) if drop and 0 in codes else 0
        for column, _ in order[first:]:
            state = int(self._dfa.table[state, column])
        return state

    def sentence(self, found: Instances, i: int, time: Callable[[int], str]) -> str:
        dfa = self._dfa
        state, came = int(found.extra[i]) >> 16, int(found.extra[i]) & _END
        expected = " or ".join(dfa.expected(state)) or "nothing more"
        match int(found.reason[i]):
            case 1:
                return f"expected {expected}, came {dfa.symbols[came]}"
            case 2:
                return f"expected {expected}, but nothing more came"
            case 3:
                return "events in one sample match in some orders and not in others"
            case 4:
                return "the capture cuts the scope; what was seen fits so far"
            case _:
                return "matched"


def _orders(group: list[tuple[int, int]]) -> list[tuple[tuple[int, int], ...]]:
    """Every order the events of one sample may have had; the bus's own events stay as they are."""
    fixed = [event for event in group if event[1] <= STOP]
    return [order for order in dict.fromkeys(permutations(group)) if [e for e in order if e[1] <= STOP] == fixed]
