"""Recording through sigrok-cli: with its demo device, and with programs of its name that fail in every way."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import needs
import pytest

import tracecheck
from tracecheck.cli import main
from tracecheck.errors import UsageError
from tracecheck.live.record import trigger_of

CAPTURE = Path(__file__).parent.parent / "captures" / "sigrok-dumps" / "tca6408a.sr"
RULES = """version = 1
[bus.i2c0]
scl = "SCL"
sda = "SDA"

[[rule]]
id = "no-start"
kind = "absence"
event = "start"
scope = "capture"
"""
Said = pytest.CaptureFixture[str]

demo = needs.sigrok_cli
DEMO = ["record", "--driver", "demo", "--samplerate", "1MHz", "--channel", "D0=SCL", "--channel", "D1=SDA"]


@demo
def test_the_demo_device_is_recorded(tmp_path: Path, capfd: Said) -> None:
    out = tmp_path / "x.sr"
    assert main([*DEMO, "--samples", "30000", "-o", str(out)]) == 0
    assert capfd.readouterr() == (f"{out}: recorded with demo, 30.0 ms at 1 MHz; SCL, SDA\n", "")
    capture = tracecheck.open(out)
    assert (capture.samples, capture.rate_hz) == (30_000, 1_000_000)
    assert [channel.name for channel in capture.channels] == ["SCL", "SDA"]
    assert [file.name for file in tmp_path.iterdir()] == ["x.sr"]


@demo
def test_a_time_and_a_trigger(tmp_path: Path, capfd: Said) -> None:
    out = tmp_path / "x.sr"
    assert main([*DEMO, "--time", "50ms", "-o", str(out)]) == 0
    assert tracecheck.open(out).samples >= 45_000
    assert main([*DEMO, "--samples", "3000", "--trigger", "SCL=r", "-o", str(out), "--force", "-q"]) == 0
    assert tracecheck.open(out).samples > 0
    assert capfd.readouterr().err == ""


@demo
def test_samples_with_a_prefix(tmp_path: Path) -> None:
    out = tmp_path / "x.sr"
    assert main([*DEMO, "--samples", "1.5k", "-o", str(out), "--quiet"]) == 0
    assert tracecheck.open(out).samples == 1500


@demo
def test_it_is_judged_where_rules_are_given(tmp_path: Path, capfd: Said) -> None:
    rules, out = tmp_path / "r.toml", tmp_path / "x.sr"
    rules.write_text(RULES)
    assert main([*DEMO, "--samples", "30000", "-o", str(out), "--rules", str(rules)]) == 1
    recorded = capfd.readouterr().out
    assert main(["analyze", str(out), "--rules", str(rules)]) == 1
    assert recorded.endswith(capfd.readouterr().out) and "no-start" in recorded


@demo
def test_list(capfd: Said) -> None:
    assert main(["record", "--list", "--driver", "demo"]) == 0
    assert capfd.readouterr() == ("demo  Demo device: D0 D1 D2 D3 D4 D5 D6 D7 A0 A1 A2 A3 A4\n", "")


@demo
def test_ctrl_c_ends_a_recording_and_keeps_it(tmp_path: Path) -> None:
    out = tmp_path / "x.sr"
    ours = [sys.executable, "-c", "import sys; from tracecheck.cli import main; sys.exit(main())"]
    with subprocess.Popen([*ours, *DEMO, "-o", str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 30
        while not list(tmp_path.glob(".x.sr.*/draft.sr")) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        try:
            said = process.communicate(timeout=30)[1].decode()
        finally:
            process.kill()
    assert process.returncode == 0, said
    assert said == "tracecheck: recording until Ctrl-C\ntracecheck: stopped; this is what was recorded until then\n"
    assert tracecheck.open(out).samples > 0


DEVICE = "demo - Toy analyzer with 3 channels: D0 D1 A0"


def toy(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str, scan: str = DEVICE) -> None:
    """A sigrok-cli of our own on the PATH: it finds one device, and records as `body` says (`$out` is its file)."""
    program = folder / "bin" / "sigrok-cli"
    program.parent.mkdir(exist_ok=True)
    program.write_text(
        f"#!/bin/bash\ncase \"$*\" in *--scan*) echo '{scan}'; exit 0;; esac\n"
        'while [ $# -gt 0 ]; do case "$1" in --output-file) out="$2";; --samples) samples="$2";; esac; shift; done\n'
        f"{body}\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")


TOY = ["record", "--driver", "demo", "--samples", "100"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (
            f"cp {CAPTURE} $out; echo 'device disconnected' >&2; exit 1",
            "sigrok-cli ended with code 1: device disconnected",
        ),
        (f"cp {CAPTURE} $out; kill -9 $$", "sigrok-cli was ended by signal 9: it gave no reason"),
    ],
)
def test_unplugged_midway(body: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Said) -> None:
    """What was recorded is kept, and no recording of before is lost to it."""
    toy(tmp_path, monkeypatch, body)
    out, part = tmp_path / "x.sr", tmp_path / "x.partial.sr"
    out.write_text("of before")
    assert main([*TOY, "-o", str(out), "--force", "-q"]) == 2
    said = f"tracecheck: {why}; what was recorded until then is kept in {part} and not judged\n"
    assert capfd.readouterr() == ("", said)
    assert out.read_text() == "of before"
    assert part.read_bytes() == CAPTURE.read_bytes()


def test_what_broke_off_before_is_kept_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Said) -> None:
    toy(tmp_path, monkeypatch, f"cp {CAPTURE} $out; exit 1")
    parts = [tmp_path / f"x.partial{more}.sr" for more in ("", "-2", "-3")]
    for part in parts:
        assert main([*TOY, "-o", str(tmp_path / "x.sr"), "-q"]) == 2
        assert f"is kept in {part} and" in capfd.readouterr().err
        assert part.read_bytes() == CAPTURE.read_bytes()
        part.write_text(part.name)
    assert [part.read_text() for part in parts] == [part.name for part in parts]


def test_nothing_is_recorded_over_a_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Said) -> None:
    """It is said before the analyzer is touched, not after an hour of recording."""
    toy(tmp_path, monkeypatch, f"touch {tmp_path}/run; cp {CAPTURE} $out")
    out = tmp_path / "x.sr"
    out.write_text("of before")
    assert main([*TOY, "-o", str(out)]) == 2
    said = f"tracecheck: {out}: there is a file already; --force writes over it, -o names another\n"
    assert capfd.readouterr() == ("", said)
    assert out.read_text() == "of before" and not (tmp_path / "run").exists()
    assert main([*TOY, "-o", str(out), "--force"]) == 0
    assert out.read_bytes() == CAPTURE.read_bytes()


def test_unplugged_without_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Said) -> None:
    """Some drivers end as if all were well; the number of samples tells."""
    toy(tmp_path, monkeypatch, f"cp {CAPTURE} $out")
    there = tracecheck.open(CAPTURE).samples
    out, part = tmp_path / "x.sr", tmp_path / "x.partial.sr"
    assert main(["record", "--driver", "demo", "--samples", str(there), "-o", str(out), "-q"]) == 0
    assert main(["record", "--driver", "demo", "--samples", str(there + 1), "-o", str(out), "--force", "-q"]) == 2
    assert capfd.readouterr().err == (
        f"tracecheck: the device sent {there} samples and stopped before the end; was it unplugged?; "
        f"what was recorded until then is kept in {part} and not judged\n"
    )


def test_half_a_session_is_kept_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Said) -> None:
    toy(tmp_path, monkeypatch, f"head -c 700 {CAPTURE} > $out; exit 1")
    part = tmp_path / "x.partial.sr"
    assert main([*TOY, "-o", str(tmp_path / "x.sr"), "-q"]) == 2
    said = capfd.readouterr().err
    assert said.startswith(
        f"tracecheck: {part}: sigrok-cli ended with code 1: it gave no reason; what was recorded cannot"
    )
    assert said.endswith("and is kept there\n")
    assert part.read_bytes() == CAPTURE.read_bytes()[:700]
    assert not (tmp_path / "x.sr").exists()


def test_nothing_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Said) -> None:
    toy(tmp_path, monkeypatch, "echo 'Failed to open device.' >&2; exit 1")
    assert main([*TOY, "-o", str(tmp_path / "x.sr"), "-q"]) == 2
    assert capfd.readouterr().err == (
        "tracecheck: demo: nothing was recorded: sigrok-cli ended with code 1: Failed to open device.\n"
    )
    assert [file.name for file in tmp_path.iterdir()] == ["bin"]


def test_another_rate_than_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Said) -> None:
    toy(tmp_path, monkeypatch, f"cp {CAPTURE} $out")
    out = tmp_path / "x.sr"
    assert main([*TOY, "--samplerate", "7MHz", "-o", str(out), "-q"]) == 2
    assert capfd.readouterr().err.startswith(f"tracecheck: {out}: asked for 7 MHz, and the recording says ")
    assert out.exists()


def test_no_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Said) -> None:
    toy(tmp_path, monkeypatch, "exit 1", scan="")
    assert main([*TOY, "-o", str(tmp_path / "x.sr")]) == 2
    assert main(["record", "--list"]) == 2
    assert capfd.readouterr().err == (
        "tracecheck: --driver demo: no device answers; is it plugged in, and may you use it? "
        "tracecheck record --list shows what answers\n"
        "tracecheck: no device answers; is it plugged in, and may you use it? "
        "(fx2lafw needs its firmware, too; on Debian: apt install sigrok-firmware-fx2lafw)\n"
    )


def test_what_a_driver_needs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Said) -> None:
    needs_it = "(fx2lafw needs its firmware, too; on Debian: apt install sigrok-firmware-fx2lafw)\n"
    fx2lafw = ["record", "--driver", "fx2lafw:conn=1.5", "-o", str(tmp_path / "x.sr"), "-q"]
    toy(tmp_path, monkeypatch, "exit 1", scan="")
    assert main(fx2lafw) == 2
    assert capfd.readouterr().err == (
        "tracecheck: --driver fx2lafw:conn=1.5: no device answers; is it plugged in, and may you use it? "
        f"tracecheck record --list shows what answers {needs_it}"
    )
    toy(tmp_path, monkeypatch, "echo 'Failed to open device.' >&2; exit 1", scan="fx2lafw - A with 2 channels: D0 D1")
    assert main(fx2lafw) == 2
    assert capfd.readouterr().err == (
        "tracecheck: fx2lafw:conn=1.5: nothing was recorded: sigrok-cli ended with code 1: Failed to open device. "
        f"{needs_it}"
    )


@pytest.mark.parametrize(
    ("text", "count"), [("7", "7"), ("100k", "100000"), ("1.5M", "1500000"), (" 2 m", "2000000"), ("0.001k", "1")]
)
def test_samples_are_counted_with_prefixes(
    text: str, count: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Said
) -> None:
    toy(tmp_path, monkeypatch, 'echo "asked for $samples" >&2; exit 1')
    assert main(["record", "--driver", "demo", "--samples", text, "-o", str(tmp_path / "x.sr")]) == 2
    assert capfd.readouterr().err.endswith(f": asked for {count}\n")


@pytest.mark.parametrize("text", ["0", "0k", "1.5", "-3", "100x", "", "many", "1e5", "0.0001k"])
def test_what_is_no_number_of_samples(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Said) -> None:
    toy(tmp_path, monkeypatch, "exit 1")
    assert main(["record", "--driver", "demo", "--samples", text, "-o", str(tmp_path / "x.sr")]) == 2
    assert capfd.readouterr().err == (
        f'tracecheck: --samples: "{text}" is no number of samples from 1 on; write it like 100000, 100k or 1.5M\n'
    )


def test_a_time_without_a_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Said) -> None:
    toy(tmp_path, monkeypatch, "exit 1")
    assert main(["record", "--driver", "demo", "--time", "1", "-o", str(tmp_path / "x.sr")]) == 2
    assert capfd.readouterr().err == (
        'tracecheck: --time: "1" has no unit; write for example "1s" (units: ns, us, ms, s)\n'
    )


def test_without_sigrok(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Said) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main([*TOY, "-o", str(tmp_path / "x.sr")]) == 2
    assert capfd.readouterr().err == "tracecheck: sigrok-cli is not installed; on Debian: apt install sigrok-cli\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--channel", "D9=SCL"], '--channel D9=SCL: Toy analyzer has no channel "D9" (channels: D0 D1 A0)'),
        (["--time", "1s"], "--time and --samples both say how long; give one"),
        (
            ["--samplerate", "fast"],
            '--samplerate: "fast" is not a samplerate; write it like "24 MHz", "500k" or "1000000"',
        ),
        (["--ms", "50"], "--ms is of --emulate; leave it out with --driver"),
        (["--rate", "1MHz", "--pin", "A=1"], "--pin and --rate are of --emulate; leave them out with --driver"),
        (["--emulate", "fw.elf"], "--emulate and --driver: record from one of them"),
        (
            ["--trigger", "D0"],
            (
                '--trigger: "D0": write CHANNEL=CONDITION, for example SDA=f '
                "(0 low, 1 high, r rising, f falling, e either edge)"
            ),
        ),
        (["--trigger", "D7=r"], '--trigger: no channel "D7" is recorded (recorded: D0 D1)'),
    ],
)
def test_mistakes(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Said
) -> None:
    toy(tmp_path, monkeypatch, "exit 1")
    out = tmp_path / "x.sr"
    assert main([*TOY, *arguments, "-o", str(out)]) == 2
    assert capfd.readouterr() == ("", f"tracecheck: {said}\n")
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--driver", "demo"], "record where to? Give -o FILE.sr"),
        (
            ["--driver", "demo", "-o", "x.vcd"],
            "-o x.vcd: recordings are written as sigrok sessions; give a name that ends in .sr",
        ),
        (["--emulate", "f.elf", "--time", "1s", "-o", "x.sr"], "--time is of --driver; leave it out with --emulate"),
        (
            ["--list", "-o", "x.sr", "--emulate", "f.elf"],
            "--list shows devices and records nothing; leave --emulate and -o out",
        ),
    ],
)
def test_what_does_not_go_together(arguments: list[str], said: str, capfd: Said) -> None:
    assert main(["record", *arguments]) == 2
    assert capfd.readouterr() == ("", f"tracecheck: {said}\n")


def test_triggers_take_either_name_of_a_channel() -> None:
    channels = [("D0", "SCL"), ("D1", "SDA")]
    assert trigger_of("SDA=f,D0=1", channels) == "SDA=f,SCL=1"
    with pytest.raises(UsageError):
        trigger_of("SDA=x", channels)
