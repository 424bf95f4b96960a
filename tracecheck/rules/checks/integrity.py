"""integrity: none of the named anomalies.

One failing instance per anomaly; a transfer without any of them passes, so that a clean capture has something to show
for the check, and is cut where the capture cuts it. Outside transfers only anomalies count, and selectors choose none.

    [[rule]]
    id = "framing"
    kind = "integrity"
    kinds = ["partial-byte", "missing-stop"]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from tracecheck import words
from tracecheck.decoding.anomaly_text import describe_anomaly
from tracecheck.decoding.exchanges import Samples
from tracecheck.decoding.window import Mask, Window
from tracecheck.rules.bounds import CUT, FAIL, INCONCLUSIVE, PASS
from tracecheck.rules.checks.base import OF_BYTES, TOO_MANY, Checker, LaneInfo
from tracecheck.rules.checks.instances import Instances, instances
from tracecheck.rules.model import IntegrityRule

CLEAN, FOUND = range(2)
_OF_BYTES = np.array([name in OF_BYTES for name in words.ANOMALIES])


class IntegrityChecker(Checker[IntegrityRule]):
    """Stateless: anomalies and transfers of a window are complete."""

    measures: ClassVar[str] = ""

    def __init__(self, rule: IntegrityRule, lane: LaneInfo) -> None:
        super().__init__(rule, lane)
        self._named = np.array([name in rule.kinds for name in words.ANOMALIES])

    def feed(self, window: Window) -> Instances:
        rows = window.anomalies
        named = self._named[rows["kind"]]
        if not named.any():
            return window.once(("clean", self.chooses), lambda: self._right(window, rows["transfer"][:0]))
        judged, _, lost = self.chosen_events(window, rows["at"], rows["transfer"])
        wrong = instances(
            rows["at"],
            rows["transfer"],
            np.where(lost, INCONCLUSIVE, FAIL).astype(np.uint8),
            value=rows["width"],
            reason=np.where(lost, TOO_MANY, FOUND).astype(np.uint8),
            extra=rows["kind"].astype(np.int64) << 32 | rows["arg"].astype(np.int64) & 0xFFFFFFFF,
        ).where(named & judged)
        return Instances.joined([part for part in (self._right(window, wrong.transfer), wrong) if len(part)])

    def adrift(self, found: Instances) -> Mask:
        return np.where(found.reason == FOUND, _OF_BYTES[np.maximum(found.extra >> 32, 0)], False)

    def _right(self, window: Window, wrong: Samples) -> Instances:
        """The transfers without any, but for those that are `wrong`."""
        transfers = window.transfers
        ids = transfers["transfer"]
        clean = self.selected(transfers) & window.judged_at(transfers["start"])
        if len(wrong):
            clean &= ~np.isin(ids, wrong)
        verdict = np.where(transfers["complete"] == 0, CUT, PASS).astype(np.uint8)
        # Of an exchange that was given up, some anomalies may have been released before.
        gone = window.gave_up(ids)
        verdict[gone] = INCONCLUSIVE
        reason = np.where(gone, TOO_MANY, CLEAN).astype(np.uint8)
        return instances(transfers["start"], ids, verdict, reason=reason).where(clean)

    def sentence(self, found: Instances, i: int, time: Callable[[int], str]) -> str:
        if int(found.reason[i]) == FOUND:
            packed = int(found.extra[i])
            return describe_anomaly(words.ANOMALIES[packed >> 32], packed & 0xFFFFFFFF)
        cut = "; the capture cuts the transfer" if int(found.verdict[i]) == CUT else ""
        return f"none of the named anomalies{cut}"
