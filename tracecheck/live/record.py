"""sigrok-cli records into a file; whatever becomes of it, what was recorded is kept.

A whole recording appears at its place at once. A broken one lies beside it, as `NAME.partial.sr`, and takes neither a
whole one's place nor that of another broken one.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Final

import tracecheck
from tracecheck.errors import CaptureError, OutputError, UsageError
from tracecheck.export.sr import spell_rate
from tracecheck.live import sigrok
from tracecheck.timebase import ns_text

_LOOK_S: Final = 0.1
_SHORTEST: Final = 0.9
"""Of the time asked for: devices without a clock of their own end a little early or late."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be recorded: `time_ms` or `samples` long, or until Ctrl-C; `trigger` as sigrok-cli takes it."""

    driver: str
    rate_hz: int | None
    channels: Sequence[tuple[str, str]]
    time_ms: int | None = None
    samples: int | None = None
    trigger: str | None = None

    def command(self, output: str) -> list[str]:
        more = ["--time", str(self.time_ms)] if self.time_ms is not None else []
        more += ["--samples", str(self.samples)] if self.samples is not None else []
        more += [] if more else ["--continuous"]
        more += ["--triggers", self.trigger] if self.trigger else []
        return sigrok.arguments(self.driver, self.rate_hz, self.channels, [*more, "--output-file", output])


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording: where it is, its length and rate. `broken` says why it is not what was asked for."""

    path: str
    samples: int
    rate_hz: int | None
    broken: str | None = None
    stopped: bool = False

    @property
    def text(self) -> str:
        """`20.000 ms at 24 MHz`."""
        if self.rate_hz is None:
            return f"{self.samples} samples"
        return f"{ns_text(self.samples * 10**9 / self.rate_hz)} at {spell_rate(self.rate_hz)}"


def trigger_of(text: str, channels: Sequence[tuple[str, str]]) -> str:
    """`SCL=f` for sigrok-cli, which knows the channels by their new names. Raises UsageError."""
    named = dict(channels) | {name: name for _, name in channels}
    conditions = []
    for part in text.split(","):
        channel, equals, condition = part.partition("=")
        if not equals or not re.fullmatch("[01rfe]", condition):
            raise UsageError(
                f'--trigger: "{part}": write CHANNEL=CONDITION, for example SDA=f '
                "(0 low, 1 high, r rising, f falling, e either edge)"
            )
        if channel not in named:
            names = " ".join(name for _, name in channels)
            raise UsageError(f'--trigger: no channel "{channel}" is recorded (recorded: {names})')
        conditions.append(f"{named[channel]}={condition}")
    return ",".join(conditions)


def record(plan: Plan, output: str, looked: Callable[[], None] = lambda: None) -> Recorded:
    """Record, until the plan is done or Ctrl-C; `looked` is called now and then meanwhile.

    Raises OutputError where nothing can be written, CaptureError where nothing was recorded.
    """
    place = Path(output)
    try:
        folder = tempfile.TemporaryDirectory(prefix=f".{place.name}.", dir=place.parent)
    except OSError as error:
        raise OutputError(output, f"cannot write here: {error.strerror}") from None
    with folder as name:
        draft = Path(name) / "draft.sr"
        code, said, stopped = _run(plan.command(str(draft)), looked)
        why = _reason(code, said)
        if not draft.exists() or not draft.stat().st_size:
            reason = why or said or "sigrok-cli gave no reason"
            raise CaptureError(plan.driver, f"nothing was recorded: {reason}{sigrok.wanted_firmware(plan.driver)}")
        return _kept(plan, draft, place, why, stopped)


def _run(command: Sequence[str], looked: Callable[[], None]) -> tuple[int, str, bool]:
    stopped = False
    with sigrok.Recording(command) as recording:
        try:
            while recording.process.poll() is None:
                try:
                    recording.process.wait(timeout=_LOOK_S)
                except subprocess.TimeoutExpired:
                    looked()
        except KeyboardInterrupt:
            stopped = True
        said = recording.stop()
    code = recording.process.returncode
    return (0 if stopped else code), " ".join(said.split()), stopped


def _reason(code: int, said: str) -> str | None:
    if not code:
        return None
    how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
    return f"{sigrok.PROGRAM} {how}: {said or 'it gave no reason'}"


def _kept(plan: Plan, draft: Path, place: Path, why: str | None, stopped: bool) -> Recorded:
    try:
        capture = tracecheck.open(str(draft))
        samples, rate_hz = capture.samples, capture.rate_hz
    except CaptureError as error:
        reason = f"{why}; " if why else ""
        kept = _moved(draft, _partial(place))
        raise CaptureError(
            kept, f"{reason}what was recorded cannot be read ({error.reason}) and is kept there"
        ) from None
    if not samples:
        raise CaptureError(plan.driver, f"nothing was recorded: {why or 'the recording has no samples'}")
    if why is None and not stopped:
        why = _too_short(plan, samples, rate_hz)
    return Recorded(_moved(draft, _partial(place) if why else place), samples, rate_hz, why, stopped)


def _too_short(plan: Plan, samples: int, rate_hz: int | None) -> str | None:
    asked = plan.samples
    if asked is None and plan.time_ms is not None and rate_hz:
        asked = int(plan.time_ms * rate_hz // 1000 * _SHORTEST)
    if asked is None or samples >= asked or plan.trigger:
        return None  # from a trigger on, how many samples come is the device's to say
    return f"the device sent {samples} samples and stopped before the end; was it unplugged?"


def _partial(place: Path) -> Path:
    first = place.with_name(f"{place.stem}.partial.sr")
    more = (place.with_name(f"{place.stem}.partial-{i}.sr") for i in count(2))
    return next(path for path in chain((first,), more) if not path.exists())


def _moved(draft: Path, place: Path) -> str:
    try:
        draft.replace(place)
    except OSError as error:
        raise OutputError(place, f"writing failed: {error.strerror}") from None
    return str(place)
