"""The process that decoders of sigrok run in: a program of its own that imports nothing of tracecheck.

Standard input: a line of JSON (`decoders`: a list of name, module, folder, options; `rate_hz`; `unshifted`: addresses
keep their R/W bit), then annotations of the I2C decoder, 18 bytes each: start and end (int64, little-endian), kind,
value (`decoding.peer`).
Standard output, a line of JSON each:
  ["ready", classes]                              the decoders are there and started; classes of the topmost one
  ["annotation", layer, class, text, start, end]
  ["raised", layer, sample, text, times]          at the end: the first exception of a decoder, and how many it raised
  ["refused", layer, what, name, known]           what: option, value, input, start; nothing was decoded
  ["end"]
"""

from __future__ import annotations

import importlib
import json
import os
import struct
import sys
from collections.abc import Callable, Iterator
from typing import Any

ROW = struct.Struct("<qqBB")
_ROWS_AT_ONCE = 4096
_COMMANDS = {0: "START", 1: "START REPEAT", 2: "STOP", 3: "ACK", 4: "NACK"}
_BYTES = {6: "ADDRESS READ", 7: "ADDRESS WRITE", 8: "DATA READ", 9: "DATA WRITE"}
_BIT, _ADDRESSES = 5, (6, 7)


class RefusedError(Exception):
    """The stack cannot be set up; its arguments are what the parent is told."""


def main() -> None:
    # Decoders may print: that is not for whoever reads our answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1 << 16)
    os.dup2(2, 1)

    def tell(*what: object) -> None:
        answers.write(json.dumps(what) + "\n")

    order = json.loads(sys.stdin.buffer.readline())
    try:
        stack = Running(order["decoders"], order["rate_hz"], tell)
    except RefusedError as refusal:
        tell("refused", *refusal.args)
        answers.flush()
        return
    tell("ready", stack.classes)
    answers.flush()
    for start, end, packet in packets(rows(sys.stdin.buffer), unshifted=order["unshifted"]):
        stack.feed(0, start, end, packet)
    for layer, (sample, text, times) in sorted(stack.raised.items()):
        tell("raised", layer, sample, text, times)
    tell("end")
    answers.flush()


def rows(stream: Any) -> Iterator[tuple[int, int, int, int]]:
    while piece := stream.read(ROW.size * _ROWS_AT_ONCE):
        yield from ROW.iter_unpack(piece)


def packets(
    annotations: Iterator[tuple[int, int, int, int]], *, unshifted: bool
) -> Iterator[tuple[int, int, list[Any]]]:
    """What the I2C decoder hands to those above it; bits come least significant first."""
    bits: list[list[int]] = []
    for start, end, kind, value in annotations:
        if kind == _BIT:
            bits.append([value, start, end])
        elif kind in _BYTES:
            first, last = bits[-1][1], bits[0][2]
            yield first, last, ["BITS", bits]
            whole = unshifted and kind in _ADDRESSES
            yield first, last, [_BYTES[kind], value << 1 | (kind == _ADDRESSES[0]) if whole else value]
            bits = []
        elif kind in _COMMANDS:
            yield start, end, [_COMMANDS[kind], None]


class Running:
    """The decoders of one stack, each fed by the one below."""

    def __init__(self, asked: list[dict[str, Any]], rate_hz: int | None, tell: Callable[..., None]) -> None:
        self._tell = tell
        self.raised: dict[int, tuple[int, str, int]] = {}
        self._decoders: list[Any] = []
        below = ["i2c"]
        for layer, one in enumerate(asked):
            kind = imported(layer, one)
            if not set(kind.inputs) & set(below):
                raise RefusedError(layer, "input", ", ".join(kind.inputs), below)
            below = list(getattr(kind, "outputs", []))
            decoder = created(layer, kind)
            decoder.options = options_of(layer, kind, one["options"])
            decoder.callbacks = {}
            self._listen(layer, decoder)
            self._decoders.append(decoder)
        for layer, decoder in enumerate(self._decoders):
            try:
                if rate_hz:
                    import sigrokdecode  # noqa: PLC0415  (under the same roof as the decoders, whose errors are told)

                    decoder.metadata(sigrokdecode.SRD_CONF_SAMPLERATE, rate_hz)
                decoder.start()
            except (Exception, SystemExit) as error:
                raise RefusedError(layer, "start", described(error), []) from error

    @property
    def classes(self) -> list[str]:
        """Annotation classes of the topmost decoder."""
        return [one[0] for one in getattr(self._decoders[-1], "annotations", ())]

    def feed(self, layer: int, start: int, end: int, packet: Any) -> None:
        """A packet for one decoder. What it raises is kept for the end, and the next packet is its next chance."""
        try:
            self._decoders[layer].decode(start, end, packet)
        except (Exception, SystemExit) as error:
            sample, text, times = self.raised.get(layer, (start, described(error), 0))
            self.raised[layer] = sample, text, times + 1

    def _listen(self, layer: int, decoder: Any) -> None:
        import sigrokdecode  # noqa: PLC0415

        classes = getattr(decoder, "annotations", ())  # a filter has none

        def annotated(start: int, end: int, data: Any) -> None:
            number, texts = data[0], data[1]
            self._tell("annotation", layer, classes[number][0], texts[0], start, end)

        decoder.add_callback(sigrokdecode.OUTPUT_ANN, None, annotated)
        decoder.add_callback(sigrokdecode.OUTPUT_PYTHON, None, lambda *packet: self._up(layer + 1, *packet))

    def _up(self, layer: int, start: int, end: int, packet: Any) -> None:
        if layer < len(self._decoders):
            self.feed(layer, start, end, packet)


def imported(layer: int, one: dict[str, Any]) -> Any:
    if one["folder"] is not None:
        sys.path.insert(0, one["folder"])
    try:
        return importlib.import_module(one["module"]).Decoder
    except (Exception, SystemExit) as error:
        raise RefusedError(layer, "start", described(error), []) from error


def created(layer: int, kind: Any) -> Any:
    try:
        return kind()
    except (Exception, SystemExit) as error:
        raise RefusedError(layer, "start", described(error), []) from error


def options_of(layer: int, kind: Any, given: dict[str, str]) -> dict[str, Any]:
    """All options of a decoder: as given, in the type of their defaults, else the defaults."""
    known = {option["id"]: option for option in getattr(kind, "options", ())}
    found = {name: option["default"] for name, option in known.items()}
    for name, text in given.items():
        if name not in known:
            raise RefusedError(layer, "option", name, list(known))
        values = [str(value) for value in known[name].get("values", ())]
        if values and text not in values:
            raise RefusedError(layer, "value", f"{name}={text}", values)
        default = found[name]
        try:
            found[name] = int(text, 0) if isinstance(default, int) else type(default)(text)
        except ValueError:
            raise RefusedError(layer, "value", f"{name}={text}", ["a number"]) from None
    return found


def described(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


if __name__ == "__main__":
    main()
