"""compare: what got longer, or more, between two captures, what chance can do, and what cannot be said."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from fractions import Fraction
from math import comb
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracecheck.cli import main
from tracecheck.compare import Baseline, Few, RuleSide, Shift, compared, read_baseline, said
from tracecheck.compare.chance import DOUBT, needed, ranks
from tracecheck.compare.definition import changed, definition
from tracecheck.rules.file import load
from tracecheck.rules.library import preset_names
from tracecheck.rules.timing import taken_apart

CAPTURES = Path(__file__).parent.parent / "captures"
SCHEMAS = Path(__file__).parent.parent / "docs" / "schema"
CLEAN = str(CAPTURES / "pico" / "pico-clean-unseen-mixed-400k.sr")
HOG = str(CAPTURES / "pico" / "pico-hog-executor.sr")
AGAIN = "write it anew: tracecheck compare CAPTURE --save-baseline FILE"
ASKS = {"kind": "response", "trigger": "irq.begin", "response": "wake", "within": "20000 ns"}


def table(values: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    return tuple((value, values.count(value)) for value in sorted(set(values)))


def side(*samples: int, rate_hz: int | None = 1_000_000, unit: Any = "samples", **rule: Any) -> Baseline:
    """A baseline with one rule, `r`."""
    of = RuleSide(**{"verdict": "pass", "optional": False, "asks": ASKS, **rule}, unit=unit, values=table(samples))
    return Baseline("x", rate_hz, {"r": of}, {}, {})


def verdicts(base: Baseline, new: Baseline) -> dict[str, str]:
    return {shift.figure: shift.verdict for shift in compared(base, new, Fraction(20, 100)).shifts}


# Chance ---------------------------------------------------------------------------------------------------------------

SHARES = st.sampled_from([Fraction(1, 2), Fraction(9, 10), Fraction(99, 100), Fraction(1, 3)])


def at_most(n: int, q: Fraction, k: int) -> Fraction:
    return sum((comb(n, i) * q**i * (1 - q) ** (n - i) for i in range(k + 1)), Fraction(0))


@given(st.integers(1, 90), SHARES)
def test_a_quantile_is_missed_as_seldom_as_is_said_and_no_narrower_interval_would_do(n: int, q: Fraction) -> None:
    low, high = ranks(n, q)
    side_doubt = DOUBT / 2
    # The true quantile is below the value at rank l only if fewer than l of n lie below it.
    assert low is None or at_most(n, q, low - 1) <= side_doubt
    assert at_most(n, q, low or 0) > side_doubt
    assert high is None or at_most(n, 1 - q, n - high) <= side_doubt
    assert at_most(n, 1 - q, n - (high or n + 1) + 1) > side_doubt


def test_how_many_instances_a_figure_takes() -> None:
    assert [needed(Fraction(q)) for q in ("1/2", "9/10", "99/100", "999/1000")] == [11, 73, 757, 7598]
    assert ranks(10, Fraction(1, 2)) == (None, None) and ranks(11, Fraction(1, 2)) == (1, 11)
    # Of a million the interval is that of the normal distribution: 3.29 standard deviations of 500.
    assert [abs(rank - 500_000) for rank in ranks(1_000_000, Fraction(1, 2))] == [1645, 1646]  # type: ignore[operator]


# Figures --------------------------------------------------------------------------------------------------------------


def test_a_shift_counts_beyond_the_tolerance_and_the_sampling() -> None:
    base = side(*[100] * 80)
    assert verdicts(base, side(*[120] * 80)) == {"median": "same", "p90": "same"}
    assert verdicts(base, side(*[123] * 80)) == {"median": "regression", "p90": "regression"}
    assert verdicts(base, side(*[77] * 80)) == {"median": "improvement", "p90": "improvement"}
    # Two samples of doubt, one a side: 3 samples instead of 1 may be the same time.
    assert verdicts(side(*[1] * 11), side(*[3] * 11)) == {"median": "same", "max": "same"}
    assert verdicts(side(*[1] * 11), side(*[4] * 11)) == {"median": "regression", "max": "unclear"}


def test_what_so_many_instances_show_by_chance_is_no_regression() -> None:
    some, others = [100] * 9 + [200] * 11, [100] * 11 + [200] * 9
    assert verdicts(side(*others), side(*some))["median"] == "unclear", "two of twenty came down on the other side"
    assert verdicts(side(*others * 200), side(*some * 200))["median"] == "regression", (
        "four hundred of four thousand did"
    )


def test_the_tail_is_the_highest_that_both_sides_have_the_instances_for() -> None:
    for n, figures in (
        (10, ["max"]),
        (11, ["median", "max"]),
        (73, ["median", "p90"]),
        (757, ["median", "p99"]),
        (7598, ["median", "p99.9"]),
    ):
        assert list(verdicts(side(*[5] * n), side(*[5] * (n + 1)))) == figures
        assert list(verdicts(side(*[5] * (n + 1)), side(*[5] * n))) == figures


def test_of_few_instances_nothing_is_claimed() -> None:
    found = compared(side(100), side(*[500] * 100), Fraction(1, 5))
    assert found.few == (Few("rule", "r", "median", 1),)
    assert [(s.figure, s.verdict) for s in found.shifts] == [("max", "unclear")] and found.exit_code == 0
    assert said.lines(found) == [
        "rule r, max: 100 us -> 500 us, unclear: of 1 and 100 instances that may be chance",
        "too few instances to tell a median from chance, 11 on each side: 1 rule (1)",
        "x -> x: 0 of 1 figure longer or more, 1 unclear, 0 rules broken",
    ]


def test_shapes_that_are_new_are_counted() -> None:
    before, after = (Baseline("x", 1_000_000, {}, shapes, {}) for shapes in ({"a": 1}, {"a": 1, "b": 1, "c": 2}))
    assert said.lines(compared(before, after, Fraction(1)))[:2] == ["shape b: new, once", "shape c: new, 2 times"]


def test_those_with_few_instances_are_told_together() -> None:
    durations = {f"write 0x3C {n}": table((5,) * n) for n in range(1, 10)}
    base = Baseline("x", 1_000_000, {}, {"write 0x3C 1..15": 45}, durations)
    assert said.lines(compared(base, base, Fraction(1))) == [
        "too few instances to tell a median from chance, 11 on each side: 9 shapes (1 to 9)",
        "x -> x: 0 of 9 figures longer or more, 0 rules broken",
    ]


def test_counts_are_compared_too() -> None:
    base = side(*[1] * 90, *[2] * 10, unit="count", rate_hz=None)
    more = side(*[2] * 90, *[3] * 10, unit="count", rate_hz=None)
    (median, tail) = compared(base, more, Fraction(1, 5)).shifts
    assert (median.unit, median.base, median.new, median.verdict) == ("count", 1, 2, "regression")
    assert (tail.figure, tail.base, tail.new, tail.verdict) == ("p90", 1, 2, "unclear")
    assert verdicts(base, base) == {"median": "same", "p90": "same"}
    assert said.lines(compared(base, more, Fraction(1, 5)))[0] == "rule r, median: 1 -> 2, regression"


def test_intervals_are_told() -> None:
    (median, _) = compared(side(*range(100, 111)), side(*range(100, 111)), Fraction(1)).shifts
    assert median == Shift(
        "rule",
        "r",
        "median",
        "ns",
        105_000,
        105_000,
        11,
        11,
        (100_000, 110_000),
        (100_000, 110_000),
        2000,
        "same",
    )


def test_without_a_samplerate_there_are_no_times() -> None:
    found = compared(side(1, rate_hz=None), side(1), Fraction(1))
    assert (found.shifts, found.notes) == ((), ("a capture without a samplerate has no times to compare",))


# Rules ----------------------------------------------------------------------------------------------------------------


def test_a_rule_that_is_judged_no_more_is_no_pass() -> None:
    base = side(5)
    gone = Baseline("x", 1_000_000, {}, {}, {})
    assert compared(base, gone, Fraction(1)).unjudged == (("r", False),)
    assert compared(base, gone, Fraction(1)).exit_code == 2
    assert compared(base, side(5, verdict="inconclusive"), Fraction(1)).exit_code == 2
    idle = compared(base, side(5, verdict="inconclusive", optional=True), Fraction(1))
    assert (idle.unjudged, idle.exit_code) == ((("r", True),), 0)
    assert "rule r: passed, now nothing to judge (it is optional)" in said.lines(idle)
    assert compared(gone, base, Fraction(1)).added == ("r",)
    assert compared(base, side(5, verdict="fail"), Fraction(1)).broken == ("r",)


def test_a_rule_that_asks_something_else_is_said_and_not_compared() -> None:
    wider = compared(side(*[5] * 20), side(*[9] * 20, asks={**ASKS, "within": "50000 ns"}), Fraction(1, 5))
    assert wider.differing == (("r", ("within",)),) and wider.exit_code == 1, "it measures the same"
    other = compared(side(*[5] * 20), side(*[9] * 20, asks={**ASKS, "trigger": "stop"}), Fraction(1, 5))
    assert (other.shifts, other.exit_code) == ((), 2)
    assert said.lines(other)[0] == (
        "rule r: asks something else now: trigger irq.begin -> stop; its figures were not compared"
    )


def test_every_rule_has_a_definition_that_a_file_can_hold() -> None:
    rules = [rule for name in preset_names() for rule in taken_apart(load(name)).rules]
    assert len(rules) > 60
    for rule in rules:
        asks = definition(rule)
        assert json.loads(json.dumps(asks)) == asks and asks["kind"] == rule.kind
        assert changed(asks, definition(rule)) == []


@pytest.mark.parametrize(
    ("key", "other"),
    [
        ('within = "20us"', 'within = "21us"'),
        ('trigger = "irq"', 'trigger = "stop"'),
        ("shared = true", "shared = false"),
        ('p99 = "10us"', 'p99 = "11us"'),
        ('where = { address = "0x3C..0x3D" }', "where = { address = 0x3C }"),
    ],
)
def test_a_definition_tells_what_is_asked_apart_and_not_how_it_is_written(key: str, other: str) -> None:
    keys = [
        'id = "r"',
        'kind = "response"',
        'trigger = "irq"',
        'response = "wake"',
        'within = "20us"',
        'p99 = "10us"',
        "shared = true",
        'where = { address = "0x3C..0x3D" }',
    ]

    def asked(lines: list[str]) -> dict[str, Any]:
        (rule,) = load("x.toml", "version = 1\n[[rule]]\n" + "\n".join(lines)).rules
        return definition(rule)

    again = [line.replace('"20us"', '"0.02 ms"').replace('"irq"', '"irq.begin"') for line in keys]
    assert changed(asked(keys), asked([*again, 'why = "x"', 'severity = "note"'])) == []
    assert len(changed(asked(keys), asked([line.replace(key, other) for line in keys]))) == 1


# Files and the command line -------------------------------------------------------------------------------------------


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
    assert "rule embassy-wake, max: 2.46 us -> 302 us, unclear: of 59 and 45 instances that may be chance\n" in shown[0]
    assert "rule embassy-wake: passed, now fails\n" in shown[0]
    assert "shape write 0x3C 16: vanished, 1 before\n" in shown[0]
    assert read_baseline("x", baseline.read_text()).text() == baseline.read_text()


def published(name: str, *parts: str) -> jsonschema.Draft202012Validator:
    """A schema, with every key that it and these of its parts do not name forbidden: a new key has to be described."""
    schema = json.loads((SCHEMAS / name).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    for node in (schema, *(schema["$defs"][part] for part in parts)):
        node["additionalProperties"] = False
    return jsonschema.Draft202012Validator(schema)


def test_baselines_are_as_the_published_schema_says(baseline: Path, tmp_path: Path) -> None:
    valid = published("baseline-2.json", "rule")
    other = tmp_path / "other.json"
    sensor = str(CAPTURES / "sigrok-dumps" / "rtc_ds1307_200khz_no_samplerate.sr")
    for capture, rules in ((CLEAN, ["i2c-fast", "embassy-rp"]), (sensor, ["i2c", "smbus"])):
        chosen = [word for name in rules for word in ("--rules", name)]
        assert main(["compare", capture, "--save-baseline", str(other), *chosen, "-q"]) == 0
        valid.validate(json.loads(other.read_text()))
    found = json.loads(baseline.read_text())
    valid.validate(found)
    units = {rule["unit"] for rule in found["rules"].values()}
    assert units == {"samples", "count", None}
    with pytest.raises(jsonschema.ValidationError):
        valid.validate({**found, "new": 1})


def test_json(baseline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(baseline), HOG, "--format", "json", "-q"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["schema"], told["exit_code"]) == (2, 1)
    assert "embassy-wake" in told["broken"]
    assert {s["name"] for s in told["shifts"] if s["verdict"] == "unclear"} >= {"embassy-wake"}
    assert {(f["of"], f["figure"]) for f in told["too_few"]} == {
        ("rule", "median"),
        ("rule", "tail"),
        ("shape", "median"),
        ("SCL period of", "tail"),
    }


def test_comparisons_are_as_the_published_schema_says(
    baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of captures that between them give everything a comparison can hold."""
    valid = published("compare-2.json", "shift")
    narrow, other = tmp_path / "narrow.toml", tmp_path / "other.toml"
    rule = '[[rule]]\nid = "w"\nkind = "response"\ntrigger = "irq.begin"\nresponse = "wake"\nwithin = "{}us"\n'
    narrow.write_text('version = 1\nextends = ["three-pin"]\n' + rule.format(50))
    other.write_text('version = 1\nextends = ["three-pin", "i2c"]\n' + rule.format(60))
    of_narrow = tmp_path / "narrow.json"
    assert main(["compare", CLEAN, "--save-baseline", str(of_narrow), "--rules", str(narrow), "-q"]) == 0
    sensor = str(CAPTURES / "sigrok-dumps" / "rtc_ds1307_200khz_no_samplerate.sr")
    slower = str(CAPTURES / "pico" / "pico-clean-unseen-mixed-100k.sr")
    full: set[str] = set()
    codes = set()
    for arguments in (
        [str(baseline), HOG],
        [str(baseline), CLEAN, "--rules", "i2c"],
        [str(of_narrow), CLEAN, "--rules", str(other)],
        [CLEAN, sensor],
        [CLEAN, slower],
        [CLEAN, CLEAN],
    ):
        capsys.readouterr()
        code = main(["compare", *arguments, "--format", "json", "-q"])
        found = json.loads(capsys.readouterr().out)
        valid.validate(found)
        assert found["exit_code"] == code
        codes.add(code)
        full |= {key for key, value in found.items() if value}
        full |= {shift["verdict"] for shift in found["shifts"]}
    assert codes == {0, 1, 2}
    assert full >= set(found) - {"exit_code"} | {"regression", "unclear", "same"}
    for broken in ({**found, "new_key": 1}, {**found, "shifts": [{**found["shifts"][0], "figure": "mean"}]}):
        with pytest.raises(jsonschema.ValidationError):
            valid.validate(broken)


