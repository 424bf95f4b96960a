"""The committed ELFs are those the manifest names, and the manifest is that of the sources as they are."""

from __future__ import annotations

import hashlib
import importlib.machinery
import importlib.util
import json
import re
import subprocess
import sys
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
    first = firmware.functions[0]
    assert firmware.where(first.address).endswith(f"({first.name})")


def test_who_builds_one_does_not_vouch_for_the_others(
    build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a change to the sources, one ELF built anew leaves the manifest saying that the rest is older."""
    old = MANIFEST | {"sources_sha256": "of older sources"}
    (tmp_path / "manifest.json").write_text(json.dumps(old), encoding="utf-8")
    monkeypatch.setattr(build, "OUT", tmp_path)
    toolchain = build.Toolchain("cargo", "rustc", (), True)
    monkeypatch.setattr(build.Toolchain, "version", MANIFEST["built_with"])
    elfs = {name: FOLDER / f"{name}.elf" for name in NAMES}
    build._write_manifest({NAMES[0]: elfs[NAMES[0]]}, toolchain)
    assert json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8")) == old
    assert capsys.readouterr().err == "the sources changed since the whole matrix was built: run firmware/build\n"
    build._write_manifest(elfs, toolchain)
    assert json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8")) == MANIFEST
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("arguments", [[], ["--check"]])
def test_what_only_costs_are_measured_against_stays_out_of_the_folder(arguments: list[str]) -> None:
    command = [sys.executable, str(ROOT / "firmware" / "build"), "mixed-400k-unmarked-s1", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr == (
        "mixed-400k-unmarked-s1 is no part of the matrix: "
        "it is for comparing costs; give --out FOLDER, without --check\n"
    )


def test_pins_and_profiles_of_the_environment_do_not_reach_the_firmware(
    build: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TRACECHECK_PIN_IRQ", "CARGO_PROFILE_RELEASE_OPT_LEVEL", "CARGO_HOME"):
        monkeypatch.setenv(name, "7")
    kept = build._environment()
    assert "TRACECHECK_PIN_IRQ" not in kept and "CARGO_PROFILE_RELEASE_OPT_LEVEL" not in kept
    assert kept["CARGO_HOME"] == "7"


def test_the_packages_are_the_same_wherever_they_are_named() -> None:
    """On a bare Debian 12 the README's are all that is needed; who reads the script's has make and Python already."""
    readme = (ROOT / "firmware" / "README.md").read_text(encoding="utf-8").replace("\\\n", " ")
    named = re.search(r"apt install --no-install-recommends (.*)", readme)
    ci = re.search(r"FIRMWARE_PACKAGES=\((.*)\)", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    assert named is not None and ci is not None
    packages = named[1].split()
    assert ci[1].split() == packages
    script = (ROOT / "firmware" / "build").read_text(encoding="utf-8")
    to_compile = " ".join(package for package in packages if package not in {"make", "python3"})
    assert f"({to_compile})" in script and f'"{to_compile}\\n"' in script
