"""`i2cfilter:address=80,eeprom24xx:chip=generic`: decoders, each on the one before it, the first on I2C.

The I2C decoder itself may stand at the bottom, for its option: `i2c:address_format=unshifted,eeprom24xx`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tracecheck.errors import UsageError, did_you_mean
from tracecheck.stack.places import Place, find_decoder

OPTION: Final = "--stack"
_BUS: Final = "i2c"
_FORMATS: Final = ("shifted", "unshifted")


@dataclass(frozen=True, slots=True)
class Layer:
    """One decoder of a stack, with its options as typed."""

    name: str
    place: Place
    options: dict[str, str]


@dataclass(frozen=True, slots=True)
class Stack:
    """Decoders from the bottom up, and the text that asked for them.

    `name` goes before the colon in a rule's events: the topmost decoder's, or the one that a rule file gives. `head`
    begins a sentence about it. `unshifted`: addresses are handed up with their R/W bit, as 8 bits.
    """

    text: str
    layers: tuple[Layer, ...]
    name: str
    head: str = ""
    unshifted: bool = False


def parse_stack(text: str, name: str | None = None, option: str = OPTION) -> Stack:
    """`name`: what it goes by in events. `option`: who asks; with "" errors are part of another sentence.

    Raises UsageError for a decoder there is none of or text of another form, ExtraError without the extra.
    """
    head = f"{option} {text}: " if option else ""
    layers, unshifted = [], False
    parts = text.split(",")
    for i, part in enumerate(parts):
        decoder, given = _parsed(part, head)
        if decoder == _BUS and i == 0:
            unshifted = _unshifted(given, head)
            if len(parts) == 1:
                raise UsageError(f"{head}i2c alone is what decode prints anyway; put a decoder on it: i2c,eeprom24xx")
            continue
        layers.append(Layer(decoder, find_decoder(decoder, option), given))
    return Stack(text, tuple(layers), name or layers[-1].name, head, unshifted)


def _parsed(part: str, head: str) -> tuple[str, dict[str, str]]:
    """A decoder and its options."""
    name, *options = part.strip().split(":")
    if not name:
        raise UsageError(f"{head}write DECODER[:OPTION=VALUE], for example eeprom24xx:addr_counter=0")
    given: dict[str, str] = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not key or not equals:
            raise UsageError(f'{head}"{option}" is no option; write {name}:OPTION=VALUE')
        if key in given:
            raise UsageError(f'{head}option "{key}" is given twice')
        given[key] = value
    return name, given


def _unshifted(options: Mapping[str, str], head: str) -> bool:
    """What the options of sigrok's I2C decoder say; its lines are named elsewhere."""
    for key in options:
        if key in ("scl", "sda"):
            raise UsageError(f"{head}the lines of the bus are named with --scl and --sda, or in a rule file's [bus]")
        if key != "address_format":
            hint = did_you_mean(key, ["address_format"])
            raise UsageError(f'{head}i2c has no option "{key}"{hint} (options: address_format)')
    chosen = options.get("address_format", "shifted")
    if chosen not in _FORMATS:
        hint = did_you_mean(chosen, _FORMATS)
        raise UsageError(f"{head}address_format={chosen} is not possible{hint} (possible: {', '.join(_FORMATS)})")
    return chosen == "unshifted"
