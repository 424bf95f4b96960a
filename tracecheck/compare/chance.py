"""How far a percentile may lie from the one that was seen, by chance alone: intervals between order statistics.

Of n instances in ascending order, as many lie below the true q-quantile as heads come up in n throws of a coin that
shows heads with probability q. So the l-th of them lies above that quantile only if fewer than l heads came, whatever
the distribution is (W. J. Conover, Practical Nonparametric Statistics, 3rd ed., section 3.2). Values that are equal
make the interval wider than it need be, never narrower.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import ceil, exp, lgamma, log
from typing import Final, NamedTuple

DOUBT: Final = Fraction(1, 1000)
"""How often a percentile that did not change is taken for a shifted one: half of it in the interval of either side."""
_SIDE: Final = float(DOUBT) / 2
_NEGLIGIBLE: Final = 1e-15


class Ranks(NamedTuple):
    """Places, from 1, in ascending order, between which a quantile lies; None: the instances do not bound it there."""

    low: int | None
    high: int | None


@lru_cache(maxsize=4096)
def ranks(n: int, q: Fraction) -> Ranks:
    """Between which of `n` instances the `q`-quantile lies; on each side it is missed with DOUBT / 2 at most."""
    below, above = _most(n, q), _most(n, 1 - q)
    return Ranks(None if below is None else below + 1, None if above is None else n - above)


@lru_cache(maxsize=64)
def needed(q: Fraction) -> int:
    """The fewest instances that bound the `q`-quantile on both sides."""
    n = 1
    while None in ranks(n, q):
        n *= 2
    low, high = n // 2, n
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if None in ranks(middle, q) else (low, middle)
    return high


def _most(n: int, q: Fraction) -> int | None:
    """The greatest k with P(at most k heads of n) <= DOUBT / 2; None where even no head at all is likelier."""
    low, high = -1, ceil(n * q)  # from the mean on, rounded up, it is half and more
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _at_most(n, q, middle) <= _SIDE else (low, middle)
    return None if low < 0 else low


def _at_most(n: int, q: Fraction, k: int) -> float:
    """P(at most `k` of `n`) of a binomial distribution, for k below its mean: its terms fall towards 0."""
    p = float(q)
    term = exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log(1 - p))
    total, odds = term, (1 - p) / p
    while k > 0 and term > total * _NEGLIGIBLE:
        term *= k / (n - k + 1) * odds
        total += term
        k -= 1
    return total
