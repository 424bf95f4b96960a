"""`tracecheck convert`: sample for sample, and what it refuses."""

from __future__ import annotations

import subprocess
from pathlib import Path

import needs
import numpy as np
import pytest
from format_writers import saleae_csv, samples_of

import tracecheck
from tracecheck.cli import main

ROOT = Path(__file__).parent.parent
CAPTURE = ROOT / "captures/synthetic/synthetic-late-wake.sr"
DUMP = ROOT / "captures/sigrok-dumps/st_m24c02_powerup_and_reset.sr"


@pytest.mark.parametrize("path", [CAPTURE, DUMP], ids=lambda path: path.stem)
def test_there_and_back_is_the_same_capture(path: Path, tmp_path: Path) -> None:
    wanted = tracecheck.open(path)
    rate = str(wanted.rate_hz)
    assert main(["convert", str(path), "-o", str(tmp_path / "x.vcd"), "-q"]) == 0
    assert main(["convert", str(tmp_path / "x.vcd"), "-o", str(tmp_path / "x.sr"), "--samplerate", rate, "-q"]) == 0
    found = tracecheck.open(tmp_path / "x.sr")
    assert (found.rate_hz, found.samples) == (wanted.rate_hz, wanted.samples)
    # A VCD has no places for bits: the channels come back in their order from bit 0 on.
    assert [c.name for c in found.channels] == [c.name for c in wanted.channels]
    words = np.zeros(wanted.samples, np.uint64)
    for new, old in zip(found.channels, wanted.channels, strict=True):
        words |= (samples_of(wanted) >> np.uint64(old.bit) & np.uint64(1)) << np.uint64(new.bit)
    assert (samples_of(found) == words).all()
    assert found.remarks["converted-from"] == "VCD x.vcd"


@needs.sigrok_cli
def test_sigrok_reads_what_a_saleae_recorded(tmp_path: Path) -> None:
    saleae_csv(tracecheck.open(CAPTURE), tmp_path / "x.csv")
    arguments = ["-o", str(tmp_path / "x.sr"), "--samplerate", "24MHz", "--line", "SCL", "--line", "SDA", "-q"]
    assert main(["convert", str(tmp_path / "x.csv"), *arguments]) == 0
    assert [c.name for c in tracecheck.open(tmp_path / "x.sr").channels] == ["SCL", "SDA"]
    texts = []
    for path in (CAPTURE, tmp_path / "x.sr"):
        command = [
            "sigrok-cli",
            "-i",
            str(path),
            "-P",
            "i2c:scl=SCL:sda=SDA",
            "-A",
            "i2c",
            "--protocol-decoder-samplenum",
        ]
        texts.append(subprocess.run(command, capture_output=True, check=True).stdout)
    assert texts[0] == texts[1] != b""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "x.dat"], "-o x.dat: in which format? Give --to sr or --to vcd, or a name that ends so"),
        (["-o", "x", "--to", "vdc"], '--to: no format "vdc"; did you mean "vcd"? (formats: sr, vcd)'),
        (
            ["-o", "x.sr", "--line", "SLC"],
            f'{CAPTURE}: no channel "SLC"; did you mean "SCL"? (channels: SCL, SDA, IRQ, PENDING, RUN)',
        ),
        (["-o", str(CAPTURE)], f"{CAPTURE}: this is an input; give -o another name, or the recording is lost"),
    ],
)
def test_what_cannot_be_converted_is_a_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["convert", str(CAPTURE), *arguments]) == 2
    assert capfd.readouterr() == ("", f"tracecheck: {message}\n")
    assert list(tmp_path.iterdir()) == []


def test_too_long_for_a_session(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.vcd"
    path.write_text("$timescale 1 us $end $var wire 1 ! SCL $end $enddefinitions $end\n#0 1!\n#20000000000 0!\n")
    assert main(["convert", str(path), "-o", str(tmp_path / "x.sr")]) == 2
    assert capfd.readouterr().err == (
        f"tracecheck: {path}: 20000000001 samples are too many for a session, which stores each; give --samplerate "
        "for a coarser grid, or --to vcd\n"
    )
