"""Rules with a driver model, on whatever captures hypothesis thinks of: each transfer is judged as by its own rule.

A rule with a model says of a transfer what a rule with that very count, or that very pattern, says of it; where it has
none, nothing can be said. And how the rows are cut changes none of it.
"""

from __future__ import annotations

import numpy as np
from hypothesis import given, note, settings
from hypothesis import strategies as st
from reference_rules import FOREVER, LaneData, Transfer, scopes
from rule_lines import lane as written
from rule_strategies import CUTS, batches_of, lanes, rule_sets, whole, wiring_of
from test_driver_model import shapes
from test_rules_cuts import COLUMNS, EXAMPLES, results, thorough, told

from tracecheck import words
from tracecheck.rules.drivers.embassy_rp import MODEL
from tracecheck.rules.drivers.shapes import Shapes
from tracecheck.rules.model import AnyRule, OccurrenceRule, OrderRule, RuleSet
from tracecheck.rules.quantity import parse_quantity

some = settings(thorough, max_examples=max(EXAMPLES // 4, 20))
SETTLED = RuleSet(settle=parse_quantity("50us"))
COUNT = OccurrenceRule(id="c", event="irq.begin", model="embassy-rp")
ORDER = OrderRule(id="o", model="embassy-rp")


def shape_of(lane: LaneData, t: Transfer) -> Shapes:
    """The plain way: its data bytes before the first repeated START, and the others."""
    mine = [e for e in lane.bus if e.own == t.number]
    again = next((e.at for e in mine if e.name == "restart"), FOREVER)
    first = sum(e.name == "data" and e.at < again for e in mine)
    messages = 1 + sum(e.name == "restart" for e in mine)
    return shapes(t.direction, first, t.n_bytes - first, t.outcome, messages=messages, whole=not t.cut)


def verdicts(lane: LaneData, rules: RuleSet, rule: AnyRule) -> dict[int, str] | None:
    """By transfer; None where the lane has not what the rule needs."""
    (found,) = results([whole(lane)], rules.model_copy(update={"rules": (rule,)}), wiring_of(lane), lane.rate_hz)
    if found.missing:
        return None
    return {
        int(transfer): words.VERDICTS[verdict]
        for part in found.lanes
        for transfer, verdict in zip(part.found.transfer, part.found.verdict, strict=True)
    }


@some
@given(st.data())
def test_each_transfer_is_judged_by_what_the_model_says_of_it(data: st.DataObject) -> None:
    lane = data.draw(lanes())
    rules, lane = data.draw(rule_sets(lane))
    where = rules.rules[0].where
    rule = data.draw(st.sampled_from([COUNT, ORDER])).model_copy(update={"where": where})
    found = verdicts(lane, rules, rule)
    if found is None:
        return
    cut = {s.of.number for s in scopes(lane, "exchange") if s.cut_begin or s.cut_end}
    for number, verdict in found.items():
        shape = shape_of(lane, lane.transfers[number])
        note(f"{number}: {verdict}, {shape}")
        own: AnyRule | None = None
        if rule.kind == "occurrence":
            counts = MODEL.interrupts(shape)
            if counts.known[0]:
                bounds = {"min": int(counts.least[0]), "max": int(counts.most[0])}
                own = OccurrenceRule(id="own", event="irq.begin", where=where, **bounds)
        elif (index := int(MODEL.order_of(shape)[0])) >= 0:
            own = OrderRule(id="own", pattern=MODEL.orders[index].pattern, where=where)
        if own is None:
            assert verdict == ("cut" if number in cut else "inconclusive")
        else:
            alone = verdicts(lane, rules, own)
            assert alone is not None and verdict == alone[number]


@some
@given(st.data())
def test_cuts_change_nothing(data: st.DataObject) -> None:
    lane = data.draw(lanes())
    rules, lane = data.draw(rule_sets(lane))
    chosen = tuple(rule.model_copy(update={"where": rules.rules[0].where}) for rule in (COUNT, ORDER))
    rules = rules.model_copy(update={"rules": chosen})
    once = results([whole(lane)], rules, wiring_of(lane), lane.rate_hz)
    often = results(batches_of(lane, data.draw(CUTS)), rules, wiring_of(lane), lane.rate_hz)
    for first, second in zip(once, often, strict=True):
        for a, b in zip(first.lanes, second.lanes, strict=True):
            for column in COLUMNS:
                np.testing.assert_array_equal(getattr(a.found, column), getattr(b.found, column), column)
    assert told(once, lane) == told(often, lane)


def test_the_strategy_makes_shapes_that_the_model_knows() -> None:
    """Else the tests above would show nothing."""
    data = written("start@10:write,n1 address@12 data@14 stop@20 irq@25-30 run@31-33", settle=50)
    assert verdicts(data, SETTLED, COUNT) == {0: "pass"}
    assert verdicts(data, SETTLED, ORDER) == {0: "pass"}
    seen = set()

    @some
    @given(st.data())
    def look(data: st.DataObject) -> None:
        lane = data.draw(lanes())
        seen.update(int(MODEL.order_of(shape_of(lane, t))[0]) for t in lane.transfers)

    look()
    assert len(seen) >= 3
