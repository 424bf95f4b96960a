"""sigrok-cli as a source: it is run, never imported. Its samples come through a pipe, or into a file."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from tracecheck.capture.model import Channel
from tracecheck.errors import UsageError, did_you_mean

PROGRAM: Final = "sigrok-cli"
_DEVICE: Final = re.compile(
    r"^(?P<name>\S+?)(?::[^ ]*)? - (?P<text>.*) with (?P<count>\d+) channels: (?P<channels>.*)$"
)
SILENCE: Final = "no device answers; is it plugged in, and may you use it?"
_SCAN_S: Final = 30
_FIRMWARE: Final = {"fx2lafw": "sigrok-firmware-fx2lafw"}
"""Debian's packages of what a driver loads into its devices; sigrok-cli does not bring them."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device that sigrok-cli found: `driver` as `--driver` takes it, what it says of itself, its channels."""

    driver: str
    text: str
    channels: tuple[str, ...]

    @property
    def digital(self) -> tuple[str, ...]:
        """Channels that are logic, as far as their names tell: analog ones are called A0, A1, CH1 and the like."""
        return tuple(name for name in self.channels if not re.fullmatch(r"(A|CH|AIN)\d+", name))


def installed() -> str:
    """Where the program is. Raises UsageError where it is not."""
    found = shutil.which(PROGRAM)
    if found is None:
        raise UsageError(f"{PROGRAM} is not installed; on Debian: apt install {PROGRAM}")
    return found


def devices(driver: str | None = None) -> list[Device]:
    """Devices that answer now, of one driver (with its options, as `fx2lafw:conn=1.5`) or of all."""
    command = [installed(), *(["--driver", driver] if driver else []), "--scan"]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_SCAN_S,
        )
    except subprocess.TimeoutExpired:
        raise UsageError(f"{PROGRAM} --scan found nothing in {_SCAN_S} s; name a --driver") from None
    said = f"{done.stderr}\n{done.stdout}"
    if driver and re.search(r"driver .* not found|invalid driver", said, re.IGNORECASE):
        name = driver.partition(":")[0]
        raise UsageError(
            f'--driver: {PROGRAM} has no driver "{name}"{did_you_mean(name, drivers())} ({PROGRAM} -L lists them)'
        )
    forms = (_DEVICE.match(line) for line in done.stdout.splitlines())
    return [Device(form["name"], form["text"], tuple(form["channels"].split())) for form in forms if form]


def drivers() -> list[str]:
    """Names of the drivers that the program has."""
    done = subprocess.run(
        [installed(), "-L"], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
    )
    part = done.stdout.partition("Supported hardware drivers:")[2].partition("\n\n")[0]
    return [line.split()[0] for line in part.splitlines() if line.startswith("  ") and line.strip()]


def wanted_firmware(driver: str | None) -> str:
    """For the end of an error: the package without which this driver, or one of all, cannot use its devices."""
    name = None if driver is None else driver.partition(":")[0]
    wanted = {each: package for each, package in _FIRMWARE.items() if name in {None, each}}
    return "".join(
        f" ({each} needs its firmware, too; on Debian: apt install {package})" for each, package in wanted.items()
    )


def the_device(driver: str) -> Device:
    """The one device of a driver. Raises UsageError where there is none."""
    found = devices(driver)
    if not found:
        raise UsageError(
            f"--driver {driver}: {SILENCE} tracecheck record --list shows what answers{wanted_firmware(driver)}"
        )
    return found[0]


def asked_channels(device: Device, wanted: Sequence[str]) -> list[tuple[str, str]]:
    """(channel of the device, name it gets) for `--channel D0=SCL`; all digital ones where none is named."""
    if not wanted:
        return [(name, name) for name in device.digital]
    found = []
    for text in wanted:
        channel, equals, name = text.partition("=")
        if channel not in device.channels:
            hint = did_you_mean(channel, device.channels)
            known = " ".join(device.channels)
            raise UsageError(f'--channel {text}: {device.text} has no channel "{channel}"{hint} (channels: {known})')
        found.append((channel, name if equals else channel))
    names = [name for _, name in found]
    if len(set(names)) < len(names):
        raise UsageError("--channel: two channels of one name; give each its own")
    if any("=" in name or "," in name or not name.strip() for name in names):
        raise UsageError("--channel: a name is a word without commas, as D0=SCL")
    return found


def arguments(driver: str, rate_hz: int | None, channels: Sequence[tuple[str, str]], more: Sequence[str]) -> list[str]:
    """The command line that records these channels."""
    named = ",".join(channel if channel == name else f"{channel}={name}" for channel, name in channels)
    rate = ["--config", f"samplerate={rate_hz}"] if rate_hz else []
    return [installed(), "--driver", driver, *rate, "--channels", named, *more]


def lines_of(device: Device, channels: Sequence[tuple[str, str]]) -> tuple[int, list[Channel]]:
    """Bytes a sample, and the channels by their bits: sigrok keeps a channel's bit whatever else is recorded."""
    order = list(device.digital)
    found = [Channel(name, order.index(channel)) for channel, name in channels]
    return max((c.bit for c in found), default=0) // 8 + 1, found


class Recording:
    """sigrok-cli at work; a context manager that ends it."""

    def __init__(self, command: Sequence[str]) -> None:
        # Its standard input stays open and silent: at anything to read there, its end too, it stops.
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        assert self.process.stdout is not None
        self.descriptor = self.process.stdout.fileno()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *unused: object) -> None:
        self.stop()

    def stop(self) -> str:
        """Ends it as Ctrl-C would; what it said to standard error."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(timeout=3)
            except subprocess.TimeoutExpired:
                self.process.kill()
        assert self.process.stdin is not None
        assert self.process.stderr is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        said = self.process.stderr.read().decode("utf-8", "replace") if not self.process.stderr.closed else ""
        self.process.stdout.close()
        self.process.stderr.close()
        self.process.wait()
        return said.strip()
