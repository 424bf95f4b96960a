"""The rule engine equals its slow twin, on whatever captures and rules hypothesis thinks of."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from reference_rules import Instance, LaneData, Together, instances
from rule_lines import expected_together, said_together
from rule_strategies import lanes, rule_sets, whole, wiring_of

from tracecheck import words
from tracecheck.rules.engine import Engine
from tracecheck.rules.model import RuleSet

EXAMPLES = int(os.environ.get("TRACECHECK_EXAMPLES", "600"))
thorough = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def judged(lane: LaneData, rules: RuleSet) -> tuple[list[Instance], list[Together]]:
    """What the engine makes of a capture in one batch."""
    engine = Engine(rules, wiring_of(lane), lane.rate_hz, keep=True)
    engine.feed(whole(lane))
    (result,) = engine.results()
    found = [
        Instance(int(at), int(transfer), words.VERDICTS[verdict], int(value))
        for found in (part.found for part in result.lanes)
        for at, transfer, verdict, value in zip(found.at, found.transfer, found.verdict, found.value, strict=True)
    ]
    return found, said_together(result)


@thorough
@given(st.data())
def test_engine_equals_twin(data: st.DataObject) -> None:
    equal_to_twin(*data.draw(lanes().flatmap(rule_sets)))


@thorough
@given(st.data())
def test_timing_equals_twin(data: st.DataObject) -> None:
    lane = data.draw(lanes().filter(lambda lane: lane.timings))
    equal_to_twin(*data.draw(rule_sets(lane, ("timing",))))


def equal_to_twin(rules: RuleSet, lane: LaneData) -> None:
    rule = rules.rules[0]
    found, together = judged(lane, rules)
    expected, got = sorted(instances(lane, rule), key=lambda i: i[:3]), sorted(found, key=lambda i: i[:3])
    note(f"expected {expected}\ngot      {got}\ntogether {together}")
    assert together == expected_together(lane, rule)
    if rule.kind == "order":
        assert [i[1:3] for i in sorted(got, key=lambda i: i[1:3])] == [
            i[1:3] for i in sorted(expected, key=lambda i: i[1:3])
        ]
        return
    assert [i[:3] for i in got] == [i[:3] for i in expected]
    for mine, theirs in zip(got, expected, strict=True):
        if theirs.value is not None:
            assert mine.value == theirs.value, (mine, theirs)
