"""integrity: none of the named anomalies.

One failing instance per anomaly; a transfer without any of them passes, so that a clean capture has something to show
for the check. Outside transfers only anomalies count.

    [[rule]]
    id = "framing"
    kind = "integrity"
    kinds = ["partial-byte", "missing-stop"]
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tracecheck import words
from tracecheck.decoding.anomaly_text import describe_anomaly
from tracecheck.decoding.lane import Window
from tracecheck.rules.bounds import CUT, FAIL, PASS
from tracecheck.rules.checks.base import Checker, Instances, LaneInfo, instances
from tracecheck.rules.model import IntegrityRule


class IntegrityChecker(Checker[IntegrityRule]):
    """Stateless: anomalies and transfers of a window are complete."""

    measures = ""

    def __init__(self, rule: IntegrityRule, lane: LaneInfo) -> None:
        super().__init__(rule, lane)
        self._kinds = [i for i, name in enumerate(words.ANOMALIES) if name in rule.kinds]

    def feed(self, window: Window) -> Instances:
        rows = window.anomalies
        named = np.isin(rows["kind"], self._kinds)
        judged, _ = self.chosen_events(window, rows["at"], rows["transfer"])
        named &= judged
        bad = {name: column[named] for name, column in rows.items()}
        order = np.argsort(bad["at"], kind="stable")
        wrong = instances(
            bad["at"][order],
            bad["transfer"][order],
            np.full(len(order), FAIL, np.uint8),
            value=bad["width"][order],
            extra=(bad["kind"].astype(np.int64) << 32 | bad["arg"].astype(np.int64) & 0xFFFFFFFF)[order],
        )
        transfers = window.transfers
        clean = self.selected(transfers) & ~np.isin(transfers["transfer"], bad["transfer"])
        clean &= transfers["start"] >= window.synced if window.synced >= 0 else False
        verdict = np.where(transfers["complete"] == 0, CUT, PASS).astype(np.uint8)
        right = instances(transfers["start"], transfers["transfer"], verdict).where(clean)
        return Instances.joined([right, wrong])

    def sentence(self, found: Instances, i: int, time: Callable[[int], str]) -> str:
        if int(found.verdict[i]) == CUT:
            return "the capture cuts the transfer; none of the named anomalies until then"
        packed = int(found.extra[i])
        return describe_anomaly(words.ANOMALIES[packed >> 32], packed & 0xFFFFFFFF)
