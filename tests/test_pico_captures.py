"""captures/pico: recorded again they are the same samples, and the peer reads the same bytes in them."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import needs
import pytest

import tracecheck
from tracecheck.cli import main

FOLDER = Path(__file__).parent.parent / "captures" / "pico"
NAMES = sorted(json.loads((FOLDER / "expected.json").read_text(encoding="utf-8")))


def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"pico_{name}", FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def make() -> ModuleType:
    return _module("make")


def _members(path: Path) -> dict[str, bytes]:
    """Inflated: another zlib may deflate them otherwise. Without the versions of what made it."""
    with zipfile.ZipFile(path) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    lines = found["metadata"].splitlines(keepends=True)
    found["metadata"] = b"".join(line for line in lines if not line.startswith(b"emulator="))
    return found


def test_the_folder_holds_what_is_made_and_nothing_else(make: ModuleType) -> None:
    assert NAMES == sorted(f"pico-{case.name}.sr" for case in make.CASES) == sorted(p.name for p in FOLDER.glob("*.sr"))


@pytest.mark.parametrize("name", NAMES)
def test_recording_it_again_gives_the_same_samples(make: ModuleType, name: str, tmp_path: Path) -> None:
    case = next(case for case in make.CASES if f"pico-{case.name}.sr" == name)
    recording = case.record()
    recording.write(tmp_path / name)
    assert _members(tmp_path / name) == _members(FOLDER / name)
    expected = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
    assert json.loads(json.dumps(make.facts(case, recording))) == expected[name]


@needs.sigrok_cli
@pytest.mark.parametrize("name", NAMES)
def test_the_peer_reads_the_same_bytes(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = FOLDER / name
    command = ["sigrok-cli", "-i", str(path), "-P", "i2c:scl=SCL:sda=SDA", "-A", "i2c", "--protocol-decoder-samplenum"]
    peer = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=True).stdout
    capfd.readouterr()
    assert main(["decode", str(path), "--format", "sigrok"]) == 0
    assert capfd.readouterr().out == peer
    said = [line.split(": ", 2)[2] for line in peer.splitlines() if "Data write" in line or "Data read" in line]
    table = tracecheck.decode(path).bytes
    ours = [v for v, kind in zip(table["value"].to_pylist(), table["kind"].to_pylist(), strict=True) if kind == "data"]
    assert [int(value, 16) for value in said] == ours


def test_the_page_tells_what_is_measured() -> None:
    """docs/embassy.md holds the tables as they come out now."""
    truth = _module("truth")
    page = truth.PAGE.read_text(encoding="utf-8")
    assert truth.table() in page


def test_how_long_a_dropped_call_holds_scl_is_what_the_page_says() -> None:
    stretches = tracecheck.decode(FOLDER / "pico-cancelled.sr").stretches
    longest = max(stretches["width_ns"].to_pylist())
    page = _module("truth").PAGE.read_text(encoding="utf-8")
    assert f"`captures/pico/pico-cancelled.sr` shows SCL low for {longest / 1e6:.1f} ms" in page
