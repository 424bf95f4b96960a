"""The pins of a capture as a rule file writes them down."""

from __future__ import annotations

from tracecheck.capture.model import Capture, Channel
from tracecheck.errors import CaptureError
from tracecheck.learn.draft import counted, quoted
from tracecheck.report.visible import visible
from tracecheck.rules.model import MarkerSpec, RuleSet
from tracecheck.rules.selector import Selector, spans
from tracecheck.trace import Trace


def channel_text(capture: Capture, channel: Channel) -> str:
    """Its name, or its bit where the name is not its own, or no text that a file can hold."""
    names = [c.name for c in capture.channels]
    sayable = channel.name and not any(0xD800 <= ord(c) < 0xE000 for c in channel.name)
    if names.count(channel.name) == 1 and sayable:
        return quoted(channel.name)
    if str(channel.bit) in names:
        raise CaptureError(capture.path, f"bit {channel.bit} cannot be named: another channel is called so; rename it")
    return str(channel.bit)


def pins_text(capture: Capture, trace: Trace, pins: RuleSet) -> str:
    """Settings, buses and markers, each with why it was chosen."""
    parts = [
        f"{key} = {quoted(str(getattr(pins, key)))}" for key in ("settle", "glitch") if key in pins.model_fields_set
    ]
    if "timebase_ppm" in pins.model_fields_set:
        parts.append(f"timebase_ppm = {pins.timebase_ppm}")
    for bus in trace.wiring.buses:
        lines = [f"# Chosen: {visible(bus.why, line=True)}.", f"[bus.{bus.name}]"]
        parts.append(
            "\n".join([*lines, *(f"{k} = {channel_text(capture, c)}" for k, c in (("scl", bus.scl), ("sda", bus.sda)))])
        )
    for wire in trace.wiring.markers:
        times = len(trace.marker_rows(wire.name).begins)
        lines = [f"# Seen {counted(times, 'time')}. Chosen: {visible(wire.why, line=True)}.", f"[marker.{wire.name}]"]
        lines += [f"channel = {channel_text(capture, wire.channel)}", f"coding = {quoted(wire.coding)}"]
        lines += ['active = "low"'] * (wire.active == "low")
        lines += [f"pulses = {wire.pulses}"] * (wire.coding == "pulse-count" and wire.pulses is not None)
        lines += [f"role = {quoted(wire.role)}"] if wire.role is not None else []
        lines += [f"bus = {quoted(wire.bus)}"] if wire.bus is not None and len(trace.wiring.buses) > 1 else []
        spec = pins.markers.get(wire.name)
        lines += [f"where = {_selector(spec.where)}"] if isinstance(spec, MarkerSpec) and spec.where else []
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _selector(where: Selector) -> str:
    """A selector as a file writes it."""
    lists: dict[str, list[str]] = {}
    for key in ("address", "not_address"):
        lists[key] = [f"0x{low:02X}..0x{high:02X}" for low, high in spans(getattr(where, key) or ())]
    for key in ("direction", "outcome", "after", "bus"):
        lists[key] = sorted(getattr(where, key) or ())
    lists["length"] = [f"{low}..{'' if high is None else high}" for low, high in where.length or ()]
    keys = [f"{key} = [{', '.join(map(quoted, texts))}]" for key, texts in lists.items() if texts]
    if where.time is not None:
        keys.append(f"time = {quoted('..'.join('' if end is None else str(end) for end in where.time))}")
    return f"{{ {', '.join(keys)} }}"
