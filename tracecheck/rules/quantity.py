"""Durations as rule files write them: exact fractions of a second, or counts of SCL periods."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator

from tracecheck.errors import did_you_mean
from tracecheck.rules.mistakes import described

_SECONDS: Final = {
    "ns": Fraction(1, 10**9),
    "us": Fraction(1, 10**6),
    "\u00b5s": Fraction(1, 10**6),  # the micro sign
    "\u03bcs": Fraction(1, 10**6),  # the Greek letter mu
    "ms": Fraction(1, 10**3),
    "s": Fraction(1),
}
_HERTZ: Final = {"hz": 1, "khz": 10**3, "mhz": 10**6}
_UNITS: Final = ("ns", "us", "ms", "s")
_SCL: Final = "scl"
_NEAR: Final = {"u": "us", "m": "ms", "n": "ns", "sec": "s", "usec": "us", "msec": "ms", "nsec": "ns"}
_FORM: Final = re.compile(r"\s*(?P<sign>[+-]?)(?P<number>[0-9]{1,30}(\.[0-9]{1,30})?)\s*(?P<unit>[^\W\d_]*)\s*")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A duration: `amount` in seconds where `unit` is "s", in SCL periods where it is "scl"; `text` as written."""

    amount: Fraction
    unit: Literal["s", "scl"]
    text: str

    def samples(self, rate_hz: int | None, scl_period: int | None = None) -> Fraction | None:
        """The duration in sample periods, exactly; None without the rate, or the SCL period in samples, it needs."""
        per = rate_hz if self.unit == "s" else scl_period
        return self.amount * per if per else None

    def __str__(self) -> str:
        return self.text


def parse_quantity(text: object) -> Quantity:
    """`"20us"`, `"1.5 ms"`, `"18scl"` as a Quantity. Raises ValueError saying what is wrong and what would be right."""
    return _parsed(text, (*_UNITS, _SCL), "us")


def _parsed(text: object, units: Sequence[str], example: str) -> Quantity:
    """`units` are those to offer, `example` the one to show."""
    listed = ", ".join(units)
    if isinstance(text, Quantity):
        return text
    if not isinstance(text, str):
        raise ValueError(f'a duration is a string such as "20{example}", not {described(text)}')
    form = _FORM.fullmatch(text)
    if form is None:
        right = f'write a number and a unit, for example "20{example}" (units: {listed})'
        raise ValueError(f'"{text}" is not a duration; {right}')
    if form["sign"] == "-":
        raise ValueError(f'"{text}" is negative; a duration is 0 or more')
    unit = form["unit"]
    if not unit:
        raise ValueError(f'"{text}" has no unit; write for example "{form["number"]}{example}" (units: {listed})')
    number = Fraction(form["number"])
    if unit == _SCL:
        return Quantity(number, _SCL, text.strip())
    if unit not in _SECONDS:
        near = _NEAR.get(unit.lower())
        hint = f'; did you mean "{near}"?' if near else did_you_mean(unit, units)
        raise ValueError(f'"{text}" has the unknown unit "{unit}"{hint or f" (units: {listed})"}')
    return Quantity(number * _SECONDS[unit], "s", text.strip())


def parse_seconds(text: object, *, example: str = "us") -> Quantity:
    """As parse_quantity, for the places where SCL periods make no sense. `example`: a unit that fits there."""
    quantity = _parsed(text, _UNITS, example)
    if quantity.unit == _SCL:
        raise ValueError(f'"{quantity}" counts SCL periods, which have no meaning here; write a time such as "5ms"')
    return quantity


def parse_frequency(text: object) -> Quantity:
    """`"400kHz"` as the period of that frequency, with the text as written. Raises ValueError likewise."""
    if isinstance(text, Quantity):
        return text
    if not isinstance(text, str):
        raise ValueError(f'a frequency is a string such as "400kHz", not {described(text)}')
    form = _FORM.fullmatch(text)
    unit = form["unit"].lower() if form else ""
    if form is None or unit not in _HERTZ or form["unit"] == "mHz":
        raise ValueError(f'"{text}" is not a frequency; write for example "400kHz" (units: Hz, kHz, MHz)')
    hertz = Fraction(form["number"]) * _HERTZ[unit]
    if form["sign"] == "-" or not hertz:
        raise ValueError(f'"{text}" is not more than 0; a frequency is')
    return Quantity(1 / hertz, "s", text.strip())


def exceeds(low: Quantity | None, high: Quantity | None) -> bool:
    """Whether a lower bound surely lies above an upper one; bounds in different units cannot be compared."""
    return low is not None and high is not None and low.unit == high.unit and low.amount > high.amount


Duration = Annotated[Quantity, BeforeValidator(parse_quantity)]
Seconds = Annotated[Quantity, BeforeValidator(parse_seconds)]
