"""VCD: the lines come back sample for sample through another reader; the text stands where it was decoded."""

from __future__ import annotations

import io
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import needs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vcd.reader import TokenKind, tokenize

import tracecheck
from tracecheck.capture.memory import ArrayCapture
from tracecheck.errors import UsageError
from tracecheck.export.vcd import identifiers, timescale, write_vcd

CAPTURES = Path(__file__).parent.parent / "captures"


def dumped(*arguments: Any, **more: Any) -> bytes:
    file = io.BytesIO()
    write_vcd(file, *arguments, **more)
    return file.getvalue()


def read_back(data: bytes, rate_hz: int) -> tuple[list[str], dict[str, list[tuple[int, Any]]], int]:
    """Names, each variable's changes as (sample, value), and the last sample: by pyvcd's reader."""
    names: dict[str, str] = {}
    changes: dict[str, list[tuple[int, Any]]] = {}
    unit, now = Fraction(0), 0
    for token in tokenize(io.BytesIO(data)):
        if token.kind is TokenKind.TIMESCALE:
            power = ("s", "ms", "us", "ns", "ps", "fs").index(token.timescale.unit.value)
            unit = Fraction(int(token.timescale.magnitude), 1000**power)
        elif token.kind is TokenKind.VAR:
            names[token.var.id_code] = token.var.reference
            changes[token.var.reference] = []
        elif token.kind is TokenKind.CHANGE_TIME:
            exact = token.time_change * unit * rate_hz
            now = round(exact)
            assert abs(exact - now) <= Fraction(1, 20)
        elif token.kind in (TokenKind.CHANGE_SCALAR, TokenKind.CHANGE_STRING):
            value = token.scalar_change.value if token.kind is TokenKind.CHANGE_SCALAR else token.string_change.value
            key = token.scalar_change.id_code if token.kind is TokenKind.CHANGE_SCALAR else token.string_change.id_code
            changes[names[key]].append((now, value))
    return list(names.values()), changes, now


@pytest.mark.parametrize(
    ("rate_hz", "unit"),
    [
        (1, (1, "s", 1)),
        (1000, (1, "ms", 1)),
        (32768, (1, "us", Fraction(10**6, 32768))),
        (1_000_000, (1, "us", 1)),
        (12_500_000, (10, "ns", 8)),
        (24_000_000, (1, "ns", Fraction(125, 3))),
        (100_000_000, (10, "ns", 1)),
        (400_000_000, (100, "ps", 25)),
        (10**15, (1, "fs", 1)),
    ],
)
def test_the_unit_divides_a_sample_period_or_is_much_finer(rate_hz: int, unit: tuple[int, str, Fraction]) -> None:
    assert timescale(rate_hz) == unit


def test_no_unit_is_fine_enough() -> None:
    with pytest.raises(UsageError) as raised:
        timescale(10**16)
    assert str(raised.value) == "a samplerate of 10000000000000000 Hz is too fast for a VCD, whose finest unit is 1 fs"


@given(
    st.lists(st.integers(0, 7), min_size=1, max_size=60),
    st.sampled_from([1_000_000, 24_000_000, 12_500_000, 33_333_333]),
    st.data(),
)
def test_every_sample_of_every_line_comes_back(words: list[int], rate_hz: int, data: st.DataObject) -> None:
    samples = np.array(words, np.uint8)
    capture = ArrayCapture(samples, rate_hz, ("SCL", "SDA", "IRQ"))
    start = data.draw(st.integers(0, len(words) - 1))
    stop = data.draw(st.integers(start + 1, len(words)))
    names, changes, end = read_back(dumped(capture, start=start, stop=stop), rate_hz)
    assert names == ["SCL", "SDA", "IRQ"]
    assert end == stop - start
    for bit, name in enumerate(names):
        level = (samples[start:stop] >> bit) & 1
        at = [0, *(np.flatnonzero(np.diff(level)) + 1).tolist()]
        assert changes[name] == [(i, str(level[i])) for i in at]


def test_the_decoded_text_stands_where_it_was_decoded() -> None:
    capture = tracecheck.open(CAPTURES / "synthetic/synthetic-late-wake.sr")
    trace = tracecheck.decode(capture)
    names, changes, end = read_back(dumped(capture, trace), 24_000_000)
    assert names == ["i2c0", "SCL", "SDA", "IRQ", "PENDING", "RUN"]
    assert end == capture.samples
    first = trace.transfers.slice(2, 1).to_pylist()[0]
    of_it = [(at, text) for at, text in changes["i2c0"] if first["start"] <= at <= first["stop"]]
    assert [text for _, text in of_it] == [
        *("START", "50:W", "ACK", "10", "ACK", "Sr", "50:R", "ACK"),
        *("DE", "ACK", "AD", "ACK", "BE", "ACK", "EF", "NACK", "STOP"),
    ]
    rows = [row for row in trace.bytes.to_pylist() if row["transfer"] == 2]
    assert [at for at, text in of_it if text not in ("START", "Sr", "STOP", "ACK", "NACK")] == [r["at"] for r in rows]
    assert [at for at, text in of_it if text in ("ACK", "NACK")] == [r["end"] for r in rows]


def test_names_that_a_vcd_cannot_hold() -> None:
    assert identifiers(["SCL", "a b", "a_b", "$end", "<script>", "zwölf", "i2c.0", ""]) == [
        *("SCL", "a_b", "a_b_2", "_end", "<script>", "zw_lf", "i2c_0", "line7")
    ]
    capture = ArrayCapture(np.array([0, 1, 3], np.uint8), 1000, ("a\nb $end", "$var"), path="x\n$end $var.sr")
    assert read_back(dumped(capture), 1000)[0] == ["a_b__end", "_var"]


def test_without_a_samplerate_there_is_no_time() -> None:
    with pytest.raises(UsageError) as raised:
        dumped(ArrayCapture(np.array([0, 1], np.uint8), None, ("a",), path="x.sr"))
    assert str(raised.value) == "x.sr: a VCD counts time, and this capture has no samplerate; give --samplerate"


@needs.sigrok_cli
@pytest.mark.parametrize("name", ["sigrok-dumps/pca9571_simple.sr", "pico/pico-hog-executor.sr"])
def test_sigrok_reads_the_same_bus(name: str, tmp_path: Path) -> None:
    capture = tracecheck.open(CAPTURES / name)
    (tmp_path / "x.vcd").write_bytes(dumped(capture))

    def decoded(*file: str) -> bytes:
        lines = trace.wiring.buses[0]
        decoder = f"i2c:scl={lines.scl.name}:sda={lines.sda.name}"
        command = [
            "sigrok-cli",
            *file,
            "-P",
            decoder,
            "-A",
            "i2c=address-read:address-write:data-read:data-write:ack:nack",
        ]
        done = subprocess.run(command, capture_output=True, check=True)
        assert done.stderr == b""
        return done.stdout

    trace = tracecheck.decode(capture)
    ours = decoded("-I", "vcd", "-i", str(tmp_path / "x.vcd"))
    assert ours == decoded("-i", str(CAPTURES / name))
    assert ours.count(b"\n") > 4
