"""Faults drawn from seeds: each strike is named by a rule on the struck transfer, or is of a kind that none can name.

TRACECHECK_CAMPAIGN=N takes N rounds; a round has one shot for each kind of fault, speed and scheme.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pico_campaign as campaign
import pytest

import tracecheck
from tracecheck.pico.faults.spec import KINDS

ROUNDS = int(os.environ.get("TRACECHECK_CAMPAIGN", "1"))
PLACES = campaign.places()
SEEN_AT_LEAST = 0.5
"""Of a round's shots of one kind: the rest may strike nothing, or what no rule can name."""


@pytest.mark.parametrize("seed", range(ROUNDS))
@pytest.mark.parametrize("kind", KINDS)
def test_every_strike_is_named_or_cannot_be(kind: str, seed: int, tmp_path: Path) -> None:
    outcomes = [campaign.fire(campaign.draw(kind, *place, seed), tmp_path) for place in PLACES]
    words = Counter(outcome.word for outcome in outcomes)
    assert set(words) <= set(campaign.WORDS)
    struck = words.total() - words["no-strike"]
    assert words["seen"] >= SEEN_AT_LEAST * struck, [(o.word, o.shot.command) for o in outcomes]


@pytest.mark.parametrize("place", PLACES, ids="-".join)
def test_without_a_fault_every_workload_passes(place: tuple[str, str], tmp_path: Path) -> None:
    for firmware in campaign.firmware_for(*place):
        recording = campaign.clean(firmware, campaign.MS[place[0]])
        assert recording.transfers > 8 and not recording.hung
        report = tracecheck.analyze(recording.capture(), campaign.rule_file(place[1], tmp_path))
        assert (firmware, [f.rule for f in report.findings if f.verdict == "fail"]) == (firmware, [])
        assert report.exit_code() == 0


def _shot(firmware: str, fault: str, ms: float = 18.0) -> campaign.Shot:
    return campaign.Shot(firmware, ms, fault)


# Each word has a shot of its own with its reason, so that none can quietly take in what a rule should see.
@pytest.mark.parametrize(
    ("shot", "word"),
    [
        # A write of 31 bytes: one is left in the FIFO, one is going out, and nothing is late for two bytes, 48 us.
        (_shot("mixed-400k-three-pin-s1", "late-interrupt,transfer=7,delay=25us"), "absorbed"),
        # The same for longer than these take: SCL waits.
        (_shot("mixed-400k-three-pin-s1", "late-interrupt,transfer=7,delay=70us"), "seen"),
        # Its second interrupt is for room it no longer needs.
        (_shot("mixed-400k-three-pin-s1", "late-interrupt,transfer=7,delay=58us,interrupt=1"), "absorbed"),
        # The interrupt for STOP delays the task by as much.
        (_shot("mixed-400k-three-pin-s1", "late-interrupt,transfer=7,delay=25us,interrupt=2"), "seen"),
        # A short write has none but that one.
        (_shot("mixed-400k-three-pin-s1", "late-interrupt,transfer=4,delay=25us"), "seen"),
        # Over before the read is, which reads zeros.
        (_shot("mixed-100k-three-pin-s12", "hang-sda,transfer=8,duration=596us,byte=2", 40.0), "data-only"),
        # A transfer has no fourth interrupt.
        (_shot("mixed-400k-three-pin-s1", "late-interrupt,transfer=4,interrupt=3"), "no-strike"),
        # SCL is held for the last 66 us: no bound has had the time to pass.
        (_shot("mixed-400k-three-pin-s1", "lost-interrupt,transfer=10", 10.2), "cut"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.fault,
)
def test_what_cannot_be_seen_and_what_can(shot: campaign.Shot, word: str, tmp_path: Path) -> None:
    assert campaign.fire(shot, tmp_path).word == word
