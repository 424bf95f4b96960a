"""Samples to nanoseconds, exactly, and nanoseconds to what a person reads.

Samples are the truth; time is derived from them and from the rate, never the other way round. The naive product
`sample * 10**9` overflows int64 after 384 s at 24 MS/s, so whole seconds and the rest are converted apart, unless what
10**9 and the rate have in common leaves room enough.
"""

from __future__ import annotations

from math import gcd

import numpy as np
from numpy.typing import NDArray

NS = 10**9


def to_ns(sample: int, rate_hz: int) -> int:
    """Nanoseconds of one sample, rounded down."""
    return sample // rate_hz * NS + sample % rate_hz * NS // rate_hz


def column_ns(samples: NDArray[np.int64], rate_hz: int) -> NDArray[np.int64]:
    """Nanoseconds of many samples, rounded down; same shape. Rates up to 9.2 GHz do not overflow."""
    return _scaled(samples, rate_hz, 0)


def lengths_ns(samples: NDArray[np.int64], rate_hz: int) -> NDArray[np.int64]:
    """Nanoseconds that many differences of samples last, rounded to the nearest; same shape and limit."""
    return _scaled(samples, rate_hz, rate_hz // 2)


def _scaled(samples: NDArray[np.int64], rate_hz: int, more: int) -> NDArray[np.int64]:
    """(samples * NS + more) / rate_hz, rounded down."""
    common = gcd(NS, rate_hz)
    ns, per = NS // common, rate_hz // common
    farthest = max(int(samples.max(initial=0)), -int(samples.min(initial=0)))
    if farthest * ns + rate_hz < 1 << 63:
        scaled: NDArray[np.int64] = samples * ns
        if per > 1:
            scaled += more // common
            scaled //= per
        return scaled
    whole, rest = np.divmod(samples, rate_hz)
    apart: NDArray[np.int64] = whole * NS + (rest * NS + more) // rate_hz
    return apart


def instant_text(t_ns: int) -> str:
    """A moment of the capture: `1.914875 ms`, to the nanosecond."""
    for divisor, digits, unit in ((10**9, 9, "s"), (10**6, 6, "ms"), (10**3, 3, "us")):
        if t_ns >= divisor:
            return f"{t_ns // divisor}.{t_ns % divisor:0{digits}d} {unit}"
    return f"{t_ns} ns"


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
