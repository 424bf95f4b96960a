"""Events of a lane in order, and whose each is: what the core merges."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracecheck import _lane
from tracecheck.decoding.exchanges import VOID, Exchanges
from tracecheck.decoding.rows import Columns, concatenate
from tracecheck.decoding.window import ANOMALY_CODE

EVENTS: dict[str, type] = {"at": np.int64, "code": np.int16, "own": np.int64}
"""Columns of events: sample, code of the lane, and the transfer each is part of, -1 for none."""
_OWNED: dict[str, type] = {**EVENTS, "owner": np.int64, "own_row": np.int32, "owner_row": np.int32}
_MOST_PARTS = 32
"""Parts that are merged by comparing their heads; more of them are sorted."""


def picked(rows: Columns, which: NDArray[Any] | slice) -> Columns:
    return {name: column[which] for name, column in rows.items()}


def kept(rows: Columns, first: int) -> Columns:
    """Those from a place on, without the memory of those before it."""
    return {name: column[first:].copy() for name, column in rows.items()}


def interleaved(parts: list[Columns]) -> Columns:
    """Events of parts that are in order each, in order: by sample, and in one sample by code."""
    parts = [part for part in parts if len(part["at"])]
    if len(parts) < 2:
        return concatenate(parts, EVENTS)
    if len(parts) > _MOST_PARTS:
        whole = concatenate(parts, EVENTS)
        return picked(whole, np.lexsort((whole["code"], whole["at"])))
    n = sum(len(part["at"]) for part in parts)
    merged: Columns = {name: np.empty(n, kind) for name, kind in EVENTS.items()}
    streams = [(part["at"], part["code"], part["own"]) for part in parts]
    _lane.interleave(streams, merged["at"], merged["code"], merged["own"])
    return merged


def owned(bus: Columns, others: Columns, transfers: Columns, exchanges: Exchanges) -> Columns:
    """The bus's events and all others in order, and whose each is: the columns of a `Window`."""
    n = len(bus["at"]) + len(others["at"])
    events: Columns = {name: np.empty(n, kind) for name, kind in _OWNED.items()}
    void = transfers["outcome"] == VOID
    _lane.build(
        (bus["at"], bus["code"], bus["own"]),
        (others["at"], others["code"], others["own"]),
        transfers["transfer"],
        void.view(np.uint8),
        exchanges.start,
        exchanges.close,
        exchanges.rows,
        ANOMALY_CODE,
        *events.values(),
    )
    return events
