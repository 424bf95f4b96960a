"""What a timing rule and a rule file say of a bus's timing: bounds of a parameter, and rise times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from tracecheck.rules.mistakes import ContradictionError, UnknownKeyError, described, nearest
from tracecheck.rules.parameters import FREQUENCY, ONLY_MAX, Line
from tracecheck.rules.quantity import Quantity, Seconds, parse_frequency, parse_quantity
from tracecheck.words import PARAMETERS


class Limit(BaseModel):
    """`{ min = "1.3us" }`, of the parameter whose name is the key before it; fSCL is bounded by frequencies."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True, defer_build=True)

    parameter: str
    min: Quantity | None = None
    max: Quantity | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_its_parameter(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        name = raw["parameter"]
        if name not in PARAMETERS:
            raise UnknownKeyError(f'there is no parameter "{name}"{nearest(name, PARAMETERS, "parameters")}')
        if "min" in raw and name in ONLY_MAX:
            raise ContradictionError("min", f"{name} can be too long, never too short; give a max")
        filled = dict(raw)
        for side in ("min", "max"):
            if side in raw:
                filled[side] = _bound(name, side, raw[side])
        return filled

    @model_validator(mode="after")
    def _coherent(self) -> Limit:
        low, high = self.min, self.max
        if low is None and high is None:
            raise ValueError("any value would do; give a min or a max")
        if low is not None and high is not None:
            backwards = low.amount < high.amount if self.parameter == FREQUENCY else low.amount > high.amount
            if backwards:
                raise ContradictionError("min", f"{low} is more than max = {high}; no {self.parameter} satisfies both")
        return self


def _bound(name: str, side: str, value: object) -> Quantity:
    try:
        if name == FREQUENCY:
            return parse_frequency(value)
        if isinstance(value, str) and value.rstrip().lower().endswith("hz"):
            raise ValueError(f'"{value}" is a frequency, and {name} is a time; write for example "1.3us"')
        bound = parse_quantity(value)
        if bound.unit == "scl":
            raise ValueError(f'"{value}" counts SCL periods, which {name} is a part of; write a time such as "1.3us"')
    except ValueError as error:
        raise ContradictionError(side, str(error)) from None
    return bound


def _limits(value: object) -> object:
    if not isinstance(value, Mapping):
        raise ValueError(f'the limits are a table, such as {{ tLOW = {{ min = "1.3us" }} }}, not {described(value)}')
    if not value:
        raise ValueError("an empty table bounds nothing; give a mode or a parameter")
    filled: dict[str, object] = {}
    for name, bounds in value.items():
        if isinstance(bounds, Mapping):
            if "parameter" in bounds:
                raise ContradictionError(name, 'unknown key "parameter" (keys: min, max)')
            filled[name] = {**bounds, "parameter": name}
        elif isinstance(bounds, Limit):
            filled[name] = bounds
        else:
            raise ContradictionError(name, f'bounds are a table such as {{ min = "1.3us" }}, not {described(bounds)}')
    return filled


LimitTable = Annotated[dict[str, Limit], BeforeValidator(_limits)]


class Rise(BaseModel):
    """How long SCL and SDA take to rise from 30 % to 70 % of VDD, at most: between these each edge may have been."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True, defer_build=True)

    scl: Seconds = parse_quantity("0s")
    sda: Seconds = parse_quantity("0s")

    def of(self, lines: Iterable[Line]) -> Fraction:
        """The rise times of these lines together, in seconds."""
        return sum(((self.scl if line == "scl" else self.sda).amount for line in lines), Fraction(0))


def _rise(value: object) -> object:
    """One time for both lines, or a table."""
    if isinstance(value, str):
        return {"scl": value, "sda": value}
    if not isinstance(value, (dict, Rise)):
        raise ValueError(
            f'a rise time is such as "300ns", or {{ scl = "300ns", sda = "200ns" }}, not {described(value)}'
        )
    return value


RiseTimes = Annotated[Rise, BeforeValidator(_rise)]
