"""What can be watched, and what is told of the rest."""

from __future__ import annotations

import gzip
import io
import re
import struct
import subprocess
from pathlib import Path

import needs
import numpy as np
import pyarrow as pa
import pytest
from format_writers import samples_of
from watching import HOG, LINES, PICO, RUN, SYNTHETIC, raw

import tracecheck
from tracecheck.cli import main
from tracecheck.export.vcd import write_vcd
from tracecheck.live.content import whole_file

WRONG = [
    ([], "watch what? Give a file, - for standard input, or --driver NAME"),
    (
        ["nowhere.bin", "--unitsize", "1", "--samplerate", "1M"],
        "nowhere.bin: cannot be opened: No such file or directory",
    ),
    (["x.bin"], "x.bin: no VCD; of raw samples say the width: --unitsize 1 --samplerate 24MHz"),
    (["x.bin", "--unitsize", "1"], "raw samples tell no time; give their --samplerate"),
    (["x.bin", "--unitsize", "9", "--samplerate", "1M"], "--unitsize 9: raw samples have 1 to 8 bytes"),
    (
        ["x.bin", "--unitsize", "1", "--samplerate", "fast"],
        '--samplerate: "fast" is not a samplerate; write it like "24 MHz", "500k" or "1000000"',
    ),
    (["-", "--follow"], "--follow is for a file that grows; standard input is read until it ends anyway"),
    (["--driver", "demo", "--unitsize", "1"], "--follow and --unitsize are of files; a --driver knows its width"),
    (
        ["x.bin", *LINES, "--for", "soon"],
        '--for: "soon" is not a duration; write a number and a unit, for example "20us" (units: ns, us, ms, s)',
    ),
    (["x.bin", *LINES, "--marker", "mine=99"], 'x.bin: no channel "99" (channels: D0, D1, D2, D3, D4, D5, D6, D7)'),
    (
        ["flat.bin", "--unitsize", "1", "--samplerate", "1M"],
        "flat.bin: no I2C bus is seen; name its lines with --scl and --sda",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=[" ".join(a)[:50] for a, _ in WRONG])
def test_what_cannot_be_watched_is_a_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.bin").write_bytes(bytes(range(100)))
    Path("flat.bin").write_bytes(bytes(5000))
    assert main(["watch", *arguments, "-q"]) == 2
    assert capfd.readouterr() == ("", f"tracecheck: {message}\n")


RAW = ["--unitsize", "1", "--samplerate", "24MHz"]


@pytest.mark.parametrize("more", [[], RAW], ids=["", "unitsize"])
@pytest.mark.parametrize("kind", ["sr", "vcd.gz", "vcd.zst", "csv", "saleae", "fst"])
def test_what_is_read_as_a_whole_is_for_analyze(
    kind: str, more: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    capture, path = tracecheck.open(SYNTHETIC / "synthetic-late-wake.sr"), tmp_path / "recording"
    vcd = io.BytesIO()
    write_vcd(vcd, capture)
    words = samples_of(capture)[:2000].tolist()
    contents = {
        "sr": ("a sigrok session (.sr)", (SYNTHETIC / "synthetic-late-wake.sr").read_bytes()),
        "vcd.gz": ("compressed with gzip", gzip.compress(vcd.getvalue())),
        "vcd.zst": ("compressed with Zstandard", pa.compress(vcd.getvalue(), "zstd", asbytes=True)),
        "csv": ("a CSV", "".join(f"{w & 1},{w >> 1 & 1}\n" for w in words).encode()),
        "saleae": ("Saleae's binary export", b"<SALEAE>" + bytes(100)),
        "fst": ("an FST", struct.pack(">BQQQ", 0, 329, 0, 100) + bytes(304)),
    }
    what, data = contents[kind]
    path.write_bytes(data)
    assert main(["watch", str(path), "--rules", "i2c", *more, "-q"]) == 2
    advice = f"which is read as a whole; let analyze judge it: tracecheck analyze {path}"
    assert capfd.readouterr() == ("", f"tracecheck: {path}: is {what}, {advice}\n")


def test_a_vcd_is_no_raw_samples(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with (tmp_path / "x.vcd").open("wb") as file:
        write_vcd(file, tracecheck.open(SYNTHETIC / "synthetic-late-wake.sr"))
    assert main(["watch", str(tmp_path / "x.vcd"), *RAW, "-q"]) == 2
    assert capfd.readouterr().err.endswith("x.vcd: is a VCD and no raw samples; leave out --unitsize\n")


@pytest.mark.parametrize("path", [HOG, PICO / "pico-stretch.sr", SYNTHETIC / "synthetic-late-wake.sr"])
def test_samples_are_taken_for_no_file(path: Path) -> None:
    """A stream may begin anywhere in them, and on any lines."""
    data = raw(path)
    for shift in range(3):
        moved = bytes(byte << shift & 0xFF for byte in data[: 1 << 16])
        assert not any(whole_file(moved[start : start + 4096]) for start in range(0, len(moved), 37))
    for level in range(256):
        assert whole_file(bytes([level]) * 4096) is None


@pytest.mark.parametrize("more", [[], RAW], ids=["", "unitsize"])
def test_a_stream_without_a_byte_is_empty(more: list[str], tmp_path: Path) -> None:
    said = "is empty (0 bytes);"
    done = subprocess.run(
        [*RUN, "-", "--rules", "i2c", *more], input="", capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"tracecheck: standard input: {said} what writes into it ended without a word\n"
    (tmp_path / "x").touch()
    done = subprocess.run([*RUN, str(tmp_path / "x"), *more], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stderr == f"tracecheck: {tmp_path / 'x'}: {said} record or copy it again\n"


def test_the_end_of_a_stream_within_a_sample_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    wide = np.frombuffer(raw(HOG), np.uint8).astype("<u2").tobytes()
    (tmp_path / "x.bin").write_bytes(wide[:-1])
    arguments = ["--unitsize", "2", *LINES[2:], "--expect", "irq.begin -> wake < 1ms"]
    assert main(["watch", str(tmp_path / "x.bin"), *arguments]) == 0
    assert "Note: The stream ended within a sample: 1 of 2 bytes are left out." in capfd.readouterr().out


@needs.sigrok_cli
def test_a_device_of_sigrok_is_watched(capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ["--driver", "demo", "--samplerate", "1MHz", "--channel", "D0=SCL", "--channel", "D1=SDA"]
    assert main(["watch", *arguments, "--for", "200ms", "--expect", "never stuck-low"]) == 0
    captured = capfd.readouterr()
    assert captured.out.splitlines()[0] == "demo (Demo device)"
    assert captured.out.splitlines()[1] == "  1 MHz, 200 ms"
    assert "SCL = SCL, SDA = SDA" in captured.out
    assert re.fullmatch(r"tracecheck: \d+ transfers", captured.err.splitlines()[-1])


@needs.sigrok_cli
def test_devices_and_channels_that_there_are_not(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "--driver", "dmo", "--samplerate", "1M", "-q"]) == 2
    assert capfd.readouterr().err == (
        'tracecheck: --driver: sigrok-cli has no driver "dmo"; did you mean "demo"? (sigrok-cli -L lists them)\n'
    )
    assert main(["watch", "--driver", "demo", "--samplerate", "1M", "--channel", "D9=SCL", "-q"]) == 2
    assert capfd.readouterr().err == (
        'tracecheck: --channel D9=SCL: Demo device has no channel "D9" '
        "(channels: D0 D1 D2 D3 D4 D5 D6 D7 A0 A1 A2 A3 A4)\n"
    )


def test_without_sigrok_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert main(["watch", "--driver", "demo", "--samplerate", "1M", "-q"]) == 2
    assert capfd.readouterr().err == "tracecheck: sigrok-cli is not installed; on Debian: apt install sigrok-cli\n"
