"""What was learned of each shape of transfer: who was called, in which order things happened, how many interrupts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

import numpy as np

from tracecheck.decoding.lane import RESTART, START, STOP
from tracecheck.learn.draft import Block, Draft, counted, quoted
from tracecheck.shapes import Shape, shapes_of
from tracecheck.timeline import lane_of
from tracecheck.trace import Trace

MAX_ORDERS: Final = 8
"""Different orders of one shape that are written down; where there are more, order is nothing the firmware keeps."""
MAX_EVENTS: Final = 64
"""Events of an order that is written down."""
_JUDGEABLE: Final = ("acked", "address-nack", "data-nack")


class BusShapes:
    """The whole transfers of one bus by shape, and what happened in the exchange of each."""

    def __init__(self, trace: Trace, bus: str) -> None:
        self.bus, self.several = bus, len(trace.wiring.buses) > 1
        transfers = trace.columns(bus, "transfers")
        shapes, index = shapes_of(transfers, bus)
        batch, lane = trace.batch(), lane_of(trace, bus)
        window = lane.feed(batch.buses[bus], batch.markers, trace.end, synced=0, final=True)
        self.irq = lane.codes.get("irq.begin", -1)
        names = [name for name in ("address", "data", "irq.begin", "wake") if name in lane.codes]
        self._name = {lane.codes[name]: name.removesuffix(".begin") for name in names}
        self._name |= {START: "start", RESTART: "restart", STOP: "stop"}
        events: dict[int, list[int]] = {}
        settled: set[int] = set()
        if window is not None:
            mine = np.isin(window.code, list(self._name)) & (window.owner >= 0)
            for owner, code in zip(window.owner[mine].tolist(), window.code[mine].tolist(), strict=True):
                events.setdefault(owner, []).append(code)
            closed = window.exchanges.close <= trace.end
            settled = set(window.exchanges.transfer[closed & (window.exchanges.start >= window.synced)].tolist())
        # By what a rule can tell apart: one whose address has 7 bits and one of 10 are the same to `where`.
        self.rows: dict[Shape, list[list[int]]] = {}
        known: dict[str, Shape] = {}
        whole = transfers["complete"].astype(bool)
        for row in np.flatnonzero(whole).tolist():
            shape = shapes[index[row]]
            transfer = int(transfers["transfer"][row])
            if shape.address < 0 or shape.direction == "none" or shape.outcome not in _JUDGEABLE:
                continue
            shape = known.setdefault(self._where(shape), shape)
            exchanges = self.rows.setdefault(shape, [])
            if transfer in settled:
                exchanges.append(events.get(transfer, []))
        self.rows = dict(sorted(self.rows.items()))
        self._whole = Counter(shapes[index[row]].address for row in np.flatnonzero(whole).tolist())

    def __len__(self) -> int:
        return sum(count for address, count in self._whole.items() if address >= 0)

    def _where(self, shape: Shape) -> str:
        length = shape.length if shape.low == shape.high else quoted(shape.length)
        who = f'address = 0x{shape.address:02X}, direction = "{shape.direction}"'
        return self._on(f'{who}, length = {length}, outcome = "{shape.outcome}"')

    def _on(self, keys: str) -> str:
        return f"{{ {keys}{f', bus = {quoted(self.bus)}' if self.several else ''} }}"

    def addresses(self) -> Iterator[Block]:
        """Who was there, and who never refused."""
        suffix = f"-{self.bus}" if self.several else ""
        there = sorted({shape.address for shape in self.rows})
        refused = {shape.address for shape in self.rows if shape.outcome != "acked"}
        outcomes = ", ".join(map(quoted, _JUDGEABLE))
        if there:
            listed = ", ".join(f"0x{address:02X}" for address in there)
            keys = {"kind": '"absence"', "scope": '"transfer"', "event": '"start"', "optional": "true"}
            keys["where"] = self._on(f"not_address = [{listed}], outcome = [{outcomes}]")
            yield Block(
                f"known-addresses{suffix}", keys, f"In {counted(len(self), 'transfer')} no other address was called."
            )
        if steady := [address for address in there if address not in refused]:
            n = sum(self._whole[address] for address in steady)
            listed = ", ".join(f"0x{address:02X}" for address in steady)
            keys = {"kind": '"absence"', "scope": '"transfer"', "event": '"nack"', "optional": "true"}
            keys["where"] = self._on(f'address = [{listed}], outcome = ["address-nack", "data-nack"]')
            yield Block(f"acknowledged{suffix}", keys, f"In {counted(n, 'transfer')} to these none was refused.")

    def of_shape(self, shape: Shape, draft: Draft) -> None:
        """Order and count of interrupts of one shape."""
        exchanges, name = self.rows[shape], shape.name(several=self.several)
        slug = name.lower().replace(" ", "-").replace("..", "to").removesuffix("to")
        if not exchanges:
            draft.left_out[slug] = "the capture ends before its exchange does"
            return
        orders = Counter(self._order(codes) for codes in exchanges)
        common = {"where": self._where(shape), "optional": "true"}
        n = counted(len(exchanges), "transfer")
        if len(orders) > MAX_ORDERS or any(order.count(" ") >= MAX_EVENTS for order in orders):
            draft.left_out[f"{slug}-order"] = f"{len(orders)} different orders in {n}, or orders too long to write down"
        else:
            ranked = sorted(orders, key=lambda order: (-orders[order], order))
            pattern = ranked[0] if len(ranked) == 1 else " | ".join(f"({order})" for order in ranked)
            counts = f"; the orders came {', '.join(str(orders[order]) for order in ranked)} times" * (len(ranked) > 1)
            keys = {"kind": '"order"', "pattern": quoted(pattern), **common}
            draft.blocks.append(Block(f"{slug}-order", keys, f"{name}: {n}{counts}."))
        if self.irq >= 0:
            interrupts = [codes.count(self.irq) for codes in exchanges]
            low = {"min": str(min(interrupts))} if min(interrupts) else {}
            keys = {"kind": '"occurrence"', "event": '"irq.begin"', **low, "max": str(max(interrupts)), **common}
            draft.blocks.append(Block(f"{slug}-interrupts", keys, f"{name}: {n}."))

    def _order(self, codes: Sequence[int]) -> str:
        """The events by name, bytes in a row as `data+`: how many there are is not what order is about."""
        named = groupby(self._name[code] for code in codes)
        return " ".join("data+" if name == "data" else " ".join([name] * len(list(run))) for name, run in named)
