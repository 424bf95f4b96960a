"""Transfers from when they are decoded until their lines are written: with their messages, in order over all buses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracecheck import words
from tracecheck.decoding.exchanges import FOREVER
from tracecheck.decoding.rows import LAYOUT, Columns, concatenate
from tracecheck.decoding.stream import Batch
from tracecheck.decoding.wiring import Wiring

if TYPE_CHECKING:
    from tracecheck.report.latencies import Closed

NONE: Final = int(np.iinfo(np.int64).min)
"""No interrupt, no wake."""
_DATA: Final = words.BYTE_KINDS.index("data")
_OF: Final = {"transfer": np.int64, "start": np.int64, "outcome": np.uint8, "irq": np.int64, "wake": np.int64}


class Rows(NamedTuple):
    """Transfers by START, and what was said in them.

    `of`        columns transfer, start, outcome; bus, its number; [first, last), its messages; where interrupts are
                told, in samples: irq, twice the time from STOP, or from START and then one more; wake, from the
                interrupt; NONE for none
    `messages`  columns as the decoder has them, and data, where in `values` the first data byte of each is
    """

    of: Columns
    messages: Columns
    values: NDArray[np.uint8]


class BusRows:
    """The transfers of one bus. Feed batches, take those that START before a sample.

    Where interrupts are told, or there are several buses, a transfer is there once its exchange has closed.
    """

    def __init__(
        self,
        number: int,
        bus: str,
        wiring: Wiring,
        batch: Batch,
        settle: int,
        *,
        several: bool,
        timed: bool,
    ) -> None:
        """`batch`: the first."""
        self._number, self._bus, self._timed = number, bus, timed
        self.until = FOREVER
        """Every transfer that STARTs before this sample is there."""
        self._closed: Closed | None = None
        if several or timed:
            from tracecheck.report.latencies import Closed  # noqa: PLC0415  (lanes are a tenth of a small decode)

            self.until, self._closed = 0, Closed(wiring, bus, batch, settle)
        self._transfers: list[Columns] = []
        self._messages: list[Columns] = []
        self._values: list[NDArray[np.uint8]] = []

    def feed(self, batch: Batch) -> None:
        rows = batch.buses[self._bus]
        self._messages.append(rows["messages"])
        self._values.append(rows["bytes"]["value"][rows["bytes"]["kind"] == _DATA])
        if self._closed is None:
            self._transfers.append(rows["transfers"])
        elif (found := self._closed.feed(batch)) is not None:
            self._transfers.append(found)
            self.until = self._closed.until

    def taken(self, until: int) -> Rows | None:
        """Those that START before a sample; None for none."""
        names = list(_OF) if self._timed else list(_OF)[:3]
        of = {name: np.concatenate([np.empty(0, _OF[name]), *(p[name] for p in self._transfers)]) for name in names}
        n = int(np.searchsorted(of["start"], until)) if until < FOREVER else len(of["start"])
        self._transfers = [{name: column[n:].copy() for name, column in of.items()}] if n < len(of["start"]) else []
        if not n:
            return None
        of = {name: column[:n] for name, column in of.items()}
        messages = concatenate(self._messages, LAYOUT["messages"])
        first, last = (np.searchsorted(messages["transfer"], of["transfer"], side) for side in ("left", "right"))
        done = int(last[-1])
        ends = np.cumsum(messages["n_bytes"][:done], dtype=np.int64)
        values = np.concatenate([np.empty(0, np.uint8), *self._values])
        used = int(ends[-1]) if done else 0
        self._messages = [{name: column[done:].copy() for name, column in messages.items()}]
        self._values = [values[used:].copy()]
        said = {name: column[:done] for name, column in messages.items()}
        said["data"] = ends - said["n_bytes"]
        of |= {
            "bus": np.full(n, self._number, np.int16),
            "first": first.astype(np.int64),
            "last": last.astype(np.int64),
        }
        return Rows(of, said, values[:used])


def in_order(parts: Sequence[Rows]) -> Rows:
    """The transfers of several buses by START; in one sample bus by bus."""
    if len(parts) == 1:
        return parts[0]
    messages = values = 0
    moved: list[Rows] = []
    for part in parts:
        of = part.of | {name: part.of[name] + messages for name in ("first", "last")}
        moved.append(Rows(of, part.messages | {"data": part.messages["data"] + values}, part.values))
        messages += len(part.messages["data"])
        values += len(part.values)
    order = np.argsort(np.concatenate([part.of["start"] for part in moved]), kind="stable")
    return Rows(
        {name: np.concatenate([part.of[name] for part in moved])[order] for name in moved[0].of},
        {name: np.concatenate([part.messages[name] for part in moved]) for name in moved[0].messages},
        np.concatenate([part.values for part in moved]),
    )
