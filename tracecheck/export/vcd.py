"""A capture as a Value Change Dump (IEEE 1364-2005, 18.2): the lines that were read, and what was decoded on them.

GTKWave and Surfer show the decoded text beside the waves. sigrok and PulseView read the lines and pass over the text,
each change of it with a warning, for they know no variables of the type `string`: for them it can be left out. The file
is written edge block by edge block.

A VCD counts time in a unit of 1, 10 or 100 of a power of a thousandth of a second. A sample period that is no whole
number of any such unit is rounded to one that is at least twenty times finer, so that every sample can be told again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tracecheck import words
from tracecheck.capture.model import Capture, Channel, EdgeBlock
from tracecheck.errors import ExtraError, UsageError
from tracecheck.export.atomic import Writable
from tracecheck.trace import Trace

if TYPE_CHECKING:
    from vcd import VCDWriter

_UNITS: Final = ("s", "ms", "us", "ns", "ps", "fs")
_FINER: Final = 20
"""So much finer than a sample period is a unit that does not divide it."""
_SCOPE: Final = "libsigrok"
"""The scope that sigrok gives its own dumps, and takes away from the channels' names when it reads one."""

_AT_ONCE: Final = 1 << 16
"""Characters put together before they are written."""

Change = tuple[int, str, str]
"""Sample, bus, text."""


