"""Watching a stream: the findings and the verdict of `analyze`, wherever it is cut, in memory that stays flat."""

from __future__ import annotations

import gzip
import io
import json
import re
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import needs
import numpy as np
import pyarrow as pa
import pytest
from format_writers import samples_of
from hypothesis import given, settings
from hypothesis import strategies as st

import tracecheck
from tracecheck.capture.model import Channel, EdgeBlock
from tracecheck.capture.scan import scan_windows
from tracecheck.capture.vcd import declarations
from tracecheck.cli import main
from tracecheck.decoding.find import wire
from tracecheck.export.vcd import write_vcd
from tracecheck.live.content import whole_file
from tracecheck.live.first import FirstFailure
from tracecheck.live.load import Load
from tracecheck.live.part import part
from tracecheck.live.ring import Ring
from tracecheck.live.savings import Savings
from tracecheck.live.sources import VcdStream
from tracecheck.live.watcher import Watcher
from tracecheck.rules.file import load_many
from tracecheck.rules.finding import Finding

ROOT = Path(__file__).parent.parent
PICO, SYNTHETIC = ROOT / "captures/pico", ROOT / "captures/synthetic"
HOG = PICO / "pico-hog-executor.sr"
RUN = [sys.executable, "-m", "tracecheck", "watch"]
LINES = ["--unitsize", "1", "--samplerate", "24MHz", "--scl", "1", "--sda", "0"]
LINES += ["--marker", "irq=2", "--marker", "pending=3", "--marker", "run=4"]
WAKE = ["--expect", "irq.begin -> wake < 100us"]
CASES = [(HOG, ["three-pin", "embassy-rp", "i2c"]), (PICO / "pico-stretch.sr", ["three-pin", "embassy-rp"])]
CASES += [
    (SYNTHETIC / "synthetic-late-wake.sr", ["three-pin", "embassy-rp"]),
    (SYNTHETIC / "synthetic-cut-off.sr", ["i2c"]),
]


def raw(path: Path) -> bytes:
    return bytes(samples_of(tracecheck.open(path)).astype(np.uint8).tobytes())


def cut(data: bytes, sizes: list[int]) -> Iterator[memoryview]:
    """The data in pieces of these sizes, over and over."""
    at, number = 0, 0
    while at < len(data):
        size = sizes[number % len(sizes)]
        yield memoryview(data[at : at + size])
        at, number = at + size, number + 1


@pytest.mark.parametrize(("path", "presets"), CASES, ids=[path.stem for path, _ in CASES])
@settings(max_examples=8)
@given(sizes=st.lists(st.integers(1, 200_000), min_size=1, max_size=4).filter(lambda sizes: sum(sizes) > 4000))
def test_findings_and_verdict_are_those_of_analyze(path: Path, presets: list[str], sizes: list[int]) -> None:
    rules = load_many(presets)
    capture = tracecheck.open(path)
    wiring = wire(capture, list(rules.buses.values()), list(rules.markers.values()))
    watcher = Watcher(rules, wiring, capture.rate_hz)
    told = []
    for block in scan_windows(cut(raw(path), sizes), 1, 0xFF, 0, 2**62):
        told += watcher.feed(block)
    told += watcher.finish()
    wanted = tracecheck.analyze(capture, rules)
    report = watcher.report("x")

    def key(f: Finding) -> str:
        """All but what explains it by the instances that were seen until then."""
        return repr((f.rule, f.verdict, f.bus, f.transfer, f.sample, f.value_ns, f.lower_ns, f.upper_ns, f.message))

    assert sorted(map(key, told)) == sorted(map(key, wanted.findings))
    assert report.exit_code() == wanted.exit_code()
    for ours, theirs in zip(report.rules, wanted.rules, strict=True):
        assert (ours.passed, ours.failed, ours.inconclusive, ours.cut) == (
            *(theirs.passed, theirs.failed, theirs.inconclusive, theirs.cut),
        )
        assert ours.stats == theirs.stats
    assert watcher.end == capture.samples


@settings(max_examples=20)
@given(sizes=st.lists(st.integers(1, 3000), min_size=1, max_size=5))
def test_a_vcd_may_be_cut_anywhere(tmp_path_factory: pytest.TempPathFactory, sizes: list[int]) -> None:
    capture = tracecheck.open(SYNTHETIC / "synthetic-late-wake.sr")
    path = tmp_path_factory.getbasetemp() / "watched.vcd"
    if not path.exists():
        with path.open("wb") as file:
            write_vcd(file, capture)
    data = path.read_bytes()
    lines, rest, line = declarations("x", data[:1000])
    pieces = cut(data[1000:], sizes)
    stream = VcdStream("x", pieces, lines, rest, line, capture.rate_hz)  # type: ignore[arg-type]
    begin, words = 0, []
    for block in stream.blocks():
        assert block.begin == begin < block.end
        states = np.concatenate([[block.initial], block.words])
        words.append(np.repeat(states, np.diff(np.concatenate([[block.begin], block.at, [block.end]]))))
        begin = block.end
    # The last state lasts for one sample more than is known, as there has to be one.
    assert (np.concatenate(words)[: capture.samples] == samples_of(capture)).all()


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


