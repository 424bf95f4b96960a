"""Value Change Dump (IEEE 1364-2005, 18.2), as simulators, sigrok and other analyzers write it.

Every one-bit variable is a channel, and every bit of a vector. The declarations are read by pyvcd, the changes
by `vcd_changes`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

from tracecheck.capture.grid import MOST_LINES, gridded
from tracecheck.capture.model import Capture, Channel
from tracecheck.capture.source import Source
from tracecheck.capture.vcd_changes import PIECE, Changes, Lines
from tracecheck.errors import CaptureError, ExtraError

_MOST_HEADER: Final = 64 << 20
_LIKELY: Final = re.compile(r"scl|sda|irq|int|pend|run|wake|mark|gpio|clk|clock|data", re.IGNORECASE)
_SCOPES_LEFT_OUT: Final = ("libsigrok", "decoded")


def recognise(head: bytes) -> bool:
    """Whether a file that begins like this is a VCD."""
    return bool(re.match(rb"\s*\$(date|version|timescale|comment|scope|var|attrbegin)\s", head))


def open_vcd(source: Source, rate_hz: int | None, max_samples: int | None, device: int | None) -> Capture:
    """A VCD as a capture; it is read to its end. Raises CaptureError with the line, ExtraError without pyvcd."""
    header, rest = _header(source)
    lines = _declared(source.path, header)
    changes = Changes(source.path, lines, header.count(b"\n") + 1)
    changes.read(source.stream, rest)
    timed = changes.timed()
    return gridded(
        source.path,
        "VCD",
        timed,
        lines.channels,
        rate_hz=rate_hz,
        max_samples=max_samples,
        notes=[*lines.notes, *changes.notes()],
        remarks={"written-by": lines.version} if lines.version else {},
    )


def declarations(path: str, head: bytes) -> tuple[Lines, bytes, int]:
    """Of a VCD's beginning: what its declarations say, what stands behind them, and on which line that begins.

    Raises CaptureError, also where the declarations do not end.
    """
    found = re.search(rb"\$enddefinitions\s+\$end", head)
    if found is None:
        raise CaptureError(path, "a VCD that ends within its declarations: there is no $enddefinitions")
    return _declared(path, head[: found.end()]), head[found.end() :], head.count(b"\n", 0, found.end()) + 1


def _header(source: Source) -> tuple[bytes, bytes]:
    """The file up to and with `$enddefinitions $end`, and what was read beyond."""
    read = bytearray()
    while True:
        piece = source.stream.read(PIECE)
        read += piece
        found = re.search(rb"\$enddefinitions\s+\$end", read)
        if found:
            return bytes(read[: found.end()]), bytes(read[found.end() :])
        if not piece:
            raise CaptureError(source.path, "a VCD that ends within its declarations: there is no $enddefinitions")
        if len(read) > _MOST_HEADER:
            raise CaptureError(source.path, f"a VCD whose declarations take more than {_MOST_HEADER >> 20} MiB")


def _declared(path: str, header: bytes) -> Lines:
    try:
        from vcd.reader import TokenKind, VCDParseError, tokenize  # noqa: PLC0415  (an extra)
    except ImportError:
        raise ExtraError(f"{path}: reading VCD needs pyvcd", "vcd") from None
    lines, scopes = Lines(), []
    found: list[tuple[str, str, Any]] = []
    timescale = None
    try:
        for token in tokenize(io.BytesIO(header)):
            match token.kind:
                case TokenKind.TIMESCALE:
                    timescale = token.timescale
                case TokenKind.VERSION:
                    lines.version = " ".join(token.version.split())
                case TokenKind.SCOPE:
                    scopes.append(token.scope.ident)
                case TokenKind.UPSCOPE if scopes:
                    scopes.pop()
                case TokenKind.VAR if token.var.type_.value not in ("string", "real", "realtime", "event", "parameter"):
                    found.append((".".join(scopes), token.var.reference, token.var))
                case _:
                    pass
    except (VCDParseError, ValueError, UnicodeDecodeError) as error:
        where = f", line {error.loc.line}" if isinstance(error, VCDParseError) else ""
        raise CaptureError(
            path, f"not a VCD that can be read{where}: {str(error).partition(': ')[2] or error}"
        ) from None
    if timescale is None:
        lines.notes.append("There is no $timescale; times are taken to be nanoseconds.")
    else:
        unit = ("s", "ms", "us", "ns", "ps", "fs").index(timescale.unit.value)
        lines.tick = Fraction(int(timescale.magnitude), 1000**unit)
    _assign(path, lines, found)
    return lines


def _assign(path: str, lines: Lines, found: Sequence[tuple[str, str, Any]]) -> None:
    """Bits for the variables: all of them, or of too many those that look like an I2C bus and markers."""
    single: list[tuple[str, str, bytes, int, int]] = []  # scope, name, code, place within the vector, its width
    for scope, name, var in found:
        code = var.id_code.encode("ascii")
        for place in range(var.size):
            label = name if var.size == 1 else f"{name}[{_index(var, place)}]"
            single.append((scope, label, code, place, var.size))
            if len(single) > 1_000_000:
                raise CaptureError(path, "a VCD with more than a million bits; dump only the lines that matter")
    if not single:
        raise CaptureError(path, "a VCD without any wire: there is nothing to look at")
    chosen = single
    if len(single) > MOST_LINES:
        chosen = sorted(single, key=lambda one: (one[4] > 1, _LIKELY.search(one[1]) is None))[:MOST_LINES]
        lines.notes.append(
            f"{MOST_LINES} of {len(single)} one-bit signals are read, those first whose names look like a bus or a "
            "marker; dump only the lines that matter to be sure of the others."
        )
    names = [one[1] for one in chosen]
    for bit, (scope, name, code, place, width) in enumerate(chosen):
        outer = scope if scope not in _SCOPES_LEFT_OUT else ""
        clash = names.count(name) > 1 and outer
        lines.channels.append(Channel(f"{outer}.{name}" if clash else name, bit))
        lines.bits.setdefault(code, [-1] * width)
        if len(lines.bits[code]) == width:
            lines.bits[code][place] = bit


def _index(var: Any, place: int) -> int:
    """The index, as declared, of the bit that stands at a place from the left."""
    if isinstance(var.bit_index, tuple):
        high, low = var.bit_index
        return int(high - place if high >= low else high + place)
    return int(var.size - 1 - place)
