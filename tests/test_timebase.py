"""Samples to nanoseconds: as exact integers of any size have it, over all of the range."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tracecheck.timebase import NS, column_ns, lengths_ns, to_ns

RATES = st.one_of(st.sampled_from([1, 3, 1_000_000, 24_000_000, 24_000_001, 125_000_000, NS]), st.integers(1, 9 * NS))


@given(RATES, st.data())
def test_columns_are_exact(rate: int, data: st.DataObject) -> None:
    most = ((1 << 63) - 1) * rate // NS - 1  # later ones have no nanoseconds in 64 bits
    sizes = st.one_of(st.integers(-1, min(most, (1 << 63) - 1)), st.integers(-1, 1000))
    samples = data.draw(st.lists(sizes, max_size=8))
    column = np.array(samples, np.int64)
    before = column.copy()
    assert column_ns(column, rate).tolist() == [to_ns(s, rate) for s in samples]
    assert lengths_ns(column, rate).tolist() == [floor(Fraction(s * NS + rate // 2, rate)) for s in samples]
    assert (column == before).all()


@pytest.mark.parametrize("rate", [24_000_000, 24_000_001])
def test_both_ways_to_reckon_agree_where_one_hands_over_to_the_other(rate: int) -> None:
    near = ((1 << 63) - rate) // (NS // np.gcd(NS, rate))
    for last in range(int(near) - 3, int(near) + 4):
        assert column_ns(np.array([0, last]), rate).tolist() == [0, last * NS // rate]


@given(st.integers(0, 1 << 62))
@example(0)
def test_a_nanosecond_a_sample_is_itself(sample: int) -> None:
    assert column_ns(np.array([sample]), NS).tolist() == lengths_ns(np.array([sample]), NS).tolist() == [sample]