def test_json_lines(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.bin").write_bytes(raw(HOG))
    assert main(["watch", str(tmp_path / "x.bin"), *LINES, *WAKE, "--format", "jsonl", "-q"]) == 1
    *findings, last = map(json.loads, capfd.readouterr().out.splitlines())
    assert [(f["rule"], f["transfer"], f["verdict"]) for f in findings] == [
        ("expect-1", 3, "fail"),
        ("expect-1", 7, "fail"),
    ]
    assert (last["verdict"]["verdict"], last["transfers"]) == ("fail", 23)


def test_quiet_is_the_verdict_only(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.bin").write_bytes(raw(HOG))
    assert main(["watch", str(tmp_path / "x.bin"), *LINES, *WAKE, "--save", str(tmp_path / "pieces"), "-q"]) == 1
    assert capfd.readouterr() == (f"{tmp_path / 'x.bin'}: FAIL: 1 of 1 rule failed (2 findings)\n", "")


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


def blocks_of(data: bytes, size: int) -> Iterator[EdgeBlock]:
    return scan_windows(cut(data, [size]), 1, 0xFF, 0, 2**62)


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_file_that_grows_is_followed_until_a_signal(number: signal.Signals, tmp_path: Path) -> None:
    path, data = tmp_path / "x.bin", raw(HOG)
    path.write_bytes(data[:200_000])
    command = [*RUN, str(path), *LINES, *WAKE, "--follow"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        assert watching.stderr is not None
        assert "transfer" not in (first := watching.stdout.readline()) or "FAIL  expect-1  i2c0 #3" in first
        with path.open("ab") as file:
            file.write(data[200_000:])
        assert "FAIL  expect-1  i2c0 #7" in watching.stdout.readline()
        watching.send_signal(number)
        rest, said = watching.communicate(timeout=30)
        assert watching.returncode == 1
    assert rest.endswith("FAIL: 1 of 1 rule failed (2 findings)\n")
    assert "stopped; this is what was seen until then" in said
    assert "Traceback" not in said


def test_memory_stays_flat_and_a_finding_is_told_where_it_is(tmp_path: Path) -> None:
    """Half a minute of a busy bus through a pipe, with one late wake in the middle of it."""
    program = """
import sys, pathlib, numpy as np
sys.path.insert(0, sys.argv[1])
from format_writers import samples_of
import tracecheck
captures = pathlib.Path(sys.argv[2])
clean, hog = (samples_of(tracecheck.open(captures / name)).astype(np.uint8).tobytes() for name in
              ("pico-clean-unseen-mixed-400k.sr", "pico-hog-executor.sr"))
for number in range(int(sys.argv[3])):
    sys.stdout.buffer.write(hog if number == int(sys.argv[4]) else clean)
"""
    watch = f"""
import resource, sys
from tracecheck.cli import main
code = main({["watch", "-", *LINES, "--expect", "irq.begin -> wake < 100us"]!r})
print(code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""

    def watched(repeats: int, late: int) -> tuple[list[str], int]:
        arguments = [str(ROOT / "tests"), str(PICO), str(repeats), str(late)]
        with subprocess.Popen([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE) as source:
            done = subprocess.run(
                [sys.executable, "-c", watch], stdin=source.stdout, capture_output=True, text=True, check=False
            )
        code, most = done.stderr.splitlines()[-1].split()
        assert code == "1", done.stderr
        return done.stdout.splitlines(), int(most)

    clean_ms = tracecheck.open(PICO / "pico-clean-unseen-mixed-400k.sr").samples / 24_000
    (short, least), (long, most) = watched(20, 10), watched(400, 300)
    for lines, late in ((short, 10), (long, 300)):
        at = late * clean_ms + 3.441250
        shown = f"{at:.6f} ms" if at < 1000 else f"{at / 1000:.9f} s"
        assert lines[0].strip().startswith(shown), lines[0]
        assert [line.split("i2c0")[1][:2] for line in lines[:2]] == [" #", " #"]
        assert "(2 findings)" in lines[-1]
    assert most - least < 8_000, "kilobytes more for twenty times the stream"


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


def test_falling_behind_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    load = Load(1_000_000, real_time=True)
    assert load.step(1000) is None
    now[0] += 3
    assert load.step(2_001_000) == (
        "1.0 s behind the device: what it recorded waits to be judged, and may be lost when it cannot"
    )
    now[0] += 1
    assert load.step(4_001_000) is None
    assert load.notes == ("The watching was up to 1.0 s behind the device.",)
    assert Load(None, real_time=True).notes == ()


def test_what_a_second_took_is_told_of_seconds() -> None:
    """Of less, starting up takes the most; without a rate there are no seconds."""
    for rate_hz, samples, known in ((1000, 999, False), (1000, 1000, True), (None, 5000, False)):
        load = Load(rate_hz, real_time=False)
        load.step(samples)
        assert (load.share is not None) == known


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
