"""A firmware image: what an ELF file for the RP2040 puts into flash, and what its symbols call it.

Source: the ELF specification (TIS 1.2), and the ABI for the Arm architecture (addenda32: build attributes).
"""

from __future__ import annotations

import hashlib
import os
import struct
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

from tracecheck.errors import FirmwareError
from tracecheck.pico.rust_names import demangled

FLASH: Final = range(0x1000_0000, 0x1100_0000)
RAM: Final = range(0x2000_0000, 0x2004_2000)
VECTORS: Final = 0x1000_0100
"""Where a program's vector table lies: behind the 256 bytes of the second-stage bootloader."""

PINS_SYMBOL: Final = "TRACECHECK_PINS"
"""A string in flash that says which pin is which: `scheme=three-pin i2c0.SDA=16 i2c0.SCL=17 IRQ=2`."""

_ARM, _THUMB_V6M = 40, (11, 12)
_LONGEST = 64 * 1024 * 1024
_ARCHITECTURES = {10: "Armv7-M", 13: "Armv7E-M", 16: "Armv8-M Baseline", 17: "Armv8-M Mainline", 21: "Armv8.1-M"}


@dataclass(frozen=True, slots=True)
class Segment:
    """Bytes that lie in flash at `address` when the Pico starts."""

    address: int
    data: bytes


@dataclass(frozen=True, slots=True, order=True)
class Function:
    """A function at `address`; `size` in bytes, 0 where the symbol does not tell."""

    address: int
    name: str
    size: int = 0


@dataclass(frozen=True)
class Firmware:
    """A firmware for the RP2040 that starts from flash.

    `path`      of the ELF file, as given
    `sha256`    of the ELF file, in hex
    `segments`  what lies in flash
    `functions` every function, addresses ascending
    `pins`      GPIO numbers by name, as the firmware's TRACECHECK_PINS says; empty where it says nothing
    `scheme`    its marker scheme ("three-pin"), or None
    """

    path: str
    sha256: str
    segments: tuple[Segment, ...]
    functions: tuple[Function, ...]
    pins: dict[str, int]
    scheme: str | None

    @cached_property
    def _starts(self) -> list[int]:
        return [function.address for function in self.functions]

    def function_at(self, address: int) -> str | None:
        """The function that `address` lies in, as far as the symbols tell."""
        index = bisect_right(self._starts, address & ~1) - 1
        if index < 0:
            return None
        function = self.functions[index]
        return None if function.size and address >= function.address + function.size else function.name

    def where(self, address: int) -> str:
        """`address`, of an instruction, for people: `0x10000b24 (main)`."""
        address &= ~1
        name = self.function_at(address) if address in FLASH or address in RAM else None
        return f"0x{address:08x}" + (f" ({name})" if name else "")


def read_elf(path: str | os.PathLike[str]) -> Firmware:
    """The firmware in the ELF file at `path`. Raises FirmwareError for a file that is none for the RP2040."""
    name = os.fspath(path)
    try:
        size = Path(path).stat().st_size
        if size > _LONGEST:
            raise FirmwareError(name, f"{size} bytes: too large for a firmware of the RP2040, whose flash is 16 MiB")
        image = Path(path).read_bytes()
    except FileNotFoundError:
        raise FirmwareError(name, "there is no such file; give the ELF file that cargo built") from None
    except OSError as error:
        raise FirmwareError(name, f"cannot be read: {error.strerror or error}") from None
    try:
        return _Elf(name, image).firmware()
    except (struct.error, UnicodeDecodeError, IndexError):
        raise FirmwareError(name, "the ELF file is damaged or cut off; build it again") from None


class _Symbol(NamedTuple):
    name: str
    address: int
    size: int
    kind: int


