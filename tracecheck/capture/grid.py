"""Changes at times to changes at samples.

A format that gives times keeps its own tick: a nanosecond, or a coarser one where the file counts in one. With a
samplerate given, the times are put on its grid instead, each to the nearest sample; then the uncertainty of a
measured time is the analyzer's and not the file's. What happens within one sample is seen as its last state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tracecheck.capture.edge_list import EdgeListCapture, narrowest
from tracecheck.capture.model import Channel
from tracecheck.errors import CaptureError

Ticks = NDArray[np.int64]
NS: Final = Fraction(1, 10**9)
MOST_LINES: Final = 64
_COMMON_MHZ: Final = (
    *(
        "0.1",
        "0.2",
        "0.25",
        "0.5",
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "8",
        "10",
        "12",
        "12.5",
        "16",
        "20",
        "24",
        "25",
        "32",
        "40",
    ),
    *("48", "50", "62.5", "80", "100", "120", "125", "150", "200", "250", "300", "400", "500"),
)
_ENOUGH_EDGES: Final = 32
"""So many edges on one grid are no accident."""


@dataclass(frozen=True, slots=True)
class Timed:
    """Changes as a file has them: `ticks` of `tick` seconds from its beginning, never falling, and the lines then.

    `initial` are the lines before the first, `end` the tick at which the recording ends.
    """

    ticks: Ticks
    words: NDArray[np.uint64]
    initial: int
    end: int
    tick: Fraction


def gridded(
    path: str,
    form: str,
    timed: Timed,
    channels: Sequence[Channel],
    *,
    rate_hz: int | None,
    max_samples: int | None = None,
    notes: Sequence[str] = (),
    remarks: dict[str, str] | None = None,
) -> EdgeListCapture:
    """The capture of a timed file, on the grid of `rate_hz` or on that of its own tick. Raises CaptureError."""
    found = list(notes)
    per_tick = timed.tick * rate_hz if rate_hz else max(timed.tick / NS, Fraction(0))
    rate = rate_hz
    if rate is None:
        tick = max(timed.tick, NS)
        rate, per_tick = round(1 / tick), timed.tick / tick
        if timed.tick < NS:
            found.append("Times finer than 1 ns are rounded to it.")
    at = scaled(path, timed.ticks, per_tick)
    samples = int(scaled(path, np.array([timed.end], np.int64), per_tick)[0])
    if len(at):
        samples = max(samples, int(at[-1]) + 1)
    at, words, initial, lost = _last_of_each(at, timed.words, timed.initial)
    if lost:
        found.append(
            f"{lost} change{'s' * (lost > 1)} came in one sample with another of the same line and cannot be seen."
        )
    if rate_hz is None and (grid := likely_rate(timed)):
        found.append(
            f"Every edge lies on a grid of {grid} MHz. If that is what the analyzer sampled at, give "
            f"--samplerate {grid}MHz: times are now taken to be exact to a tick."
        )
    lines = max((channel.bit for channel in channels), default=0) + 1
    return EdgeListCapture(
        path,
        form,
        (at, narrowest(words, lines), initial),
        samples=max(samples, 1),
        rate_hz=rate,
        channels=channels,
        remarks={"resolution-ns": _ns(1 / Fraction(rate)), **(remarks or {})},
        notes=found,
        max_samples=max_samples,
    )


def scaled(path: str, ticks: Ticks, factor: Fraction) -> Ticks:
    """Ticks times an exact factor, each rounded to the nearest whole. Raises CaptureError where they are too many."""
    most = int(np.abs(ticks).max(initial=0))
    if most * factor > 2**62:
        raise CaptureError(
            path, "lasts longer than samples can be counted (2**62); its timescale is wrong, or --samplerate"
        )
    up, down = factor.numerator, factor.denominator
    if (2 * most + 1) * up + down < 2**63:
        return (2 * ticks * up + down) // (2 * down)
    # Rare: times of many digits. Exact all the same.
    return np.array([(2 * tick * up + down) // (2 * down) for tick in ticks.tolist()], np.int64)


def _last_of_each(at: Ticks, words: NDArray[np.uint64], initial: int) -> tuple[Ticks, NDArray[np.uint64], int, int]:
    """One state a sample, those at sample 0 as the initial one; and how many changes that hides."""
    last = np.append(at[1:] != at[:-1], True) if len(at) else np.zeros(0, np.bool_)
    before = np.concatenate([[np.uint64(initial)], words])
    changed = before[1:] ^ before[:-1]
    # A line that changes twice within a sample: its bit is set in two changes of one run.
    repeated = np.append(False, at[1:] == at[:-1]) if len(at) else np.zeros(0, np.bool_)
    twice = changed[1:] & changed[:-1] if len(changed) > 1 else np.zeros(0, np.uint64)
    lost = int(((twice != 0) & repeated[1:]).sum()) if len(changed) > 1 else 0
    at, words = at[last], words[last]
    if len(at) and at[0] <= 0:
        first = int(np.searchsorted(at, 0, "right"))
        initial = int(words[first - 1])
        at, words = at[first:], words[first:]
    differs = words != np.concatenate([[np.uint64(initial)], words])[:-1] if len(words) else np.zeros(0, np.bool_)
    return at[differs], words[differs], initial, lost


def likely_rate(timed: Timed) -> str | None:
    """The slowest common samplerate, in MHz, on whose grid all edges lie although the tick is much finer; or None."""
    if len(timed.ticks) < _ENOUGH_EDGES:
        return None
    seconds = (timed.ticks - timed.ticks[0]).astype(np.float64) * float(timed.tick)
    for text in _COMMON_MHZ:
        rate = float(text) * 1e6
        if rate * float(timed.tick) > 1 / 8:
            return None  # a grid not much coarser than the tick says nothing
        off = np.abs(seconds * rate - np.round(seconds * rate))
        # Half a tick at either end, and the rounding of the arithmetic.
        if off.max() <= rate * float(timed.tick) * 1.01 + 1e-9 * float(np.abs(seconds * rate).max(initial=1)):
            return text
    return None


def _ns(period: Fraction) -> str:
    return f"{float(period * 10**9):.6g}"
