"""`50%` on the command line."""

from __future__ import annotations

import re
from fractions import Fraction

from tracecheck.errors import UsageError

_MOST = 100_000


def parse_percent(text: str, option: str) -> Fraction:
    """`50%`, `12.5 %` or `50` as a fraction of one. Raises UsageError."""
    form = re.fullmatch(r"\s*([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*%?\s*", text)
    if form is None or Fraction(form[1]) > _MOST:
        raise UsageError(f'{option}: "{text}" is not a percentage from 0 to {_MOST}; write it like 50%')
    return Fraction(form[1]) / 100
