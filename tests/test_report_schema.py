"""The published JSON schema describes what is written, key for key."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from report_runs import CAPTURES, NAMES, hostile, judged, rendered, run_of, unreadable

import tracecheck
from tracecheck.report.judged import Run, Terms, judge
from tracecheck.rules.file import load
from tracecheck.rules.model import RuleSet

SCHEMA = Path(__file__).parent.parent / "docs" / "schema" / "report-1.json"


@cache
def validator() -> Any:
    """The schema, but with every key it does not name forbidden: a new key has to be described."""
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)

    def closed(node: Any) -> None:
        if isinstance(node, dict):
            if "properties" in node:
                node["additionalProperties"] = False
            for child in node.values():
                closed(child)
        elif isinstance(node, list):
            for child in node:
                closed(child)

    closed(schema)
    return jsonschema.Draft202012Validator(schema)


def valid(run: Run) -> None:
    validator().validate(json.loads(rendered(run, "json").encode("utf-8", "replace")))


@pytest.mark.parametrize("name", NAMES)
def test_one_capture_is_as_described(name: str) -> None:
    valid(Run((judged(name),), single=True))


def test_many_captures_are_as_described() -> None:
    terms = Terms(suite="board", verdict="fail", place=("tracecheck.toml", 3))
    valid(Run((*run_of(*NAMES).captures, judged(NAMES[0], terms=terms), unreadable(), unreadable(terms=terms))))
    valid(hostile())
    valid(Run(()))


@pytest.mark.parametrize("name", ["rtc_ds1307_200khz_no_samplerate.sr", "pca9571_simple.sr"])
def test_real_captures_and_presets_are_as_described(name: str) -> None:
    valid(Run((judge(tracecheck.open(CAPTURES / "sigrok-dumps" / name), RuleSet()),), single=True))


def test_percentiles_are_as_described() -> None:
    rules = CAPTURES / "pico" / "three-pin.rules.toml"
    report = judge(tracecheck.open(CAPTURES / "pico" / "pico-hog-executor.sr"), _with_percentile(rules))
    found = json.loads(rendered(Run((report,), single=True), "json"))
    assert any("bounds" in (rule["stats"] or {}) for rule in found["rules"])
    validator().validate(found)


def _with_percentile(rules: Path) -> RuleSet:
    text = f"{rules.read_text()}\n[[rule]]\nid='p'\nkind='response'\ntrigger='irq.begin'\nresponse='wake'\np50='20us'\n"
    return load(rules, text)


def test_a_key_that_is_not_described_is_noticed() -> None:
    found = json.loads(rendered(Run((judged(NAMES[0]),), single=True), "json"))
    found["rules"][0]["new"] = 1
    with pytest.raises(jsonschema.ValidationError):
        validator().validate(found)
