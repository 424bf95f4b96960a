"""The `metadata` member of a sigrok session: an INI file in GLib's key-file dialect.

Source: https://sigrok.org/wiki/File_format:Sigrok/v2 and the key-file format of GLib, which sigrok reads and writes
it with: `#` comments, `[group]`, `key=value` (with blanks around the `=` in version 1), backslash escapes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tracecheck.errors import CaptureError

_DEVICE = re.compile(r"device ([1-9][0-9]{0,8})")
_PROBE = re.compile(r"probe([0-9]{1,9})")
_ESCAPE = re.compile(rb"\\([sntr\\])")
_ESCAPED = {b"s": b" ", b"n": b"\n", b"t": b"\t", b"r": b"\r", b"\\": b"\\"}


@dataclass(frozen=True, slots=True)
class Device:
    """One `[device N]` section. Only what the reader needs; values it judges itself are kept as text."""

    number: int
    capturefile: str | None
    unitsize: str | None
    samplerate: str | None
    probes: tuple[tuple[int, str], ...]
    """Number (from 1, as the file counts) and name of each enabled logic line, in order of number."""
    analog: bool


def parse_metadata(path: str, data: bytes) -> tuple[tuple[Device, ...], dict[str, str]]:
    """The devices of a session, by number, and what it says of itself: keys of `[global]` that are not sigrok's own.

    Raises CaptureError for lines that are no key file.
    """
    devices = []
    groups = _key_file(path, data)
    for group, keys in groups.items():
        found = _DEVICE.fullmatch(group)
        if not found:
            continue
        probes = sorted((int(m[1]), name) for key, name in keys.items() if (m := _PROBE.fullmatch(key)))
        devices.append(
            Device(
                number=int(found[1]),
                capturefile=keys.get("capturefile"),
                unitsize=keys.get("unitsize"),
                samplerate=keys.get("samplerate"),
                probes=tuple(probes),
                analog=any(key.startswith("analog") for key in keys) or keys.get("total analog", "0") != "0",
            )
        )
    remarks = {key: value for key, value in groups.get("global", {}).items() if key != "sigrok version"}
    return tuple(sorted(devices, key=lambda device: device.number)), remarks


def _key_file(path: str, data: bytes) -> dict[str, dict[str, str]]:
    """Groups and their keys; what comes twice is merged, the last value counts, as in GLib."""
    groups: dict[str, dict[str, str]] = {}
    group: dict[str, str] | None = None
    for number, raw in enumerate(data.removeprefix(b"\xef\xbb\xbf").splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith(b"#"):
            continue
        if line.startswith(b"[") and line.endswith(b"]"):
            group = groups.setdefault(_text(line[1:-1].strip()), {})
            continue
        key, equals, value = line.partition(b"=")
        if not equals or group is None:
            shown = _text(line[:40])
            raise CaptureError(
                path, f'metadata, line {number}: "{shown}" is neither [section] nor, inside a section, key=value'
            )
        group[_text(key.rstrip())] = _text(_ESCAPE.sub(lambda m: _ESCAPED[m[1]], value.lstrip()))
    return groups


def _text(raw: bytes) -> str:
    """UTF-8; bytes that are not stay visible as escapes, so that two different names stay different."""
    return raw.decode("utf-8", errors="backslashreplace")
