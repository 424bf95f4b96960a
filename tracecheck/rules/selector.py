"""`where`: which transfers a rule judges. Every key that is given must hold; a key accepts one value or a list."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from tracecheck.rules.mistakes import ContradictionError, described, nearest
from tracecheck.rules.quantity import Quantity, exceeds, parse_seconds
from tracecheck.rules.vocabulary import DIRECTIONS, OUTCOMES

_TOP_ADDRESS: Final = 0x3FF
_NUMBER: Final = r"0[xX][0-9a-fA-F]{1,8}|[0-9]{1,8}"
_ADDRESSES: Final = re.compile(rf"\s*(?P<low>{_NUMBER})\s*(?P<dots>\.\.\s*(?P<high>{_NUMBER}))?\s*")
_LENGTHS: Final = re.compile(r"\s*(?P<low>[0-9]{1,8})?\s*(?P<dots>\.\.)?\s*(?P<high>[0-9]{1,8})?\s*")

_BEFORE: Final = tuple(word for word in OUTCOMES if word != "void")
"""Outcomes that the transfer before can have: a void is none that anybody follows."""

Window = tuple[Quantity | None, Quantity | None]
Lengths = tuple[tuple[int, int | None], ...]


def _listed(value: object, what: str) -> list[object]:
    items: list[object] = list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]
    if not items:
        raise ValueError(f"an empty list matches nothing; name at least one {what} or leave the key out")
    return items


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _addresses(value: object) -> frozenset[int]:
    found: set[int] = set()
    for item in _listed(value, "address"):
        if isinstance(item, str) and (form := _ADDRESSES.fullmatch(item)):
            low = int(form["low"], 0) if form["low"][:2] in ("0x", "0X") else int(form["low"])
            high = low
            if form["dots"]:
                high = int(form["high"], 0) if form["high"][:2] in ("0x", "0X") else int(form["high"])
        elif isinstance(item, int) and _is_int(item):
            low = high = item
        else:
            raise ValueError(
                f'an address is a number such as 0x3C or a range such as "0x08..0x77", not {described(item)}'
            )
        for bound in (low, high):
            if not 0 <= bound <= _TOP_ADDRESS:
                raise ValueError(f"address {bound:#x} is outside 0x00..0x3ff (7 bits without R/W, or 10 bits)")
        if low > high:
            raise ValueError(f'"{item}" runs backwards; write the lower address first')
        found.update(range(low, high + 1))
    return frozenset(found)


def _lengths(value: object) -> Lengths:
    ranges: list[tuple[int, int | None]] = []
    if isinstance(value, tuple):  # already in the model's own form
        return value
    for item in _listed(value, "length"):
        if isinstance(item, int) and _is_int(item) and item >= 0:
            ranges.append((item, item))
            continue
        form = _LENGTHS.fullmatch(item) if isinstance(item, str) else None
        if form is None or (form["low"] is None and form["high"] is None) or (form["high"] and not form["dots"]):
            raise ValueError(
                f'a length is a count of data bytes such as 3, "1..15", "17.." or "..15", not {described(item)}'
            )
        low = int(form["low"] or 0)
        high = int(form["high"]) if form["high"] else None if form["dots"] else low
        if high is not None and low > high:
            raise ValueError(f'"{item}" runs backwards; write the smaller length first')
        ranges.append((low, high))
    return tuple(ranges)


def _words(what: str, known: Sequence[str] | None = None) -> Callable[[object], frozenset[str]]:
    def check(value: object) -> frozenset[str]:
        found: set[str] = set()
        for item in _listed(value, what):
            if not isinstance(item, str):
                raise ValueError(f"{what} is a word, not {described(item)}")
            if known is not None and item not in known:
                within = [word for word in known if item and item in word]
                near = f"; did you mean {' or '.join(within)}?" if within else nearest(item, known)
                raise ValueError(f'unknown {what} "{item}"{near}')
            found.add(item)
        return frozenset(found)

    return check


def _window(value: object) -> Window:
    if isinstance(value, tuple):
        return value
    if not isinstance(value, str) or value.count("..") != 1:
        raise ValueError(f'a time window is a string such as "1ms..20ms", "5ms.." or "..2s", not {described(value)}')
    low, high = (parse_seconds(part) if part.strip() else None for part in value.split(".."))
    if low is None and high is None:
        raise ValueError('".." leaves both ends open; give at least one time')
    if exceeds(low, high):
        raise ValueError(f'"{value}" runs backwards; write the earlier time first')
    return low, high


class Selector(BaseModel):
    """Which transfers: each key given must hold. `Selector()` matches every transfer.

    `address` of the first message; `direction` of the whole transfer; `length` counts the data bytes of all its
    messages, as inclusive ranges whose upper end None is open; `after` is the outcome of the transfer before it on its
    bus, where a void is passed over; `time` is a window on its START, both ends included.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    address: Annotated[frozenset[int], BeforeValidator(_addresses)] | None = None
    not_address: Annotated[frozenset[int], BeforeValidator(_addresses)] | None = None
    direction: Annotated[frozenset[str], BeforeValidator(_words("direction", DIRECTIONS))] | None = None
    outcome: Annotated[frozenset[str], BeforeValidator(_words("outcome", OUTCOMES))] | None = None
    after: Annotated[frozenset[str], BeforeValidator(_words("outcome", _BEFORE))] | None = None
    length: Annotated[Lengths, BeforeValidator(_lengths)] | None = None
    bus: Annotated[frozenset[str], BeforeValidator(_words("bus"))] | None = None
    time: Annotated[Window, BeforeValidator(_window)] | None = None

    @model_validator(mode="after")
    def _something_is_left(self) -> Selector:
        if self.address is not None and self.not_address is not None and self.address <= self.not_address:
            raise ContradictionError("not_address", "it excludes every address that address names")
        return self

    @property
    def is_everything(self) -> bool:
        return self == _EVERYTHING

    @property
    def reads_bytes(self) -> bool:
        """Whether it asks what the bytes of a transfer say: whom it calls, to which end, how long it is."""
        asked = (self.address, self.not_address, self.direction, self.outcome, self.length)
        return any(key is not None for key in asked)


_EVERYTHING: Final = Selector()


def spans(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """A set of numbers as ascending inclusive ranges, for printing it briefly."""
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
