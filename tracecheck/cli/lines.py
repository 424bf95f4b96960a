"""Channel options to specs: `--scl`, `--sda`, `--bus NAME:scl=..,sda=..`, `--marker NAME=CHANNEL[:CODING]`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from tracecheck.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from tracecheck.capture.model import Capture
    from tracecheck.rules.model import BusSpec, MarkerSpec, RuleSet

_Spec = TypeVar("_Spec", bound="BusSpec | MarkerSpec")

CODINGS = ("level", "level-low", "pulse-count")


@dataclass(frozen=True, slots=True)
class Lines:
    """What the command line says about channels, as typed."""

    scl: str | None = None
    sda: str | None = None
    buses: Sequence[str] = ()
    markers: Sequence[str] = ()

    def applied(self, rules: RuleSet) -> RuleSet:
        """The rule set with these buses and markers beside, or in place of, its own. Raises UsageError."""
        return rules.with_buses(self._bus_specs(rules)).with_markers(self.marker_specs())

    def marker_specs(self) -> list[MarkerSpec]:
        """The markers of the command line. Raises UsageError."""
        specs = [parse_marker(text) for text in self.markers]
        names = [spec.name for spec in specs]
        for name in names:
            if names.count(name) > 1:
                raise UsageError(f'--marker: "{name}" is given twice; a marker is one channel')
        return specs

    def check(self, capture: Capture) -> None:
        """Raises ChannelError where a marker of the command line names a channel that the capture lacks."""
        for marker in self.marker_specs():
            capture.channel(marker.channel)

    def _bus_specs(self, rules: RuleSet) -> list[BusSpec]:
        buses = [parse_bus(text) for text in self.buses]
        names = [bus.name for bus in buses]
        for name in names:
            if names.count(name) > 1:
                raise UsageError(f'--bus: "{name}" is given twice; each bus needs a name of its own')
        if self.scl is None and self.sda is None:
            return buses
        if buses:
            raise UsageError("--scl and --sda name the lines of one bus; with --bus, give them inside it")
        if len(rules.buses) > 1:
            raise UsageError(
                f"--scl and --sda name the lines of one bus, but the rules declare {', '.join(rules.buses)}; "
                "use --bus NAME:scl=..,sda=.."
            )
        from tracecheck.rules.model import BusSpec  # noqa: PLC0415  (numpy comes with it)

        return [_spec(BusSpec, "--scl, --sda", name=next(iter(rules.buses), "i2c0"), scl=self.scl, sda=self.sda)]


def parse_bus(text: str) -> BusSpec:
    """`NAME:scl=CHANNEL,sda=CHANNEL`; one of the two may be left out and is then found. Raises UsageError."""
    from tracecheck.rules.model import BusSpec  # noqa: PLC0415

    name, colon, rest = text.partition(":")
    given: dict[str, str] = {}
    for part in rest.split(",") if colon else ():
        key, equals, channel = part.partition("=")
        key = key.strip().lower()
        if key not in ("scl", "sda") or not equals or not channel.strip() or key in given:
            raise UsageError(f'--bus {text}: "{part}" is not understood; write NAME:scl=CHANNEL,sda=CHANNEL')
        given[key] = channel.strip()
    if not given:
        raise UsageError(f"--bus {text}: no channels; write NAME:scl=CHANNEL,sda=CHANNEL")
    return _spec(BusSpec, f"--bus {text}", name=name.strip(), **given)


def parse_marker(text: str) -> MarkerSpec:
    """`NAME=CHANNEL[:CODING]`, CODING one of level, level-low, pulse-count, pulse-count=N. Raises UsageError."""
    from tracecheck.rules.model import MarkerSpec  # noqa: PLC0415

    name, equals, rest = text.partition("=")
    channel, colon, coding = rest.rpartition(":")
    if not colon:
        channel, coding = rest, ""
    if not equals or not channel.strip():
        raise UsageError(f"--marker {text}: write NAME=CHANNEL[:CODING], for example irq=D2 or irq=D2:level-low")
    fields: dict[str, Any] = {"name": name.strip(), "channel": channel.strip()}
    word, counted, number = coding.partition("=")
    if word == "pulse-count":
        fields["coding"] = "pulse-count"
        if counted:
            if not number.isdecimal():
                raise UsageError(f'--marker {text}: "{number}" is not a number of pulses; write pulse-count=2')
            fields["pulses"] = int(number)
        elif name.strip() not in ("irq", "run"):
            raise UsageError(f"--marker {text}: how many pulses mean it? Write for example pulse-count=3")
    elif coding in ("level", "level-low"):
        fields |= {"coding": "level", "active": "low" if coding == "level-low" else "high"}
    elif colon:
        hint = did_you_mean(word, CODINGS) or f" (codings: {', '.join(CODINGS)}, pulse-count=N)"
        raise UsageError(f'--marker {text}: unknown coding "{coding}"{hint}')
    return _spec(MarkerSpec, f"--marker {text}", **fields)


def _spec(kind: type[_Spec], option: str, **fields: Any) -> _Spec:
    from pydantic import ValidationError  # noqa: PLC0415

    try:
        return kind(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        reason = str(first.get("ctx", {}).get("error") or first["msg"])
        raise UsageError(f"{option}: {reason}") from None
