"""From a capture to the text of a rule file."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import PurePath

from tracecheck.api import decode
from tracecheck.capture.model import Capture
from tracecheck.errors import CaptureError
from tracecheck.learn.draft import Draft, counted
from tracecheck.learn.kept import settle
from tracecheck.learn.orders import BusShapes
from tracecheck.learn.pins import pins_text
from tracecheck.learn.times import bounds
from tracecheck.report.visible import visible
from tracecheck.rules.defaults import fitting_rules
from tracecheck.rules.model import RuleSet


def learn(
    capture: Capture, pins: RuleSet, margin: Fraction, progress: Callable[[int], None] | None = None
) -> tuple[str, int]:
    """The rule file, and how many rules it adds to its presets.

    `pins`: buses and markers as far as they were named. `margin`: how far beyond the longest time seen a bound is
    put, as a fraction of it. Raises CaptureError where there is nothing to learn from.
    """
    trace = decode(capture, rules=pins, progress=progress)
    if not trace.wiring.buses:
        raise CaptureError(capture.path, "no I2C bus was found in it; name its lines with --scl and --sda")
    shapes = {b.name: BusShapes(trace, b.name) for b in trace.wiring.buses}
    seen = sum(len(s) for s in shapes.values())
    if not seen:
        raise CaptureError(capture.path, "no whole transfer in it, so nothing to learn from; record for longer")
    percent = f"{float(margin * 100):g} %"
    kinds = counted(sum(len(s.rows) for s in shapes.values()), "shape")
    head = [
        f"# Learned by tracecheck rules init from {visible(PurePath(capture.path).name, line=True)}:",
        f"# {counted(seen, 'whole transfer')} of {kinds}. A bound is the longest time seen and {percent} more.",
        "# It says what the firmware did, not what it must do: read it, and change what you know better. Rules about",
        "# one shape of transfer are optional; take that out where a capture without such a transfer is a fault.",
    ]
    draft = Draft(head, pins_text(capture, trace, pins), fitting_rules(trace.wiring)[1])
    bounds(draft, trace, margin, pins.timebase_ppm)
    for bus in shapes.values():
        draft.blocks += bus.addresses()
        for shape in bus.rows:
            bus.of_shape(shape, draft)
    settle(draft, trace)
    return draft.text(), len(draft.blocks)