def timescale(rate_hz: int) -> tuple[int, str, Fraction]:
    """The coarsest unit that divides a sample period or is fine enough: 1, 10 or 100; its name; units a sample.

    Raises UsageError where none is.
    """
    period = Fraction(1, rate_hz)
    for power in range(3 * len(_UNITS) - 2):
        units = period * 10**power
        if units.denominator == 1 or units >= _FINER:
            return 10 ** (-power % 3), _UNITS[(power + 2) // 3], units
    raise UsageError(f"a samplerate of {rate_hz} Hz is too fast for a VCD, whose finest unit is 1 fs")


def write_vcd(
    file: Writable,
    capture: Capture,
    trace: Trace | None = None,
    *,
    start: int = 0,
    stop: int | None = None,
    channels: Sequence[Channel] | None = None,
) -> None:
    """`channels` of a capture (all of them), for samples [start, stop), and as texts what `trace` decoded of each bus.

    Time 0 is sample `start`. Raises UsageError for a capture without samplerate, ExtraError without pyvcd.
    """
    try:
        from vcd import VCDWriter  # noqa: PLC0415  (an extra)
    except ImportError:
        raise ExtraError("writing VCD needs pyvcd", "vcd") from None
    if not capture.rate_hz:
        raise UsageError(f"{capture.path}: a VCD counts time, and this capture has no samplerate; give --samplerate")
    stop = capture.samples if stop is None else stop
    factor, unit, units = timescale(capture.rate_hz)
    text = _Ascii(file)
    comment = _printable(", ".join(f"{key}: {value}" for key, value in _remarks(capture)))
    channels = capture.channels if channels is None else channels
    names = identifiers([c.name for c in channels])
    version = f"tracecheck, {capture.rate_hz} samples a second"
    # pyvcd asks of a file that it can write text, no more.
    with VCDWriter(text, (factor, unit), date="", comment=comment, version=version) as to:  # type: ignore[arg-type]
        lines = [to.register_var(_SCOPE, name, "wire", 1, 0) for name in names]
        buses = [b.name for b in trace.wiring.buses] if trace is not None else []
        decoded = {
            bus: to.register_var("decoded", name, "string", init="-")
            for bus, name in zip(buses, identifiers(buses), strict=True)
        }
        changes = _changes(trace, start, stop) if trace is not None else []
        blocks = capture.edges([c.bit for c in channels], start=start, stop=stop)
        _write(to, _Lines(channels, lines), blocks, (iter(changes), decoded), (start, units))
        to.close(_at(stop - start, units))
    text.flush()


class _Ascii:
    """A text file over a binary one, for a writer that writes line by line."""

    def __init__(self, file: Writable) -> None:
        self._file, self._pieces, self._held = file, [""], 0

    def write(self, text: str) -> int:
        self._pieces.append(text)
        self._held += len(text)
        if self._held >= _AT_ONCE:
            self.flush()
        return len(text)

    def flush(self) -> None:
        self._file.write("".join(self._pieces).encode("ascii"))
        self._pieces, self._held = [], 0


class _Lines:
    """The variables of the channels, and which of them a word changes."""

    def __init__(self, channels: Sequence[Channel], variables: Sequence[Any]) -> None:
        self._bits = [(1 << c.bit, variable) for c, variable in zip(channels, variables, strict=True)]
        self._state: int | None = None

    def changed(self, word: int) -> Iterator[tuple[Any, int]]:
        """Variables that differ from the word before, with their values; all of them at first."""
        differ = -1 if self._state is None else self._state ^ word
        self._state = word
        return ((variable, 1 if word & mask else 0) for mask, variable in self._bits if differ & mask)


def _write(
    to: VCDWriter,
    lines: _Lines,
    blocks: Iterable[EdgeBlock],
    decoded: tuple[Iterator[Change], dict[str, Any]],
    clock: tuple[int, Fraction],
) -> None:
    changes, variables = decoded
    start, units = clock
    change = next(changes, None)
    first = True
    for block in blocks:
        levels: Iterator[tuple[int, int]] = zip(block.at.tolist(), block.words.tolist(), strict=True)
        if first:
            levels, first = chain([(block.begin, int(block.initial))], levels), False
        for at, word in levels:
            while change is not None and change[0] <= at:
                to.change(variables[change[1]], _at(change[0] - start, units), change[2])
                change = next(changes, None)
            for variable, level in lines.changed(word):
                to.change(variable, _at(at - start, units), level)
    while change is not None:
        to.change(variables[change[1]], _at(change[0] - start, units), change[2])
        change = next(changes, None)


def _at(samples: int, units: Fraction) -> int:
    """A time in units, rounded to the nearest."""
    return (2 * samples * units.numerator + units.denominator) // (2 * units.denominator)


def _changes(trace: Trace, start: int, stop: int) -> list[Change]:
    """What was decoded in samples [start, stop), by sample: START, address with R or W, bytes, ACK, NACK, STOP."""
    found: list[Change] = []
    for bus in trace.wiring.buses:
        transfers, messages, rows = (trace.columns(bus.name, table) for table in ("transfers", "messages", "bytes"))
        found += ((at, bus.name, "START") for at in transfers["start"].tolist())
        found += ((at, bus.name, "STOP") for at in transfers["stop"].tolist() if at >= 0)
        again = np.asarray(messages["start"])[np.asarray(messages["restart"]) > 0]
        found += ((at, bus.name, "Sr") for at in again.tolist())
        for at, value, kind, acked, end in zip(
            *(rows[name].tolist() for name in ("at", "value", "kind", "acked", "end")), strict=True
        ):
            found.append((at, bus.name, _byte(value, words.BYTE_KINDS[kind])))
            if acked >= 0:
                found.append((end, bus.name, "ACK" if acked else "NACK"))
    return sorted(change for change in found if start <= change[0] < stop)


def _byte(value: int, kind: str) -> str:
    return f"{value >> 1:02X}:{'R' if value & 1 else 'W'}" if kind == "address" else f"{value:02X}"


def identifiers(names: Sequence[str]) -> list[str]:
    """Names that a VCD can hold, no two alike: printable ASCII without spaces, and without the `$` of keywords."""
    taken: set[str] = set()
    found: list[str] = []
    for number, name in enumerate(names):
        plain = re.sub(r"[^!-~]", "_", name).replace("$", "_").replace(".", "_") or f"line{number}"
        unique, again = plain, 2
        while unique in taken:
            unique, again = f"{plain}_{again}", again + 1
        taken.add(unique)
        found.append(unique)
    return found


def _remarks(capture: Capture) -> Iterator[tuple[str, str]]:
    yield "capture", capture.path.rpartition("/")[2]
    if "origin" in capture.remarks:
        yield "origin", capture.remarks["origin"]


def _printable(text: str) -> str:
    return re.sub(r"[^ -~]", "?", text).replace("$", "?")
