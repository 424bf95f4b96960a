"""Durations: exact fractions, units, and what is no duration."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracecheck.rules.quantity import Quantity, exceeds, parse_quantity, parse_seconds

ALL = "units: ns, us, ms, s, scl"
UNITS = {"ns": 10**9, "us": 10**6, "\u00b5s": 10**6, "\u03bcs": 10**6, "ms": 10**3, "s": 1}


@given(st.integers(0, 10**12), st.integers(0, 10**9 - 1), st.sampled_from(list(UNITS)), st.sampled_from(["", " "]))
def test_any_decimal_is_exact(whole: int, part: int, unit: str, blank: str) -> None:
    text = f"{whole}.{part:09d}{blank}{unit}"
    quantity = parse_quantity(text)
    assert quantity == Quantity(Fraction(whole * 10**9 + part, 10**9 * UNITS[unit]), "s", text)


def test_units_and_texts() -> None:
    assert parse_quantity("20us") == Quantity(Fraction(20, 10**6), "s", "20us")
    assert parse_quantity(" 0.1 ms ") == Quantity(Fraction(1, 10**4), "s", "0.1 ms")
    assert parse_quantity("18scl") == Quantity(Fraction(18), "scl", "18scl")
    assert parse_quantity("0s").amount == 0
    assert str(parse_quantity("20 us")) == "20 us"
    again = parse_quantity("5ms")
    assert parse_quantity(again) is again


def test_samples_need_the_rate_or_the_period() -> None:
    assert parse_quantity("50ns").samples(24_000_000) == Fraction(6, 5)
    assert parse_quantity("20us").samples(24_000_000) == 480
    assert parse_quantity("20us").samples(None) is None
    assert parse_quantity("1.5scl").samples(None, 240) == 360
    assert parse_quantity("1.5scl").samples(24_000_000) is None


def test_bounds_in_different_units_are_not_compared() -> None:
    assert exceeds(parse_quantity("20us"), parse_quantity("0.01ms"))
    assert not exceeds(parse_quantity("20us"), parse_quantity("20us"))
    assert not exceeds(parse_quantity("20s"), parse_quantity("1scl"))
    assert not exceeds(None, parse_quantity("1us")) and not exceeds(parse_quantity("1us"), None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("20 u", '"20 u" has the unknown unit "u"; did you mean "us"?'),
        ("20usec", '"20usec" has the unknown unit "usec"; did you mean "us"?'),
        ("20sc", '"20sc" has the unknown unit "sc"; did you mean "scl"?'),
        ("20parsec", '"20parsec" has the unknown unit "parsec" (units: ns, us, ms, s, scl)'),
        ("20MS", '"20MS" has the unknown unit "MS" (units: ns, us, ms, s, scl)'),
        ("5", '"5" has no unit; write for example "5us" (units: ns, us, ms, s, scl)'),
        ("-5us", '"-5us" is negative; a duration is 0 or more'),
        ("-0us", '"-0us" is negative; a duration is 0 or more'),
        *(
            (
                text,
                f'"{text}" is not a duration; write a number and a unit, for example "20us" ({ALL})',
            )
            for text in ("", "us", "1e3us", ".5us", "5.us", "1,5us", "nanus", "infs", "20us 30us", "1" * 31 + "us")
        ),
        (5, 'a duration is a string such as "20us", not 5'),
        (True, 'a duration is a string such as "20us", not true'),
        (["20us"], 'a duration is a string such as "20us", not a list'),
        (1 << 70, 'a duration is a string such as "20us", not a number of more than 64 bits'),
    ],
)
def test_what_is_no_duration(text: object, reason: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_quantity(text)
    assert str(caught.value) == reason


def test_scl_periods_where_only_a_time_makes_sense() -> None:
    assert parse_seconds("5ms") == parse_quantity("5ms")
    with pytest.raises(ValueError) as caught:
        parse_seconds("18scl")
    assert str(caught.value) == '"18scl" counts SCL periods, which have no meaning here; write a time such as "5ms"'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1", '"1" has no unit; write for example "1s" (units: ns, us, ms, s)'),
        ("1parsec", '"1parsec" has the unknown unit "parsec" (units: ns, us, ms, s)'),
        ("1sc", '"1sc" has the unknown unit "sc"; did you mean "s"?'),
        ("soon", '"soon" is not a duration; write a number and a unit, for example "20s" (units: ns, us, ms, s)'),
        (5, 'a duration is a string such as "20s", not 5'),
    ],
)
def test_only_units_that_are_taken_are_offered(text: object, reason: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_seconds(text, example="s")
    assert str(caught.value) == reason
