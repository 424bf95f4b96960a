"""What the command line says to wrong inputs: the whole message, nothing on standard output, exit code 2."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sr_builder import Entry, archive

from tracecheck.capture.memory import ArrayCapture
from tracecheck.cli import main
from tracecheck.export.sr import write_sr

CAPTURES = Path(__file__).parent.parent / "captures"
CHANNELS = "(channels: SCL, SDA, IRQ, PENDING, RUN)"
WRONG: list[tuple[list[str], str]] = [
    (["nowhere.sr"], "nowhere.sr: there is no such file; check the name and the folder"),
    (
        ["text.sr"],
        (
            "text.sr: not a capture that tracecheck can read: it knows sigrok sessions (.sr), VCD, FST, Saleae's "
            "binary export, CSV, and raw binary where --unitsize tells its width"
        ),
    ),
    (["nothing.sr"], "nothing.sr: is empty (0 bytes); record or copy it again"),
    (["a.sr", "--scl", "SLC", "--sda", "SDA"], f'a.sr: no channel "SLC"; did you mean "SCL"? {CHANNELS}'),
    (["a.sr", "--scl", "99", "--sda", "SDA"], f'a.sr: no channel "99" {CHANNELS}'),
    (["a.sr", "--scl", "SCL", "--sda", "SCL"], 'bus "i2c0", sda: SCL and SDA are the same channel "SCL"'),
    (["a.sr", "--marker", "irq=IRX"], f'a.sr: no channel "IRX"; did you mean "IRQ"? {CHANNELS}'),
    (
        ["a.sr", "--marker", "irq"],
        "--marker irq: write NAME=CHANNEL[:CODING], for example irq=D2 or irq=D2:level-low",
    ),
    (["a.sr", "--marker", "irq=IRQ:levle"], '--marker irq=IRQ:levle: unknown coding "levle"; did you mean "level"?'),
    (
        ["a.sr", "--marker", "irq=IRQ:pulse-count=two"],
        '--marker irq=IRQ:pulse-count=two: "two" is not a number of pulses; write pulse-count=2',
    ),
    (
        ["a.sr", "--marker", "mine=IRQ:pulse-count"],
        "--marker mine=IRQ:pulse-count: how many pulses mean it? Write for example pulse-count=3",
    ),
    (
        ["a.sr", "--marker", "stop=IRQ"],
        '--marker stop=IRQ: "stop" is a word of the rule language and cannot name a marker',
    ),
    (["a.sr", "--bus", "one"], "--bus one: no channels; write NAME:scl=CHANNEL,sda=CHANNEL"),
    (
        ["a.sr", "--bus", "one:slc=1,sda=2"],
        '--bus one:slc=1,sda=2: "slc=1" is not understood; write NAME:scl=CHANNEL,sda=CHANNEL',
    ),
    (
        ["a.sr", "--bus", "one:scl=0,sda=1", "--bus", "one:scl=2,sda=3"],
        '--bus: "one" is given twice; each bus needs a name of its own',
    ),
    (
        ["a.sr", "--bus", "one:scl=0,sda=1", "--scl", "0"],
        "--scl and --sda name the lines of one bus; with --bus, give them inside it",
    ),
    (
        ["a.sr", "--samplerate", "fast"],
        '--samplerate: "fast" is not a samplerate; write it like "24 MHz", "500k" or "1000000"',
    ),
    (["a.sr", "--max-samples", "10"], "a.sr: declares 255488 samples, more than the limit of 10; raise --max-samples"),
    (["a.sr", "--max-samples", "-1"], "--max-samples: -1 makes no sense; give a number of samples"),
]
ANALYZE: list[tuple[list[str], str]] = [
    (
        ["a.sr", "--expect", "irq => wake"],
        (
            '--expect: "=" instead of "->" or "<-"; forms: "irq.begin -> wake < 20us", "irq.begin <- stop within 5us", '
            '"every start < 11ms", "never glitch", "order: start data* stop"\n  irq => wake\n      ^'
        ),
    ),
    (
        ["a.sr", "--expect", "irq -> wakee"],
        '--expect: rule "expect-1", response: unknown event or marker "wakee"; did you mean "wake"?',
    ),
    (["a.sr", "--rules", "embasy-rp"], 'embasy-rp: no such file or preset; did you mean "embassy-rp"?'),
    (["a.sr", "--rules", "folder"], "folder: a folder, not a rule file"),
    (["a.sr", "-o", "no/where"], 'no/where: cannot write here: No such file or directory; make the folder "no" first'),
    (["a.sr", "-o", "folder"], "folder: this is a folder; name a file in it"),
]
DECODE: list[tuple[list[str], str]] = [
    (
        ["a.sr", "--table", "transfer"],
        (
            '--table: no table "transfer"; did you mean "transfers"? (tables: bytes, messages, transfers, markers, '
            "anomalies, stretches, timings, timeline)"
        ),
    ),
    (
        ["a.sr", "--table", "bytes", "--format", "sigrok"],
        "--format sigrok shows no table; leave --table out, or use csv, jsonl, parquet, arrow",
    ),
    (
        ["quiet.sr"],
        "quiet.sr: no I2C bus found by name or behaviour; name its lines with --scl and --sda (channels: A, B)",
    ),
]
SHOW: list[tuple[list[str], str]] = [
    (["a.sr", "8"], "a.sr: no transfer 8 on i2c0; they are 0 to 7"),
    (["a.sr", "1", "--bus", "i2c1"], '--bus: no bus "i2c1"; did you mean "i2c0"? (buses: i2c0)'),
    (["two.sr", "1"], "there are several buses; say which with --bus (buses: i2c0, i2c1)"),
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with captures and things that are none."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copy(CAPTURES / "synthetic/synthetic-late-wake.sr", folder / "a.sr")
    shutil.copy(CAPTURES / "synthetic/synthetic-clean-two-buses.sr", folder / "two.sr")
    (folder / "folder").mkdir()
    (folder / "text.sr").write_text("not a capture")
    (folder / "nothing.sr").write_bytes(b"")
    quiet = ArrayCapture(np.zeros(1000, np.uint8), 1_000_000, ("A", "B"))
    write_sr(folder / "quiet.sr", quiet.edges([0, 1]), rate_hz=1_000_000, channels=quiet.channels)
    metadata = b"[device 1]\ncapturefile=logic-1\nsamplerate=1 MHz\ntotal probes=1\nprobe1=A\nunitsize=1\n"
    members = [Entry("version", b"2"), Entry("metadata", metadata), Entry("logic-1-1", b"")]
    (folder / "empty.sr").write_bytes(archive(members))
    return folder


def _refused(
    desk: Path, arguments: list[str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> str:
    monkeypatch.chdir(desk)
    before = sorted(desk.rglob("*"))
    code = main(arguments)
    out, err = capfd.readouterr()
    assert code == 2
    assert not out
    assert sorted(desk.rglob("*")) == before
    assert err.startswith("tracecheck: ")
    return err.removeprefix("tracecheck: ").removesuffix("\n")


@pytest.mark.parametrize("command", ["analyze", "decode", "info"])
@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_every_command_refuses(
    command: str,
    arguments: list[str],
    message: str,
    desk: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert _refused(desk, [command, *arguments], capfd, monkeypatch) == message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        *((["analyze", *arguments], message) for arguments, message in ANALYZE),
        *((["decode", *arguments], message) for arguments, message in DECODE),
        *((["show", *arguments], message) for arguments, message in SHOW),
        (
            ["analyze", "folder"],
            "folder: is a folder with no captures in it (*.sr, *.vcd, *.fst); name the files, or another folder",
        ),
        *(
            (name, "folder: is a folder, not a capture; give a file in it")
            for name in (["decode", "folder"], ["info", "folder"])
        ),
        (["analyze", "empty.sr"], "empty.sr: the capture is empty (0 samples); record it again"),
        (["decode", "empty.sr"], "empty.sr: the capture is empty (0 samples); record it again"),
        (["show", "empty.sr", "0"], "empty.sr: the capture is empty (0 samples); record it again"),
        (["rules", "show", "i3c"], 'i3c: no such file or preset; did you mean "i2c"?'),
        (
            ["rules", "show", "mine", "--raw"],
            (
                '--raw prints presets, and none is called "mine" '
                "(presets: embassy-rp, i2c, i2c-fast, i2c-fast-plus, i2c-standard, irq-only, one-pin, rp2040-timing, "
                "smbus, three-pin, two-pin)"
            ),
        ),
    ],
)
def test_command_refuses(
    arguments: list[str], message: str, desk: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _refused(desk, arguments, capfd, monkeypatch) == message


def test_an_empty_capture_still_has_a_directory(
    desk: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk)
    assert main(["info", "empty.sr"]) == 0
    out, err = capfd.readouterr()
    assert "Warning: the capture is empty (0 samples); record it again\n" in out
    assert not err


def test_an_unreadable_capture_stops_no_other(
    desk: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk)
    assert main(["analyze", "nowhere.sr", "a.sr", "--expect", "never missing-stop", "--quiet"]) == 2
    out, err = capfd.readouterr()
    assert out == "a.sr: PASS: 1 rule passed; 8 transfers\n"
    assert err == "tracecheck: nowhere.sr: there is no such file; check the name and the folder\n"


def test_a_failure_outranks_what_could_not_be_checked(
    desk: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk)
    assert main(["analyze", "nowhere.sr", "a.sr", "--expect", "irq -> wake < 20us", "--quiet"]) == 1
    assert capfd.readouterr().out == "a.sr: FAIL: 1 of 1 rule failed (1 finding); 8 transfers\n"


def test_what_stood_at_the_output_outlives_a_failure(
    desk: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk)
    kept = desk / "verdict.txt"
    kept.write_text("the last one")
    assert main(["analyze", "nowhere.sr", "-o", "verdict.txt"]) == 2
    assert main(["decode", "quiet.sr", "-o", "verdict.txt"]) == 2
    assert kept.read_text() == "the last one"
    kept.unlink()


def test_a_capture_without_a_bus_is_said_to_have_none(
    desk: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk)
    assert main(["analyze", "quiet.sr", "-q"]) == 2
    assert capfd.readouterr().out == (
        "quiet.sr: INCONCLUSIVE: no bus and no marker found, so no rules to judge by; name the lines with --scl and "
        "--sda, pins with --marker, or give --rules or --expect; 0 transfers\n"
    )


def test_a_marker_that_the_capture_lacks_never_passes(
    desk: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk)
    assert main(["analyze", "quiet.sr", "--expect", "irq -> wake", "--scl", "A", "--sda", "B"]) == 2
    out = capfd.readouterr().out
    assert "Not checked: it needs irq.begin and wake, and there is no marker irq or run" in out
    assert out.endswith("INCONCLUSIVE: 1 of 1 rule could not be checked: expect-1; 0 transfers\n")


@pytest.mark.parametrize(
    ("arguments", "words", "command"),
    [
        (["analyse"], "'analyse'", "tracecheck"),
        (
            ["analyze", "a.sr", "--fail-on", "warn"],
            "'warn' is not one of 'error', 'warning', 'note'",
            "tracecheck analyze",
        ),
        (["decode", "a.sr", "--sdda", "1"], "--sdda", "tracecheck decode"),
        (["show", "a.sr", "three"], "'TRANSFER'", "tracecheck show"),
        (["rules", "lint"], "'FILE'", "tracecheck rules lint"),
    ],
)
def test_wrong_usage_names_the_help(
    arguments: list[str],
    words: str,
    command: str,
    desk: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, last = _refused(desk, arguments, capfd, monkeypatch).split("\n")
    assert words in first
    assert last == f"Try: {command} --help"


@pytest.mark.parametrize("command", [["decode"], ["analyze", "--format", "json"]])
def test_the_output_never_takes_the_place_of_the_recording(tmp_path: Path, command: list[str]) -> None:
    recording = tmp_path / "mine.sr"
    recording.write_bytes((CAPTURES / "synthetic" / "synthetic-late-wake.sr").read_bytes())
    before = recording.read_bytes()
    run = subprocess.run(
        [sys.executable, "-m", "tracecheck", *command, str(recording), "-o", str(recording)],
        capture_output=True,
        text=True,
        check=False,
    )
    said = f"tracecheck: {recording}: this is an input; give -o another name, or the recording is lost\n"
    assert (run.returncode, run.stderr) == (2, said)
    assert recording.read_bytes() == before


def test_a_marker_given_twice_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    capture = str(CAPTURES / "synthetic" / "synthetic-late-wake.sr")
    assert main(["analyze", capture, "--marker", "irq=IRQ", "--marker", "irq=RUN"]) == 2
    assert capsys.readouterr().err == 'tracecheck: --marker: "irq" is given twice; a marker is one channel\n'


def test_a_marker_that_no_preset_knows_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    """On a pin that would have been found by its name: with another it would be judged by nothing, and pass."""
    capture = str(CAPTURES / "pico" / "pico-hog-executor.sr")
    assert main(["analyze", capture, "-q"]) == 1
    assert main(["analyze", capture, "-q", "--marker", "isr=IRQ"]) == 2
    assert capfd.readouterr().err == (
        'tracecheck: no rule looks at a marker "isr"; call it irq, pending or run, which the presets know, or give the '
        "rules that name it\n"
    )
    assert main(["analyze", capture, "-q", "--marker", "isr=IRQ", "--expect", "isr.begin <- wire < 100us"]) == 0
