"""Measures what the driver really does, from the clean captures of this folder, and writes it into docs/embassy.md.

    python captures/pico/truth.py              prints the tables
    python captures/pico/truth.py --write      puts them into docs/embassy.md

Every figure is counted from tracecheck's own tables: transfers and the timeline of the three-pin captures.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tracecheck

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "embassy.md"
BEGIN, END = "<!-- measured: captures/pico/truth.py -->", "<!-- end of what was measured -->"
SPEEDS = ("100k", "400k", "1m")
CALLS = (
    ("write", 1, 15),
    ("write", 16, 16),
    ("write", 17, 31),
    ("write", 32, 40),
    ("read", 1, 16),
    ("read", 17, 32),
    ("read", 33, 40),
    ("write-read", 2, 16),
    ("write-read", 17, 32),
    ("write-read", 33, 41),
    ("write, NACK", 0, 40),
    ("read, NACK", 0, 40),
)


@dataclass(frozen=True)
class Seen:
    """One transfer: its shape, and its interrupts and wakes in ns from STOP."""

    speed: str
    call: str
    length: int
    interrupts: tuple[int, ...]
    wakes: tuple[int, ...]
    delays: tuple[int, ...]
    """Interrupt to task, ns each."""
    readies: tuple[int, ...]
    """Interrupt to ready."""
    handlers: tuple[int, ...]
    """The handler's length."""


def seen() -> Iterator[Seen]:
    """Every whole transfer of the clean three-pin captures."""
    expected = json.loads((HERE / "expected.json").read_text(encoding="utf-8"))
    for name, facts in expected.items():
        if facts["rules"] != "three-pin.rules.toml" or facts["failed"]:
            continue
        trace = tracecheck.decode(HERE / name, rules=HERE / facts["rules"])
        speed = next(word for word in SPEEDS if word in facts["firmware"])
        events: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for event in trace.timeline.to_pylist():
            if event["transfer"] is not None:
                events[event["transfer"]][event["event"]].append(event["t_ns"])
        for transfer in trace.transfers.to_pylist():
            if transfer["complete"] and transfer["stop"] is not None:
                yield _seen(speed, transfer, events[transfer["transfer"]])


def _seen(speed: str, transfer: dict[str, Any], events: dict[str, list[int]]) -> Seen:
    stop = events["stop"][-1]
    nacked = ", NACK" if transfer["outcome"] != "acked" else ""
    irqs, wakes = events["irq.begin"], events["wake"]
    return Seen(
        speed,
        transfer["directions"] + nacked,
        transfer["n_bytes"],
        tuple(at - stop for at in irqs),
        tuple(at - stop for at in wakes),
        tuple(wake - irq for irq, wake in zip(irqs, wakes, strict=False)),
        tuple(ready - irq for irq, ready in zip(irqs, events["ready"], strict=False)),
        tuple(end - irq for irq, end in zip(irqs, events["irq.end"], strict=False)),
    )


def table() -> str:
    """Both tables, as Markdown."""
    transfers = list(seen())
    rows = [
        "| call | data bytes | SCL | transfers | interrupts | after STOP | last interrupt from STOP | task from STOP |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for call, low, high in CALLS:
        for speed in SPEEDS:
            these = [t for t in transfers if t.speed == speed and t.call == call and low <= t.length <= high]
            if not these:
                continue
            counts = _span(len(t.interrupts) for t in these)
            after = _span(sum(at >= 0 for at in t.interrupts) for t in these)
            last = _times(t.interrupts[-1] for t in these if t.interrupts)
            task = _times(t.wakes[-1] for t in these if t.wakes)
            length = "" if "NACK" in call else f"{low}" if low == high else f"{low} to {high}"
            rows.append(
                f"| {call} | {length} | {_hertz(speed)} | {len(these)} | {counts} | {after} | {last} | {task} |"
            )
    rows += ["", "| from, to | SCL | seen | min | median | max |", "| --- | --- | --- | --- | --- | --- |"]
    for what, pick in (
        ("interrupt to ready", lambda t: t.readies),
        ("interrupt to task", lambda t: t.delays),
        ("the handler", lambda t: t.handlers),
    ):
        for speed in SPEEDS:
            values = sorted(v for t in transfers if t.speed == speed for v in pick(t))
            middle = statistics.median_low(values)
            figures = " | ".join(_us(v) for v in (values[0], middle, values[-1]))
            rows.append(f"| {what} | {_hertz(speed)} | {len(values)} | {figures} |")
    return "\n".join(rows) + "\n"


def _span(values: Iterable[int]) -> str:
    found = sorted(set(values))
    return f"{found[0]}" if len(found) == 1 else f"{found[0]} to {found[-1]}"


def _times(values: Iterable[int]) -> str:
    found = sorted(values)
    if not found:
        return "none"
    low, high = _us(found[0]), _us(found[-1])
    return low if low == high else f"{low} to {high}"


def _us(ns: int) -> str:
    return f"{ns / 1000:+.2f} us" if ns < 0 else f"{ns / 1000:.2f} us"


def _hertz(speed: str) -> str:
    return {"100k": "100 kHz", "400k": "400 kHz", "1m": "1 MHz"}[speed]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    measured = table()
    if parser.parse_args().write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n\n{measured}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    else:
        sys.stdout.write(measured)
    return 0


if __name__ == "__main__":
    sys.exit(main())
