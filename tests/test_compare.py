"""compare: what got longer between two captures, and what cannot be said."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tracecheck.cli import main
from tracecheck.compare import Baseline, shifts

CAPTURES = Path(__file__).parent.parent / "captures"
CLEAN = str(CAPTURES / "pico" / "pico-clean-unseen-mixed-400k.sr")
HOG = str(CAPTURES / "pico" / "pico-hog-executor.sr")
AGAIN = "write it anew: tracecheck compare CAPTURE --save-baseline FILE"


def side(*samples: int, rate_hz: int | None = 1_000_000) -> Baseline:
    table = tuple((value, samples.count(value)) for value in sorted(set(samples)))
    return Baseline("x", rate_hz, {"r": "pass"}, {"r": table}, {}, {})


def verdicts(base: Baseline, new: Baseline) -> dict[str, str]:
    return {shift.figure: shift.verdict for shift in shifts(base, new, Fraction(20, 100))[0]}


def test_a_shift_counts_beyond_the_tolerance_and_the_uncertainty() -> None:
    base = side(*[100] * 5)
    assert verdicts(base, side(*[120] * 5)) == {"median": "same", "max": "same"}
    assert verdicts(base, side(*[121] * 5)) == {"median": "regression", "max": "regression"}
    assert verdicts(base, side(*[79] * 5)) == {"median": "improvement", "max": "improvement"}
    assert verdicts(base, side(100, 100, 100, 100, 121)) == {"median": "same", "max": "regression"}
    # Two samples of doubt, one a side: 3 samples instead of 1 may be the same time.
    assert verdicts(side(*[1] * 5), side(*[3] * 5)) == {"median": "same", "max": "same"}
    assert verdicts(side(*[1] * 5), side(*[4] * 5)) == {"median": "regression", "max": "regression"}


def test_the_tail_is_p99_of_a_hundred_the_longest_of_five_and_nothing_of_four() -> None:
    assert set(verdicts(side(*[5] * 100), side(*[5] * 100))) == {"median", "p99"}
    assert verdicts(side(*[5] * 100), side(*[5] * 99, 5000)) == {"median": "same", "p99": "same"}
    assert set(verdicts(side(*[5] * 99), side(*[5] * 100))) == {"median", "max"}
    found, silent = shifts(side(*[5] * 4), side(*[5] * 100), Fraction(1))
    assert [shift.figure for shift in found] == ["median"]
    assert silent == ["rule r: 4 on one side, too few to say anything of its tail (it takes 5)"]


def test_without_a_samplerate_there_are_no_times() -> None:
    assert shifts(side(1, rate_hz=None), side(1), Fraction(1)) == (
        [],
        ["a capture without a samplerate has no times to compare"],
    )


@pytest.fixture
def baseline(tmp_path: Path) -> Path:
    path = tmp_path / "base.json"
    assert main(["compare", CLEAN, "--save-baseline", str(path), "-q"]) == 0
    return path


def test_a_baseline_stands_for_its_capture(baseline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = []
    for base in (CLEAN, str(baseline)):
        assert main(["compare", base, CLEAN, "-q"]) == 0
        assert main(["compare", base, HOG, "-q"]) == 1
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]
    assert "rule embassy-wake, max: 2.46 us -> 302 us, regression\n" in shown[0]
    assert "rule embassy-wake: passed, now fails\n" in shown[0]
    assert "shape write 0x3C 16: vanished, 1 before\n" in shown[0]


def test_json(baseline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(baseline), HOG, "--format", "json", "-q"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["schema"], told["exit_code"]) == (1, 1)
    assert "embassy-wake" in told["broken"]
    assert {s["name"] for s in told["shifts"] if s["verdict"] == "regression"} >= {"embassy-wake"}


def test_a_wide_tolerance_lets_a_slower_time_pass(capsys: pytest.CaptureFixture[str]) -> None:
    slower = str(CAPTURES / "pico" / "pico-clean-unseen-mixed-100k.sr")
    expect = ["--rules", "i2c"]
    assert main(["compare", CLEAN, slower, *expect, "-q"]) == 1
    assert main(["compare", CLEAN, slower, *expect, "--tolerance", "100000%", "-q"]) == 0


def test_nothing_in_common(tmp_path: Path, baseline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(baseline.read_text())
    found |= {"rules": {}, "durations": {}, "verdicts": {}, "shapes": {"read 0x11 1..15": 2}}
    baseline.write_text(json.dumps(found))
    assert main(["compare", str(baseline), CLEAN, "-q"]) == 2
    assert capsys.readouterr().out.endswith(": NOTHING IN COMMON, so nothing was compared\n")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, f"is a baseline of schema 2, this version reads schema 1; {AGAIN}"),
        ({"schema": "1"}, f"is a baseline of schema '1', this version reads schema 1; {AGAIN}"),
        ({"shapes": {"x": -1}}, f"is a damaged baseline (ValueError: -1 is no whole number of 1 or more); {AGAIN}"),
        (
            {"rules": {"x": [[2, 1], [1, 1]]}},
            f"is a damaged baseline (ValueError: a distribution is a list of [samples, count], ascending); {AGAIN}",
        ),
        (None, f"is no baseline: JSON with the key schema; {AGAIN}"),
    ],
)
def test_wrong_baselines(
    change: dict[str, Any] | None, message: str, baseline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "{" if change is None else json.dumps(json.loads(baseline.read_text()) | change)
    baseline.write_text(text)
    assert main(["compare", str(baseline), CLEAN, "-q"]) == 2
    assert capsys.readouterr() == ("", f"tracecheck: {baseline}: {message}\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([CLEAN], "name two captures to compare, or one and --save-baseline FILE"),
        ([CLEAN, HOG, "--save-baseline", "x"], "name two captures to compare, or one and --save-baseline FILE"),
        (
            [CLEAN, HOG, "--tolerance", "much"],
            '--tolerance: "much" is not a percentage from 0 to 100000; write it like 50%',
        ),
        ([CLEAN, "nowhere.sr"], "nowhere.sr: there is no such file; check the name and the folder"),
        (
            [CLEAN, "--save-baseline", CLEAN],
            f"{CLEAN}: this is an input; give -o another name, or the recording is lost",
        ),
    ],
)
def test_wrong_arguments(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *arguments, "-q"]) == 2
    assert capsys.readouterr() == ("", f"tracecheck: {message}\n")
