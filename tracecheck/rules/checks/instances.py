"""The instances of a rule, as columns: what checkers make, and tallies count."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracecheck.decoding.exchanges import Samples
from tracecheck.rules.bounds import Verdicts

Reasons = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Instances:
    """n instances of one rule.

    `value` in samples (or a count), -1 where nothing was measured; `reason` indexes the rule kind's sentences;
    `period`: SCL period in samples, for bounds in `scl`; `extra` whatever the sentence needs.
    """

    at: Samples
    transfer: Samples
    verdict: Verdicts
    value: Samples
    reason: Reasons
    period: Samples
    extra: Samples

    def __len__(self) -> int:
        return len(self.at)

    def where(self, mask: NDArray[Any] | slice) -> Instances:
        """Those that a mask, an array of indices or a slice picks."""
        if isinstance(mask, slice):
            return Instances(*(column[mask] for column in self._columns))
        if mask.dtype == np.bool_:
            if mask.all():
                return self
            mask = np.flatnonzero(mask)
        return Instances(*(column.take(mask) for column in self._columns))

    @property
    def _columns(self) -> tuple[NDArray[Any], ...]:
        return self.at, self.transfer, self.verdict, self.value, self.reason, self.period, self.extra

    def replaced(self, mask: NDArray[np.bool_], others: Instances) -> Instances:
        """With `others` in the places of a mask."""
        columns = []
        for field_ in fields(Instances):
            columns.append(column := getattr(self, field_.name).copy())
            column[mask] = getattr(others, field_.name)
        return Instances(*columns)

    def in_order(self) -> Instances:
        """By sample, and then in an order that does not depend on when each was decided."""
        keys = (self.extra, self.value, self.reason, self.verdict, self.transfer, self.at)
        return self.where(np.lexsort(keys))

    @staticmethod
    def joined(parts: list[Instances]) -> Instances:
        """All of them, in the order given."""
        if len(parts) == 1:
            return parts[0]
        if not parts:
            none, nothing = np.empty(0, np.int64), np.empty(0, np.uint8)
            return Instances(none, none, nothing, none, nothing, none, none)
        return Instances(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Instances)))


def instances(
    at: Samples,
    transfer: Samples,
    verdict: Verdicts,
    *,
    value: Samples | None = None,
    reason: Reasons | int = 0,
    period: Samples | None = None,
    extra: Samples | None = None,
) -> Instances:
    """Instances with the columns that are not given filled in."""
    n = len(at)
    return Instances(
        at,
        transfer,
        verdict.astype(np.uint8, copy=False),
        np.full(n, -1, np.int64) if value is None else value,
        np.full(n, reason, np.uint8) if isinstance(reason, int) else reason,
        np.zeros(n, np.int64) if period is None else period,
        np.full(n, -1, np.int64) if extra is None else extra,
    )


def single(
    at: int, verdict: int, *, transfer: int = -1, value: int = -1, reason: int = 0, period: int = 0, extra: int = -1
) -> Instances:
    """One instance."""
    columns = (np.array([x], np.int64) for x in (value, period, extra))
    values, periods, extras = columns
    return instances(
        np.array([at], np.int64),
        np.array([transfer], np.int64),
        np.array([verdict], np.uint8),
        value=values,
        reason=reason,
        period=periods,
        extra=extras,
    )


NONE = Instances.joined([])
