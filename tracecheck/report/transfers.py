"""A decoded capture as text: one line a transfer, with the interrupt that ended it and the wake that followed.

Lines are made piece by piece as decoding goes on, in memory that does not grow with the capture, and written by the
compiled core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracecheck import words
from tracecheck._text import Cells, lines
from tracecheck.collected import Collected
from tracecheck.decoding.exchanges import Samples
from tracecheck.decoding.stream import Batch
from tracecheck.decoding.wiring import Wiring
from tracecheck.report.style import Style
from tracecheck.report.undrawn import NONE, BusRows, Rows, in_order
from tracecheck.timebase import column_ns, time_text

_AT_ONCE = 1 << 14
"""Transfers whose lines are one text."""
_SIMULTANEOUS = words.ANOMALIES.index("simultaneous")
_COLOURS = {"acked": (), "void": ("dim",)}
_ODD = ("yellow",)


class Piece(NamedTuple):
    """Lines of transfers, each with its line end, and for each the number of its bus and of its transfer."""

    text: str
    bus: NDArray[np.int16]
    transfer: Samples


class TransferText:
    """The text of one decode: a head, then a line a transfer, in order of START over all buses.

    `settle` in samples; `whole`: all bytes, however long a line gets, else as many as the style's width lets.
    """

    def __init__(self, wiring: Wiring, settle: int, rate_hz: int | None, style: Style, *, whole: bool = False) -> None:
        self._wiring, self._settle, self._rate_hz = wiring, settle, rate_hz
        self._several = len(wiring.buses) > 1
        self._timed = any(m.role == "irq" for m in wiring.markers)
        head = f"{'time':>14}  {'bus  ' if self._several else ''}{'#':>5}  {'outcome':<12}"
        head += f"  {'irq':>9}  {'wake':>9}" if self._timed else ""
        self.head = style.paint(f"{head}  transfer", "dim")
        self._room = -1 if whole else max(style.width - len(head) - 2, 0)
        self._buses = [f"{b.name:<5}".encode("utf-8", "replace") for b in wiring.buses]
        painted = (style.paint(f"{word:<12}", *_COLOURS.get(word, _ODD)) for word in words.OUTCOMES)
        self._outcomes = [text.encode() for text in painted]
        self.transfers = self.anomalies = 0

    @property
    def needed(self) -> Wiring:
        """What of the wiring must be decoded: markers only where interrupts are told."""
        markers = tuple(m for m in self._wiring.markers if m.bus is not None) if self._timed else ()
        return Wiring(self._wiring.buses, markers)

    def pieces(self, batches: Iterable[Batch]) -> Iterator[Piece]:
        """The lines of all transfers, and counts them."""
        buses: list[BusRows] = []
        for batch in batches:
            buses = buses or [
                BusRows(number, bus.name, self._wiring, batch, self._settle, several=self._several, timed=self._timed)
                for number, bus in enumerate(self._wiring.buses)
            ]
            self.count(batch)
            for bus in buses:
                bus.feed(batch)
            until = min((bus.until for bus in buses), default=0)
            del batch  # before the next one is decoded
            parts = [part for bus in buses if (part := bus.taken(until)) is not None]
            if parts:
                yield from self._drawn(in_order(parts))

    @property
    def summary(self) -> str:
        """`8 transfers, 2 anomalies (see decode --table anomalies)`, of what has been drawn.

        Both lines changing in one sample is a note that slow sampling makes everywhere: it is not counted.
        """
        text = f"{self.transfers} transfer{'' if self.transfers == 1 else 's'}"
        if self.anomalies:
            word = "anomaly" if self.anomalies == 1 else "anomalies"
            text += f", {self.anomalies} {word} (see decode --table anomalies)"
        return text

    def count(self, batch: Batch) -> None:
        """Count a batch's transfers and anomalies for the summary; `pieces` does so by itself."""
        for rows in batch.buses.values():
            self.transfers += len(rows["transfers"]["transfer"])
            self.anomalies += int((rows["anomalies"]["kind"] != _SIMULTANEOUS).sum())

    def _drawn(self, rows: Rows) -> Iterator[Piece]:
        for begin in range(0, len(rows.of["start"]), _AT_ONCE):
            of = {name: column[begin : begin + _AT_ONCE] for name, column in rows.of.items()}
            cells = [Cells(self._outcomes, of["outcome"].astype(np.int64))]
            if self._timed:
                cells += [_cells(of["irq"], self._irq_text), _cells(of["wake"], self._wake_text)]
            text = lines(
                column_ns(of["start"], self._rate_hz) if self._rate_hz else of["start"],
                bool(self._rate_hz),
                Cells(self._buses, of["bus"].astype(np.int64)) if self._several else None,
                of["transfer"],
                cells,
                of["first"],
                of["last"],
                rows.messages,
                rows.values,
                self._room,
            )
            yield Piece(text, of["bus"], of["transfer"])

    def _irq_text(self, key: int) -> str:
        return ("S+" if key & 1 else "") + time_text(key >> 1, self._rate_hz)

    def _wake_text(self, key: int) -> str:
        return time_text(key, self._rate_hz)


def _cells(keys: Samples, text: Callable[[int], str]) -> Cells:
    """Few distinct times, many rows: each is written once."""
    distinct, index = np.unique(keys, return_inverse=True)
    texts = [f"{'-' if key == NONE else text(key):>9}".encode() for key in distinct.tolist()]
    return Cells(texts, index.astype(np.int64))


def transfer_lines(text: TransferText, trace: Collected, below: Callable[[str, int], Iterable[str]]) -> Iterator[str]:
    """The head and the lines of a trace's transfers; `below` gives those that stand under a transfer's."""
    names = [bus.name for bus in trace.wiring.buses]
    yield text.head
    for piece in text.pieces([trace.batch()]):
        each = zip(piece.text.splitlines(), piece.bus.tolist(), piece.transfer.tolist(), strict=True)
        for line, bus, transfer in each:
            yield line
            yield from below(names[bus], transfer)
