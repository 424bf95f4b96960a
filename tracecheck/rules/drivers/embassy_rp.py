"""embassy-rp's async I2C driver on an RP2040: interrupts and their order, from how it fills its FIFO.

Source: embassy-rp 0.8 to 0.10, src/i2c.rs (write_async_internal, read_async_internal, wait_stop_det). The FIFO holds
16 entries. The driver masks all interrupts in its handler, so each wait takes one interrupt, or none where what it
waits for is there when it asks.

A write fills the FIFO; while it is full the driver waits for TX_EMPTY, which comes when one entry is left. So a first
fill holds 16 bytes, and 17 where an entry leaves for the shift register while the task fills; a refill 15 (one entry
was left), 16 (none was, the task was late) or 17. It waits also where the very last byte has filled the FIFO. At last
it waits for STOP, except where STOP is there already, which takes such a wait with nothing left to send, and a late
task.

A read asks for up to 16 bytes at a time and waits for RX_FULL; then for STOP, which at 100 kHz has not come yet and at
1 MHz has. In a write_read its first batch has what room the rest of the write has left in the FIFO.

A NACK ends any wait (TX_ABRT). If that was a wait for room or for bytes, the driver waits for STOP once more. How much
the call had wanted to send the wire does not tell.

What is assumed: at most one entry leaves the FIFO while the task fills it. A byte takes 9 SCL periods and a fill a
microsecond or two; only a task interrupted in the middle of a fill, for longer than a byte, can need fewer interrupts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tracecheck.decoding.exchanges import Samples
from tracecheck.decoding.window import Mask
from tracecheck.rules.drivers.model import Counts, DriverModel, Order
from tracecheck.rules.drivers.shapes import ACKED, ADDRESS_NACK, DATA_NACK, READ, WRITE, WRITE_READ, Shapes

FIFO: Final = 16
_MOST_AT_ONCE: Final = FIFO + 1
"""Bytes between two waits at most: the FIFO, and the entry that left it meanwhile."""
_LEAST_AT_ONCE: Final = FIFO - 1
"""Bytes between two waits at least: a refill beside the one entry that was left."""
_UNSEEN: Final = FIFO - 2
"""Data bytes that have gone out, to the last ACK, before TX_EMPTY can come."""


def interrupts(shapes: Shapes) -> Counts:
    """How many interrupts the call takes that shows as each of these transfers, whatever keeps its task waiting."""
    n, m = shapes.first, shapes.rest
    least, most, known = np.zeros_like(n), np.zeros_like(n), np.zeros(len(n), np.bool_)
    write, read, write_read, nacked = _calls(shapes)

    def say(which: Mask, low: Samples, high: Samples) -> None:
        np.copyto(least, low, where=which)
        np.copyto(most, high, where=which)
        np.copyto(known, True, where=which)

    if write.any():
        say(write, np.maximum(1, _over(n, _MOST_AT_ONCE)), _waits(n) + 1)
    if read.any():
        say(read, _over(n, FIFO), _over(n, FIFO) + 1)
    if write_read.any():
        room = np.minimum(m, FIFO - np.minimum(n, FIFO - 1))
        say(write_read, n // _MOST_AT_ONCE + _over(m, FIFO), _waits(n) + 1 + _over(m - room, FIFO) + 1)
    if nacked.any():
        say(nacked, np.maximum(1, _over(n, _MOST_AT_ONCE)), n // _LEAST_AT_ONCE + 2)
    return Counts(least, most, known)


def order_of(shapes: Shapes) -> NDArray[np.int64]:
    """Index into ORDERS of each transfer, -1 where the driver makes none of that shape."""
    write, read, write_read, nacked = _calls(shapes)
    long, again = shapes.first >= FIFO, shapes.messages > 1
    refilled = shapes.first > _UNSEEN
    classes = [
        write & ~long,
        write & long,
        read,
        write_read & ~long,
        write_read & long,
        nacked & ~again & ~refilled,
        nacked & ~again & refilled,
        nacked & again & ~long,
        nacked & again & long,
    ]
    found = np.full(len(shapes), -1, np.int64)
    for index, mine in enumerate(classes):  # no transfer is in two
        found[mine] = index
    return found


def _calls(shapes: Shapes) -> tuple[Mask, Mask, Mask, Mask]:
    """Which transfers are a write, a read, a write_read, all acknowledged, or any of them that a NACK ended."""
    able = shapes.whole & ~shapes.ten_bit
    acked = able & (shapes.outcome == ACKED)
    one, two = shapes.messages == 1, shapes.messages == 2
    write, read, both = (shapes.direction == word for word in (WRITE, READ, WRITE_READ))
    sent, got = shapes.first > 0, shapes.rest > 0
    nacked = able & ((shapes.outcome == ADDRESS_NACK) | (shapes.outcome == DATA_NACK))
    return (
        acked & write & one & sent,
        acked & read & one & sent,
        acked & both & two & sent & got,
        nacked & (one & (write | read) | two & both & sent),
    )


def _over(n: Samples, size: int) -> Samples:
    """N / size, rounded up."""
    return _of_each(n, lambda number: -(-number // size))


def _waits(n: Samples) -> Samples:
    """The most waits for room that a write of n bytes takes: one at 16 bytes, and at each 15 from there."""
    return _of_each(n, lambda number: np.maximum(0, (number - 1) // _LEAST_AT_ONCE))


def _of_each(n: Samples, asked: Callable[[Samples], Samples]) -> Samples:
    """What is asked of each number of bytes: most come many times, and division takes long."""
    top = int(n.max(initial=0))
    return asked(np.arange(top + 1)).take(n) if top < len(n) and n.min(initial=0) >= 0 else asked(n)


_SENDING: Final = f"data{{{_UNSEEN}}} (data | irq data* wake)*"
"""A write longer than the FIFO: no interrupt before all but two bytes of a full FIFO have gone out."""
_BATCHES: Final = f"(data{{{FIFO}}} irq wake)*"
"""SCL is held low until the task asks for more, so nothing comes between a batch and its wake."""
_STOP: Final = "(stop | irq stop wake) (irq wake)*"
"""The task and STOP race; at most one interrupt is under way when STOP comes. How many there are is not asked here."""
_READ: Final = f"data{{1,{FIFO}}} (irq wake)? {_STOP}"
_FIRST: Final = f"(data{{1,{FIFO}}} irq wake {_BATCHES})?"
_GIVEN_UP: Final = f"(irq wake)* {_STOP}"

ORDERS: Final = (
    Order(
        "a write of 1 to 15 bytes",
        f"start address data{{1,{FIFO - 1}}} stop (irq wake)*",
        "start address data{3} stop irq wake",
    ),
    Order(
        "a write of 16 bytes or more",
        f"start address {_SENDING} (irq data* stop wake | stop) (irq wake)*",
        "start address data{14} irq wake data{6} stop irq wake",
    ),
    Order(
        "a read",
        f"start address {_BATCHES} {_READ} | start address data+ stop",
        "start address data{16} irq wake data{4} irq wake stop irq wake",
    ),
    Order(
        "a write_read of 1 to 15 bytes to write",
        f"start address data{{1,{FIFO - 1}}} restart address ({_FIRST} {_READ} | data+ stop)",
        "start address data restart address data{4} irq wake stop irq wake",
    ),
    Order(
        "a write_read of 16 bytes or more to write",
        f"start address {_SENDING} restart address ({_FIRST} {_READ} | data+ stop)",
        "start address data{14} irq wake data{6} restart address data{4} irq wake stop irq wake",
    ),
    Order(
        "a call that a NACK ended, before a full FIFO could have drained",
        f"start address data{{0,{_UNSEEN}}} nack {_GIVEN_UP}",
        "start address data{3} nack irq wake stop",
    ),
    Order(
        "a call that a NACK ended after that",
        f"start address {_SENDING} (nack {_GIVEN_UP} | irq data* nack (wake {_GIVEN_UP} | stop wake (irq wake)*))",
        "start address data{14} irq wake data{6} nack irq wake stop",
    ),
    Order(
        "a write_read whose read a NACK ended",
        f"start address data{{1,{FIFO - 1}}} restart address nack {_GIVEN_UP}",
        "start address data restart address nack irq wake stop",
    ),
    Order(
        "a write_read with 16 bytes or more to write whose read a NACK ended",
        f"start address {_SENDING} restart address nack {_GIVEN_UP}",
        "start address data{14} irq wake data{6} restart address nack irq wake stop",
    ),
)
MODEL: Final = DriverModel(
    "embassy-rp", "the async I2C driver of embassy-rp on an RP2040", interrupts, ORDERS, order_of
)
