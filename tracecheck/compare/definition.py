"""What a rule asks, key by key, as plain values: two rules of one id may ask different things."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from pydantic import BaseModel

from tracecheck.rules.model import Rule
from tracecheck.rules.percentile import Percentile
from tracecheck.rules.quantity import Quantity

_SAID: Final = {"id", "why", "severity", "optional", "source", "line", "group", "named", "required"}
"""Keys that change nothing of what is asked."""
BOUNDS: Final = {"min", "max", "within", "percentiles", "jitter", "bounds", "limits", "model", "only", "spare"}
"""Keys that say what is allowed; the others say what is measured."""


def definition(rule: Rule) -> dict[str, Any]:
    """Strings, numbers, booleans, lists and objects of these."""
    return {"kind": rule.kind, **{key: value for key, value in _given(rule).items() if key not in {*_SAID, "kind"}}}


def changed(base: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The keys in which two definitions differ."""
    return sorted(key for key in base.keys() | new.keys() if base.get(key) != new.get(key))


def _given(model: BaseModel) -> dict[str, Any]:
    """The fields that are not as they are by default."""
    fields = type(model).model_fields
    found = {name: getattr(model, name) for name in fields}
    return {
        name: _plain(value)
        for name, value in sorted(found.items())
        if fields[name].is_required() or value != fields[name].get_default(call_default_factory=True)
    }


def _plain(value: object) -> Any:
    match value:
        case Quantity():
            return _amount(value)
        case Percentile():
            return f"{value.name} {_amount(value.bound)}"
        case BaseModel():
            return _given(value)
        case Fraction():
            return str(value)
        case dict():
            return {str(key): _plain(each) for key, each in sorted(value.items())}
        case frozenset() | set():
            return sorted((_plain(each) for each in value), key=str)
        case list() | tuple():
            return [_plain(each) for each in value]
        case None | bool() | int() | str():
            return value
    raise TypeError(f"a rule holds {value!r}, and a baseline has no form for it")


def _amount(quantity: Quantity) -> str:
    """`20us` and `0.02 ms` are the same."""
    if quantity.unit == "scl":
        return f"{float(quantity.amount):.12g} scl"
    return f"{float(quantity.amount * 10**9):.12g} ns"
