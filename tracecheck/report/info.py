"""What a capture holds, before anything is judged: gathered in one pass, given as text or as an object for JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracecheck.capture.model import Capture
from tracecheck.decoding.wiring import Wiring
from tracecheck.report.findings import duration_text, wrapped
from tracecheck.report.style import Style, aligned
from tracecheck.report.text import rate_text
from tracecheck.timebase import to_ns

SCHEMA = 1
_LONGEST = 8
"""Level widths counted one by one, in samples; wider ones together."""
_SHARE = 100
"""One SCL level in so many that lasts a single sample is one too many: glitches are rarer."""


@dataclass(frozen=True, slots=True)
class Survey:
    """`edges`: of each channel, by bit. `levels`: for each bus, how many SCL levels lasted 0, 1, 2, ... samples."""

    edges: dict[int, int]
    levels: dict[str, list[int]]

    def undersampled(self, bus: str) -> bool:
        """So many SCL levels last one sample that some will have been missed."""
        levels = self.levels[bus]
        return levels[1] * _SHARE >= max(sum(levels), 1) and levels[1] > 0


def survey(capture: Capture, wiring: Wiring, progress: Callable[[int], None] | None = None) -> Survey:
    """One pass over all lines of a capture."""
    bits = sorted({c.bit for c in capture.channels if c.bit < 8 * capture.unitsize} | set(wiring.bits))
    edges = dict.fromkeys(bits, 0)
    levels = {b.name: np.zeros(_LONGEST + 1, np.int64) for b in wiring.buses}
    last = {b.name: -1 for b in wiring.buses}
    for block in capture.edges(bits) if bits else ():
        before = np.empty_like(block.words)
        if len(before):
            before[0], before[1:] = block.initial, block.words[:-1]
        changed = before ^ block.words
        for bit in bits:
            edges[bit] += int(np.count_nonzero(changed >> changed.dtype.type(bit) & 1))
        for bus in wiring.buses:
            at = block.at[(changed >> changed.dtype.type(bus.scl.bit) & 1) == 1]
            if len(at):
                widths = np.diff(at, prepend=last[bus.name]) if last[bus.name] >= 0 else np.diff(at)
                levels[bus.name] += np.bincount(np.minimum(widths, _LONGEST), minlength=_LONGEST + 1)
                last[bus.name] = int(at[-1])
        if progress is not None:
            progress(block.end)
    return Survey(edges, {name: counts.tolist() for name, counts in levels.items()})


def warnings(capture: Capture, wiring: Wiring, found: Survey) -> list[str]:
    """What makes decoding this capture doubtful."""
    said = []
    if capture.samples == 0:
        said.append("the capture is empty (0 samples); record it again")
    if capture.rate_hz is None and capture.samples:
        said.append("no samplerate is known, so no times are; give --samplerate")
    for bus in wiring.buses:
        if found.undersampled(bus.name):
            count = found.levels[bus.name][1]
            said.append(
                f"{bus.name}: SCL is undersampled: {count} of its levels last one sample, so others will have been "
                "missed; record at 4 times the rate or more"
            )
        if not found.edges[bus.scl.bit] and capture.samples:
            said.append(f"{bus.name}: SCL never changes")
    return said


def as_object(capture: Capture, wiring: Wiring, found: Survey) -> dict[str, Any]:
    """The JSON object, schema 1."""
    rate = capture.rate_hz
    return {
        "schema": SCHEMA,
        "path": capture.path,
        "format": capture.format,
        "rate_hz": rate,
        "unitsize": capture.unitsize,
        "samples": capture.samples,
        "duration_ns": to_ns(capture.samples, rate) if rate else None,
        "remarks": dict(capture.remarks),
        "channels": [{"name": c.name, "bit": c.bit, "edges": found.edges.get(c.bit)} for c in capture.channels],
        **wiring.facts(),
        "warnings": warnings(capture, wiring, found),
        "hints": list(wiring.hints),
        "notes": list(capture.notes),
    }


def render(capture: Capture, wiring: Wiring, found: Survey, style: Style) -> str:
    """The text for people."""
    rate = capture.rate_hz
    lines = [style.paint(capture.path, "bold")]
    facts = [
        ["format", f"{capture.format}, {capture.unitsize} byte{'' if capture.unitsize == 1 else 's'} a sample"],
        ["rate", rate_text(rate)],
        ["samples", f"{capture.samples}" + (f" ({duration_text(capture.samples, rate)})" if rate else "")],
    ]
    remarks = [(key, value) for key, value in capture.remarks.items() if not key.startswith("assumption-")]
    facts += [[key, value if value.isprintable() else ascii(value)] for key, value in remarks if key.isprintable()]
    lines += [f"  {line}" for line in aligned(facts, ["<", "<"])]
    used = {b.scl.bit: f"SCL of {b.name}" for b in wiring.buses} | {b.sda.bit: f"SDA of {b.name}" for b in wiring.buses}
    for marker in wiring.markers:
        role = f"marker {marker.name}"
        used[marker.channel.bit] = f"{used[marker.channel.bit]}, {role}" if marker.channel.bit in used else role
    rows = [["bit", "channel", "edges", "taken for"]]
    rows += [[str(c.bit), c.name, str(found.edges.get(c.bit, "-")), used.get(c.bit, "")] for c in capture.channels]
    named = {c.bit for c in capture.channels}
    rows += [[str(bit), "", str(n), used[bit]] for bit, n in found.edges.items() if bit not in named]
    if len(rows) > 1:
        table = aligned(rows, [">", "<", ">", "<"])
        lines += ["", f"  {style.paint(table[0], 'dim')}", *(f"  {line}" for line in table[1:])]
    lines.append("")
    for bus in wiring.buses:
        lines += wrapped(f"bus {bus.name}: SCL = {bus.scl.name}, SDA = {bus.sda.name} ({bus.why})", style, 2)
    for marker in wiring.markers:
        owner = f" of {marker.bus}" if len(wiring.buses) > 1 and marker.bus else ""
        lines += wrapped(
            f"marker {marker.name}{owner}: {marker.channel.name}, {marker.coding} ({marker.why})", style, 2
        )
    for said, colour in ((warnings(capture, wiring, found), "yellow"), (list(wiring.hints), ""), (capture.notes, "")):
        word = {"yellow": "Warning: "}.get(colour, "Note: ")
        for text in said:
            lines += [style.paint(line, *([colour] if colour else [])) for line in wrapped(word + text, style, 2)]
    return "\n".join(lines).rstrip() + "\n"
