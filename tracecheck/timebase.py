"""Samples to nanoseconds, exactly, and nanoseconds to what a person reads.

Samples are the truth; time is derived from them and from the rate, never the other way round. The naive product
`sample * 10**9` overflows int64 after 384 s at 24 MS/s, so whole seconds and the rest are converted apart.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NS = 10**9


def to_ns(sample: int, rate_hz: int) -> int:
    """Nanoseconds of one sample, rounded down."""
    return sample // rate_hz * NS + sample % rate_hz * NS // rate_hz


def column_ns(samples: NDArray[np.int64], rate_hz: int) -> NDArray[np.int64]:
    """Nanoseconds of many samples, rounded down; same shape. Rates up to 9.2 GHz do not overflow."""
    return samples // rate_hz * NS + samples % rate_hz * NS // rate_hz


def time_text(samples: int, rate_hz: int | None) -> str:
    """A distance in samples as a person reads it: `7.42 us`, or samples where no rate is known."""
    return f"{samples} samples" if not rate_hz else ns_text(samples * NS / rate_hz)


def ns_text(ns: float) -> str:
    """Nanoseconds in the unit that fits, to three or four figures."""
    size = abs(ns)
    for limit, divisor, unit in ((1e3, 1, "ns"), (1e6, 1e3, "us"), (1e9, 1e6, "ms")):
        if size < limit:
            return f"{_figures(ns / divisor)} {unit}"
    return f"{_figures(ns / 1e9)} s"


def _figures(x: float) -> str:
    size = abs(x)
    return f"{x:.0f}" if size >= 100 else f"{x:.1f}" if size >= 10 else f"{x:.2f}"
