"""The lines of a trace's transfers from its tables: slow and obvious.

The twin of `tracecheck/report/transfers.py` and `_ext/text.pyx`, which draw them from the decoder's rows.
"""

from __future__ import annotations

from typing import Any

from tracecheck.timebase import instant_text, time_text, to_ns
from tracecheck.trace import Trace

LIMITS = (16, 12, 8, 6, 2, 1, 0)


def text_of(trace: Trace, width: int | None = None) -> str:
    """Head and lines; `width` columns, or None for whatever they take."""
    several = len(trace.wiring.buses) > 1
    timed = any(m.role == "irq" for m in trace.wiring.markers)
    head = f"{'time':>14}  " + ("bus  " if several else "") + f"{'#':>5}  {'outcome':<12}"
    head += f"  {'irq':>9}  {'wake':>9}" if timed else ""
    room = None if width is None else width - len(head) - 2
    events = trace.timeline.to_pylist() if timed else []
    messages: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for message in trace.messages.to_pylist():
        messages.setdefault((message["bus"], message["transfer"]), []).append(message)
    lines = [f"{head}  transfer"]
    for row in sorted(trace.transfers.to_pylist(), key=lambda row: row["start"]):
        when = instant_text(to_ns(row["start"], trace.rate_hz)) if trace.rate_hz else str(row["start"])
        line = f"{when:>14}  " + (f"{row['bus']:<5}" if several else "") + f"{row['transfer']:>5}  {row['outcome']:<12}"
        if timed:
            line += latencies_text(trace, row, events)
        said = message_texts(messages.get((row["bus"], row["transfer"]), []), room)
        lines.append(f"{line}  {said}".rstrip())
    return "".join(f"{line}\n" for line in lines)


def latencies_text(trace: Trace, row: dict[str, Any], events: list[dict[str, Any]]) -> str:
    wires = [m for m in trace.wiring.markers_of(row["bus"]) if m.role == "irq"]
    name = "irq.begin" if not wires else f"{wires[0].name}{'' if wires[0].coding == 'pulse-count' else '.begin'}"
    mine = [e for e in events if e["bus"] == row["bus"] and e["transfer"] == row["transfer"]]
    irqs = [e["sample"] for e in mine if e["event"] == name]
    since = row["start"] if row["stop"] is None else row["stop"]
    late = [at for at in irqs if at >= since]
    if not irqs:
        return f"  {'-':>9}  {'-':>9}"
    irq = late[0] if late else irqs[-1]
    following = min((at for at in irqs if at > irq), default=None)
    wakes = [e["sample"] for e in mine if e["event"] == "wake" and e["sample"] >= irq]
    wakes = [at for at in wakes if following is None or at < following]
    first = ("S+" if row["stop"] is None else "") + time_text(irq - since, trace.rate_hz)
    second = time_text(wakes[0] - irq, trace.rate_hz) if wakes else "-"
    return f"  {first:>9}  {second:>9}"


def message_texts(messages: list[dict[str, Any]], room: int | None) -> str:
    """Rows of `messages`, in so many columns if it can be."""
    for limit in LIMITS if room is not None else (None,):
        before, parts = None, []
        for one in messages:
            words = ["Sr"] if one["restart"] else []
            if not one["restart"] or one["address"] != before:
                digits = 3 if one["ten_bit"] else 2
                words.append("0x???" if one["address"] is None else f"0x{one['address']:0{digits}X}")
            before = one["address"]
            words.append("R" if one["direction"] == "read" else "W")
            words += ["NACK"] if one["acked"] is False else []
            words += [hexed(one["data"], limit)] if one["data"] else []
            parts.append(" ".join(words))
        text = "  ".join(parts)
        if room is None or len(text) <= room:
            break
    return text


def hexed(data: bytes, limit: int | None) -> str:
    """`DE AD`, or with fewer bytes than there are `DE (2 more) EF`, or `(4)`."""
    if limit is None or len(data) <= max(limit, 1):
        return data.hex(" ").upper()
    if limit == 0:
        return f"({len(data)})"
    first, last = (limit // 2 - 1, limit // 2 - 1) if limit > 4 else (limit, 0)
    shown = [data[:first].hex(" "), f"({len(data) - first - last} more)", data[len(data) - last :].hex(" ")]
    return " ".join(part if "more" in part else part.upper() for part in shown if part)
