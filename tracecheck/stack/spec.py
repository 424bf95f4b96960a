"""`--stack i2cfilter:address=80,eeprom24xx:chip=generic`: decoders, each on the one before it, the first on I2C."""

from __future__ import annotations

from dataclasses import dataclass

from tracecheck.errors import UsageError
from tracecheck.stack.places import Place, find_decoder


@dataclass(frozen=True, slots=True)
class Layer:
    """One decoder of a stack, with its options as typed."""

    name: str
    place: Place
    options: dict[str, str]


@dataclass(frozen=True, slots=True)
class Stack:
    """Decoders from the bottom up, and the text that asked for them."""

    text: str
    layers: tuple[Layer, ...]


def parse_stack(text: str) -> Stack:
    """Raises UsageError for a decoder there is none of or text of another form, ExtraError without the extra."""
    layers = []
    for part in text.split(","):
        name, *options = part.strip().split(":")
        if not name:
            raise UsageError(f"--stack {text}: write DECODER[:OPTION=VALUE], for example eeprom24xx:addr_counter=0")
        given: dict[str, str] = {}
        for option in options:
            key, equals, value = option.partition("=")
            if not key or not equals:
                raise UsageError(f'--stack {text}: "{option}" is no option; write {name}:OPTION=VALUE')
            if key in given:
                raise UsageError(f'--stack {text}: option "{key}" is given twice')
            given[key] = value
        layers.append(Layer(name, find_decoder(name), given))
    return Stack(text, tuple(layers))
