"""A samplerate as people and programs write it, to whole hertz."""

from __future__ import annotations

import re
from decimal import Decimal

from tracecheck.errors import UsageError

# Times are int64 nanoseconds got from sample % rate * 10**9: above this rate that product overflows.
MAX_RATE_HZ = (2**63 - 1) // 10**9

_RATE = re.compile(
    r"([0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:e\+?([0-9]{1,2}))?\s*([kmg]?)(?:hz|s/s|sa/s|sps)?", re.IGNORECASE
)
_SCALE = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


def parse_rate(text: str) -> int:
    """Hertz of a samplerate such as "24 MHz", "12.500000 MHz", "500k", "2.5e6", "1000000" or "24 MS/s".

    The prefix's case means nothing: "2 mHz" is two megahertz, as sigrok reads it, for nobody samples at millihertz.
    Fractions of a hertz are rounded to the nearest. Raises UsageError for anything else, for 0 and above 9.2 GHz.
    """
    found = _RATE.fullmatch(text.strip())
    if not found:
        raise UsageError(f'"{text}" is not a samplerate; write it like "24 MHz", "500k" or "1000000"')
    number, exponent, prefix = found.groups()
    hertz = round(Decimal(number).scaleb(int(exponent or 0)) * _SCALE[prefix.lower()])
    if not 1 <= hertz <= MAX_RATE_HZ:
        raise UsageError(f'a samplerate of "{text}" is out of range (1 Hz to {MAX_RATE_HZ} Hz)')
    return hertz


def check_rate(rate_hz: int) -> int:
    """`rate_hz` itself. Raises UsageError when times cannot be computed from it."""
    if not 1 <= rate_hz <= MAX_RATE_HZ:
        raise UsageError(f"a samplerate of {rate_hz} Hz is out of range (1 Hz to {MAX_RATE_HZ} Hz)")
    return rate_hz
