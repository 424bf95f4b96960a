"""SARIF: valid by its published schema, at the rule's line, with fingerprints that stay."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import jsonschema
import pytest
from report_runs import HOSTILE, NAMES, expecting, hostile, judged, many_findings, rendered, run_of, unreadable

from tracecheck.report.judged import Run, Terms
from tracecheck.report.run_sarif import MOST_OF_A_RULE

LATE, CLEAN = "synthetic-late-wake.sr", "synthetic-clean-three-pin-400k.sr"


@cache
def validator() -> Any:
    schema = json.loads((Path(__file__).parent / "schema" / "sarif-2.1.0.json").read_text())
    return jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())


def sarif(run: Run) -> dict[str, Any]:
    """The only run in the log, which is valid."""
    log = json.loads(rendered(run, "sarif"))
    validator().validate(log)
    (found,) = log["runs"]
    assert isinstance(found, dict)
    return found


def test_the_schema_can_be_failed() -> None:
    log = json.loads(rendered(run_of(LATE), "sarif"))
    log["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(jsonschema.ValidationError):
        validator().validate(log)


@pytest.mark.parametrize("terms", [Terms(), Terms("note", strict=True), Terms(verdict="fail", place=("suite.toml", 2))])
def test_every_capture_is_valid(terms: Terms) -> None:
    run = run_of(*NAMES, terms=terms)
    found = sarif(Run((*run.captures, unreadable())))
    assert len(found["artifacts"]) == len(NAMES) + 1
    for result in found["results"]:
        if "ruleIndex" in result:
            assert found["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        else:
            assert result["ruleId"] == "verdict"


def test_a_finding_points_at_the_rules_line_and_names_the_capture() -> None:
    found = sarif(run_of(LATE, CLEAN))
    (result,) = found["results"]
    (failed,) = (r for r in judged(LATE).report.rules if r.failed)
    physical = result["locations"][0]["physicalLocation"]
    assert unquote_to_bytes(physical["artifactLocation"]["uri"].removeprefix("file://")).decode() == failed.rule.source
    line = physical["region"]["startLine"]
    assert "[[rule]]" in Path(failed.rule.source).read_text().splitlines()[line - 1]
    assert result["relatedLocations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": LATE,
        "uriBaseId": "%SRCROOT%",
    }
    assert result["message"]["text"].startswith(f"{LATE}: at 1.914875 ms, i2c0 transfer 3 (write 0x3C, 3 bytes): wake")
    assert (result["level"], result["kind"]) == ("error", "fail")
    assert found["invocations"] == [{"executionSuccessful": True, "exitCode": 1}]


def test_a_rule_in_no_file_is_at_the_suites_line_or_the_capture() -> None:
    (result,) = sarif(Run((expecting(LATE, ["irq -> wake < 20us"]),)))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == LATE
    terms = Terms(suite="board", place=("tracecheck.toml", 7))
    (result,) = sarif(Run((expecting(LATE, ["irq -> wake < 20us"], terms),)))["results"]
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "tracecheck.toml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 7},
    }


def test_what_was_not_checked_is_open_and_notified() -> None:
    found = sarif(Run((expecting("synthetic-clean-irq-only.sr", ["irq -> wake < 20us"]), unreadable())))
    (result,) = found["results"]
    assert (result["kind"], result["level"], result["ruleId"]) == ("open", "none", "expect-1")
    (invocation,) = found["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 2)
    said = [note["message"]["text"] for note in invocation["toolExecutionNotifications"]]
    assert said[-1] == "gone.sr: capture: could not be read: there is no such file"
    assert any(text.startswith("synthetic-clean-irq-only.sr: expect-1: not checked: ") for text in said)


def _fingerprints(run: Run) -> list[str]:
    return [result["partialFingerprints"]["tracecheckFinding/v1"] for result in sarif(run)["results"]]


def test_fingerprints_stay_when_the_rule_moves_and_tell_findings_apart() -> None:
    one = expecting(LATE, ["irq -> wake < 1us"])
    before = _fingerprints(Run((one,)))
    assert len(set(before)) == len(before) == 10
    moved = tuple(replace(r, rule=r.rule.model_copy(update={"line": 99, "source": "x.toml"})) for r in one.report.rules)
    assert _fingerprints(Run((replace(one, report=replace(one.report, rules=moved)),))) == before
    assert not set(_fingerprints(Run((replace(one, path="other.sr"),)))) & set(before)
    assert _fingerprints(Run((replace(one, path=f"./{LATE}"),))) == before


def test_hostile_names_are_valid_and_come_back() -> None:
    found = sarif(hostile())
    place = found["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert unquote_to_bytes(place["uri"]) == HOSTILE.encode("utf-8", "surrogateescape")
    assert "\n" not in found["results"][0]["message"]["text"].partition(": at ")[0]


def test_very_many_findings_are_cut_and_counted() -> None:
    found = sarif(many_findings())
    assert len(found["results"]) == MOST_OF_A_RULE
    (note,) = found["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"] == "many.sr: short: 99900 more of 100000 failures are not listed"
