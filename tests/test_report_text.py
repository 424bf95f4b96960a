"""The verdict as text and as JSON: pure functions of a report."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tracecheck
from tracecheck.capture.memory import ArrayCapture
from tracecheck.decoding.wiring import Wiring
from tracecheck.outline import Outline
from tracecheck.report import info, text
from tracecheck.report import json as as_json
from tracecheck.report.style import Style, aligned, shortened
from tracecheck.rules.expect import expect
from tracecheck.rules.model import MarkerSpec, RuleSet
from tracecheck.rules.verdict import Report
from tracecheck.timebase import instant_text

SYNTHETIC = Path(__file__).parent.parent / "captures" / "synthetic"
THREE = SYNTHETIC / "three-pin.rules.toml"
NAMES = sorted(path.name for path in SYNTHETIC.glob("*.sr"))


def judged(name: str, rules: Any = None) -> tuple[Report, Outline]:
    outline = Outline()
    return tracecheck.analyze(SYNTHETIC / name, rules, observe=outline.add), outline


def asked(*lines: str, severity: str = "error") -> RuleSet:
    rules = [expect(line, i).model_copy(update={"severity": severity}) for i, line in enumerate(lines, 1)]
    return RuleSet().with_rules(rules)


def last_line(report: Report, **settings: Any) -> str:
    return text.render(report, Style(), **settings).splitlines()[-1]


@pytest.mark.parametrize("width", [60, 80, 160])
@pytest.mark.parametrize("name", NAMES)
def test_text_fits_its_width(name: str, width: int) -> None:
    """But for the path, the closing line, and a rule file's name that has no blank to break at."""
    report, outline = judged(name)
    lines = text.render(report, Style(width), outline=outline).splitlines()
    body = [line for line in lines[1:-1] if " " in line.strip()]
    assert max(map(len, body)) <= max(width, 77)
    assert not any(line != line.rstrip() for line in lines)


@pytest.mark.parametrize("name", NAMES)
def test_text_does_not_change_and_has_no_escapes(name: str) -> None:
    report, outline = judged(name, THREE if "two" not in name and "one-pin" not in name else None)
    first = text.render(report, Style(), outline=outline)
    assert first == text.render(report, Style(), outline=outline)
    assert "\x1b" not in first
    assert text.render(report, Style(unicode=False), outline=outline).isascii()


@pytest.mark.parametrize("name", NAMES)
def test_colour_changes_nothing_else(name: str) -> None:
    import re  # noqa: PLC0415

    report, outline = judged(name)
    plain, coloured = (text.render(report, Style(colour=c), outline=outline) for c in (False, True))
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
    assert coloured != plain


@pytest.mark.parametrize(
    ("rules", "settings", "line"),
    [
        (asked("irq -> wake < 1ms"), {}, "PASS: 1 rule passed"),
        (asked("irq -> wake < 20us"), {}, "FAIL: 1 of 1 rule failed (1 finding)"),
        (asked("irq -> wake < 2us"), {}, "FAIL: 1 of 1 rule failed (10 findings)"),
        (asked("irq -> wake < 20us", severity="warning"), {}, "PASS: 0 rules passed, 1 warning"),
        (
            asked("irq -> wake < 20us", severity="warning"),
            {"fail_on": "warning"},
            "FAIL: 1 of 1 rule failed (1 finding)",
        ),
        (asked("never missing-stop", "irq -> wake < 20us"), {}, "FAIL: 1 of 2 rules failed (1 finding)"),
        (RuleSet().with_rules([expect("foo -> wake")]), {}, "INCONCLUSIVE: 1 of 1 rule could not be checked: expect-1"),
    ],
)
def test_the_last_line_says_it_all(rules: RuleSet, settings: dict[str, Any], line: str) -> None:
    report, _ = judged("synthetic-late-wake.sr", rules)
    assert last_line(report, **settings) == line
    assert line.startswith(text.WORDS[report.exit_code(settings.get("fail_on", "error"))])


