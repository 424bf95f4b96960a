"""The emulated captures, from file to verdict: the rules find what was injected, where it struck, and nothing else."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

import tracecheck

FOLDER = Path(__file__).parent.parent / "captures" / "pico"
EXPECTED: dict[str, dict[str, Any]] = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", EXPECTED)
def test_each_fault_is_found_by_exactly_the_rules_that_can_see_it(name: str) -> None:
    facts = EXPECTED[name]
    report = tracecheck.analyze(FOLDER / name, FOLDER / facts["rules"])
    failed: dict[str, set[int | None]] = {}
    for finding in report.findings:
        if finding.verdict == "fail":
            failed.setdefault(finding.rule, set()).add(finding.transfer)
    assert {rule: sorted(where, key=str) for rule, where in failed.items()} == {
        rule: sorted(where, key=str) for rule, where in facts["failed"].items()
    }
    unchecked = {r.rule.id for r in report.rules if r.verdict == "inconclusive" and not r.rule.optional}
    assert unchecked == set(facts["inconclusive"])
    assert report.exit_code() == facts["exit"]


@pytest.mark.parametrize("name", [name for name, facts in EXPECTED.items() if facts["faults"]])
def test_every_injected_fault_struck_and_is_among_the_findings(name: str) -> None:
    facts = EXPECTED[name]
    struck = {strike["transfer"] for strike in facts["strikes"]}
    found = {transfer for where in facts["failed"].values() for transfer in where}
    assert struck
    assert struck <= found


def test_the_collection_holds_every_shape_speed_scheme_and_fault() -> None:
    from tracecheck.pico.faults.spec import KINDS  # noqa: PLC0415

    firmware = {facts["firmware"] for facts in EXPECTED.values()}
    for word in ("100k", "400k", "1m", "three-pin", "two-pin", "one-pin", "irq-only"):
        assert any(word in name for name in firmware), word
    for word in ("writes", "reads", "write-read", "nack-address", "nack-data", "cancel", "timeout", "eeprom", "busy"):
        assert any(name.startswith(word) for name in firmware), word
    for unseen in (False, True):
        faults = {text.split(",")[0] for f in EXPECTED.values() if f["unseen"] is unseen for text in f["faults"]}
        assert faults == set(KINDS)
    unseen_ones = [facts for facts in EXPECTED.values() if facts["unseen"]]
    assert len(unseen_ones) >= 12
    seen = {facts["firmware"] for facts in EXPECTED.values() if not facts["unseen"]}
    assert not seen & {facts["firmware"] for facts in unseen_ones}


@pytest.mark.parametrize("name", EXPECTED)
def test_each_says_where_it_comes_from(name: str) -> None:
    facts = EXPECTED[name]
    with zipfile.ZipFile(FOLDER / name) as archive:
        metadata = archive.read("metadata").decode()
    said = dict(line.split("=", 1) for line in metadata.splitlines() if "=" in line)
    assert said["origin"] == facts["origin"] == "emulated"
    elf = FOLDER / "firmware" / f"{facts['firmware']}.elf"
    assert said["firmware-sha256"] == facts["firmware_sha256"] == hashlib.sha256(elf.read_bytes()).hexdigest()
    assert [said[f"target-{k}"] for k in range(len(facts["targets"]))] == list(facts["targets"])
    assert [said[f"fault-{k}"] for k in range(len(facts["faults"]))] == list(facts["faults"])
    assert "assumption-0" in said
    assert (FOLDER / name).stat().st_size < 30_000
