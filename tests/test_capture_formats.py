"""One bus through every format, on one grid: the same tables."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import needs
import numpy as np
import pyarrow as pa
import pytest
from format_writers import binary_in_chunks, saleae_binary, saleae_csv, samples_of

import tracecheck
from tracecheck.capture.memory import ArrayCapture
from tracecheck.capture.model import Capture
from tracecheck.export.vcd import write_vcd
from tracecheck.trace import TABLES

ROOT = Path(__file__).parent.parent
CAPTURE = ROOT / "captures/synthetic/synthetic-late-wake.sr"
FST = ROOT / "tests/captures/synthetic-late-wake.fst"
DUMP = ROOT / "captures/sigrok-dumps/ds3231_ex1.sr"
NAMES = ("SCL", "SDA", "IRQ", "PENDING", "RUN")


def by_sigrok(output: str, name: str) -> Callable[[Path, Path], Path]:
    def write(path: Path, folder: Path) -> Path:
        subprocess.run(["sigrok-cli", "-i", str(path), "-O", output, "-o", str(folder / name)], check=True)
        return folder / name

    return write


def vcd(path: Path, folder: Path) -> Path:
    with (folder / "x.vcd").open("wb") as file:
        write_vcd(file, tracecheck.open(path))
    return folder / "x.vcd"


def csv(path: Path, folder: Path) -> Path:
    saleae_csv(tracecheck.open(path), folder / "x.csv")
    return folder / "x.csv"


def semicolons(path: Path, folder: Path) -> Path:
    saleae_csv(tracecheck.open(path), folder / "x.csv", separator=";", comma=True, start=-3)
    return folder / "x.csv"


def tabs(path: Path, folder: Path) -> Path:
    saleae_csv(tracecheck.open(path), folder / "x.txt", separator="\t")
    return folder / "x.txt"


def gzipped(path: Path, folder: Path) -> Path:
    (folder / "x.sr.gz").write_bytes(gzip.compress(path.read_bytes()))
    return folder / "x.sr.gz"


def zstandard(path: Path, folder: Path) -> Path:
    packed = pa.BufferOutputStream()
    with pa.CompressedOutputStream(packed, "zstd") as stream:
        stream.write(vcd(path, folder).read_bytes())
    (folder / "x.zst").write_bytes(packed.getvalue().to_pybytes())
    return folder / "x.zst"


WRITERS: dict[str, tuple[Callable[[Path, Path], Path], bool]] = {
    "VCD": (vcd, False),
    "VCD by sigrok": (by_sigrok("vcd", "x.vcd"), True),
    "CSV by sigrok": (by_sigrok("csv", "x.csv"), True),
    "CSV by sigrok with times": (by_sigrok("csv:time=true", "x.csv"), True),
    "CSV by sigrok, changes": (by_sigrok("csv:time=true:dedup=true:label=channel", "x.csv"), True),
    "CSV by Saleae": (csv, False),
    "CSV with semicolons": (semicolons, False),
    "CSV with tabs": (tabs, False),
    "gzip around a session": (gzipped, False),
    "Zstandard around a VCD": (zstandard, False),
}
CASES = [
    pytest.param(
        write,
        id=name,
        marks=[needs.sigrok_cli] if needs_sigrok else [],
    )
    for name, (write, needs_sigrok) in WRITERS.items()
]


def same_tables(one: Capture, other: Capture, **lines: Any) -> None:
    traces = [tracecheck.decode(capture, timings=True, **lines) for capture in (one, other)]
    for table in TABLES:
        found, wanted = (trace.table(table) for trace in traces)
        assert found.to_pydict() == wanted.to_pydict(), table


@pytest.mark.parametrize("write", CASES)
def test_the_same_tables_on_one_grid(write: Callable[[Path, Path], Path], tmp_path: Path) -> None:
    wanted = tracecheck.open(CAPTURE)
    found = tracecheck.open(write(CAPTURE, tmp_path), rate_hz=wanted.rate_hz)
    assert [c.name for c in found.channels] == list(NAMES)
    assert found.rate_hz == wanted.rate_hz
    same_tables(found, wanted)
    # What formats of changes cannot tell is how long the last state lasted.
    assert found.samples <= wanted.samples
    assert (samples_of(found) == samples_of(wanted)[: found.samples]).all()


@needs.sigrok_cli
def test_a_real_capture_through_other_programs_formats(tmp_path: Path) -> None:
    wanted = tracecheck.open(DUMP)
    lines = {"scl": "SCL", "sda": "SDA"}
    for output, name in (("vcd", "x.vcd"), ("csv:time=true:dedup=true", "x.csv")):
        same_tables(tracecheck.open(by_sigrok(output, name)(DUMP, tmp_path), rate_hz=wanted.rate_hz), wanted, **lines)


def test_saleae_s_binary_files_are_one_capture(tmp_path: Path) -> None:
    wanted = tracecheck.open(CAPTURE)
    files = saleae_binary(wanted, tmp_path)
    found = tracecheck.open(files[3], rate_hz=wanted.rate_hz)
    assert [c.name for c in found.channels] == [f"Channel {i}" for i in range(5)]
    assert found.samples == wanted.samples
    assert (samples_of(found) == samples_of(wanted)).all()


@pytest.mark.parametrize("cut", [None, 0.2, 0.7])
def test_saleae_s_version_1_is_the_same_capture(cut: float | None, tmp_path: Path) -> None:
    """In one chunk, or in two that follow on one another."""
    wanted = tracecheck.open(CAPTURE)
    assert wanted.rate_hz
    samples, begin = samples_of(wanted), -0.5
    end = begin + len(samples) / wanted.rate_hz
    for number, channel in enumerate(wanted.channels):
        level = (samples >> np.uint64(channel.bit)) & np.uint64(1)
        times = begin + (np.flatnonzero(np.diff(level)) + 1) / wanted.rate_hz
        chunks = [(int(level[0]), begin, end, times.tolist())]
        if cut is not None:
            middle = begin + cut * (end - begin)
            before = times[times < middle]
            state = int(level[0]) ^ len(before) & 1
            chunks = [
                (int(level[0]), begin, middle, before.tolist()),
                (state, middle, end, times[len(before) :].tolist()),
            ]
        (tmp_path / f"digital_{number}.bin").write_bytes(binary_in_chunks(chunks))
    found = tracecheck.open(tmp_path / "digital_1.bin", rate_hz=wanted.rate_hz)
    assert not found.notes
    assert found.samples == wanted.samples
    assert (samples_of(found) == samples_of(wanted)).all()


def test_a_gap_of_saleae_s_is_told(tmp_path: Path) -> None:
    """The line stays as it was until it is seen again."""
    path = tmp_path / "digital_0.bin"
    path.write_bytes(binary_in_chunks([(1, 0.0, 3e-6, [1e-6]), (1, 5e-6, 8e-6, [6e-6, 7e-6]), (1, 9e-6, 9.5e-6, [])]))
    found = tracecheck.open(path, rate_hz=1_000_000)
    assert samples_of(found).tolist() == [1, 0, 0, 0, 0, 1, 0, 1, 1, 1]
    said = "2 stretches were not recorded, the first from 3e-06 to 5e-06 s: the lines are taken to stay as they were."
    assert said in found.notes


def test_fst_as_gtkwave_wrote_it() -> None:
    wanted = tracecheck.open(CAPTURE)
    found = tracecheck.open(FST, rate_hz=wanted.rate_hz)
    assert found.samples == wanted.samples
    same_tables(found, wanted)
    assert (samples_of(found) == samples_of(wanted)).all()


def test_raw_binary_and_arrays(tmp_path: Path) -> None:
    wanted = tracecheck.open(CAPTURE)
    samples = samples_of(wanted)
    for unitsize in (1, 3, 8):
        wide = samples.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :unitsize]
        (tmp_path / "x.bin").write_bytes(wide.tobytes())
        found = tracecheck.open(tmp_path / "x.bin", rate_hz=wanted.rate_hz, unitsize=unitsize)
        assert found.samples == wanted.samples
        same_tables(found, wanted, scl="0", sda="1", markers={"irq": 2, "pending": 3, "run": 4})
    same_tables(ArrayCapture(samples.astype(np.uint16), wanted.rate_hz, NAMES), wanted)


@pytest.mark.parametrize("name", ["x.sr", "x.vcd", "x.csv", "x.fst", "x.sr.gz"])
def test_standard_input(name: str, tmp_path: Path) -> None:
    files = {"x.vcd": vcd, "x.csv": csv, "x.sr.gz": gzipped}
    path = FST if name == "x.fst" else files[name](CAPTURE, tmp_path) if name in files else CAPTURE
    run = [sys.executable, "-m", "tracecheck", "decode", "--samplerate", "24MHz"]
    with path.open("rb") as file:
        piped = subprocess.run([*run, "-"], stdin=file, capture_output=True, check=False)
    assert piped.returncode == 0, piped.stderr
    assert piped.stdout == subprocess.run([*run, str(CAPTURE)], capture_output=True, check=True).stdout


def test_a_piped_capture_leaves_no_file_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tracecheck", "analyze", "-", "--quiet"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, input=CAPTURE.read_bytes(), capture_output=True, env=environment, check=False)
    assert done.stdout.startswith(b"standard input: ")
    assert list(tmp_path.iterdir()) == []


def test_times_keep_their_tick_and_a_grid_is_suggested(tmp_path: Path) -> None:
    found = tracecheck.open(vcd(CAPTURE, tmp_path))
    assert found.rate_hz == 10**9
    assert found.remarks["resolution-ns"] == "1"
    assert found.notes == (
        (
            "Every edge lies on a grid of 24 MHz. If that is what the analyzer sampled at, give --samplerate 24MHz: "
            "times are now taken to be exact to a tick."
        ),
    )
    assert tracecheck.open(tmp_path / "x.vcd", rate_hz=24_000_000).notes == ()
    coarse = tracecheck.open(tmp_path / "x.vcd", rate_hz=100_000)
    assert "came in one sample with another of the same line and cannot be seen." in coarse.notes[0]


def test_blocks_of_an_edge_list_are_those_of_its_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracecheck.capture.edge_list.BLOCK_EDGES", 7)
    found = tracecheck.open(vcd(CAPTURE, tmp_path), rate_hz=24_000_000)
    wanted = ArrayCapture(samples_of(tracecheck.open(CAPTURE)).astype(np.uint8), 24_000_000, NAMES)
    for start, stop in ((0, None), (9467, 20_000), (20_001, 20_001), (9466, 9468), (0, 1)):
        for bits in ((0, 1), (2,), (0, 1, 2, 3, 4)):
            ours, theirs = (list(c.edges(bits, start=start, stop=stop)) for c in (found, wanted))
            assert [b.initial for b in ours[:1]] == [b.initial for b in theirs[:1]]
            assert [b.begin for b in ours] == [start, *(b.end for b in ours[:-1])] or not ours
            for part in ("at", "words"):
                joined = [np.concatenate([getattr(b, part) for b in side] or [[]]).tolist() for side in (ours, theirs)]
                assert joined[0] == joined[1]


def test_formats_are_told_by_content_not_by_name(tmp_path: Path) -> None:
    for number, path in enumerate((vcd(CAPTURE, tmp_path), csv(CAPTURE, tmp_path), FST, CAPTURE)):
        copy = tmp_path / f"{number}.dat"
        shutil.copy(path, copy)
        assert tracecheck.open(copy).format.split()[0].rstrip(",") == ("VCD", "CSV", "FST", "sigrok")[number]


def test_a_stream_that_ends_at_once() -> None:
    command = [sys.executable, "-m", "tracecheck", "info", "-"]
    done = subprocess.run(command, input=b"", capture_output=True, text=False, check=False)
    assert (done.returncode, done.stderr) == (
        2,
        b"tracecheck: standard input: is empty (0 bytes); record or copy it again\n",
    )
