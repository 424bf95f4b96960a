"""Pieces of a stream saved around failures: the last samples, one file for what lies together."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from format_writers import samples_of
from hypothesis import given
from hypothesis import strategies as st
from watching import HOG, LINES, WAKE, raw

import tracecheck
from tracecheck.capture.model import Channel, EdgeBlock
from tracecheck.cli import main
from tracecheck.live.ring import Ring
from tracecheck.live.savings import Savings
from tracecheck.rules.file import load_many


@given(
    st.lists(st.tuples(st.integers(1, 50), st.lists(st.integers(0, 7), max_size=6)), min_size=1, max_size=12),
    st.integers(1, 120),
    st.data(),
)
def test_the_ring_keeps_the_last_samples(parts: list[tuple[int, list[int]]], keep: int, data: st.DataObject) -> None:
    ring, every, begin, state = Ring(keep), [], 0, 3
    for length, words in parts:
        changes = words[:length]
        run = np.array((changes + [changes[-1] if changes else state] * length)[:length], np.uint8)
        at = np.flatnonzero(np.diff(run, prepend=np.uint8(state)))
        # The first sample of all has no edge: it is the state that everything begins with.
        if begin == 0:
            state, at = int(run[0]), at[at > 0]
        ring.add(EdgeBlock((at + begin).astype(np.int64), run[at], state, begin, begin + length))
        every += run.tolist()
        begin, state = begin + length, int(run[-1])
    assert ring.end == len(every)
    assert ring.end - ring.begin >= min(keep, len(every))
    start = data.draw(st.integers(0, len(every)))
    stop = data.draw(st.integers(start, len(every)))
    found: list[int] = []
    for block in ring._cut(max(start, ring.begin), stop):
        bounds = [block.begin, *block.at.tolist(), block.end]
        for level, low, high in zip([block.initial, *block.words.tolist()], bounds, bounds[1:], strict=False):
            found += [int(level)] * (high - low)
    assert found == every[max(start, ring.begin) : stop]


def test_the_command_tells_findings_saves_pieces_and_ends_with_the_verdict(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.bin").write_bytes(raw(HOG))
    folder = tmp_path / "pieces"
    assert main(["watch", str(tmp_path / "x.bin"), *LINES, *WAKE, "--save", str(folder)]) == 1
    captured = capfd.readouterr()
    lines = captured.out.splitlines()
    assert lines[:3] == [
        "   3.441250 ms  FAIL  expect-1  i2c0 #3: wake came 302 us after irq.begin",
        "   7.429333 ms  FAIL  expect-1  i2c0 #7: wake came 302 us after irq.begin",
        "",
    ]
    assert lines[-1] == "FAIL: 1 of 1 rule failed (2 findings)"
    assert captured.err.splitlines() == [
        f"tracecheck: saved {folder}/0001-expect-1.sr: expect-1 i2c0 #3 at sample 82590",
        f"tracecheck: saved {folder}/0002-expect-1.sr: expect-1 i2c0 #7 at sample 178304",
        "tracecheck: 23 transfers",
    ]
    assert [file.name for file in sorted(folder.iterdir())] == ["0001-expect-1.sr", "0002-expect-1.sr"]
    piece = tracecheck.open(folder / "0002-expect-1.sr")
    start = int(piece.remarks["cut-sample"])
    assert start == round(7.429333e-3 * 24e6) - 48_000
    assert (samples_of(piece) == samples_of(tracecheck.open(HOG))[start : start + piece.samples]).all()
    assert main(["analyze", str(folder / "0002-expect-1.sr"), *LINES[4:], *WAKE, "-q"]) == 1


def test_pieces_of_before_stay(tmp_path: Path) -> None:
    """The numbers go on; files that are no pieces do not count."""
    (tmp_path / "x.bin").write_bytes(raw(HOG))
    folder = tmp_path / "pieces"
    folder.mkdir()
    for name in ("0007-expect-1.sr", "notes.txt", "9999.sr", "0100-x.vcd", "tracecheck-12-x.sr"):
        (folder / name).write_text(name)
    before = {file.name for file in folder.iterdir()}
    arguments = ["watch", str(tmp_path / "x.bin"), *LINES, *WAKE, "--save", str(folder), "--save-at-most", "1", "-q"]
    for _ in range(2):
        assert main(arguments) == 1
    assert {file.name for file in folder.iterdir()} - before == {"0008-expect-1.sr", "0009-expect-1.sr"}
    assert all((folder / name).read_text() == name for name in before)


def test_findings_of_one_event_share_a_piece(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(raw(HOG))
    folder, presets = tmp_path / "pieces", ["--rules", "embassy-rp", "--rules", "three-pin"]
    assert main(["watch", str(tmp_path / "x.bin"), *LINES, *presets, "--save", str(folder), "-q"]) == 1
    report = tracecheck.analyze(HOG, load_many(["embassy-rp", "three-pin"]))
    wanted = [(f.rule, f.transfer, f.sample) for f in report.findings if f.verdict == "fail"]
    said = [tracecheck.open(file).remarks["cut-around"] for file in sorted(folder.iterdir())]
    assert len(said) == len({transfer for _, transfer, _ in wanted}) < len(wanted)
    told = [re.fullmatch(r"(\S+) i2c0 #(\d+) at sample (\d+)", one) for text in said for one in text.split(", ")]
    assert sorted((m[1], int(m[2]), int(m[3])) for m in told if m) == sorted(wanted)
    assert [file.name for file in sorted(folder.iterdir())] == [
        "0001-embassy-wake-and-1-more.sr",
        "0002-embassy-wake-and-2-more.sr",
    ]


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=25), st.integers(1, 200), st.integers(1, 100))
def test_every_finding_lies_in_one_piece_with_its_margin(
    tmp_path_factory: pytest.TempPathFactory, samples: list[int], margin: int, step: int
) -> None:
    folder = tmp_path_factory.mktemp("pieces")
    ring = Ring(10_000)
    savings = Savings(str(folder), ring, margin, 0, 100, None, [Channel("SCL", 0)])
    template = tracecheck.analyze(HOG, load_many(["embassy-rp", "three-pin"])).findings[0]
    waiting, pieces = sorted(samples), []
    for begin in range(0, 4000, step):
        ring.add(EdgeBlock(np.empty(0, np.int64), np.empty(0, np.uint8), 0, begin, begin + step))
        while waiting and waiting[0] < begin + step:
            savings.ask(replace(template, sample=waiting.pop(0), value_ns=None))
        pieces += savings.write_ready(begin + step)
    pieces += savings.write_ready(None)
    assert sorted(f.sample for piece in pieces for f in piece.findings) == sorted(samples)
    for piece in pieces:
        assert piece.stop - piece.start <= 4 * margin
        for finding in piece.findings:
            assert piece.start <= max(finding.sample - margin, 0)
            assert finding.sample + margin <= piece.stop
    # Each begins where the one before no longer reaches, or may grow no further.
    for one, following in pairwise(pieces):
        first = following.findings[0].sample
        assert first >= one.stop or first + margin - one.start > 4 * margin
    assert len(list(folder.iterdir())) == len(pieces)
