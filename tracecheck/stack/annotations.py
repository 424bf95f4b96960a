"""A stack is run over the packets of one bus; what it says becomes rows of the table `annotations`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tracecheck import schemas
from tracecheck.arrow import coded, column, strings
from tracecheck.capture.model import Capture
from tracecheck.decoding import peer
from tracecheck.decoding.wiring import BusWire
from tracecheck.errors import UsageError, did_you_mean
from tracecheck.stack.spec import Layer, Stack
from tracecheck.timebase import column_ns
from tracecheck.trace import Trace

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
    """A decoder that raised, died or hung: one sentence, which names it and where."""

    bus: str
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


def _run(stack: Stack, bus: str, packets: NDArray[Any], rate_hz: int | None) -> tuple[list[Annotation], list[Trouble]]:
    layers = [
        {"name": one.name, "module": one.place.module, "folder": one.place.folder, "options": one.options}
        for one in stack.layers
    ]
    order = json.dumps({"decoders": layers, "rate_hz": rate_hz}).encode() + b"\n"
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
    return _understood(stack, bus, answers, how)


def _ending(code: int, complaint: bytes) -> str:
    if code < 0:
        return f"was ended by signal {-code}"
    last = complaint.decode("utf-8", "replace").strip().rpartition("\n")[2]
    return f"ended its process with code {code}" + (f" ({last})" if last else "")


def _understood(stack: Stack, bus: str, answers: bytes, how: str) -> tuple[list[Annotation], list[Trouble]]:
    found: list[Annotation] = []
    troubles: list[Trouble] = []
    ended = False
    for line in answers.splitlines(keepends=True):
        if not line.endswith(b"\n"):
            break  # the process died while it wrote
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
            troubles.append(Trouble(bus, f'the decoder "{name}" raised at sample {sample}: {text}{more}'))
        ended = ended or what == "end"
    if not ended:
        names = " on ".join(f'"{one.name}"' for one in reversed(stack.layers))
        after = f", after its annotation at sample {found[-1].start}" if found else ""
        troubles.append(Trouble(bus, f"the decoder {names} {how}{after}"))
    return found, troubles


def _refusal(stack: Stack, layer: int, what: str, name: str, known: list[str]) -> UsageError:
    one: Layer = stack.layers[layer]
    head = f"--stack {stack.text}: "
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


def annotations_table(trace: Trace, annotations: Sequence[Annotation]) -> pa.Table:
    """The rows of `schemas.ANNOTATIONS`, in the order given; `transfer` is the one that `start` lies in."""
    start = np.array([one.start for one in annotations], np.int64)
    end = np.array([one.end for one in annotations], np.int64)
    bus = [one.bus for one in annotations]
    transfer = np.full(len(start), -1, np.int64)
    for name in dict.fromkeys(bus):
        mine = np.array([one == name for one in bus])
        transfer[mine] = _transfers(trace, name, start[mine])
    no_times = np.full(len(start), trace.rate_hz is None)
    times = column_ns(start, trace.rate_hz) if trace.rate_hz else np.zeros(len(start), np.int64)
    columns = {
        "bus": _names(bus),
        "stack": _names([one.stack for one in annotations]),
        "decoder": _names([one.decoder for one in annotations]),
        "class": _names([one.kind for one in annotations]),
        "text": strings([one.text for one in annotations]),
        "start": column(start),
        "end": column(end),
        "t_ns": column(times, no_times),
        "transfer": column(transfer, transfer < 0),
    }
    return pa.table([columns[name] for name in schemas.ANNOTATIONS.names], schema=schemas.ANNOTATIONS)


def _transfers(trace: Trace, bus: str, samples: NDArray[np.int64]) -> NDArray[np.int64]:
    rows = trace.columns(bus, "transfers")
    if not len(rows["start"]):
        return np.full(len(samples), -1, np.int64)
    at = np.searchsorted(rows["start"], samples, side="right") - 1
    inside = (at >= 0) & (samples <= rows["end"][np.maximum(at, 0)])
    return np.where(inside, rows["transfer"][np.maximum(at, 0)], -1)


def _names(texts: Sequence[str]) -> pa.DictionaryArray:
    words = list(dict.fromkeys(texts))
    index = {word: i for i, word in enumerate(words)}
    return coded(np.array([index[text] for text in texts], np.int16), words)
