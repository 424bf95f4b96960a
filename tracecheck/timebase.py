"""Samples to nanoseconds, exactly.

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
