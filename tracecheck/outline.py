"""The transfers of a capture, one short row each: what a report says of a transfer beside its number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracecheck import words
from tracecheck.decoding.rows import LAYOUT, Columns, concatenate
from tracecheck.decoding.stream import Batch


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
    """Collects the transfer rows of every batch; about a hundred bytes a transfer."""

    def __init__(self) -> None:
        self._parts: dict[str, list[Columns]] = {}

    def add(self, batch: Batch) -> None:
        """Take one batch."""
        for bus, rows in batch.buses.items():
            parts = self._parts.setdefault(bus, [])
            if len(rows["transfers"]["start"]):
                parts.append(rows["transfers"])

    @property
    def buses(self) -> tuple[str, ...]:
        return tuple(self._parts)

    @property
    def count(self) -> int:
        """Transfers on all buses."""
        return sum(len(part["start"]) for parts in self._parts.values() for part in parts)

    def transfers(self, bus: str) -> Columns:
        """All rows of one bus, in order."""
        parts = self._parts.get(bus, [])
        if len(parts) > 1:
            parts[:] = [concatenate(parts, LAYOUT["transfers"])]
        return concatenate(parts, LAYOUT["transfers"])

    def facts(self, bus: str | None, transfer: int | None) -> TransferFacts | None:
        """What is known of one transfer; None for one that there is not."""
        if bus is None or transfer is None:
            return None
        rows = self.transfers(bus)
        i = int(np.searchsorted(rows["transfer"], transfer))
        if i >= len(rows["transfer"]) or rows["transfer"][i] != transfer:
            return None
        address, stop = int(rows["address"][i]), int(rows["stop"][i])
        more = i + 1 < len(rows["start"])
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
            previous_end=int(rows["end"][i - 1]) if i else 0,
            following=int(rows["start"][i + 1]) if more else None,
        )
