"""Time put in: something comes later, and the bus waits for it as it would."""

from __future__ import annotations

import numpy as np

from tracecheck.mutate.lines import Lines
from tracecheck.mutate.scene import Interval, Scene


def later(scene: Scene, at: int, by: int, *, sparing: Interval | None = None) -> Lines:
    """What a marker does at sample `at` comes `by` samples later, and so does all that follows on this bus.

    Between transfers everything waits. Inside one the bus first goes on to where SCL is low: a controller whose driver
    is late holds the clock. `sparing`: an interval that is under way and takes no longer.
    """
    hold = _low_from(scene, at)
    since = dict.fromkeys(scene.marker_bits, at) | dict.fromkeys((scene.bus.scl.bit, scene.bus.sda.bit), hold)
    if sparing is not None:
        since[sparing.bit] = max(since[sparing.bit], sparing.end + 1)
    return scene.lines.waiting(since, by)


def held(scene: Scene, at: int, by: int) -> Lines:
    """SCL stays low for `by` samples more in the low phase before sample `at`."""
    falls = _falls(scene)
    fall = int(falls[np.searchsorted(falls, at, "left") - 1])
    return scene.lines.waiting(dict.fromkeys(scene.bits, fall + 1), by)


def idle(scene: Scene, at: int, by: int, lines: Lines | None = None) -> Lines:
    """`by` samples more in which nothing happens, from sample `at` on."""
    return (lines or scene.lines).waiting(dict.fromkeys(scene.bits, at), by)


def _low_from(scene: Scene, at: int) -> int:
    """The first sample from `at` on at which the bus can wait."""
    scl = scene.bus.scl.bit
    transfer = int(scene.window.transfer_at(np.array([at], np.int64))[0])
    if transfer < 0 or not scene.lines.level(scl, at):
        return at
    row = int(scene.window.rows_of(np.array([transfer], np.int64))[0])
    falls = _falls(scene)
    after = falls[(falls > at) & (falls < int(scene.window.transfers["end"][row]))]
    return int(after[0]) + 1 if len(after) else at


def _falls(scene: Scene) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    scl = scene.bus.scl.bit
    return scene.lines.toggles[scl][scene.lines.initial[scl] ^ 1 :: 2]