def test_strict_says_what_was_not_decided() -> None:
    """A bound inside the uncertainty of what was measured: neither pass nor fail."""
    report, _ = judged("synthetic-clean-two-pin.sr", asked("irq -> wake < 1ms"))
    assert last_line(report, strict=True) == "PASS: 1 rule passed"
    stats = report.rules[0].stats
    assert stats is not None
    report, _ = judged("synthetic-clean-two-pin.sr", asked(f"irq -> wake < {stats.max:.0f}ns"))
    assert report.rules[0].inconclusive == 1
    assert last_line(report) == "PASS: 1 rule passed, 1 instance could not be decided"
    assert last_line(report, strict=True) == "INCONCLUSIVE: 1 instance could not be decided (--strict)"
    assert "\n? expect-1" in text.render(report, Style(), strict=True)


def test_ten_findings_unless_all_are_wanted() -> None:
    report, outline = judged("synthetic-clean-timer-polls.sr", asked("start -> stop < 1ns", "data -> ack < 1ns"))
    few, many = (result.failed for result in report.rules)
    assert few == 8
    assert many > 10
    short, whole = (text.render(report, Style(), outline=outline, verbose=v) for v in (False, True))
    assert f"    and {many - 10} more; --verbose or --format json gives them all\n" in short
    assert short.count("\n  at ") == 8 + 10
    assert whole.count("\n  at ") == 8 + many


def test_without_a_rate_there_are_samples_and_no_times() -> None:
    path = SYNTHETIC.parent / "sigrok-dumps" / "rtc_ds1307_200khz_no_samplerate.sr"
    report = tracecheck.analyze(path, asked("start -> stop < 1us"))
    shown = text.render(report, Style())
    assert "no samplerate (times are unknown; give --samplerate)" in " ".join(shown.split())
    assert " us" not in shown.replace("1us", "")
    found = as_json.verdict(report)
    assert found["capture"]["duration_ns"] is None
    assert all(finding["t_ns"] is None for finding in found["findings"])


def test_json_has_the_published_shape() -> None:
    report, outline = judged("synthetic-late-wake.sr", THREE)
    found = json.loads(as_json.render([as_json.verdict(report, outline)]))
    assert list(found) == ["schema", "capture", "verdict", "exit_code", "rules", "findings", "notes"]
    assert (found["schema"], found["verdict"], found["exit_code"]) == (1, "fail", 1)
    assert found["capture"]["transfers"] == {"i2c0": 8}
    assert found["capture"]["duration_ns"] == 10645333
    wake = next(rule for rule in found["rules"] if rule["id"] == "wake-after-interrupt")
    assert {key: wake[key] for key in ("kind", "severity", "verdict", "judged", "passed", "failed")} == {
        "kind": "response",
        "severity": "error",
        "verdict": "fail",
        "judged": 10,
        "passed": 9,
        "failed": 1,
    }
    assert wake["stats"] == {
        "unit": "ns",
        "count": 10,
        "min_ns": 2458.333,
        "p50_ns": 2750,
        "p99_ns": 153583.333,
        "max_ns": 153583.333,
        "headroom_ns": -103583.333,
        "closest": {"bus": "i2c0", "transfer": 3, "sample": 45957},
    }
    (finding,) = found["findings"]
    assert finding == {
        "rule": "wake-after-interrupt",
        "kind": "response",
        "severity": "error",
        "verdict": "fail",
        "bus": "i2c0",
        "transfer": 3,
        "sample": 45957,
        "t_ns": 1914875,
        "value_ns": 153583.333,
        "lower_ns": None,
        "upper_ns": 50000,
        "uncertainty_ns": 41.667,
        "message": "wake came 154 us after irq.begin",
        "why": "The interrupt wakes the task; another task may keep the executor no longer than this.",
        "source": str(SYNTHETIC / "wake.rules.toml"),
        "line": 4,
        "beyond_percent": 207.167,
        "median_ns": 2750,
        "before": {"transfer": 2, "sample": 34963, "t_ns": 1456791, "value_ns": 2500, "count": None},
        "after": {"transfer": 4, "sample": 65922, "t_ns": 2746750, "value_ns": 2583.333, "count": None},
        "expectation": None,
    }


