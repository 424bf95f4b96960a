"""Firmware images: what is one for the RP2040, and what is said of one that is not."""

# ruff: noqa: E501  (whole messages, as they are printed)

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from elf_builder import FLASH, elf
from hypothesis import given, settings
from hypothesis import strategies as st

from tracecheck.errors import FirmwareError
from tracecheck.pico.elf import read_elf

REAL = Path(__file__).parent.parent / "captures" / "pico" / "firmware" / "mixed-400k-three-pin-s1.elf"


def test_a_firmware_is_what_lies_in_flash_and_what_it_is_called(tmp_path: Path) -> None:
    path = tmp_path / "fw.elf"
    path.write_bytes(elf(b"\x00\xde", symbols={"main": (FLASH + 65, 2), "later": (FLASH + 67, 2), "data": (FLASH, 1)}))
    firmware = read_elf(path)
    assert [(s.address, len(s.data)) for s in firmware.segments] == [(FLASH, 66)]
    assert [(f.address, f.name) for f in firmware.functions] == [(FLASH + 64, "main"), (FLASH + 66, "later")]
    assert firmware.where(FLASH + 64) == "0x10000140 (main)"
    assert (firmware.where(0x1000_0000), firmware.where(0x5000_0000)) == ("0x10000000", "0x50000000")
    assert (firmware.pins, firmware.scheme) == ({}, None)


def test_rust_names_are_readable() -> None:
    names = {function.name for function in read_elf(REAL).functions}
    assert "I2C0_IRQ" in names and "main" in names
    assert not any(name.startswith("_ZN") for name in names)


def _with_pins(text: bytes) -> bytes:
    return elf(b"\xfe\xe7" + text, symbols={"TRACECHECK_PINS": (FLASH + 66, 1)})


def test_pins_are_read_from_the_symbol(tmp_path: Path) -> None:
    path = tmp_path / "fw.elf"
    path.write_bytes(_with_pins(b"scheme=two-pin IRQ=2 RUN=29 i2c1.SDA=18\0"))
    firmware = read_elf(path)
    assert (firmware.scheme, firmware.pins) == ("two-pin", {"IRQ": 2, "RUN": 29, "i2c1.SDA": 18})


FROM_DEBIAN = "build it for the target thumbv6m-none-eabi"
CASES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "this is an empty file, not an ELF file; give the ELF file that cargo built"),
    "uf2": (b"UF2\n" + b"\0" * 508, "this is a UF2 file, not an ELF file; give the ELF file that cargo built"),
    "hex": (b":020000", "this is an Intel HEX file, not an ELF file; give the ELF file that cargo built"),
    "sr": (b"PK\3\4", "this is a ZIP file (a capture?), not an ELF file; give the ELF file that cargo built"),
    "text": (b"fn main", "this is not an ELF file; give the ELF file that cargo built"),
    "short": (b"\x7fELF\1\1", "the ELF file is damaged or cut off; build it again"),
    "64-bit": (
        b"\x7fELF\2\1" + b"\0" * 60,
        "this is an ELF file for another machine (not 32-bit little-endian), not for the RP2040",
    ),
    "x86": (elf(machine=3), "this is an ELF file for another machine (number 3), not for Arm as the RP2040"),
    "object": (elf(kind=1), "this ELF file is no finished program (an object or a library); give the linked one"),
    "rp2350": (
        elf(architecture=17),
        "this firmware is for Armv8-M Mainline; the RP2040's Cortex-M0+ runs Armv6-M only; " + FROM_DEBIAN,
    ),
    "stm32": (
        elf(at=0x0800_0000),
        (
            "this firmware loads to 0x08000000, which is no flash of an RP2040 (0x10000000 to 0x10ffffff): it was built for "
            "another chip"
        ),
    ),
    "ram": (elf(at=0x2000_0000), "this firmware runs from RAM (0x20000000); build it for flash, as memory.x places it"),
    "no-bootloader": (
        elf(at=0x1000_0200),
        (
            "this firmware has no vector table at 0x10000100; give it the RP2040's memory.x, with 256 bytes for the "
            "second-stage bootloader"
        ),
    ),
    "stack": (
        elf(stack=0x2000_0000 + 520 * 1024),
        (
            "at 0x10000100 there is no vector table (stack 0x20082000, reset 0x10000141); this firmware was built for "
            "another chip"
        ),
    ),
    "pins": (
        _with_pins(b"IRQ=40\0"),
        'the symbol TRACECHECK_PINS holds "IRQ=40"; it takes NAME=GPIO, with GPIO 0 to 29',
    ),
    "pins-without-end": (_with_pins(b"IRQ=2"), "the symbol TRACECHECK_PINS does not end in a NUL byte"),
    "pins-elsewhere": (
        elf(symbols={"TRACECHECK_PINS": (0x2000_0000, 1)}),
        "the symbol TRACECHECK_PINS at 0x20000000 does not lie in flash",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_no_firmware_for_it_is_said(name: str, tmp_path: Path) -> None:
    image, reason = CASES[name]
    path = tmp_path / "fw.elf"
    path.write_bytes(image)
    with pytest.raises(FirmwareError) as error:
        read_elf(path)
    assert str(error.value) == f"{path}: {reason}"


def test_armv6_is_right(tmp_path: Path) -> None:
    path = tmp_path / "fw.elf"
    path.write_bytes(elf(architecture=12))
    assert read_elf(path).functions


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FirmwareError, match="there is no such file; give the ELF file that cargo built"):
        read_elf(tmp_path / "fw.elf")
    with pytest.raises(FirmwareError, match="cannot be read: Is a directory"):
        read_elf(tmp_path)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_file_is_an_error_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    image = bytearray(REAL.read_bytes() if data.draw(st.booleans()) else elf(architecture=12))
    for _ in range(data.draw(st.integers(1, 8))):
        image[data.draw(st.integers(0, min(len(image), 400) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("elf") / "fw.elf"
    path.write_bytes(image[: data.draw(st.integers(0, len(image)))])
    with suppress(FirmwareError):
        read_elf(path)
