"""The column buffers that the core fills: one structure of arrays a table, allocated here, never grown.

-1 stands for null in every signed column; the Arrow side turns it into one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Columns = dict[str, NDArray[Any]]
"""Columns of one table, all of one length."""

_I64, _I32, _I16, _I8, _U8 = np.int64, np.int32, np.int16, np.int8, np.uint8

LAYOUT: dict[str, dict[str, type]] = {
    "events": {"at": _I64, "kind": _U8, "transfer": _I64},
    "bytes": {
        "transfer": _I64,
        "message": _I32,
        "index": _I32,
        "kind": _U8,
        "value": _U8,
        "acked": _I8,
        "start": _I64,
        "at": _I64,
        "end": _I64,
    },
    "messages": {
        "transfer": _I64,
        "index": _I32,
        "address": _I16,
        "address_kind": _U8,
        "ten_bit": _U8,
        "direction": _U8,
        "restart": _U8,
        "acked": _I8,
        "start": _I64,
        "end": _I64,
        "n_bytes": _I32,
    },
    "transfers": {
        "transfer": _I64,
        "start": _I64,
        "stop": _I64,
        "end": _I64,
        "outcome": _U8,
        "n_messages": _I32,
        "n_bytes": _I32,
        "address": _I16,
        "ten_bit": _U8,
        "directions": _U8,
        "period": _I64,
        "low": _I64,
        "high": _I64,
        "stretch": _I64,
        "complete": _U8,
    },
    "anomalies": {"kind": _U8, "transfer": _I64, "at": _I64, "width": _I64, "arg": _I32},
    "stretches": {
        "transfer": _I64,
        "message": _I32,
        "bit": _U8,
        "begin": _I64,
        "end": _I64,
        "excess": _I64,
        "held_by": _U8,
        "complete": _U8,
    },
}
"""Tables and columns of the strict decoder, in the order of its `counts`."""

TIMINGS: dict[str, type] = {
    "transfer": _I64,
    "parameter": _U8,
    "count": _I64,
    "low": _I64,
    "low_at": _I64,
    "high": _I64,
    "high_at": _I64,
}
"""Columns of the timing walk, whose rows come only where they are asked for; see `_timing.pyi`."""

PEER_LAYOUT: dict[str, dict[str, type]] = {"annotations": {"start": _I64, "end": _I64, "kind": _U8, "value": _U8}}


def allocate(layout: dict[str, dict[str, type]], rows: int, **more: int) -> dict[str, Columns]:
    """Buffers of `rows` rows for every table of `layout`, or as many as `more` says; memory is touched as rows come."""
    return {
        table: {name: np.empty(more.get(table, rows), kind) for name, kind in columns.items()}
        for table, columns in layout.items()
    }


def concatenate(parts: list[Columns], layout: dict[str, type]) -> Columns:
    """One set of columns out of many, in order; empty columns of the right types when there are no parts."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return {name: np.empty(0, kind) for name, kind in layout.items()}
    return {name: np.concatenate([p[name] for p in parts]) for name in layout}


def distinct(values: NDArray[Any]) -> NDArray[Any]:
    """The values there are, each once, in order.

    As `np.unique`, which loads numpy.ma where nothing but the values is asked of it: a tenth of a small analysis.
    """
    found: NDArray[Any] = np.unique(values, return_counts=True)[0]
    return found
