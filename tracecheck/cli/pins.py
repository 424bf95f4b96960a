"""How a capture's pins are read: what was asked for, and what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from tracecheck.capture.model import Capture
from tracecheck.cli.console import note
from tracecheck.cli.lines import Lines
from tracecheck.decoding.exchanges import SETTLE_S, settle_samples
from tracecheck.decoding.find import BusRequest, MarkerRequest, wire
from tracecheck.decoding.stream import GLITCH_S
from tracecheck.decoding.wiring import Wiring
from tracecheck.errors import ChannelError


@dataclass(frozen=True, slots=True)
class Pins:
    """Buses and markers asked for, and the limits that decoding goes by."""

    buses: Sequence[BusRequest] = ()
    markers: Sequence[MarkerRequest] = ()
    settle_s: Fraction = SETTLE_S
    glitch_s: Fraction = GLITCH_S

    def settle(self, capture: Capture) -> int:
        """In samples of the capture."""
        return settle_samples(self.settle_s, capture.rate_hz)

    def found(self, capture: Capture) -> Wiring:
        """What they are in a capture. Notes what was found out. Raises ChannelError where nothing can be decoded."""
        wiring = wire(capture, self.buses, self.markers)
        wired(capture, wiring)
        for hint in wiring.hints:
            note(hint)
        return wiring


def asked(files: Sequence[str], lines: Lines) -> Pins:
    """What rule files and the command line ask for. Raises RuleError, UsageError."""
    if not files and lines == Lines():
        return Pins()
    from tracecheck.cli.wiring import rule_set  # noqa: PLC0415  (the models of rules take longer than a small decode)

    rules = rule_set(files, lines)
    buses, markers = list(rules.buses.values()), list(rules.markers.values())
    return Pins(buses, markers, rules.settle.amount, rules.glitch.amount)


def wired(capture: Capture, wiring: Wiring, *, markers_will_do: bool = True) -> None:
    """Raises ChannelError where a capture has nothing to decode."""
    if wiring.buses or (markers_will_do and wiring.markers):
        return
    reason = next(
        (hint for hint in wiring.hints if "no I2C bus" in hint), "no bus; name its lines with --scl and --sda"
    )
    raise ChannelError(capture.path, reason, None, [channel.name for channel in capture.channels])
