"""Watching a stream: the findings and the verdict of `analyze`, wherever it is cut, in memory that stays flat."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from format_writers import samples_of
from hypothesis import given, settings
from hypothesis import strategies as st
from watching import HOG, LINES, PICO, ROOT, RUN, SYNTHETIC, WAKE, cut, raw

import tracecheck
from tracecheck.capture.scan import scan_windows
from tracecheck.capture.vcd import declarations
from tracecheck.cli import main
from tracecheck.decoding.find import wire
from tracecheck.export.vcd import write_vcd
from tracecheck.live.load import Load
from tracecheck.live.sources import VcdStream
from tracecheck.live.watcher import Watcher
from tracecheck.rules.file import load_many
from tracecheck.rules.finding import Finding

CASES = [(HOG, ["three-pin", "embassy-rp", "i2c"]), (PICO / "pico-stretch.sr", ["three-pin", "embassy-rp"])]
CASES += [
    (SYNTHETIC / "synthetic-late-wake.sr", ["three-pin", "embassy-rp"]),
    (SYNTHETIC / "synthetic-cut-off.sr", ["i2c"]),
]


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
