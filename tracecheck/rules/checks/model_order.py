"""order with a driver model: the events of every exchange come as the driver makes them for a transfer of its shape.

The model says which pattern a transfer has to match; each is judged as order.py says. A transfer of a shape that the
driver does not make is inconclusive. `period` of an instance holds the index of its pattern among the model's.

    [[rule]]
    id = "read-order"
    kind = "order"
    where = { direction = "read", outcome = "acked" }
    model = "embassy-rp"
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import numpy as np

from tracecheck.decoding.rows import distinct
from tracecheck.decoding.window import Window
from tracecheck.rules.bounds import CUT, INCONCLUSIVE
from tracecheck.rules.checks.base import TOO_MANY, Checker, Expectation, LaneInfo
from tracecheck.rules.checks.instances import Instances, instances
from tracecheck.rules.checks.order import CUT_SHORT, OrderChecker
from tracecheck.rules.checks.scopes import Scopes, judged_scopes
from tracecheck.rules.drivers.model import DriverModel
from tracecheck.rules.drivers.shapes import Shapes
from tracecheck.rules.model import OrderRule
from tracecheck.rules.pattern import compile_pattern

NO_SHAPE = 100
"""The reason of instances that no pattern is for; the others are those of order.py."""


def order_checker(rule: OrderRule, lane: LaneInfo) -> Checker[OrderRule]:
    """The checker of a rule with a pattern, or with a driver model."""
    return OrderChecker(rule, lane) if rule.driver is None else ModelOrderChecker(rule, lane, rule.driver)


class ModelOrderChecker(Checker[OrderRule]):
    """One checker a pattern of the model, each given its own exchanges."""

    measures: ClassVar[str] = ""

    def __init__(self, rule: OrderRule, lane: LaneInfo, driver: DriverModel) -> None:
        super().__init__(rule, lane)
        self._driver = driver
        self._made: dict[int, OrderChecker] = {}

    def _of(self, index: int) -> OrderChecker:
        """The checker of one pattern; a capture has transfers of a few shapes, so it is made when there is one."""
        if index not in self._made:
            dfa = compile_pattern(self._driver.orders[index].pattern)
            self._made[index] = OrderChecker(self.rule, self.lane, dfa)
        return self._made[index]

    def feed(self, window: Window) -> Instances:
        scopes = judged_scopes(self, window)
        driver = self._driver
        every = window.once(("orders", driver.name), lambda: driver.order_of(Shapes.of(window)))
        classes = every[scopes.row]
        found = [self._without_shape(scopes.where(classes < 0))]
        for index in distinct(classes[classes >= 0]).tolist():
            mine = self._of(index).judged(window, scopes.where(classes == index))
            found.append(replace(mine, period=np.full(len(mine), index, np.int64)))
        return Instances.joined(found)

    @staticmethod
    def _without_shape(scopes: Scopes) -> Instances:
        verdict = np.where(scopes.cut & ~scopes.lost, CUT, INCONCLUSIVE).astype(np.uint8)
        reason = np.where(scopes.lost, TOO_MANY, np.where(scopes.cut, CUT_SHORT, NO_SHAPE)).astype(np.uint8)
        return instances(scopes.start, scopes.transfer, verdict, reason=reason)

    def expectation(self, found: Instances, i: int) -> Expectation | None:
        if int(found.reason[i]) == NO_SHAPE:
            return None
        return self._of(int(found.period[i])).expectation(found, i)

    def sentence(self, found: Instances, i: int, time: Callable[[int], str]) -> str:
        if int(found.reason[i]) == NO_SHAPE:
            return f"no call of {self._driver.name} makes a transfer of this shape, so no order is known"
        index = int(found.period[i])
        said = self._of(index).sentence(found, i, time)
        return said if int(found.reason[i]) == CUT_SHORT else f"{said} ({self._driver.orders[index].what})"
