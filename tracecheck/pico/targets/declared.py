"""Targets as they are declared: `0x68=registers`, `i2c1:0x50=eeprom,write=3ms`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tracecheck.errors import UsageError, did_you_mean
from tracecheck.rules.quantity import parse_seconds

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "registers": "256 registers; the first byte written points, then they move on; byte i holds i ^ 0xA5",
        "eeprom": "256 bytes in pages of 16; does not answer for write=5ms after a STOP that ended a write",
        "display": "takes what it is given; reads 0",
        "absent": "nobody: the address is not acknowledged",
    }
)

_TIMES: Final = {"stretch": 0.0, "hold": 300.0, "write": 5e6}
_LARGEST = 0x3FF


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """One declared target: where, what, and its options; times in ns. `text` as written."""

    bus: str
    address: int
    kind: str
    stretch_ns: float
    hold_ns: float
    write_ns: float
    nack_after: int | None
    text: str


def parse_target(text: str) -> TargetSpec:
    """A target as `--target` takes it: [BUS:]ADDRESS=KIND[,option=value...]; an address above 0x7F has 10 bits.

    Raises UsageError with what is wrong and what would be right.
    """
    place, equals, rest = text.partition("=")
    bus, colon, number = place.strip().rpartition(":")
    kind, *pairs = (part.strip() for part in rest.split(","))
    if not equals or not kind:
        raise UsageError(f'target "{text}": write ADDRESS=KIND, for example 0x68=registers (kinds: {", ".join(KINDS)})')
    if colon and bus not in {"i2c0", "i2c1"}:
        raise UsageError(f'target "{text}": no bus "{bus}" (the RP2040 has i2c0 and i2c1)')
    if kind not in KINDS:
        raise UsageError(f'target "{text}": no kind "{kind}"{did_you_mean(kind, [*KINDS])} (kinds: {", ".join(KINDS)})')
    known = [option for option in (*_TIMES, "nack-after") if option != "write" or kind == "eeprom"]
    given: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = (part.strip() for part in pair.partition("="))
        if key not in known:
            raise UsageError(
                f'target "{text}": {kind} has no option "{key}"{did_you_mean(key, known)} ({", ".join(known)})'
            )
        if not equals or not value or key in given:
            raise UsageError(f'target "{text}": write {key}=value, once')
        given[key] = value
    times = {key: _time(text, key, given[key]) if key in given else default for key, default in _TIMES.items()}
    return TargetSpec(
        bus or "i2c0",
        _address(text, number),
        kind,
        times["stretch"],
        times["hold"],
        times["write"],
        _count(text, given["nack-after"]) if "nack-after" in given else None,
        text,
    )


def _address(text: str, number: str) -> int:
    try:
        address = int(number, 0) if len(number) < 10 else -1
    except ValueError:
        raise UsageError(f'target "{text}": "{number}" is not an address; write it like 0x68') from None
    if not 0 <= address <= _LARGEST:
        raise UsageError(f'target "{text}": address {number} is out of range (0 to 0x7F, with 10 bits to 0x3FF)')
    return address


def _count(text: str, number: str) -> int:
    if not number.isdecimal() or len(number) > 9:
        raise UsageError(f'target "{text}": "{number}" is not a number from 0 on')
    return int(number)


def _time(text: str, key: str, value: str) -> float:
    try:
        return float(parse_seconds(value).amount * 10**9)
    except ValueError as error:
        raise UsageError(f'target "{text}": {key}: {error}') from None
