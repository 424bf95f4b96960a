"""The Python face: what it takes, what it refuses, and how its results show themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

import tracecheck
from tracecheck.errors import ChannelError, UsageError

ROOT = Path(__file__).parent.parent / "captures"
LATE = ROOT / "synthetic" / "synthetic-late-wake.sr"
RULES = ROOT / "synthetic" / "three-pin.rules.toml"


def test_a_marker_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ChannelError, match='no channel "Nope"'):
        tracecheck.decode(LATE, markers={"irq": "Nope"})


def test_decode_takes_a_rule_file_for_its_wiring() -> None:
    trace = tracecheck.decode(LATE, rules=str(RULES))
    assert [m.name for m in trace.wiring.markers] == ["irq", "pending", "run"]


def test_analyze_and_check_agree() -> None:
    streamed = tracecheck.analyze(LATE, str(RULES))
    collected = tracecheck.check(tracecheck.decode(LATE, rules=str(RULES)), str(RULES))
    assert streamed.findings == collected.findings
    assert [r.verdict for r in streamed.rules] == [r.verdict for r in collected.rules]


def test_a_report_shows_itself_in_one_line() -> None:
    report = tracecheck.analyze(LATE, str(RULES))
    assert repr(report) == f"<Report on {LATE}: fail, 11 rules, 1 findings>"


@pytest.mark.parametrize(
    ("name", "share"), [("pca9571_simple", "1 of 1"), ("rtc_ds1307_200khz_no_samplerate", "8 of 8"), ("ds3231_ex1", "")]
)
def test_a_capture_sampled_too_slowly_is_said_to_be(name: str, share: str) -> None:
    path = ROOT / "sigrok-dumps" / f"{name}.sr"
    for report in (tracecheck.analyze(path), tracecheck.check(tracecheck.decode(path))):
        notes = [note for note in report.notes if note.startswith("sampled too slowly")]
        said = (
            f"sampled too slowly: in {share} transfers SCL keeps a level for one sample only, so edges may be missing; "
        )
        assert notes == ([said + "record with a higher samplerate"] if share else [])


@pytest.mark.parametrize(
    ("capture", "scheme", "code"),
    [
        ("clean-three-pin-400k", "three-pin", 0),
        ("clean-two-pin", "two-pin", 0),
        ("clean-one-pin", "one-pin", 0),
        ("clean-irq-only", "irq-only", 0),
        ("clean-one-pin", "three-pin", 2),
        ("clean-irq-only", "two-pin", 2),
        ("clean-two-pin", "one-pin", 2),
    ],
)
def test_a_scheme_that_the_capture_does_not_have_is_never_a_pass(capture: str, scheme: str, code: int) -> None:
    report = tracecheck.analyze(ROOT / "synthetic" / f"synthetic-{capture}.sr", scheme)
    assert report.exit_code() == code
    if code:
        assert report.verdict == "inconclusive"


def test_a_file_is_not_checked_but_analyzed() -> None:
    capture = ROOT / "pico" / "pico-hog-executor.sr"
    with pytest.raises(UsageError, match=r"is no trace; tracecheck\.analyze judges a file"):
        tracecheck.check(capture, "embassy-rp")  # type: ignore[arg-type]
