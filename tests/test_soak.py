"""The soak of `watch`, for seconds: what was sent was counted, its fault is told, and a loss would be."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import soak


@pytest.fixture(scope="module")
def done() -> soak.Soak:
    return soak.soak(2.0, paced=False, samples=1 << 21, cpu=None)


def test_nothing_is_lost(done: soak.Soak) -> None:
    assert done.faults == []
    assert done.verdict["transfers"] == done.transfers > 5000
    assert done.findings == [done.fault]


def test_a_loss_would_be_told(done: soak.Soak) -> None:
    """By the count, and by where the finding is."""
    verdict = {**done.verdict, "transfers": done.transfers - 1}
    assert replace(done, lines=[*done.lines[:-1], json.dumps(verdict)]).faults
    assert replace(done, fault=(done.fault[0], done.fault[1] + 1)).faults
    assert replace(done, lines=done.lines[-1:]).faults


def test_the_tile_is_what_it_says() -> None:
    """95 % busy, and one wake less in the broken one."""
    sent = soak.sent(1 << 20)
    runs = [int((np.diff(tile >> 3 & 1) == 1).sum()) for tile in (sent.clean, sent.broken)]
    assert (runs, 0.95 < sent.busy < 0.97) == ([sent.transfers, sent.transfers - 1], True)
