"""Selectors over transfer columns: which transfers of a window a rule judges, all at once."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tracecheck import words
from tracecheck.decoding.rows import Columns
from tracecheck.rules.quantity import Quantity
from tracecheck.rules.selector import Selector

_ADDRESSES: Final = 1 << 10
"""Of 10 bits."""


def chosen(selector: Selector, transfers: Columns, bus: str | None, rate_hz: int | None) -> NDArray[np.bool_]:
    """A boolean for each row of `transfers`. A time window selects nothing when no rate is known."""
    n = len(transfers["start"])
    mask = np.ones(n, np.bool_)
    if selector.bus is not None and bus not in selector.bus:
        return np.zeros(n, np.bool_)
    if selector.address is not None:
        mask &= _among(selector.address, _ADDRESSES)[transfers["address"]]
    if selector.not_address is not None:
        mask &= ~_among(selector.not_address, _ADDRESSES)[transfers["address"]]
    if selector.direction is not None:
        directions = [words.TRANSFER_DIRECTIONS.index(d) for d in selector.direction]
        mask &= _among(directions, len(words.TRANSFER_DIRECTIONS))[transfers["directions"]]
    if selector.outcome is not None:
        mask &= _among([words.OUTCOMES.index(o) for o in selector.outcome], len(words.OUTCOMES))[transfers["outcome"]]
    if selector.after is not None:
        mask &= np.isin(transfers["after"], [words.OUTCOMES.index(o) for o in selector.after])
    if selector.length is not None:
        length = transfers["n_bytes"]
        within = np.zeros(n, np.bool_)
        for low, high in selector.length:
            within |= (length >= low) & (length <= (high if high is not None else np.iinfo(np.int32).max))
        mask &= within
    if selector.time is not None:
        mask &= _in_time(selector.time, transfers["start"], rate_hz)
    return mask


def _among(chosen: Collection[int], count: int) -> NDArray[np.bool_]:
    """For each of the numbers below `count` whether it is chosen; -1, for none, is the last and is not."""
    table = np.zeros(count + 1, np.bool_)
    table[list(chosen)] = True
    return table


def _in_time(
    window: tuple[Quantity | None, Quantity | None], start: NDArray[np.int64], rate_hz: int | None
) -> NDArray[np.bool_]:
    if not rate_hz:
        return np.zeros(len(start), np.bool_)
    mask = np.ones(len(start), np.bool_)
    low, high = window
    if low is not None and (exact := low.samples(rate_hz)) is not None:
        mask &= start >= -(-exact.numerator // exact.denominator)
    if high is not None and (exact := high.samples(rate_hz)) is not None:
        mask &= start <= exact.numerator // exact.denominator
    return mask
