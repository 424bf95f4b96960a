"""`tracecheck record --driver`: a logic analyzer records through sigrok-cli. `record --list`: which there are."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePath

from tracecheck.capture.rate import parse_rate
from tracecheck.cli.console import destination, note, say, state
from tracecheck.cli.lines import Lines
from tracecheck.cli.recorded import judged
from tracecheck.cli.wiring import rule_set
from tracecheck.errors import UsageError
from tracecheck.export.sr import spell_rate
from tracecheck.live import sigrok
from tracecheck.live.record import Plan, record, trigger_of
from tracecheck.report.visible import visible
from tracecheck.rules.quantity import parse_seconds

COULD_NOT_CHECK = 2
_PATIENCE_S = 5
_COUNT = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)\s*([kmg]?)", re.IGNORECASE)
_PREFIXES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


@dataclass(frozen=True, slots=True)
class Request:
    """The arguments, as typed."""

    driver: str
    output: str
    samplerate: str | None
    time: str | None
    samples: str | None
    trigger: str | None
    channels: Sequence[str]
    rules: Sequence[str]
    quiet: bool


def list_all(driver: str | None) -> int:
    """The devices that answer now, a line each."""
    found = sigrok.devices(driver)
    if not found:
        raise UsageError(f"{sigrok.SILENCE}{sigrok.wanted_firmware(driver)}")
    with destination(None) as out:
        for device in found:
            out.text(visible(f"{device.driver}  {device.text}: {' '.join(device.channels)}", line=True) + "\n")
    return 0


def run(request: Request) -> int:
    """Record, say what was recorded, and judge it where rules are given. Raises what the command line explains."""
    state.quiet = request.quiet
    if PurePath(request.output).suffix.lower() != ".sr":
        raise UsageError(
            f"-o {request.output}: recordings are written as sigrok sessions; give a name that ends in .sr"
        )
    rule_set(request.rules, Lines(), [])  # a mistake in a rule file is said before the recording, not after
    plan = _plan(request)
    if plan.time_ms is None and plan.samples is None:
        note("recording until Ctrl-C")
    recorded = record(plan, request.output, _Waiting(plan))
    with destination(None) as out:
        if not request.quiet:
            names = ", ".join(name for _, name in plan.channels)
            out.text(f"{recorded.path}: recorded with {request.driver}, {recorded.text}; {names}\n")
    if recorded.broken is not None:
        say(f"{recorded.broken}; what was recorded until then is kept in {recorded.path} and not judged")
        return COULD_NOT_CHECK
    if recorded.stopped:
        note("stopped; this is what was recorded until then")
    code = judged(recorded.path, request.rules, quiet=request.quiet)
    if plan.rate_hz is not None and recorded.rate_hz != plan.rate_hz:
        got = "no samplerate" if recorded.rate_hz is None else spell_rate(recorded.rate_hz)
        say(f"{recorded.path}: asked for {spell_rate(plan.rate_hz)}, and the recording says {got}")
        return code or COULD_NOT_CHECK
    return code


class _Waiting:
    """Says once what a recording that takes long waits for."""

    def __init__(self, plan: Plan) -> None:
        self._plan, self._begun, self._said = plan, time.monotonic(), False

    def __call__(self) -> None:
        late = time.monotonic() - self._begun > (self._plan.time_ms or 0) / 1000 + _PATIENCE_S
        if late and not self._said and (self._plan.trigger or self._plan.time_ms is not None):
            self._said = True
            what = f"the trigger {self._plan.trigger}" if self._plan.trigger else "the device"
            note(f"still waiting for {what}; Ctrl-C ends the recording")


def _plan(request: Request) -> Plan:
    if request.time is not None and request.samples is not None:
        raise UsageError("--time and --samples both say how long; give one")
    try:
        rate_hz = None if request.samplerate is None else parse_rate(request.samplerate)
    except UsageError as error:
        raise UsageError(f"--samplerate: {error}") from None
    time_ms = None if request.time is None else _milliseconds(request.time)
    samples = None if request.samples is None else _count(request.samples)
    device = sigrok.the_device(request.driver)
    channels = sigrok.asked_channels(device, request.channels)
    trigger = None if request.trigger is None else trigger_of(request.trigger, channels)
    return Plan(request.driver, rate_hz, channels, time_ms, samples, trigger)


def _milliseconds(text: str) -> int:
    try:
        found = parse_seconds(text, example="s").samples(1000)
    except ValueError as error:
        raise UsageError(f"--time: {error}") from None
    if found is None or found < 1:
        raise UsageError(f"--time {text}: record a millisecond or more; for less give --samples")
    return round(found)


def _count(text: str) -> int:
    """`100000`, `100k`, `1.5M`: prefixes as of rates."""
    form = _COUNT.fullmatch(text.strip())
    found = form and Decimal(form[1]) * _PREFIXES[form[2].lower()]
    if not found or found != int(found):
        raise UsageError(f'--samples: "{text}" is no number of samples from 1 on; write it like 100000, 100k or 1.5M')
    return int(found)