def test_lines_are_wrapped_to_a_terminal_only(baseline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(baseline), HOG, "-q"]) == 1
    piped = capsys.readouterr().out
    shown = on_terminal(["compare", str(baseline), HOG, "-q"], columns=60)
    assert max(map(len, piped.splitlines())) > 60 >= max(map(len, shown.splitlines()))
    assert re.sub(r"\n    ", " ", shown) == piped


def on_terminal(arguments: list[str], *, columns: int) -> str:
    """What the program prints to a terminal of that width."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns)}
    with subprocess.Popen(
        [sys.executable, "-m", "tracecheck", *arguments], stdin=theirs, stdout=theirs, env=environment
    ):
        os.close(theirs)
        said = b""
        with suppress(OSError):  # how Linux says that nobody has the other end open any more
            while part := os.read(ours, 65536):
                said += part
    os.close(ours)
    return said.decode().replace("\r\n", "\n")


def test_a_slower_bus_is_found_and_a_wide_tolerance_lets_it_pass(capsys: pytest.CaptureFixture[str]) -> None:
    slower = str(CAPTURES / "pico" / "pico-clean-unseen-mixed-100k.sr")
    rules = ["--rules", "i2c"]
    assert main(["compare", CLEAN, slower, *rules, "-q"]) == 1
    assert "SCL period of i2c0, median: 2.67 us -> 10.4 us, regression\n" in capsys.readouterr().out
    assert main(["compare", CLEAN, slower, *rules, "--tolerance", "100000%", "-q"]) == 0


def test_other_rules_than_the_baselines_are_said(baseline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(baseline), CLEAN, "--rules", "i2c", "-q"]) == 2
    out = capsys.readouterr().out
    assert "passed, now not among the rules of NEW: 22 rules embassy-bus-held, " in out
    assert out.endswith(", 22 rules NOT JUDGED any more\n")


def test_nothing_in_common(tmp_path: Path, baseline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(baseline.read_text())
    found |= {"rules": {}, "durations": {}, "periods": {}, "shapes": {"read 0x11 1..15": 2}}
    baseline.write_text(json.dumps(found))
    assert main(["compare", str(baseline), CLEAN, "-q"]) == 2
    assert capsys.readouterr().out.endswith(": NOTHING IN COMMON, so nothing was compared\n")


RULE = {"verdict": "pass", "optional": False, "asks": {"kind": "response"}, "unit": "samples", "values": [[1, 1]]}
ASCENDING = "a distribution is a list of [value, count], ascending by value"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 1}, f":2: is a baseline of schema 1, this version reads schema 2; {AGAIN}"),
        ({"schema": "2"}, f":2: is a baseline of schema '2', this version reads schema 2; {AGAIN}"),
        ({"schema": True}, f":2: is a baseline of schema True, this version reads schema 2; {AGAIN}"),
        ({"rate_hz": 0}, f":4: rate_hz: 0 is no whole number of 1 or more; {AGAIN}"),
        ({"capture": 5}, f":3: capture: 5 is no text; {AGAIN}"),
        ({"rules": []}, f":5: rules: is no object; {AGAIN}"),
        ({"rules": {"x": 1}}, f":6: rules.x: is no object with verdict, optional, asks, unit and values; {AGAIN}"),
        ({"rules": {"x": {"verdict": "pass"}}}, f':6: rules.x: the key "optional" is missing; {AGAIN}'),
        (
            {"rules": {"x": {**RULE, "verdict": "ok"}}},
            f":7: rules.x.verdict: 'ok' is none of pass, fail, inconclusive; {AGAIN}",
        ),
        ({"rules": {"x": {**RULE, "values": [[2, 1], [1, 1]]}}}, f":13: rules.x.values: {ASCENDING}; {AGAIN}"),
        (
            {"rules": {"x": {**RULE, "values": [[1, 0]]}}},
            f":13: rules.x.values: 0 is no whole number of 1 or more; {AGAIN}",
        ),
        (
            {"rules": {"x": {**RULE, "unit": "us"}}},
            f':12: rules.x.unit: \'us\' is none of "samples", "count" and null; {AGAIN}',
        ),
        ({"rules": {}, "shapes": {"x": -1}}, f":7: shapes.x: -1 is no whole number of 1 or more; {AGAIN}"),
        ({"rules": {}, "shapes": {}, "durations": {"x": [5]}}, f":8: durations.x: {ASCENDING}; {AGAIN}"),
    ],
)
def test_a_wrong_baseline_is_named_with_its_line_and_what_would_be_right(
    change: dict[str, Any], message: str, baseline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    baseline.write_text(json.dumps(json.loads(baseline.read_text()) | change, indent=1))
    assert main(["compare", str(baseline), CLEAN, "-q"]) == 2
    assert capsys.readouterr() == ("", f"tracecheck: {baseline}{message}\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{\n"a": 1,}', f":2:8: is no JSON: Illegal trailing comma before end of object; {AGAIN}"),
        ("{}", f': is no baseline: a JSON object with the key "schema"; {AGAIN}'),
        ('{"a":' * 100_000, f": is nested too deeply to be a baseline; {AGAIN}"),
    ],
)
def test_what_is_no_baseline(text: str, message: str, baseline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    baseline.write_text(text)
    assert main(["compare", str(baseline), CLEAN, "-q"]) == 2
    said_of_it = capsys.readouterr().err
    if "Illegal" in message:  # the parser's own words differ from one Python to the next
        assert said_of_it.startswith(f"tracecheck: {baseline}:2:") and said_of_it.endswith(f"; {AGAIN}\n")
    else:
        assert said_of_it == f"tracecheck: {baseline}{message}\n"


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
            f"{CLEAN}: this is an input; give --save-baseline another name, or the recording is lost",
        ),
    ],
)
def test_wrong_arguments(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *arguments, "-q"]) == 2
    assert capsys.readouterr() == ("", f"tracecheck: {message}\n")
