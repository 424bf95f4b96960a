"""Faults of the bus: START, STOP, ACK, clocks, and pulses that do not belong there; and recordings that are cut."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from tracecheck.mutate.candidate import Candidate
from tracecheck.mutate.lines import Lines
from tracecheck.mutate.scene import Exchange, Scene
from tracecheck.mutate.waiting import idle

_IDLE_PERIODS = 10
"""Both lines high for this many SCL periods, and for Timing.idle, mean that the bus is free."""


def wire_faults(scene: Scene) -> Iterator[Candidate]:
    """All of them, once in each transfer that the capture holds whole."""
    for exchange in scene.exchanges:
        rows = np.flatnonzero(scene.bytes["transfer"] == exchange.transfer)
        if not len(rows):
            continue
        yield from _framing(scene, exchange)
        yield from _acknowledges(scene, exchange, rows)
        yield from _pulses(scene, exchange, rows)
        yield from _cuts(scene, exchange)


def _framing(scene: Scene, exchange: Exchange) -> Iterator[Candidate]:
    sda, start, stop = scene.bus.sda.bit, exchange.start, exchange.stop
    fall = _next(scene, start)
    without_start = partial(scene.lines.forced, sda, start, fall + 2, 1)
    yield Candidate("start-dropped", exchange, start, "no START", without_start)
    begin, rise = (int(x) for x in scene.lines.toggles[scene.bus.scl.bit][_index(scene, stop) - 2 :][:2])
    if not scene.lines.level(scene.bus.scl.bit, stop):
        return  # SCL fell in the sample of STOP: there is nothing to take away

    def make() -> Lines:
        bare = scene.lines.forced(sda, (begin + rise) // 2, stop + 1, 1)
        period = int(scene.window.transfers["period"][exchange.row])
        busy = [stop, *(i.end for i in exchange.interrupts)]
        after = min(max(busy) + scene.clearance, exchange.close - 1)
        return idle(scene, after, max(scene.timing.idle, _IDLE_PERIODS * period) * 2, bare)

    yield Candidate("stop-dropped", exchange, stop, "no STOP", make)


def _acknowledges(
    scene: Scene, exchange: Exchange, rows: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> Iterator[Candidate]:
    sda, table = scene.bus.sda.bit, scene.bytes
    acked, message, end = (table[c][rows] for c in ("acked", "message", "end"))
    followed = np.flatnonzero((acked[:-1] == 1) & (message[1:] == message[:-1]))
    if len(followed):
        k = int(followed[len(followed) // 2])
        make = partial(_forced, scene, sda, int(end[k]), 1)
        yield Candidate("ack-to-nack", exchange, int(end[k]), f"byte {k} is not acknowledged, and more follow", make)
    last = int(end[-1])
    if acked[-1] == 1 and exchange.shape.direction == "write":
        make = partial(_forced, scene, sda, last, 1)
        yield Candidate("last-ack-to-nack", exchange, last, "the last byte is not acknowledged", make)
    if acked[-1] == 0 and exchange.shape.outcome == "acked" and "read" in exchange.shape.direction:
        make = partial(_forced, scene, sda, last, 0)
        yield Candidate("nack-to-ack", exchange, last, "the last byte read is acknowledged", make)


def _pulses(scene: Scene, exchange: Exchange, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Iterator[Candidate]:
    scl, sda, table = scene.bus.scl.bit, scene.bus.sda.bit, scene.bytes
    row = rows[len(rows) // 2]
    first, eighth = int(table["start"][row]), int(table["at"][row])
    rises = scene.lines.within(scl, first, eighth)[::2]
    rise = int(rises[len(rises) // 2])
    fall, following = _next(scene, rise), _next(scene, _next(scene, rise))
    filtered, wide = scene.timing.glitch, scene.timing.glitch + 2
    for name, width in (("glitch", filtered), ("spike", wide)):
        said = f"a pulse of {width} sample{'' if width == 1 else 's'}"
        low, high = (fall + following - width) // 2, (rise + fall - width) // 2
        if width and following - fall > width + 4:
            yield Candidate(
                f"scl-{name}", exchange, low, f"{said} on SCL", partial(scene.lines.toggled, scl, (low, low + width))
            )
        if width and fall - rise > width + 4 and not len(scene.lines.within(sda, rise, fall)):
            yield Candidate(
                f"sda-{name}", exchange, high, f"{said} on SDA", partial(scene.lines.toggled, sda, (high, high + width))
            )
    data = [int(r) for r in rows if table["kind"][r] == 2]
    if data:
        at = int(table["at"][data[len(data) // 2]])
        flipped = 1 - scene.lines.level(sda, at)
        yield Candidate(
            "data-changed", exchange, at, "the lowest bit is the other one", partial(_forced, scene, sda, at, flipped)
        )


def _cuts(scene: Scene, exchange: Exchange) -> Iterator[Candidate]:
    middle = (exchange.start + exchange.stop) // 2
    lines = scene.lines
    yield Candidate("capture-begins-late", exchange, middle, "it begins here", partial(lines.cut, middle, lines.end))
    yield Candidate("capture-ends-early", exchange, middle, "it ends here", partial(lines.cut, 0, middle))


def _forced(scene: Scene, sda: int, rise: int, level: int) -> Lines:
    """SDA at a level for the clock that rises at sample `rise`, changing where it did, or in the middle of SCL low."""
    scl = scene.lines.toggles[scene.bus.scl.bit]
    i = int(np.searchsorted(scl, rise))
    before, fall = int(scl[i - 1]), int(scl[i + 1])
    following = int(scl[i + 2]) if i + 2 < len(scl) else fall + 2 * (fall - rise)
    came, goes = scene.lines.within(sda, before, rise - 1), scene.lines.within(sda, fall, following - 1)
    first = int(came[-1]) if len(came) else (before + rise) // 2
    last = int(goes[0]) if len(goes) else (fall + following) // 2
    return scene.lines.forced(sda, first, last, level)


def _index(scene: Scene, at: int) -> int:
    """How many changes of SCL there were up to sample `at`."""
    return int(np.searchsorted(scene.lines.toggles[scene.bus.scl.bit], at, "right"))


def _next(scene: Scene, at: int) -> int:
    """The first change of SCL after sample `at`."""
    return int(scene.lines.toggles[scene.bus.scl.bit][_index(scene, at)])