class _Elf:
    """The parts of a 32-bit little-endian ELF file."""

    def __init__(self, path: str, image: bytes) -> None:
        self.path, self.image = path, image
        if image[:4] != b"\x7fELF":
            raise self.wrong(f"this is {_looks_like(image)}; give the ELF file that cargo built")
        if len(image) < 52:
            raise self.wrong("the ELF file is damaged or cut off; build it again")
        if image[4:6] != b"\x01\x01":
            raise self.wrong("this is an ELF file for another machine (not 32-bit little-endian), not for the RP2040")
        self.kind, machine, _, self.entry, phoff, shoff, _, _, phsize, phnum, shsize, shnum, self.names = (
            struct.unpack_from("<HHIIIIIHHHHHH", image, 16)
        )
        if machine != _ARM:
            raise self.wrong(f"this is an ELF file for another machine (number {machine}), not for Arm as the RP2040")
        self.programs = [struct.unpack_from("<8I", image, phoff + phsize * k) for k in range(phnum)]
        self.sections = [struct.unpack_from("<10I", image, shoff + shsize * k) for k in range(shnum)]

    def wrong(self, reason: str) -> FirmwareError:
        return FirmwareError(self.path, reason)

    def part(self, offset: int, size: int) -> bytes:
        if offset + size > len(self.image):
            raise self.wrong("the ELF file is damaged or cut off; build it again")
        return self.image[offset : offset + size]

    def firmware(self) -> Firmware:
        if self.kind != 2:
            raise self.wrong("this ELF file is no finished program (an object or a library); give the linked one")
        self._check_architecture()
        segments = tuple(
            Segment(address, self.part(offset, size))
            for kind, offset, _, address, size, *_ in self.programs
            if kind == 1 and size
        )
        self._check_places(segments)
        symbols = self._symbols()
        functions = {
            s.address & ~1: Function(s.address & ~1, demangled(s.name), s.size) for s in symbols if s.kind == 2
        }
        scheme, pins = self._pins(segments, symbols)
        return Firmware(
            self.path,
            hashlib.sha256(self.image).hexdigest(),
            segments,
            tuple(sorted(functions.values())),
            pins,
            scheme,
        )

    def _check_architecture(self) -> None:
        section = next((s for s in self.sections if s[1] == 0x7000_0003), None)
        if section is None:
            return
        architecture = _cpu_architecture(self.part(section[4], section[5]))
        if architecture is not None and architecture in _ARCHITECTURES:
            raise self.wrong(
                f"this firmware is for {_ARCHITECTURES[architecture]}; the RP2040's Cortex-M0+ runs Armv6-M only; "
                "build it for the target thumbv6m-none-eabi"
            )

    def _check_places(self, segments: tuple[Segment, ...]) -> None:
        if not segments:
            raise self.wrong("this ELF file has nothing to load")
        first = segments[0].address
        if any(s.address in RAM for s in segments) and not any(s.address in FLASH for s in segments):
            raise self.wrong(f"this firmware runs from RAM (0x{first:08x}); build it for flash, as memory.x places it")
        for segment in segments:
            if segment.address not in FLASH or segment.address + len(segment.data) > FLASH.stop:
                raise self.wrong(
                    f"this firmware loads to 0x{segment.address:08x}, which is no flash of an RP2040 (0x10000000 to "
                    "0x10ffffff): it was built for another chip"
                )
        vectors = _bytes_at(segments, VECTORS, 8)
        if vectors is None:
            raise self.wrong(
                f"this firmware has no vector table at 0x{VECTORS:08x}; give it the RP2040's memory.x, with 256 bytes "
                "for the second-stage bootloader"
            )
        stack, reset = struct.unpack("<II", vectors)
        if not RAM.start < stack <= RAM.stop or reset & ~1 not in FLASH or not reset & 1:
            raise self.wrong(
                f"at 0x{VECTORS:08x} there is no vector table (stack 0x{stack:08x}, reset 0x{reset:08x}); this "
                "firmware was built for another chip"
            )

    def _symbols(self) -> list[_Symbol]:
        found = []
        for section in self.sections:
            if section[1] != 2:
                continue
            names = self.sections[section[6]]
            text = self.part(names[4], names[5])
            table = self.part(section[4], section[5])
            for name, value, size, info, _, index in struct.iter_unpack("<IIIBBH", table):
                if index and name:
                    word = text[name : text.index(0, name)].decode("utf-8", "replace")
                    found.append(_Symbol(word, value, size, info & 15))
        return found

    def _pins(self, segments: tuple[Segment, ...], symbols: list[_Symbol]) -> tuple[str | None, dict[str, int]]:
        address = next((symbol.address for symbol in symbols if symbol.name == PINS_SYMBOL), None)
        if address is None:
            return None, {}
        segment = next((s for s in segments if s.address <= address < s.address + len(s.data)), None)
        if segment is None:
            raise self.wrong(f"the symbol {PINS_SYMBOL} at 0x{address:08x} does not lie in flash")
        text, end, _ = segment.data[address - segment.address :][:1024].partition(b"\0")
        pins: dict[str, int] = {}
        scheme = None
        for word in text.decode("ascii", "replace").split():
            name, equals, value = word.partition("=")
            if name == "scheme" and equals:
                scheme = value
            elif name and value.isdecimal() and int(value) < 30 and name.isprintable():
                pins[name] = int(value)
            else:
                raise self.wrong(f'the symbol {PINS_SYMBOL} holds "{word}"; it takes NAME=GPIO, with GPIO 0 to 29')
        if not end:
            raise self.wrong(f"the symbol {PINS_SYMBOL} does not end in a NUL byte")
        return scheme, pins


def _bytes_at(segments: tuple[Segment, ...], address: int, size: int) -> bytes | None:
    for segment in segments:
        offset = address - segment.address
        if offset >= 0 and offset + size <= len(segment.data):
            return segment.data[offset : offset + size]
    return None


def _looks_like(image: bytes) -> str:
    if not image:
        return "an empty file, not an ELF file"
    if image[:4] == b"UF2\n":
        return "a UF2 file, not an ELF file"
    if image[:1] == b":":
        return "an Intel HEX file, not an ELF file"
    if image[:2] == b"PK":
        return "a ZIP file (a capture?), not an ELF file"
    return "not an ELF file"


def _cpu_architecture(attributes: bytes) -> int | None:
    """Tag_CPU_arch of a .ARM.attributes section, None where it is not said."""
    at = attributes.find(b"aeabi\0")
    if attributes[:1] != b"A" or at < 0:
        return None
    at += len(b"aeabi\0") + 5  # the sub-subsection's tag (file) and size
    while at < len(attributes):
        tag, at = _uleb128(attributes, at)
        if tag in {4, 5, 32, 65, 67}:  # these hold strings
            if tag == 32:
                _, at = _uleb128(attributes, at)
            at = attributes.index(0, at) + 1
            continue
        value, at = _uleb128(attributes, at)
        if tag == 6:
            return value
    return None


def _uleb128(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
