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
from typing import ClassVar

import numpy as np

from tracecheck.decoding.window import Window
from tracecheck.rules.bounds import CUT, FAIL, INCONCLUSIVE, PASS
from tracecheck.rules.checks.base import TOO_MANY, Checker, LaneInfo
from tracecheck.rules.checks.instances import NONE, Instances, instances, single
from tracecheck.rules.checks.scopes import certain, counted, judged_scopes, settled
from tracecheck.rules.model import AbsenceRule

CLEAN, SEEN, AT_BOUNDARY, CUT_SHORT = range(4)


class AbsenceChecker(Checker[AbsenceRule]):
    """With the scope `capture`, carries whether anything was seen, and answers at the end."""

    measures: ClassVar[str] = ""

    def __init__(self, rule: AbsenceRule, lane: LaneInfo) -> None:
        super().__init__(rule, lane)
        self._seen = False

    def feed(self, window: Window) -> Instances:
        return self._capture(window) if self.rule.scope == "capture" else self._scopes(window)

    def _capture(self, window: Window) -> Instances:
        at, transfer = window.of(self.code(self.rule.event))
        judged, _, lost = self.chosen_events(window, at, transfer)
        self._seen |= bool(judged.any())
        verdict = np.where(lost, INCONCLUSIVE, FAIL).astype(np.uint8)
        found = instances(at, transfer, verdict, reason=np.where(lost, TOO_MANY, SEEN).astype(np.uint8)).where(judged)
        if not window.final or self._seen or window.synced < 0:
            return found
        if window.cut_short and self.sees_markers:
            return single(window.synced, CUT, reason=CUT_SHORT)
        return single(window.synced, PASS)

    def _scopes(self, window: Window) -> Instances:
        scopes = judged_scopes(self, window)
        if not len(scopes):
            return NONE
        scope, code = self.rule.scope, self.code(self.rule.event)
        sure, unsure = counted(scopes, window, scope, code)
        verdict = settled(np.where(unsure > 0, INCONCLUSIVE, PASS).astype(np.uint8), scopes)
        reason = np.where(verdict == CUT, CUT_SHORT, np.where(unsure > 0, AT_BOUNDARY, CLEAN)).astype(np.uint8)
        reason[scopes.lost] = TOO_MANY
        clean = instances(scopes.start, scopes.transfer, verdict, reason=reason).where(sure == 0)
        at, transfer = certain(scopes.where(sure > 0), window, scope, code)
        seen = instances(at, transfer, np.full(len(at), FAIL, np.uint8), reason=SEEN)
        return Instances.joined([clean, seen])

    def sentence(self, found: Instances, i: int, time: Callable[[int], str]) -> str:
        match int(found.reason[i]):
            case 1:
                return f"{self.rule.event} came"
            case 2:
                return f"{self.rule.event} coincides with the {self.rule.scope}'s boundary: which side cannot be told"
            case 3:
                return f"the capture cuts the {self.rule.scope}; no {self.rule.event} in what it shows"
            case _:
                return f"no {self.rule.event}"
