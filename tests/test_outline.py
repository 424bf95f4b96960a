"""The outline: what it says of a transfer, however many it has let go of, and that it stays small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pieces import in_pieces

import tracecheck
from tracecheck import outline as outlines
from tracecheck.capture.sr import SrCapture
from tracecheck.decoding import stream
from tracecheck.outline import Outline
from tracecheck.rules.expect import expect as rule_of
from tracecheck.rules.model import RuleSet

CAPTURES = Path(__file__).parent.parent / "captures"
NAMES = tuple(f"synthetic/synthetic-{name}.sr" for name in ("late-wake", "clean-two-buses", "lost-wake", "nack"))
MANY = CAPTURES / "pico" / "pico-clean-unseen-mixed-400k.sr"


@pytest.fixture
def in_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = SrCapture.edges
    monkeypatch.setattr(SrCapture, "edges", lambda *args, **options: in_pieces(whole(*args, **options), 100))
    monkeypatch.setattr(stream, "BATCH_EVENTS", 1)
    monkeypatch.setattr(outlines, "_ROOM", 3)


def judged(name: str, rules: RuleSet | None) -> tuple[tracecheck.Report, Outline, Outline]:
    """The report, an outline that lets go of what nobody names, and one that keeps everything."""
    thin, whole = Outline(), Outline()
    thin._roomy = outlines._ROOM  # as it is while a test says otherwise
    report = tracecheck.analyze(CAPTURES / name, rules, observe=whole.add, outline=thin)
    return report, thin, whole


@pytest.mark.usefixtures("in_small_pieces")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("expect", [None, "start -> stop < 1ns"])
def test_findings_have_their_facts(name: str, expect: str | None) -> None:
    rules = None if expect is None else RuleSet().with_rules([rule_of(expect)])
    report, thin, whole = judged(name, rules)
    findings = [finding for result in report.rules for finding in result.findings() if finding.transfer is not None]
    for finding in findings:
        assert thin.facts(finding.bus, finding.transfer) == whole.facts(finding.bus, finding.transfer) is not None
    if expect is not None:
        assert findings
    assert (thin.counts, thin.count, thin.buses) == (whole.counts, whole.count, whole.buses)


def nobody(bus: str) -> tuple[NDArray[np.int64], int]:
    return np.array([], np.int64), 1 << 62


@pytest.mark.usefixtures("in_small_pieces")
def test_what_nobody_names_is_let_go_of() -> None:
    outline, most, batches = Outline(), 0, 0
    capture = tracecheck.open(MANY)

    def observe(batch: stream.Batch) -> None:
        nonlocal most, batches
        batches += 1
        outline.add(batch)
        outline.thin(nobody)
        most = max(most, sum(outline.facts("i2c0", i) is not None for i in range(outline.count)))

    tracecheck.analyze(capture, observe=observe)
    assert outline.count == 31
    assert batches > 10
    assert most <= 8, "twice what was kept, some room, and a batch"
