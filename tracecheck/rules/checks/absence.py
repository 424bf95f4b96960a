"""absence: EVENT never comes.

One instance per scope: it passes when no event lies in it. Each event that surely lies in it is a failing row of its
own; one that coincides with the scope's boundary makes the scope inconclusive.

    [[rule]]
    id = "no-nack-from-the-display"
    kind = "absence"
    event = "nack"
    where = { address = 0x3C }
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tracecheck.decoding.lane import ANOMALY_CODE, Window
from tracecheck.rules.bounds import CUT, FAIL, INCONCLUSIVE, PASS
from tracecheck.rules.checks.base import (
    NONE,
    Checker,
    Instances,
    LaneInfo,
    Scopes,
    counted,
    instances,
    scopes_of,
    settle_cut,
)
from tracecheck.rules.model import AbsenceRule

CLEAN, SEEN, AT_BOUNDARY, CUT_SHORT = range(4)


class AbsenceChecker(Checker[AbsenceRule]):
    """With the scope `capture`, carries whether anything was seen, and answers at the end."""

    measures = ""

    def __init__(self, rule: AbsenceRule, lane: LaneInfo) -> None:
        super().__init__(rule, lane)
        self._seen = False

    def feed(self, window: Window) -> Instances:
        at, transfer = window.of(self.code(self.rule.event))
        if self.rule.scope == "capture":
            return self._capture(window, at, transfer)
        return self._scopes(window, at, transfer)

    def _capture(self, window: Window, at: np.ndarray, transfer: np.ndarray) -> Instances:  # type: ignore[type-arg]
        judged, _ = self.chosen_events(window, at, transfer)
        at, transfer = at[judged], transfer[judged]
        self._seen |= bool(len(at))
        found = instances(at, transfer, np.full(len(at), FAIL, np.uint8), reason=SEEN)
        if not window.final or self._seen or window.synced < 0:
            return found
        whole = instances(np.array([window.synced]), np.array([-1]), np.array([PASS], np.uint8))
        return Instances.joined([found, whole])

    def _scopes(self, window: Window, at: np.ndarray, transfer: np.ndarray) -> Instances:  # type: ignore[type-arg]
        scopes = scopes_of(self, window, self.rule.scope)
        if not len(scopes):
            return NONE
        on_bus = self.code(self.rule.event) < ANOMALY_CODE
        sure, unsure = counted(scopes, at, transfer, on_bus=on_bus)
        quiet = sure == 0
        verdict = np.where(unsure > 0, INCONCLUSIVE, PASS).astype(np.uint8)
        verdict = settle_cut(verdict, scopes.cut, scopes.overflow)
        reason = np.where(verdict == CUT, CUT_SHORT, np.where(unsure > 0, AT_BOUNDARY, CLEAN)).astype(np.uint8)
        clean = instances(scopes.start, scopes.transfer, verdict, reason=reason).where(quiet)
        return Instances.joined([clean, self._offenders(scopes, at, transfer, ~quiet, on_bus=on_bus)])

    @staticmethod
    def _offenders(
        scopes: Scopes,
        at: np.ndarray,  # type: ignore[type-arg]
        transfer: np.ndarray,  # type: ignore[type-arg]
        noisy: np.ndarray,  # type: ignore[type-arg]
        *,
        on_bus: bool,
    ) -> Instances:
        ids, start, end = scopes.transfer[noisy], scopes.start[noisy], scopes.end[noisy]
        if not len(ids):
            return NONE
        if on_bus:
            row = np.minimum(np.searchsorted(ids, transfer), len(ids) - 1)
            mine = ids[row] == transfer
        else:
            row = np.maximum(np.searchsorted(start, at, "left") - 1, 0)
            mine = (at > start[row]) & (at < end[row])
        return instances(at[mine], ids[row[mine]], np.full(int(mine.sum()), FAIL, np.uint8), reason=SEEN)

    def sentence(self, found: Instances, i: int, time: Callable[[int], str]) -> str:
        match int(found.reason[i]):
            case 1:
                return f"{self.rule.event} came"
            case 2:
                return f"{self.rule.event} coincides with the {self.rule.scope}'s boundary: which side cannot be told"
            case 3:
                return f"the capture's end cuts the {self.rule.scope}; no {self.rule.event} until then"
            case _:
                return f"no {self.rule.event}"