@pytest.mark.parametrize("name", NAMES)
def test_json_agrees_with_the_exit_code(name: str) -> None:
    report, outline = judged(name)
    for fail_on in ("error", "warning", "note"):
        for strict in (False, True):
            found = as_json.verdict(report, outline, fail_on=fail_on, strict=strict)
            assert found["exit_code"] == report.exit_code(fail_on, strict=strict)
            assert found["verdict"] == ("pass", "fail", "inconclusive")[found["exit_code"]]
            assert json.loads(as_json.render([found])) == found


def test_several_captures_are_one_object() -> None:
    report, outline = judged("synthetic-late-wake.sr", THREE)
    one = as_json.verdict(report, outline)
    other = as_json.unreadable("x.sr", "x.sr: why")
    assert json.loads(as_json.render([one, other])) == {"schema": 1, "captures": [one, other]}


def test_moments_are_exact() -> None:
    moments = (0, 999, 1000, 1_914_875, 10**9, 384 * 10**9 + 1)
    assert [instant_text(t) for t in moments] == [
        "0 ns",
        "999 ns",
        "1.000 us",
        "1.914875 ms",
        "1.000000000 s",
        "384.000000001 s",
    ]


def test_shortened_keeps_the_end() -> None:
    style = Style()
    assert shortened("embassy-short-write", 19, style) == "embassy-short-write"
    assert shortened("embassy-short-write", 11, style) == "…hort-write"
    assert shortened("embassy-short-write", 11, replace(style, unicode=False)) == "..ort-write"
    assert all(len(shortened("embassy-short-write", n, style)) <= n for n in range(2, 30))


def test_columns_are_aligned() -> None:
    assert aligned([["a", "1"], ["bcd", "22"]], ["<", ">"]) == ["a     1", "bcd  22"]


def clocked(width: int) -> ArrayCapture:
    """A clock with levels of `width` samples on bit 0."""
    levels = np.repeat(np.tile(np.array([0, 1], np.uint8), 400), width)
    return ArrayCapture(levels, 1_000_000, ("SCL", "SDA"), path="clocked")


@pytest.mark.parametrize(("width", "warned"), [(1, True), (2, False), (5, False), (9, False)])
def test_a_clock_of_single_samples_is_undersampled(width: int, warned: bool) -> None:
    capture = clocked(width)
    wiring = tracecheck.decode(capture).wiring
    found = info.survey(capture, wiring)
    assert found.edges == {0: 799, 1: 0}
    assert sum(found.levels["i2c0"]) == 798
    assert found.undersampled("i2c0") == warned
    said = info.warnings(capture, wiring, found)
    assert said == (
        [
            (
                "i2c0: SCL is undersampled: 798 of its levels last one sample, so others will have been missed; "
                "record at 4 times the rate or more"
            )
        ]
        if warned
        else []
    )


def test_the_survey_counts_each_lines_edges() -> None:
    rng = np.random.default_rng(7)
    samples = rng.integers(0, 256, 5000, np.uint8)
    capture = ArrayCapture(samples, 1_000_000, tuple("abcdefgh"))
    found = info.survey(capture, Wiring())
    for bit in range(8):
        line = samples >> bit & 1
        assert found.edges[bit] == int(np.count_nonzero(line[1:] != line[:-1]))


def test_a_marker_option_reaches_the_verdict() -> None:
    rules = asked("irq -> wake").with_markers(
        [MarkerSpec(name="irq", channel="IRQ"), MarkerSpec(name="run", channel="RUN")]
    )
    report, _ = judged("synthetic-clean-three-pin-400k.sr", rules)
    assert [m["name"] for m in report.capture["markers"]] == ["irq", "run", "pending"]  # the last one by its name
    assert report.rules[0].judged == 10
