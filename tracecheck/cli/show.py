"""`tracecheck show`: draws one transfer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

from tracecheck.capture.model import Capture
from tracecheck.cli.console import destination, note, state
from tracecheck.cli.lines import Lines
from tracecheck.cli.pins import wired
from tracecheck.cli.progress import Progress
from tracecheck.cli.reading import Reading
from tracecheck.cli.wiring import rule_set
from tracecheck.decoding.exchanges import settle_samples
from tracecheck.decoding.find import wire
from tracecheck.decoding.stream import decode_capture
from tracecheck.decoding.wiring import Wiring
from tracecheck.errors import UsageError, did_you_mean
from tracecheck.exchange import read_exchange
from tracecheck.outline import Outline
from tracecheck.report.drawing import draw
from tracecheck.report.style import Style
from tracecheck.rules.model import RuleSet


def run(
    path: str,
    transfer: int,
    select: Sequence[str],
    width: int | None,
    lines: Lines,
    rule_files: Sequence[str],
    reading: Reading,
    quiet: bool,
) -> int:
    """Draw one transfer of one capture. Raises what the command line explains."""
    state.quiet = quiet
    rules = rule_set(rule_files, lines)
    capture = reading.opened(path)
    lines.check(capture)
    for sentence in capture.notes:
        note(sentence)
    wiring = wire(capture, list(rules.buses.values()), list(rules.markers.values()))
    wired(capture, wiring, markers_will_do=False)
    bus = _bus(wiring, select)
    outline = _outline(capture, wiring, rules)
    facts = outline.facts(bus, transfer)
    if facts is None:
        count = outline.counts.get(bus, 0)
        known = f"they are 0 to {count - 1}" if count else "there are none"
        raise UsageError(f"{path}: no transfer {transfer} on {bus}; {known}")
    settle = settle_samples(rules.settle.amount, capture.rate_hz)
    exchange = read_exchange(capture, wiring, facts, settle, glitch_s=rules.glitch.amount)
    with destination(None) as out:
        style = Style(out.width, out.colour, out.unicode)
        out.text(draw(exchange, style if width is None else replace(style, width=width)))
    return 0


def _bus(wiring: Wiring, select: Sequence[str]) -> str:
    names = [b.name for b in wiring.buses]
    if len(select) > 1:
        raise UsageError(f"--bus: one bus at a time, not {' and '.join(select)}")
    if select:
        if select[0] not in names:
            raise UsageError(f'--bus: no bus "{select[0]}"{did_you_mean(select[0], names)} (buses: {", ".join(names)})')
        return select[0]
    if len(names) > 1:
        raise UsageError(f"there are several buses; say which with --bus (buses: {', '.join(names)})")
    return names[0]


def _outline(capture: Capture, wiring: Wiring, rules: RuleSet) -> Outline:
    """Where each transfer lies. Only the buses are decoded: markers do not number transfers."""
    outline = Outline()
    with Progress(f"reading {PurePath(capture.path).name}", capture.samples) as progress:
        for batch in decode_capture(capture, Wiring(wiring.buses), glitch_s=rules.glitch.amount, progress=progress):
            outline.add(batch)
    return outline
