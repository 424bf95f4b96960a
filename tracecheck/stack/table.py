"""What stacks said, as the table `annotations`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tracecheck import schemas
from tracecheck.arrow import coded, column, strings
from tracecheck.stack.annotations import Annotation
from tracecheck.timebase import column_ns
from tracecheck.trace import Trace


def annotations_table(trace: Trace, annotations: Sequence[Annotation]) -> pa.Table:
    """The rows of `schemas.ANNOTATIONS`, in the order given; `transfer` is the one that `start` lies in."""
    start = np.array([one.start for one in annotations], np.int64)
    end = np.array([one.end for one in annotations], np.int64)
    bus = [one.bus for one in annotations]
    transfer = np.full(len(start), -1, np.int64)
    for name in dict.fromkeys(bus):
        mine = np.array([one == name for one in bus])
        transfer[mine] = _transfers(trace, name, start[mine])
    no_times = np.full(len(start), trace.rate_hz is None)
    times = column_ns(start, trace.rate_hz) if trace.rate_hz else np.zeros(len(start), np.int64)
    columns = {
        "bus": _names(bus),
        "stack": _names([one.stack for one in annotations]),
        "decoder": _names([one.decoder for one in annotations]),
        "class": _names([one.kind for one in annotations]),
        "text": strings([one.text for one in annotations]),
        "start": column(start),
        "end": column(end),
        "t_ns": column(times, no_times),
        "transfer": column(transfer, transfer < 0),
    }
    return pa.table([columns[name] for name in schemas.ANNOTATIONS.names], schema=schemas.ANNOTATIONS)


def _transfers(trace: Trace, bus: str, samples: NDArray[np.int64]) -> NDArray[np.int64]:
    rows = trace.columns(bus, "transfers")
    if not len(rows["start"]):
        return np.full(len(samples), -1, np.int64)
    at = np.searchsorted(rows["start"], samples, side="right") - 1
    inside = (at >= 0) & (samples <= rows["end"][np.maximum(at, 0)])
    return np.where(inside, rows["transfer"][np.maximum(at, 0)], -1)


def _names(texts: Sequence[str]) -> pa.DictionaryArray:
    words = list(dict.fromkeys(texts))
    index = {word: i for i, word in enumerate(words)}
    return coded(np.array([index[text] for text in texts], np.int16), words)
