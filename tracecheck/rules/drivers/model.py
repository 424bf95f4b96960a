"""A driver model: what a driver's own code does in a transfer of each shape, as arrays, for rules to ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracecheck.decoding.exchanges import Samples
from tracecheck.decoding.window import Mask
from tracecheck.rules.drivers.shapes import Shapes
from tracecheck.rules.vocabulary import canonical


@dataclass(frozen=True, slots=True)
class Counts:
    """From `least` to `most` interrupts for each of n transfers; nothing is said where `known` is false."""

    least: Samples
    most: Samples
    known: Mask


@dataclass(frozen=True, slots=True)
class Order:
    """The order of events in one class of transfers: what they are, in words, their pattern, and a usual one of them.

    `usual` repeats as patterns do: `data{14}`.
    """

    what: str
    pattern: str
    usual: str

    @property
    def example(self) -> list[str]:
        """The events of the usual one."""
        found: list[str] = []
        for word in self.usual.split():
            name, _, times = word.rstrip("}").partition("{")
            found += [canonical(name)] * int(times or 1)
        return found


@dataclass(frozen=True, slots=True)
class DriverModel:
    """One driver. `name` is what a rule file calls it.

    `interrupts`: how many interrupts a call takes that shows as each of these transfers
    `orders`, `order_of`: the classes of transfers, and which one each of these is in, -1 for none
    """

    name: str
    what: str
    interrupts: Callable[[Shapes], Counts]
    orders: tuple[Order, ...]
    order_of: Callable[[Shapes], NDArray[np.int64]]
