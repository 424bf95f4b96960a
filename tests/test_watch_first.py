"""Watching that ends: at the first failure, or after a time, wherever the stream is cut."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from watching import HOG, LINES, RUN, WAKE, blocks_of, raw

import tracecheck
from tracecheck.cli import main
from tracecheck.decoding.find import wire
from tracecheck.live.first import FirstFailure
from tracecheck.live.part import part
from tracecheck.live.watcher import Watcher
from tracecheck.rules.file import load_many
from tracecheck.rules.finding import Finding


@pytest.mark.parametrize("size", [1_000, 24_000, 262_144, 10**7])
@pytest.mark.parametrize("presets", [["three-pin", "embassy-rp"], ["i2c"]])
def test_what_stops_at_the_first_failure_saw_what_a_fine_watcher_sees_until_then(size: int, presets: list[str]) -> None:
    """However the stream comes: the step, its findings and the verdict are those of judging every step."""
    rules, capture = load_many(presets), tracecheck.open(HOG)
    wiring = wire(capture, list(rules.buses.values()), list(rules.markers.values()))
    data, step = raw(HOG), 2400

    def fails(finding: Finding) -> bool:
        return finding.verdict == "fail"

    fine, wanted = Watcher(rules, wiring, capture.rate_hz), []
    for block in blocks_of(data, step):
        wanted += fine.feed(block) + fine.flush()
        if any(map(fails, wanted)):
            break
    else:
        wanted += fine.finish()
    first, told = FirstFailure(lambda: Watcher(rules, wiring, capture.rate_hz), fails, capture.rate_hz), []
    for block in blocks_of(data, size):
        told += first.feed(block)
    told += first.finish()
    assert any(map(fails, told)) == first.stopped == (presets != ["i2c"])
    assert first.stopped or first.end == capture.samples
    known = [(f.rule, f.verdict, f.sample) for f in told]
    if step % size == 0 or size % step == 0:
        assert known == [(f.rule, f.verdict, f.sample) for f in wanted]
        assert first.end == fine.end
        ours, theirs = ([(r.passed, r.failed) for r in w.report("x").rules] for w in (first, fine))
        assert ours == theirs
    assert {f.sample for f in told if fails(f)} == {f.sample for f in wanted if fails(f)}


@settings(max_examples=30)
@given(st.lists(st.integers(1, 9000), min_size=1, max_size=6), st.integers(0, 40_000))
def test_parts_of_a_block_are_the_block(sizes: list[int], skip: int) -> None:
    block = next(blocks_of(raw(HOG)[skip : skip + 60_000], 60_000))
    at, words, begin, number = [], [], 0, 0
    while begin < block.end:
        end = begin + sizes[number % len(sizes)]
        piece = part(block, begin, end)
        assert (piece.begin, piece.end) == (begin, min(end, block.end))
        assert piece.initial == (words[-1] if words else block.initial)
        at += piece.at.tolist()
        words += piece.words.tolist()
        begin, number = end, number + 1
    assert (at, words) == (block.at.tolist(), block.words.tolist())


def test_it_stops_at_the_first_failure(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.bin").write_bytes(raw(HOG) * 40)
    command = ["watch", str(tmp_path / "x.bin"), *LINES, *WAKE, "--stop-on", "error"]
    for more in ([], ["--save", str(tmp_path / "pieces")]):
        assert main([*command, *more, "--format", "jsonl"]) == 1
        finding, last = map(json.loads, capfd.readouterr().out.splitlines())
        assert (finding["transfer"], finding["verdict"]) == (3, "fail")
        assert finding["sample"] < last["verdict"]["capture"]["samples"] < finding["sample"] + 0.005 * 24e6
        assert sum(rule["failed"] for rule in last["verdict"]["rules"]) == 1
    (piece,) = (tmp_path / "pieces").iterdir()
    # What comes behind the failure is still read, and saved; nothing is judged there.
    assert tracecheck.open(piece).samples == 2 * 48_000 + round(finding["value_ns"] * 24e6 / 1e9)


def test_it_stops_at_a_failure_in_a_stream_that_pauses(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*RUN, "-", *LINES, *WAKE, "--stop-on", "error"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=False
    ) as watching:
        assert watching.stdin is not None
        assert watching.stdout is not None
        watching.stdin.write(raw(HOG)[:150_000])
        watching.stdin.flush()
        said = watching.stdout.read()  # it ends, although standard input stays open
        watching.stdin.close()
    assert watching.returncode == 1
    assert said.startswith(b"   3.441250 ms  FAIL  expect-1  i2c0 #3")


def test_it_stops_after_a_time_to_the_sample(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.bin").write_bytes(raw(HOG) * 40)
    arguments = [*LINES, "--expect", "irq.begin -> wake < 1ms", "--for", "5ms", "--format", "jsonl"]
    assert main(["watch", str(tmp_path / "x.bin"), *arguments]) == 0
    assert json.loads(capfd.readouterr().out)["verdict"]["capture"]["samples"] == 120_000
