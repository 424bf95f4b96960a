"""Samplerates as people and programs write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracecheck.capture import parse_rate
from tracecheck.errors import UsageError


@pytest.mark.parametrize(
    ("text", "hertz"),
    [
        ("24 MHz", 24_000_000),
        ("1MHz", 1_000_000),
        ("12.500000 MHz", 12_500_000),
        ("500 kHz", 500_000),
        ("2 mHz", 2_000_000),
        ("2 GHz", 2_000_000_000),
        ("1000000", 1_000_000),
        ("2.5e6", 2_500_000),
        ("1e+6 Hz", 1_000_000),
        ("24M", 24_000_000),
        ("24 MS/s", 24_000_000),
        ("125 MSa/s", 125_000_000),
        ("  8 MHz ", 8_000_000),
        ("1 Hz", 1),
        (".5 k", 500),
        ("33.3333333 MHz", 33_333_333),
        ("9223372036", 9_223_372_036),
    ],
)
def test_known_spellings(text: str, hertz: int) -> None:
    assert parse_rate(text) == hertz


@pytest.mark.parametrize("text", ["", "fast", "24 MHzz", "-1 MHz", "24 THz", "1,5 MHz", "MHz", "nan", "1e", "٣ MHz"])
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_rate(text)
    assert str(caught.value) == f'"{text}" is not a samplerate; write it like "24 MHz", "500k" or "1000000"'


@pytest.mark.parametrize("text", ["0", "0.3 Hz", "10 GHz", "9223372037", "1e99 GHz"])
def test_rates_out_of_range(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_rate(text)
    assert str(caught.value) == f'a samplerate of "{text}" is out of range (1 Hz to 9223372036 Hz)'


@given(st.text(max_size=40) | st.from_regex(r"[0-9.]+e?[0-9]*\s*[kMG]?Hz", fullmatch=True))
def test_any_text_is_a_rate_or_an_explained_error(text: str) -> None:
    try:
        rate, message = parse_rate(text), f'"{text}"'
    except UsageError as error:
        rate, message = 1, str(error)
    assert 1 <= rate <= 9_223_372_036
    assert f'"{text}"' in message
