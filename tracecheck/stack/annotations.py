"""A stack is run over the packets of one bus: what it says, and what goes wrong with it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tracecheck.capture.model import Capture
from tracecheck.decoding import peer
from tracecheck.decoding.wiring import BusWire
from tracecheck.errors import UsageError, did_you_mean
from tracecheck.stack.spec import Layer, Stack

_WORKER: Final = Path(__file__).with_name("worker.py")
_ROW: Final = np.dtype([("start", "<i8"), ("end", "<i8"), ("kind", "u1"), ("value", "u1")])
_PATIENCE_S: Final = 60
_ROWS_A_SECOND: Final = 10_000
"""Annotations of the bus that a stack must at least get through: one that is slower is taken to hang."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """What a decoder said: `kind` is its annotation class, `start` and `end` are samples."""

    bus: str
    stack: str
    decoder: str
    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """A decoder that raised, died or hung: one sentence, which names it and where. `stack`: the name of its stack."""

    bus: str
    stack: str
    text: str


def annotate(capture: Capture, bus: BusWire, stacks: Sequence[Stack]) -> tuple[list[list[Annotation]], list[Trouble]]:
    """What each stack says on one bus, in the order in which it was said, and what went wrong with it.

    Each stack has a process of its own: one that fails takes nothing from the others. Raises UsageError for an option
    that a decoder has not, or a decoder that cannot stand on the one below it.
    """
    packets = _packets(capture, bus)
    found, troubles = [], []
    for stack in stacks:
        annotations, trouble = _run(stack, bus.name, packets, capture.rate_hz)
        found.append(annotations)
        troubles += trouble
    return found, troubles


def _packets(capture: Capture, bus: BusWire) -> NDArray[Any]:
    pieces = [np.zeros(0, _ROW)]
    for columns in peer.annotations(capture, bus.scl.bit, bus.sda.bit):
        piece = np.empty(len(columns["start"]), _ROW)
        for name in ("start", "end", "kind", "value"):
            piece[name] = columns[name]
        pieces.append(piece)
    return np.concatenate(pieces)


def classes_of(stack: Stack) -> tuple[str, ...]:
    """The annotation classes of a stack's topmost decoder. Raises UsageError as `annotate`, and for one that dies."""
    said = _answers(stack, np.zeros(0, _ROW), None)
    for line in said.lines:
        what, *rest = json.loads(line)
        if what == "ready":
            return tuple(rest[0])
        if what == "refused":
            raise _refusal(stack, *rest)
    raise UsageError(f'{stack.head}the decoder "{stack.layers[-1].name}" {said.ending}')


@dataclass(frozen=True, slots=True)
class _Answers:
    """Whole lines that a worker wrote, and how it ended, in words."""

    lines: tuple[bytes, ...]
    ending: str


def _run(stack: Stack, bus: str, packets: NDArray[Any], rate_hz: int | None) -> tuple[list[Annotation], list[Trouble]]:
    return _understood(stack, bus, _answers(stack, packets, rate_hz))


def _answers(stack: Stack, packets: NDArray[Any], rate_hz: int | None) -> _Answers:
    layers = [
        {"name": one.name, "module": one.place.module, "folder": one.place.folder, "options": one.options}
        for one in stack.layers
    ]
    asked = {"decoders": layers, "rate_hz": rate_hz, "unshifted": stack.unshifted}
    order = json.dumps(asked).encode() + b"\n"
    patience = _PATIENCE_S + len(packets) / _ROWS_A_SECOND
    # -P: what lies beside the worker must not take the place of a decoder's modules; -B: nothing is written there.
    process = subprocess.Popen(
        [sys.executable, "-P", "-B", str(_WORKER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    hung = False
    try:
        try:
            answers, complaint = process.communicate(order + packets.tobytes(), timeout=patience)
        except subprocess.TimeoutExpired:
            hung = True
            process.kill()
            answers, complaint = process.communicate()
    finally:
        process.kill()
        process.wait()
    how = f"did not end in {patience:.0f} s" if hung else _ending(process.returncode, complaint)
    whole, _, _ = answers.rpartition(b"\n")  # a line without its end: the process died while it wrote
    return _Answers(tuple(whole.splitlines()), how)


def _ending(code: int, complaint: bytes) -> str:
    if code < 0:
        return f"was ended by signal {-code}"
    last = complaint.decode("utf-8", "replace").strip().rpartition("\n")[2]
    return f"ended its process with code {code}" + (f" ({last})" if last else "")


def _understood(stack: Stack, bus: str, answers: _Answers) -> tuple[list[Annotation], list[Trouble]]:
    found: list[Annotation] = []
    troubles: list[Trouble] = []
    ended = False
    for line in answers.lines:
        what, *rest = json.loads(line)
        if what == "annotation":
            layer, kind, text, start, end = rest
            found.append(Annotation(bus, stack.text, stack.layers[layer].name, kind, text, start, end))
        elif what == "refused":
            raise _refusal(stack, *rest)
        elif what == "raised":
            layer, sample, text, times = rest
            more = f" ({times} times in all)" if times > 1 else ""
            name = stack.layers[layer].name
            troubles.append(Trouble(bus, stack.name, f'the decoder "{name}" raised at sample {sample}: {text}{more}'))
        ended = ended or what == "end"
    if not ended:
        names = " on ".join(f'"{one.name}"' for one in reversed(stack.layers))
        after = f", after its annotation at sample {found[-1].start}" if found else ""
        troubles.append(Trouble(bus, stack.name, f"the decoder {names} {answers.ending}{after}"))
    return found, troubles


def _refusal(stack: Stack, layer: int, what: str, name: str, known: list[str]) -> UsageError:
    one: Layer = stack.layers[layer]
    head = stack.head
    if what == "option":
        there = f" (options: {', '.join(known)})" if known else " (it has none)"
        return UsageError(f'{head}{one.name} has no option "{name}"{did_you_mean(name, known)}{there}')
    if what == "value":
        hint = did_you_mean(name.partition("=")[2], known)
        return UsageError(f"{head}{name} is not possible{hint} (possible: {', '.join(known)})")
    if what == "input":
        below = f"{stack.layers[layer - 1].name} gives" if layer else "this is"
        gives = ", ".join(known) or "nothing"
        return UsageError(f"{head}{one.name} decodes {name}, and {below} {gives}")
    return UsageError(f'{head}the decoder "{one.name}" does not start: {name}')
