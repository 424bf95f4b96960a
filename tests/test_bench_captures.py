"""The captures speed is measured on are what they claim to be."""

from __future__ import annotations

import importlib.util
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

SOURCE = Path(__file__).parent.parent / "benchmarks" / "captures.py"
SHARES = {"i400k02": 0.02, "a100k30": 0.30, "b400k30": 0.30, "d400k95": 0.95, "dense": 0.97}


@pytest.fixture(scope="module")
def captures() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_captures", SOURCE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("kind", SHARES)
def test_a_tile_holds_whole_transfers_in_the_stated_share(captures: ModuleType, kind: str) -> None:
    tile = captures.tile(captures.KINDS[kind], samples=1 << 22)
    assert tile[0] == tile[-1] == 3
    scl, sda = tile & 1, tile >> 1 & 1
    steady = (scl[1:] & scl[:-1]).astype(bool)
    change = np.diff(sda.astype(np.int8))
    starts, stops = np.flatnonzero(steady & (change < 0)) + 1, np.flatnonzero(steady & (change > 0)) + 1
    assert len(starts) == len(stops) > 5
    assert np.all(starts < stops) and np.all(stops[:-1] < starts[1:])
    clocks = np.searchsorted(np.flatnonzero(np.diff(scl.astype(np.int8)) > 0) + 1, np.stack([starts, stops]))
    assert np.all((clocks[1] - clocks[0]) % 9 == 1)  # bytes of nine clocks, and the rise before STOP
    assert sum(stops - starts) / len(tile) == pytest.approx(SHARES[kind], rel=0.25)


def test_dense_phases_are_two_to_five_samples(captures: ModuleType) -> None:
    scl = captures.tile(captures.KINDS["dense"], samples=1 << 18) & 1
    lows = np.diff(np.flatnonzero(np.diff(scl.astype(np.int8))))[::2]
    assert set(lows) == {2, 3, 4, 5}


@pytest.mark.parametrize(("one_member", "names"), [(False, ["logic-1-1", "logic-1-2"]), (True, ["logic-1-1"])])
def test_a_capture_has_exactly_the_samples_asked_for(
    captures: ModuleType, tmp_path: Path, one_member: bool, names: list[str]
) -> None:
    path = captures.cached(tmp_path, "b400k30", 5_000_001, markers=True, one_member=one_member)
    with zipfile.ZipFile(path) as archive:
        assert [name for name in archive.namelist() if name.startswith("logic")] == names
        data = b"".join(archive.read(name) for name in names)
    assert len(data) == 5_000_001
    assert set(data) >= {0b0011, 0b0111, 0b1011}
    stamp = path.stat().st_mtime_ns
    assert captures.cached(tmp_path, "b400k30", 5_000_001, markers=True, one_member=one_member) == path
    assert path.stat().st_mtime_ns == stamp
