"""The whole way, from file to verdict, on every synthetic capture: exactly the rules that can see a fault find it, at
the transfer it struck; and the decoder's tables hold what the generator put on the wire.

`expected.json` was written by the generator from its own truth and by reasoning from the rule language (see
test_synth_captures.py), never from what the engine said.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import tracecheck

FOLDER = Path(__file__).parent.parent / "captures" / "synthetic"
EXPECTED: dict[str, dict[str, Any]] = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
RUNS = [(name, verdict) for name, facts in EXPECTED.items() for verdict in facts["verdicts"]]


@pytest.mark.parametrize(("name", "verdict"), RUNS, ids=[f"{name}-{v['rules']}" for name, v in RUNS])
def test_each_fault_is_found_by_exactly_the_rules_that_can_see_it(name: str, verdict: dict[str, Any]) -> None:
    report = tracecheck.analyze(FOLDER / name, FOLDER / verdict["rules"])
    failed: dict[str, list[int | None]] = {}
    for finding in report.findings:
        if finding.verdict == "fail":
            failed.setdefault(finding.rule, []).append(finding.transfer)
    assert {rule: sorted(set(where), key=str) for rule, where in failed.items()} == verdict["failed"]
    unchecked = {r.rule.id for r in report.rules if r.verdict == "inconclusive" and not r.rule.optional}
    assert unchecked == set(verdict["inconclusive"])
    assert report.exit_code() == verdict["exit"]


@pytest.mark.parametrize("name", EXPECTED)
def test_the_tables_hold_what_was_put_on_the_wire(name: str) -> None:
    facts = EXPECTED[name]
    trace = tracecheck.decode(FOLDER / name, rules=FOLDER / facts["verdicts"][0]["rules"])
    transfers = trace.transfers.to_pylist()
    messages = trace.messages.to_pylist()
    for bus, truth in facts["truth"].items():
        found = [t for t in transfers if t["bus"] == bus]
        sent = truth["transfers"]
        assert [(t["transfer"], t["start"], t["stop"], t["outcome"]) for t in found] == [
            (t["transfer"], t["start"], t["stop"], t["outcome"]) for t in sent
        ]
        for transfer in sent:
            heard = [m for m in messages if m["bus"] == bus and m["transfer"] == transfer["transfer"]]
            whole = [m for m in transfer["messages"] if len(heard) > 0]
            if transfer["outcome"] in ("acked", "address-nack", "data-nack"):
                assert [(m["address"], m["ten_bit"], m["direction"]) for m in heard] == [
                    (m["address"], m["ten_bit"], m["direction"]) for m in whole
                ]
            if transfer["outcome"] == "acked":
                assert [m["data"].hex() for m in heard] == [m["data"] for m in whole]


@pytest.mark.parametrize("name", EXPECTED)
def test_interrupts_and_wakes_are_where_the_firmware_put_them(name: str) -> None:
    facts = EXPECTED[name]
    trace = tracecheck.decode(FOLDER / name, rules=FOLDER / facts["verdicts"][0]["rules"])
    timeline = trace.timeline.to_pylist()
    irq = {
        m.bus: f"{m.name}" if m.coding == "pulse-count" else f"{m.name}.begin"
        for m in trace.wiring.markers
        if m.role == "irq"
    }
    for bus, truth in facts["truth"].items():
        interrupts = [i["begin"] for i in truth["interrupts"]]
        assert [e["sample"] for e in timeline if e["bus"] == bus and e["event"] == irq[bus]] == interrupts
        if any(m.role == "run" and m.bus == bus for m in trace.wiring.markers):
            wakes = [i["wake"] for i in truth["interrupts"] if i["wake"] is not None and i["wake"] >= i["begin"]]
            derived = [e["sample"] for e in timeline if e["bus"] == bus and e["event"] == "wake"]
            assert set(wakes) <= set(derived)
            assert len(derived) <= len(interrupts)
