"""The committed ELFs are those the manifest names, and the manifest is that of the sources as they are."""

from __future__ import annotations

import hashlib
import importlib.machinery
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tracecheck.pico.elf import read_elf

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "captures" / "pico" / "firmware"
MANIFEST: dict[str, Any] = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))
NAMES = sorted(MANIFEST["firmware"])


@pytest.fixture(scope="module")
def build() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("firmware_build", str(ROOT / "firmware" / "build"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    import sys  # noqa: PLC0415

    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module


def test_the_elfs_were_built_from_these_sources(build: ModuleType) -> None:
    """After a change to the firmware: make firmware, make captures."""
    assert build.source_hash() == MANIFEST["sources_sha256"]


def test_the_whole_matrix_is_there_and_nothing_else(build: ModuleType) -> None:
    assert sorted(variant.name for variant in build.MATRIX) == NAMES
    assert {path.stem for path in FOLDER.glob("*.elf")} == set(NAMES)
    assert MANIFEST["crates"]["embassy-rp"].startswith("0.10.")


@pytest.mark.parametrize("name", NAMES)
def test_an_elf_is_what_the_manifest_says(name: str) -> None:
    entry, data = MANIFEST["firmware"][name], (FOLDER / f"{name}.elf").read_bytes()
    assert hashlib.sha256(data).hexdigest() == entry["sha256"]
    assert len(data) == entry["bytes"] < 60_000
    firmware = read_elf(FOLDER / f"{name}.elf")
    assert firmware.scheme == entry["scheme"]
    marks = {
        "three-pin": {"IRQ": 2, "PENDING": 3, "RUN": 4},
        "two-pin": {"IRQ": 2, "RUN": 4},
        "one-pin": {"MARK": 2},
        "irq-only": {"IRQ": 2},
    }[entry["scheme"]]
    assert firmware.pins == marks | {"ERR": 5, "i2c0.SDA": 16, "i2c0.SCL": 17}
    assert firmware.where(firmware.functions[0][0]).endswith(f"({firmware.functions[0][1]})")
