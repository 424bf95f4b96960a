"""The captures speed is measured on are what they claim to be."""

from __future__ import annotations

import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

import tracecheck

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import captures

SHARES = {"i400k02": 0.02, "a100k30": 0.30, "b400k30": 0.30, "d400k95": 0.95, "dense": 0.97}
KINDS = sorted(captures.KINDS)


@pytest.mark.parametrize("kind", SHARES)
def test_a_tile_holds_whole_transfers_in_the_stated_share(kind: str) -> None:
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


def test_dense_phases_are_two_to_five_samples() -> None:
    scl = captures.tile(captures.KINDS["dense"], samples=1 << 18) & 1
    lows = np.diff(np.flatnonzero(np.diff(scl.astype(np.int8))))[::2]
    assert set(lows) == {2, 3, 4, 5}


@pytest.mark.parametrize(
    ("kind", "samples"),
    [
        *((kind, 5_000_001) for kind in KINDS),
        *((kind, n) for kind in ("b400k30", "giant") for n in (3, 2 * captures.TILE + captures.MEMBER_BYTES)),
    ],
)
def test_a_capture_is_its_tile_repeated(tmp_path: Path, kind: str, samples: int) -> None:
    """As `zipfile` reads it, which compares sizes and CRCs."""
    path = captures.cached(tmp_path, kind, samples)
    members = 1 if kind == "giant" else -(-samples // captures.MEMBER_BYTES)
    tile = captures.tile(captures.KINDS[kind])
    crc = 0
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["version", "metadata", *(f"logic-1-{n + 1}" for n in range(members))]
        left = samples
        for name in archive.namelist()[2:]:
            with archive.open(name) as member:
                while data := member.read(1 << 20):
                    crc, left = zlib.crc32(data, crc), left - len(data)
    assert left == 0
    expected = 0
    for done in range(0, samples, len(tile)):
        expected = zlib.crc32(tile[: samples - done].data, expected)
    assert crc == expected


@pytest.mark.parametrize("kind", KINDS)
def test_tracecheck_reads_what_the_kind_says(tmp_path: Path, kind: str) -> None:
    capture = tracecheck.open(captures.cached(tmp_path, kind, 1_000_000))
    assert (capture.samples, capture.rate_hz) == (1_000_000, captures.RATE_HZ)
    more = {"noisy": ["NOISE"], "marked": ["IRQ", "RUN"]}.get(kind, [])
    assert [channel.name for channel in capture.channels] == ["SCL", "SDA", *more]
    report = tracecheck.analyze(capture)
    assert sum(result.judged for result in report.rules) > 0
    assert report.verdict == "pass"


def test_a_capture_is_made_once_and_again_when_the_sources_changed(tmp_path: Path) -> None:
    path = captures.cached(tmp_path, "b400k30", 10_000)
    stamp = path.stat().st_mtime_ns
    assert captures.cached(tmp_path, "b400k30", 10_000) == path
    assert path.stat().st_mtime_ns == stamp
    older = path.rename(tmp_path / "b400k30-10000-01234567.sr")
    another = captures.cached(tmp_path, "b400k30", 100_000)
    assert captures.cached(tmp_path, "b400k30", 10_000) == path
    assert sorted(tmp_path.iterdir()) == sorted([path, another]) and older not in tmp_path.iterdir()


def test_what_needs_zip64_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="larger than a ZIP without Zip64 can hold"):
        captures.write_capture(tmp_path / "x.sr", "giant", 1 << 32)
    assert not list(tmp_path.iterdir())
