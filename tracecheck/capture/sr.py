"""sigrok sessions, `.sr`, versions 1 and 2: a ZIP archive of `version`, `metadata` and raw logic samples.

Samples are little-endian, `unitsize` bytes each; bit N-1 is the line of key `probeN`. Version 1 and some files of
version 2 hold them in one member `logic-1`; else they are cut, at any byte, into `logic-1-1`, `logic-1-2` and so on,
which may lie in the archive in any order. Analog members are skipped.
Source: https://sigrok.org/wiki/File_format:Sigrok/v2.
"""

from __future__ import annotations

import io
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing

from tracecheck.capture.files import open_file
from tracecheck.capture.inflate import member_bytes, member_edges
from tracecheck.capture.model import Capture, Channel, EdgeBlock
from tracecheck.capture.rate import check_rate, parse_rate
from tracecheck.capture.scan import line_mask, sample_range
from tracecheck.capture.sr_members import Archive, Member
from tracecheck.capture.sr_metadata import Device, parse_metadata
from tracecheck.errors import CaptureError, ChannelError, UsageError

_MAX_METADATA = 1024 * 1024
_MAX_VERSION = 64
_MAX_UNITSIZE = 8


def recognise(head: bytes) -> bool:
    """Whether a file that begins like this is a ZIP archive, which so far only sigrok sessions are."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


class SrCapture(Capture):
    """A sigrok session. Opening reads the directory and the metadata; samples are read by `edges`.

    `rate_hz`      takes the place of the file's samplerate
    `max_samples`  refuses captures that declare more; None: no limit (memory stays flat, and what the members can
                   inflate to is at most 1,032 times the file's size)
    `device`       the number of the `[device N]` section; None: the first that has logic samples

    Nothing stays open between calls. Raises CaptureError for files that cannot be read, UsageError for a rate or
    device that makes no sense.
    """

    def __init__(
        self, path: str, *, rate_hz: int | None = None, max_samples: int | None = None, device: int | None = None
    ) -> None:
        self.path = path
        notes: list[str] = []
        with open_file(path) as file:
            self._identity = _identity(file)
            archive = Archive(path, file)
            metadata = _small_member(archive, file, "metadata", _MAX_METADATA)
            if metadata is None:
                raise CaptureError(path, 'not a sigrok session: the ZIP archive has no member "metadata"')
            self.format = _format(path, _small_member(archive, file, "version", _MAX_VERSION), notes)
            devices, self.remarks = parse_metadata(path, metadata)
            chosen, capturefile = _choose(path, devices, device, notes)
            self.unitsize = _unitsize(path, chosen)
            self._members: tuple[Member, ...] = tuple(archive.logic(capturefile))
        if not self._members:
            raise CaptureError(
                path, f'holds no logic samples: metadata names "{capturefile}", but there is no such member'
            )
        self._bytes = sum(member.size for member in self._members)
        if max_samples is not None and self.samples > max_samples:
            raise CaptureError(
                path, f"declares {self.samples} samples, more than the limit of {max_samples}; raise --max-samples"
            )
        if self._bytes % self.unitsize:
            notes.append(
                f"The samples end with {self._bytes % self.unitsize} bytes of a sample of {self.unitsize}; "
                "they are ignored."
            )
        self.rate_hz = _rate(chosen, rate_hz, notes)
        self.channels = _channels(chosen, self.unitsize, notes)
        self.notes = tuple(notes)

    @property
    def samples(self) -> int:
        return self._bytes // self.unitsize

    def channel(self, name: str) -> Channel:
        found = super().channel(name)
        if found.bit >= 8 * self.unitsize:
            raise ChannelError(
                self.path,
                f'channel "{found.name}" is bit {found.bit}, but a sample of this file holds only '
                f"{8 * self.unitsize} bits; it was not recorded",
                found.name,
                [channel.name for channel in self.channels if channel.bit < 8 * self.unitsize],
            )
        return found

    def edges(self, bits: Sequence[int], *, start: int = 0, stop: int | None = None) -> Iterator[EdgeBlock]:
        mask = line_mask(self, bits)
        start, stop = sample_range(self, start, stop)
        return self._edges(mask, start, stop) if start < stop else iter(())

    def _edges(self, mask: int, start: int, stop: int) -> Iterator[EdgeBlock]:
        """Members before are skipped; the last is read to its end only when all samples are wanted."""
        begin = first = 0
        wanted: list[Member] = []
        for member in self._members:
            if begin + member.size <= start * self.unitsize:
                first = begin + member.size
            elif begin < stop * self.unitsize or stop == self.samples:
                wanted.append(member)
            begin += member.size
        with open_file(self.path) as file:
            if _identity(file) != self._identity:
                raise CaptureError(self.path, "has changed since it was opened; open it again")
            blocks = member_edges(
                self.path,
                file.fileno(),
                wanted,
                self.unitsize,
                mask,
                skip=start * self.unitsize - first,
                at=start,
                stop=stop,
            )
            with closing(blocks):  # before the file is
                for block in blocks:
                    yield block
                    if block.end == stop and stop < self.samples:
                        return


def open_sr(path: str, rate_hz: int | None, max_samples: int | None, device: int | None) -> Capture:
    """A sigrok session, as the list of formats wants it."""
    return SrCapture(path, rate_hz=rate_hz, max_samples=max_samples, device=device)


def _identity(file: io.FileIO) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


def _small_member(archive: Archive, file: io.FileIO, name: str, limit: int) -> bytes | None:
    member = archive.find(name)
    if member is None:
        return None
    if member.size > limit:
        raise CaptureError(archive.path, f'member "{name}" claims {member.size} bytes; not a sigrok session')
    return member_bytes(archive.path, file.fileno(), member)


def _format(path: str, version: bytes | None, notes: list[str]) -> str:
    if version is None:
        notes.append('The archive has no member "version"; it is read as a session all the same.')
        return "sigrok session"
    if version.strip() not in (b"1", b"2"):
        shown = version.strip().decode("ascii", errors="backslashreplace")
        raise CaptureError(
            path, f'session version "{shown}" is not known (versions 1 and 2 are); save it with a current PulseView'
        )
    return f"sigrok session {version.strip().decode()}"


def _choose(path: str, devices: Sequence[Device], number: int | None, notes: list[str]) -> tuple[Device, str]:
    """The device to read and the name of its samples."""
    logic = [(device, device.capturefile) for device in devices if device.capturefile]
    if not logic:
        kind = "only analog ones" if any(device.analog for device in devices) else "metadata names none"
        raise CaptureError(path, f"holds no logic samples ({kind}); record it with logic channels enabled")
    listed = ", ".join(f"{device.number} ({capturefile})" for device, capturefile in logic)
    if number is None:
        chosen = logic[0]
    else:
        found = [(device, capturefile) for device, capturefile in logic if device.number == number]
        if not found:
            raise UsageError(f"{path}: no device {number} with logic samples (devices: {listed})")
        chosen = found[0]
    if len(logic) > 1:
        notes.append(f"The session holds several devices: {listed}; device {chosen[0].number} is read.")
    return chosen


def _unitsize(path: str, device: Device) -> int:
    text = device.unitsize
    if text is None:
        raise CaptureError(
            path, f"metadata of device {device.number} has no unitsize, the bytes a sample; save it again"
        )
    if not re.fullmatch("0*[1-8]", text):
        raise CaptureError(
            path, f'metadata of device {device.number} has unitsize "{text}"; samples are 1 to {_MAX_UNITSIZE} bytes'
        )
    return int(text)


def _rate(device: Device, given: int | None, notes: list[str]) -> int | None:
    """The rate: given, else the file's. What the file says and is not used is noted."""
    recorded: int | None = None
    if device.samplerate is not None:
        try:
            recorded = parse_rate(device.samplerate)
        except UsageError:
            notes.append(f'The file\'s samplerate "{device.samplerate}" makes no sense; it is ignored.')
    if given is None:
        return recorded
    check_rate(given)
    if recorded is not None and recorded != given:
        notes.append(f"The file says {recorded} Hz; the given samplerate of {given} Hz is used.")
    return given


def _channels(device: Device, unitsize: int, notes: list[str]) -> tuple[Channel, ...]:
    """All named lines, also those beyond the sample's bits: they are listed, but `channel` refuses them."""
    channels = tuple(Channel(name, number - 1) for number, name in device.probes if number)
    if len(channels) < len(device.probes):
        notes.append("The metadata names a probe0, which is ignored: probes count from 1.")
    absent = [channel.name for channel in channels if channel.bit >= 8 * unitsize]
    if absent:
        notes.append(
            f"{len(absent)} of {len(channels)} named channels ({_shorten(absent)}) were not recorded: "
            f"a sample holds {8 * unitsize} bits."
        )
    twice = [name for name, count in Counter(channel.name for channel in channels).items() if count > 1]
    if twice:
        notes.append(f"Several channels share a name ({_shorten(twice)}); ask for them by bit number.")
    return channels


def _shorten(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (" ..." if len(names) > 4 else "")
