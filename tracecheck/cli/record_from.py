"""What `tracecheck record` may record from, and which of its options go with that."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tracecheck.errors import OutputError, UsageError


def check(
    driver: str | None,
    emulate: str | None,
    output: str | None,
    of_device: Mapping[str, object],
    of_emulation: Mapping[str, object],
    *,
    list_devices: bool,
    force: bool,
) -> None:
    """Raises UsageError where there is no source, or two, or options that do not go with it.

    Raises OutputError where a file at `output` would be lost.
    """
    if list_devices:
        if emulate is not None or output is not None:
            raise UsageError("--list shows devices and records nothing; leave --emulate and -o out")
        return
    if emulate is None and driver is None:
        raise UsageError(
            "nothing to record from; give an analyzer with --driver NAME (record --list), or a firmware with "
            "--emulate FIRMWARE.elf"
        )
    if emulate is not None and driver is not None:
        raise UsageError("--emulate and --driver: record from one of them")
    if driver is not None:
        _refuse(of_emulation, "--emulate", "--driver")
    else:
        _refuse(of_device, "--driver", "--emulate")
    if output is None:
        raise UsageError("record where to? Give -o FILE.sr")
    if Path(output).exists() and not force:
        raise OutputError(output, "there is a file already; --force writes over it, -o names another")


def _refuse(options: Mapping[str, object], theirs: str, given: str) -> None:
    named = [name for name, value in options.items() if value not in (None, [], ())]
    if named:
        be, them = ("are", "them") if len(named) > 1 else ("is", "it")
        raise UsageError(f"{' and '.join(named)} {be} of {theirs}; leave {them} out with {given}")
