"""The rule engine equals its slow twin, on whatever captures and rules hypothesis thinks of."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from reference_rules import Instance, LaneData, instances
from rule_strategies import lanes, rule_sets, whole, wiring_of

from tracecheck import words
from tracecheck.rules.engine import Engine
from tracecheck.rules.model import RuleSet

EXAMPLES = int(os.environ.get("TRACECHECK_EXAMPLES", "600"))
thorough = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def judged(lane: LaneData, rules: RuleSet) -> list[Instance]:
    """What the engine makes of a capture in one batch."""
    engine = Engine(rules, wiring_of(lane), lane.rate_hz)
    engine.feed(whole(lane))
    (result,) = engine.results()
    return [
        Instance(int(at), int(transfer), words.VERDICTS[verdict], int(value))
        for found in (part.found for part in result.lanes)
        for at, transfer, verdict, value in zip(found.at, found.transfer, found.verdict, found.value, strict=True)
    ]


@thorough
@given(st.data())
def test_engine_equals_twin(data: st.DataObject) -> None:
    lane = data.draw(lanes())
    rules, lane = data.draw(rule_sets(lane))
    rule = rules.rules[0]
    expected, got = sorted(instances(lane, rule), key=lambda i: i[:3]), sorted(judged(lane, rules))
    note(f"expected {expected}\ngot      {got}")
    if rule.kind == "order":
        assert [i[1:3] for i in sorted(got, key=lambda i: i[1:3])] == [
            i[1:3] for i in sorted(expected, key=lambda i: i[1:3])
        ]
        return
    assert [i[:3] for i in got] == [i[:3] for i in expected]
    for mine, theirs in zip(got, expected, strict=True):
        if theirs.value is not None:
            assert mine.value == theirs.value, (mine, theirs)
