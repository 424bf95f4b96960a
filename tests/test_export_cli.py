"""`tracecheck export`: pieces cut out around findings, all tables in a folder, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import needs
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tracecheck
from tracecheck.capture.model import Channel
from tracecheck.cli import main
from tracecheck.export.sr import SrWriter
from tracecheck.trace import TABLES

CAPTURES = Path(__file__).parent.parent / "captures"
HOG = str(CAPTURES / "pico/pico-hog-executor.sr")
WAKE = ("--expect", "irq.begin -> wake < 100us")


def levels(path: str | Path, start: int, stop: int) -> list[int]:
    """Every sample's word in [start, stop)."""
    capture = tracecheck.open(path)
    words: list[int] = []
    for block in capture.edges([c.bit for c in capture.channels], start=start, stop=stop):
        bounds = [block.begin, *block.at.tolist(), block.end]
        states = [block.initial, *block.words.tolist()]
        for state, begin, end in zip(states, bounds, bounds[1:], strict=False):
            words += [int(state)] * (end - begin)
    return words


def test_around_a_finding_lie_its_transfer_and_what_was_measured(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    piece = tmp_path / "piece.sr"
    assert main(["export", HOG, "-o", str(piece), "--around", "expect-1:2", "--margin", "50us", *WAKE]) == 0
    cut = tracecheck.open(piece)
    transfer = tracecheck.decode(HOG).transfers.slice(7, 1).to_pylist()[0]
    margin = 50 * 24
    start = int(cut.remarks["cut-sample"])
    assert start == transfer["start"] - margin
    assert dict(cut.remarks) == {
        "origin": "emulated",
        "cut-from": "pico-hog-executor.sr",
        "cut-sample": str(start),
        "cut-around": "expect-1, finding 2",
    }
    assert [c.name for c in cut.channels] == ["SDA", "SCL", "IRQ", "PENDING", "RUN", "ERR"]
    assert levels(piece, 0, cut.samples) == levels(HOG, start, start + cut.samples)
    assert main(["analyze", str(piece), *WAKE, "--quiet"]) == 1
    captured = capfd.readouterr()
    assert (
        captured.err
        == f"tracecheck: {cut.samples} samples from {start} on, around expect-1, finding 2, are in {piece}\n"
    )
    assert captured.out == f"{piece}: FAIL: 1 of 1 rule failed (1 finding); 1 transfer\n"


@needs.sigrok_cli
def test_sigrok_opens_the_piece(tmp_path: Path) -> None:
    piece = tmp_path / "piece.sr"
    assert main(["export", HOG, "-o", str(piece), "--around", "transfer:7", "--quiet"]) == 0
    command = ["sigrok-cli", "-i", str(piece), "-P", "i2c:scl=SCL:sda=SDA", "-A", "i2c=address-write:data-write"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    row = tracecheck.decode(HOG).messages.filter(pa.compute.equal(tracecheck.decode(HOG).messages["transfer"], 7))
    assert [int(line.rpartition(" ")[2], 16) for line in done.stdout.splitlines() if "Data" in line] == list(
        row["data"][0].as_py()
    )


def test_every_table_is_a_file_of_the_folder(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "tables"
    assert main(["export", HOG, "--to", "parquet", "-o", str(folder)]) == 0
    assert sorted(file.name for file in folder.iterdir()) == sorted(f"{table}.parquet" for table in TABLES)
    trace = tracecheck.decode(HOG, timings=True)
    for table in TABLES:
        assert pq.read_table(folder / f"{table}.parquet").num_rows == trace.table(table).num_rows
    assert capfd.readouterr().err == f"tracecheck: {len(TABLES)} tables are in {folder}\n"
    assert main(["export", HOG, "--to", "csv", "-o", str(folder)]) == 2
    assert capfd.readouterr().err == (
        f"tracecheck: {folder}: this folder holds something already; give the name of a new one\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["tables"]


def test_a_piece_at_an_instant_and_one_in_a_vcd(tmp_path: Path) -> None:
    assert main(["export", HOG, "-o", str(tmp_path / "x.sr"), "--around", "3.44ms", "--margin", "1us", "-q"]) == 0
    cut = tracecheck.open(tmp_path / "x.sr")
    assert (cut.samples, cut.remarks["cut-sample"]) == (49, str(82_560 - 24))
    assert main(["export", HOG, "-o", str(tmp_path / "x.vcd"), "--around", "i2c0:3", "--lines-only", "-q"]) == 0
    assert "string" not in (tmp_path / "x.vcd").read_text()
    assert main(["export", HOG, "-o", str(tmp_path / "x.pftrace"), "-q"]) == 0
    assert (tmp_path / "x.pftrace").stat().st_size > 10_000


WRONG = [
    (["-o", "x.bin"], "-o x.bin: in which format? Give --to vcd, perfetto, sr, csv, jsonl, parquet, arrow"),
    (
        ["-o", "x.csv"],
        (
            "-o x.csv: one table into one file is tracecheck decode --table TABLE -o x.csv; for all of them give "
            "--to csv and -o FOLDER"
        ),
    ),
    (
        ["-o", "x", "--to", "vdc"],
        '--to: no format "vdc"; did you mean "vcd"? (formats: vcd, perfetto, sr, csv, jsonl, parquet, arrow)',
    ),
    (["-o", "x.sr"], "--to sr cuts a piece out: say which with --around RULE, transfer:7 or 3.44ms"),
    (
        ["-o", "x.pftrace", "--around", "transfer:7"],
        "--around cuts samples, and --to perfetto has none; use --to sr or --to vcd",
    ),
    (
        ["-o", "x.sr", "--around", "transfer:7", "--lines-only"],
        "--lines-only leaves the decoded text out of a vcd; --to sr has none beside its lines",
    ),
    (["-o", "x.sr", "--around", "transfer:99"], "--around transfer:99: no transfer 99 on i2c0; they are 0 to 22"),
    (
        ["-o", "x.sr", "--around", "transfer:x"],
        '--around transfer:x: "x" is no number; write RULE:2, transfer:7 or a time such as 3.44ms',
    ),
    (["-o", "x.sr", "--around", "9s"], "--around 9s: the capture ends before, after 25 ms"),
    (
        ["-o", "x.sr", "--around", "3parsecs"],
        '--around: "3parsecs" has the unknown unit "parsecs" (units: ns, us, ms, s)',
    ),
    (
        ["-o", "x.sr", "--around", "expct-1", *WAKE],
        '--around expct-1: no rule "expct-1" was judged; did you mean "expect-1"?',
    ),
    (
        ["-o", "x.sr", "--around", "nothing", *WAKE],
        '--around nothing: no rule "nothing" was judged (rules with findings: expect-1)',
    ),
    (
        ["-o", "x.sr", "--around", "expect-1:3", *WAKE],
        "--around expect-1:3: expect-1 has 2 findings in this capture; transfer:N cuts around a transfer",
    ),
    (
        ["-o", "x.sr", "--around", "3.44ms", "--margin", "wide"],
        '--margin: "wide" is not a duration; write a number and a unit, for example "20us" (units: ns, us, ms, s)',
    ),
    (["-o", HOG, "--around", "3.44ms"], f"{HOG}: this is an input; give -o another name, or the recording is lost"),
    (["-o", "no/x.vcd"], 'no/x.vcd: cannot write here: No such file or directory; make the folder "no" first'),
    (["-o", "no/x", "--to", "csv"], 'no/x: cannot write here: No such file or directory; make the folder "no" first'),
    (["-o", "file", "--to", "csv"], "file: this is a file; the tables go into a folder, give another name"),
    (["-o", "dir", "--to", "vcd"], "dir: this is a folder; name a file in it"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=[" ".join(arguments)[:60] for arguments, _ in WRONG])
def test_what_cannot_be_exported_is_a_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "dir").mkdir()
    assert main(["export", HOG, *arguments, "--quiet"]) == 2
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", f"tracecheck: {message}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dir", "file"]


def test_of_several_buses_a_transfer_needs_its_bus(capfd: pytest.CaptureFixture[str]) -> None:
    two = str(CAPTURES / "synthetic/synthetic-clean-two-buses.sr")
    rules = str(CAPTURES / "synthetic/two-buses.rules.toml")
    assert main(["export", two, "-o", "x.sr", "--around", "transfer:1", "--rules", rules, "-q"]) == 2
    assert capfd.readouterr().err == "tracecheck: --around transfer:1: of which bus? Write for example i2c0:1\n"


def test_a_capture_without_a_rate_is_cut_by_samples(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "slow.sr"
    with SrWriter(path, rate_hz=None, channels=[Channel("SCL", 0), Channel("SDA", 1)]) as writer:
        writer.write_samples(np.repeat(np.array([3, 1, 0, 1, 3, 2, 3] * 2, np.uint8), 400))
    arguments = ["export", str(path), "-o", str(tmp_path / "x.sr"), "--around"]
    assert main([*arguments, "1ms"]) == 2
    assert capfd.readouterr().err.endswith(
        "--around 1ms: the capture has no samplerate, so no time is known; give --samplerate\n"
    )
    assert main([*arguments, "transfer:0", "-q"]) == 0
    assert tracecheck.open(tmp_path / "x.sr").rate_hz is None


@pytest.mark.parametrize(("package", "kind"), [("vcd", "vcd"), ("perfetto", "perfetto")])
def test_a_missing_extra_is_named(package: str, kind: str, tmp_path: Path) -> None:
    program = f"import sys; sys.modules[{package!r}] = None; from tracecheck.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "export", HOG, "-o", str(tmp_path / "x"), "--to", kind]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.endswith(f"; try: pip install 'tracecheck[{kind}]' (in a checkout: -e '.[{kind}]')\n")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
