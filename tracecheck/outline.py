"""The transfers of a capture, one short row each: what a report says of a transfer beside its number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tracecheck import words
from tracecheck.decoding.rows import LAYOUT, Columns, concatenate
from tracecheck.decoding.stream import Batch

_TOLD: Final = ("transfer", "start", "stop", "end", "address", "directions", "n_bytes", "outcome", "period")
_COLUMNS: Final[dict[str, type]] = {name: LAYOUT["transfers"][name] for name in _TOLD} | {
    "previous_end": np.int64,
    "following": np.int64,
}
_ROOM: Final = 1 << 15
"""Transfers that are held before any is let go of."""


@dataclass(frozen=True, slots=True)
class TransferFacts:
    """One transfer. Samples as in `schemas.TRANSFERS`; `stop` is None when no STOP came; `period` of SCL, 0: unknown.

    `previous_end` and `following`: where the transfer before it ended (0: there is none), where the next one starts.
    """

    bus: str
    transfer: int
    start: int
    stop: int | None
    end: int
    address: int | None
    directions: str
    n_bytes: int
    outcome: str
    period: int
    previous_end: int
    following: int | None

    @property
    def summary(self) -> str:
        """`write 0x3C, 3 bytes`, and the outcome where it is not acked."""
        where = f" 0x{self.address:02X}" if self.address is not None else ""
        size = f"{self.n_bytes} byte{'' if self.n_bytes == 1 else 's'}"
        what = f"{self.directions}{where}, {size}" if self.directions != "none" else f"no address{where}"
        return what if self.outcome == "acked" else f"{what}, {self.outcome}"


class Outline:
    """Collects the transfer rows of every batch; about 70 bytes a transfer, until `thin` lets go of some."""

    def __init__(self) -> None:
        self._parts: dict[str, list[Columns]] = {}
        self._counts: dict[str, int] = {}
        self._roomy = _ROOM

    def add(self, batch: Batch) -> None:
        """Take one batch."""
        for bus, rows in batch.buses.items():
            parts = self._parts.setdefault(bus, [])
            n = len(rows["transfers"]["start"])
            self._counts[bus] = self._counts.get(bus, 0) + n
            if n:
                parts.append(_row_by_row(rows["transfers"], parts[-1] if parts else None))

    def thin(self, named: Callable[[str], tuple[NDArray[np.int64], int]]) -> None:
        """Let go, once there are many, of transfers that nobody will ask for; they still count.

        `named` tells of a bus the transfers that are asked for, and a sample from which on any may be.
        """
        held = sum(len(part["start"]) for parts in self._parts.values() for part in parts)
        if held < self._roomy:
            return
        for bus, parts in self._parts.items():
            rows = concatenate(parts, _COLUMNS)
            wanted, since = named(bus)
            keep = np.isin(rows["transfer"], wanted) | (rows["start"] >= since)
            keep[-1:] = True  # what follows it is not known yet
            parts[:] = [{name: column[keep] for name, column in rows.items()}]
        self._roomy = 2 * sum(len(part["start"]) for parts in self._parts.values() for part in parts) + _ROOM

    @property
    def buses(self) -> tuple[str, ...]:
        return tuple(self._parts)

    @property
    def counts(self) -> dict[str, int]:
        """Transfers on each bus."""
        return dict(self._counts)

    @property
    def count(self) -> int:
        """Transfers on all buses."""
        return sum(self._counts.values())

    def facts(self, bus: str | None, transfer: int | None) -> TransferFacts | None:
        """What is known of one transfer; None for one that there is not, or that `thin` let go of."""
        if bus is None or transfer is None:
            return None
        parts = self._parts.get(bus, [])
        if len(parts) > 1:
            parts[:] = [concatenate(parts, _COLUMNS)]
        rows = concatenate(parts, _COLUMNS)
        i = int(np.searchsorted(rows["transfer"], transfer))
        if i >= len(rows["transfer"]) or rows["transfer"][i] != transfer:
            return None
        address, stop = int(rows["address"][i]), int(rows["stop"][i])
        following = int(rows["following"][i])
        return TransferFacts(
            bus=bus,
            transfer=transfer,
            start=int(rows["start"][i]),
            stop=stop if stop >= 0 else None,
            end=int(rows["end"][i]),
            address=address if address >= 0 else None,
            directions=words.TRANSFER_DIRECTIONS[int(rows["directions"][i])],
            n_bytes=int(rows["n_bytes"][i]),
            outcome=words.OUTCOMES[int(rows["outcome"][i])],
            period=max(int(rows["period"][i]), 0),
            previous_end=int(rows["previous_end"][i]),
            following=following if following >= 0 else None,
        )


def _row_by_row(transfers: Columns, before: Columns | None) -> Columns:
    """The columns that are kept of these, each row with what it needs of its neighbours. Told to `before`, too."""
    rows = {name: transfers[name] for name in _TOLD}
    rows["previous_end"] = np.append(0 if before is None else before["end"][-1], rows["end"][:-1])
    rows["following"] = np.append(rows["start"][1:], -1)
    if before is not None:
        before["following"][-1] = rows["start"][0]
    return rows
