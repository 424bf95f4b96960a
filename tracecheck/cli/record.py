"""`tracecheck record --emulate`: a firmware runs on the emulated Pico, its pins go into a capture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from tracecheck.capture.rate import parse_rate
from tracecheck.cli.console import destination, note, say, state
from tracecheck.cli.lines import Lines
from tracecheck.cli.progress import Progress
from tracecheck.cli.recorded import judged
from tracecheck.cli.wiring import rule_set
from tracecheck.errors import UsageError
from tracecheck.export.sr import spell_rate
from tracecheck.pico.emulate import LONGEST_MS, Recording, emulate, parse_pin
from tracecheck.timebase import ns_text

COULD_NOT_CHECK = 2
_LISTED = 12
"""Strikes of faults that are printed one by one."""


@dataclass(frozen=True, slots=True)
class Request:
    """The arguments, as typed."""

    firmware: str
    ms: float
    output: str
    targets: Sequence[str]
    faults: Sequence[str]
    pins: Sequence[str]
    rate: str
    rules: Sequence[str]
    quiet: bool


def run(request: Request) -> int:
    """Record, say what was recorded, and judge it where rules are given. Raises what the command line explains."""
    state.quiet = request.quiet
    if PurePath(request.output).suffix.lower() != ".sr":
        raise UsageError(
            f"-o {request.output}: recordings are written as sigrok sessions; give a name that ends in .sr"
        )
    if not 0 < request.ms <= LONGEST_MS:
        raise UsageError(f"--ms {request.ms:g}: record more than 0 and at most {LONGEST_MS} ms")
    rate_hz = _rate(request.rate)
    rule_set(request.rules, Lines(), [])  # a mistake in a rule file is said before minutes of emulation, not after
    with Progress(f"emulating {PurePath(request.firmware).name}", round(request.ms * 1e6)) as progress:
        recording = emulate(
            request.firmware,
            ms=request.ms,
            targets=request.targets,
            faults=request.faults,
            rate_hz=rate_hz,
            pins=_pins(request.pins),
            progress=lambda ns: progress(round(ns)),
        )
    recording.write(request.output)
    with destination(None) as out:
        if not request.quiet:
            out.text("".join(f"{line}\n" for line in _said(recording, request.output)))
    for text in recording.notes:
        note(text)
    for fault in recording.idle_faults:
        say(f'the fault "{fault.text}" never struck: no such transfer came, or nothing in it that it could hit')
    for text in recording.hung:
        say(text)
    if not _went_well(recording, request):
        return COULD_NOT_CHECK
    code = judged(request.output, request.rules, quiet=request.quiet)
    # A transfer without an end is judged by no rule; and whoever asked for a fault wants to know what comes of it: a
    # pass without it says nothing.
    return COULD_NOT_CHECK if code == 0 and (recording.hung or recording.idle_faults) else code


def _rate(text: str) -> int:
    try:
        return parse_rate(text)
    except UsageError as error:
        raise UsageError(f"--rate: {error}") from None


def _pins(texts: Sequence[str]) -> dict[str, int]:
    pins: dict[str, int] = {}
    for text in texts:
        try:
            name, gpio = parse_pin(text)
        except UsageError as error:
            raise UsageError(f"--pin: {error}") from None
        if name in pins:
            raise UsageError(f'--pin: "{name}" is given twice')
        pins[name] = gpio
    return pins


def _said(recording: Recording, output: str) -> Iterator[str]:
    channels = ", ".join(channel.name for channel in recording.channels)
    length = ns_text(recording.block.end * 10**9 / recording.rate_hz)
    yield f"{output}: emulated, {length} at {spell_rate(recording.rate_hz)}; {channels}"
    for strike in recording.strikes[:_LISTED]:
        place = f"{strike.time_ns / 1e6:.6f} ms, {strike.bus} transfer {strike.transfer}"
        yield f"  {strike.kind} at {place}: {strike.detail}"
    if (more := len(recording.strikes) - _LISTED) > 0:
        yield f"  and {more} more"


def _went_well(recording: Recording, request: Request) -> bool:
    ending = recording.ending
    at = f"at {ending.time_ns / 1e6:.6f} ms"
    if ending.kind == "deadlock":
        say(f"the firmware deadlocked {at}: {ending.reason} (it sleeps at {ending.where}); the recording ends there")
    elif ending.kind == "fault":
        say(f"the firmware crashed {at}, at {ending.where}: {ending.reason}; the recording ends there")
    elif not recording.transfers:
        say(
            f"the firmware started no I2C transfer in {request.ms:g} ms; record longer with --ms, or see whether it "
            "waits for something that is not there"
        )
    else:
        return True
    return False
