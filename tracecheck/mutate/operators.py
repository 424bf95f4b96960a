"""The faults that can be injected, and under which marker scheme a capture can show each.

This table is what a rule file is held to: a fault that its scheme can show and no rule catches is a blind spot. The
same table stands in docs/mutate.md, and a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SCHEMES: Final = ("three-pin", "two-pin", "one-pin", "irq-only", "bus-only")
"""Marker schemes, by the pins a bus has: irq, pending and run; irq and run; both as pulse counts; irq alone; none."""

_WAKES: Final = frozenset({"three-pin", "two-pin", "one-pin"})
_INTERRUPTS: Final = _WAKES | {"irq-only"}
_LEVELS: Final = frozenset({"three-pin", "two-pin", "irq-only"})
_READY: Final = frozenset({"three-pin"})
_ALL: Final = frozenset(SCHEMES)
_NONE: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Operator:
    """One kind of fault. `does`: what it makes of the edges; `visible`: the schemes that can show it.

    `why`: what shows it, or, where some scheme cannot, why not. `asked`: injected only where a rule gives such a
    bound, or names the driver.
    """

    name: str
    does: str
    visible: frozenset[str]
    why: str
    asked: bool = False


OPERATORS: Final = (
    Operator(
        "interrupt-dropped",
        "the only interrupt of a transfer is missing, or the one after the STOP of a write",
        _INTERRUPTS,
        "the transfer has no interrupt, or its STOP none",
    ),
    Operator(
        "interrupt-dropped-of-fewest",
        "one of several interrupts is missing, of a transfer that has as few as its driver model can take",
        _INTERRUPTS,
        "the count: no call of this shape has fewer",
        asked=True,
    ),
    Operator(
        "interrupt-dropped-of-several",
        "one of several interrupts is missing, of a transfer that has more than that, or whose driver is not known",
        _NONE,
        "how many a call takes depends on when its task ran, so one fewer may be what the driver does anyway; where "
        "the order of interrupts and bytes has room for one only, a rule catches it all the same",
    ),
    Operator(
        "interrupt-late",
        "an interrupt comes later, and all that follows from it",
        _INTERRUPTS,
        "the time since what led to it",
    ),
    Operator(
        "interrupt-duplicated",
        "the interrupt comes again, right after its wake",
        _WAKES,
        "no wake follows it; with IRQ alone it looks like the second interrupt that many transfers have anyway",
    ),
    Operator(
        "interrupt-spurious",
        "an interrupt comes on the idle bus, long after anything that could have led to it",
        _INTERRUPTS,
        "nothing on the bus came before it",
    ),
    Operator(
        "interrupt-before-stop",
        "the interrupt that ends a write comes before its STOP, and the wake with it (swap)",
        _INTERRUPTS,
        "the order, and that none follows STOP",
    ),
    Operator(
        "interval-long",
        "a marker stays active too long",
        _LEVELS,
        "the width; a pulse count is an instant and has none",
    ),
    Operator(
        "interrupt-early",
        "an interrupt comes after two thirds of the least time",
        _INTERRUPTS,
        "the time since what led to it",
        asked=True,
    ),
    Operator(
        "interval-short",
        "a marker is active for two thirds of the least time",
        _LEVELS,
        "the width; a pulse count is an instant and has none",
        asked=True,
    ),
    Operator("wake-dropped", "the task is not polled after its interrupt", _WAKES, "the RUN pin"),
    Operator("wake-late", "the task is polled later", _WAKES, "the time since its interrupt"),
    Operator(
        "wake-early",
        "the task is polled after two thirds of the least time",
        _WAKES,
        "the time since its interrupt",
        asked=True,
    ),
    Operator("wake-before-interrupt", "the task is polled before its interrupt, not after (swap)", _WAKES, "the order"),
    Operator(
        "wake-duplicated",
        "the task is polled again, for nothing",
        _NONE,
        "a task is also polled for its timers and by other wakers, so one poll more is no fault that pins can show",
    ),
    Operator("ready-dropped", "the interrupt does not make its task ready", _READY, "the PENDING pin"),
    Operator("ready-late", "the task is made ready later", _READY, "the time since its interrupt"),
    Operator(
        "ready-early",
        "the task is made ready after two thirds of the least time",
        _READY,
        "the time since its interrupt",
        asked=True,
    ),
    Operator("ready-after-wake", "the task is made ready after it was polled, not before (swap)", _READY, "the order"),
    Operator(
        "start-dropped",
        "SDA does not fall before the first clock",
        _ALL,
        "clocks and a STOP that belong to no transfer",
    ),
    Operator("stop-dropped", "SDA does not rise at the end", _ALL, "the bus falls idle inside a transfer"),
    Operator("stop-late", "SCL is held low before STOP", _ALL, "the time since the last ACK or NACK"),
    Operator(
        "ack-to-nack", "a byte that others follow is not acknowledged", _ALL, "the transfer goes on after the NACK"
    ),
    Operator(
        "last-ack-to-nack",
        "the last byte of a write is not acknowledged",
        _NONE,
        "a NACK is an outcome; only a rule of yours can say that this target never gives one",
    ),
    Operator("nack-to-ack", "the last byte of a read is acknowledged", _ALL, "no NACK before STOP"),
    Operator("clock-stretched", "SCL is held low in the middle of a byte", _ALL, "the width of the low phase"),
    Operator("idle-long", "the bus stays free too long before a START", _ALL, "the time since STOP", asked=True),
    Operator("idle-short", "a START follows on STOP too soon", _ALL, "the time since STOP", asked=True),
    Operator(
        "period-long",
        "an event that recurs comes later than it should, or than its jitter allows",
        _ALL,
        "the time since the one before; markers' events take their pins",
        asked=True,
    ),
    Operator("period-short", "an event that recurs comes too soon", _ALL, "the time since the one before", asked=True),
    Operator("scl-glitch", "a pulse on SCL, shorter than a spike filter lets pass", _ALL, "the decoder records it"),
    Operator("sda-glitch", "the same on SDA, while SCL is high", _ALL, "the decoder records it"),
    Operator("scl-spike", "a longer pulse on SCL: a clock too many", _ALL, "bits that add up to no byte"),
    Operator(
        "sda-spike", "a longer pulse on SDA while SCL is high: a START and a STOP", _ALL, "a byte that is cut short"
    ),
    Operator(
        "data-changed",
        "a data bit is the other one",
        _NONE,
        "rules judge times, orders and counts, not what the bytes say",
    ),
    Operator(
        "capture-begins-late",
        "the recording begins inside a transfer",
        _NONE,
        "no fault of the firmware; what is cut must not be judged",
    ),
    Operator(
        "capture-ends-early",
        "the recording ends inside a transfer",
        _NONE,
        "no fault of the firmware; what is cut must not be judged",
    ),
)
BY_NAME: Final = {operator.name: operator for operator in OPERATORS}
CUTS: Final = frozenset({"capture-begins-late", "capture-ends-early"})
"""Operators after which no rule may fail: only the recording is shorter."""
