"""The command line as a process: full disks, closed pipes, Ctrl-C, terminals, and what --help may load."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from format_writers import samples_of

import tracecheck.cli
from tracecheck import api
from tracecheck.cli import main

CAPTURES = Path(__file__).parent.parent / "captures"
CAPTURE = str(CAPTURES / "synthetic/synthetic-late-wake.sr")
RUN = [sys.executable, "-c", "import sys; from tracecheck.cli import main; sys.exit(main())"]
COMMANDS = [
    ["--help"],
    ["--version"],
    ["analyze", CAPTURE],
    ["show", CAPTURE, "3"],
    ["decode", CAPTURE],
    ["decode", CAPTURE, "--format", "sigrok"],
    ["decode", CAPTURE, "--format", "parquet"],
]


def run(*arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*RUN, *arguments], capture_output=True, text=True, timeout=60, check=False, **more)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_full_disk_is_a_message(arguments: list[str]) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = subprocess.run(
            [*RUN, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("tracecheck: standard output: ")
    assert done.stderr.splitlines()[-1].endswith("No space left on device")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_reader_that_leaves_is_no_error(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        done = subprocess.run(
            [*RUN, *arguments], stdout=closed, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert done.returncode == (1 if arguments[0] == "analyze" else 0)
    assert "Traceback" not in done.stderr
    assert "pipe" not in done.stderr.lower()


HOG = str(CAPTURES / "pico/pico-hog-executor.sr")
LATE = ["--scl", "1", "--sda", "0", "--marker", "irq=2", "--marker", "run=4", "--expect", "irq.begin -> wake < 100us"]


def watched(data: bytes, lines_read: int, *arguments: str) -> tuple[int, bytes, str]:
    """`watch` on these raw samples, over and over until it ends, read for so many lines by someone who leaves then."""
    command = [*RUN, "watch", "-", "--unitsize", "1", "--samplerate", "24MHz", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as watching:
        assert watching.stdin is not None
        assert watching.stdout is not None
        assert watching.stderr is not None
        if not lines_read:
            watching.stdout.close()
        read = b""
        with suppress(BrokenPipeError):
            for _ in range(4 if not lines_read else 2000):
                watching.stdin.write(data)
                while lines_read and select.select([watching.stdout], [], [], 0)[0]:
                    read += watching.stdout.readline()
                    lines_read -= 1
                    if not lines_read:
                        watching.stdout.close()
        with suppress(BrokenPipeError):
            watching.stdin.close()
        said = watching.stderr.read().decode()
        return watching.wait(timeout=60), read, said


@pytest.mark.parametrize("form", ["text", "jsonl"])
@pytest.mark.parametrize("lines_read", [0, 1])
def test_a_reader_that_leaves_changes_no_failure_of_watch(lines_read: int, form: str) -> None:
    samples = samples_of(tracecheck.open(HOG)).astype("u1").tobytes()
    code, read, said = watched(samples, lines_read, *LATE, "--format", form)
    assert (code, len(read.splitlines())) == (1, lines_read)
    assert "nobody reads standard output any more; the watching ended at " in said
    assert "Traceback" not in said


def test_a_reader_that_leaves_before_the_end_of_a_watch_makes_no_pass(tmp_path: Path) -> None:
    """Warnings only: nothing that counts has failed, but the rest of the stream was not judged."""
    samples = samples_of(tracecheck.open(HOG)).astype("u1").tobytes()
    rules = tmp_path / "warns.toml"
    rules.write_text(
        'version = 1\n[[rule]]\nid = "late"\nkind = "response"\ntrigger = "irq.begin"\nresponse = "wake"\nwithin = '
        '"100us"\nseverity = "warning"\n'
    )
    arguments = [*LATE[:-2], "--rules", str(rules)]
    code, read, said = watched(samples, 1, *arguments)
    assert (code, len(read.splitlines())) == (2, 1)
    assert "nobody reads standard output any more; the watching ended at " in said
    assert watched(samples, 1, *arguments, "--fail-on", "warning")[0] == 1
    # One that waits for the verdict, and leaves when the whole stream has been judged, takes nothing from it.
    assert watched(samples, 0, *arguments, "--quiet")[0] == 0


def test_a_reader_that_leaves_changes_no_mistake_of_rules(tmp_path: Path) -> None:
    """Much is written of the files without mistakes, which come first."""
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text("version = 1\n")
    bad.write_text("version = 1\nnothing = 1\n")
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        done = subprocess.run(
            [*RUN, "rules", "lint", *[str(good)] * 1000, str(bad)], stdout=closed, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 2


@pytest.mark.parametrize("command", COMMANDS[-4:-1], ids=" ".join)
def test_another_samplerate_than_the_file_says_is_told(command: list[str]) -> None:
    done = run(*command, "--samplerate", "12")
    assert "the given samplerate of 12 Hz is used" in done.stderr
    quiet = run(*command, "--quiet", "--samplerate", "12")
    assert "samplerate" not in quiet.stderr


def test_decode_of_a_damaged_capture_is_an_error_and_leaves_no_file(tmp_path: Path) -> None:
    broken = tmp_path / "broken.sr"
    data = bytearray(Path(CAPTURE).read_bytes())
    data[data.rindex(b"PK\x01\x02") + 16] ^= 1  # the CRC that the directory has of its last member, which are samples
    broken.write_bytes(data)
    done = run("decode", str(broken))
    assert done.returncode == 2
    assert "CRC" in done.stderr
    assert "Traceback" not in done.stderr
    out = tmp_path / "out.txt"
    assert run("decode", str(broken), "-o", str(out)).returncode == 2
    assert not out.exists()


def test_output_to_a_full_device_leaves_the_device() -> None:
    done = run("decode", CAPTURE, "--table", "bytes", "-o", "/dev/full")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "tracecheck: /dev/full: writing failed: No space left on device\n"
    assert Path("/dev/full").is_char_device()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["analyze", "--help"], ["rules", "show", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from tracecheck.cli import main; code = main(sys.argv[1:]);"
        "print([m for m in ('numpy', 'pyarrow', 'pandas', 'rich', 'tracecheck._i2c') if m in sys.modules],"
        "file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "[]\n")


def test_version() -> None:
    assert run("--version").stdout == f"tracecheck {tracecheck.__version__}\n"


@pytest.mark.parametrize("command", [[], ["analyze"], ["info"], ["decode"], ["show"], ["rules"]])
def test_every_help_teaches_by_example(command: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main([*command, "--help"]) == 0
    out = capfd.readouterr().out
    assert f"    tracecheck {' '.join(command)}".rstrip() in out
    assert max(map(len, out.splitlines())) <= 100


@pytest.mark.parametrize("command", [[], ["rules"]])
def test_lists_of_commands_are_whole_sentences(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """On the narrowest terminal that is usual none is cut with dots."""
    monkeypatch.setenv("COLUMNS", "80")
    assert main([*command, "--help"]) == 0
    listed = capfd.readouterr().out.partition("Commands:\n")[2].splitlines()
    assert len(listed) >= 5 and all(line.endswith(".") and not line.endswith("..") for line in listed)


def test_no_command_is_help_and_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    out, err = capfd.readouterr()
    assert not out
    assert err.startswith("Usage: tracecheck ")


def test_shell_completion() -> None:
    done = run(
        env={**os.environ, "_TRACECHECK_COMPLETE": "complete_bash", "COMP_WORDS": "tracecheck ana", "COMP_CWORD": "1"}
    )
    assert done.stdout.split() == ["analyze"]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda s: str(s.name))
def test_a_signal_leaves_nothing_behind(tmp_path: Path, sent: signal.Signals) -> None:
    """Ctrl-C, a CI job out of time, a closed terminal: between opening the output and writing it."""
    code = (
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL);"  # under nohup it is ignored, and stays so
        "import sys, time; import tracecheck; from tracecheck.cli import main;"
        "from tracecheck.cli import decode_tables;"
        "decode_tables.streamed = lambda *a, **k: (print('now', file=sys.stderr, flush=True), time.sleep(30));"
        "sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "decode", CAPTURE, "--table", "bytes", "-o", str(tmp_path / "bytes.csv")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        process.send_signal(sent)
        out, err = process.communicate(timeout=30)
    assert first == "now\n"
    assert (process.returncode, out, err) == (2, "", "tracecheck: interrupted; nothing was written\n")
    assert list(tmp_path.iterdir()) == []


def test_a_bug_is_one_line(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("oops\nmore")

    monkeypatch.setattr(api, "analyze", broken)
    monkeypatch.delenv("TRACECHECK_DEBUG", raising=False)
    assert main(["analyze", CAPTURE]) == 2
    out, err = capfd.readouterr()
    assert not out
    assert err == (
        "tracecheck: internal error: KeyError: 'oops\\nmore'; please report it "
        "(TRACECHECK_DEBUG=1 shows where it happened)\n"
    )
    monkeypatch.setenv("TRACECHECK_DEBUG", "1")
    assert main(["analyze", CAPTURE]) == 2
    assert "Traceback" in capfd.readouterr().err


def test_ascii_streams_get_ascii() -> None:
    done = run("show", CAPTURE, "3", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "?" not in done.stdout
    assert "START -> STOP 99.1 us -> irq 792 ns" in done.stdout


def on_a_terminal(*arguments: str, **env: str) -> tuple[int, str]:
    """Runs with standard output and error on a terminal of its own."""
    parent, child = pty.openpty()
    with subprocess.Popen(
        [*RUN, *arguments], stdout=child, stderr=child, env={**os.environ, "TERM": "xterm", **env}
    ) as process:
        os.close(child)
        seen = _all(parent)
    return process.returncode, seen


def _all(terminal: int) -> str:
    """Everything that is shown until nobody holds the other end any more."""
    seen = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # Linux says EIO when the last writer has gone
            break
        if not piece:
            break
        seen += piece
    os.close(terminal)
    return seen.decode()


def test_colour_only_where_it_is_wanted() -> None:
    plain = {"NO_COLOR": "1"}
    code, text = on_a_terminal("analyze", CAPTURE)
    assert code == 1
    assert "\x1b[1;31mFAIL:\x1b[0m" in text
    for env in (plain, {"TERM": "dumb"}):
        assert "\x1b" not in on_a_terminal("analyze", CAPTURE, **env)[1]
    assert "\x1b" not in run("analyze", CAPTURE).stdout


def test_no_binary_on_a_terminal() -> None:
    code, text = on_a_terminal("decode", CAPTURE, "--format", "parquet", NO_COLOR="1")
    assert code == 2
    assert text.strip() == "tracecheck: --format parquet is binary and this is a terminal; give -o FILE"


def test_json_of_several_captures(tmp_path: Path) -> None:
    place = tmp_path / "verdicts.json"
    done = run("analyze", CAPTURE, "nowhere.sr", "--expect", "never void", "--format", "json", "-o", str(place))
    assert (done.returncode, done.stdout) == (2, "")
    found = json.loads(place.read_text())
    assert found["schema"] == 1
    assert [one["verdict"] for one in found["captures"]] == ["pass", "inconclusive"]
    assert found["captures"][1]["error"] == "nowhere.sr: there is no such file; check the name and the folder"


def test_progress_shows_on_a_terminal_only_and_not_when_quiet() -> None:
    code = (
        "import sys; from tracecheck.cli import main, progress; progress.PATIENCE_S = progress._EVERY_S = 0;"
        "sys.exit(main(sys.argv[1:]))"
    )
    show = [sys.executable, "-c", code, "decode", CAPTURE]
    seen = []
    for arguments in (show, [*show, "--quiet"]):
        parent, child = pty.openpty()
        with subprocess.Popen(
            arguments, stdout=subprocess.DEVNULL, stderr=child, env={**os.environ, "TERM": "xterm"}
        ) as process:
            os.close(child)
            seen.append(_all(parent))
        assert process.returncode == 0
    assert "decoding synthetic-late-wake.sr" in seen[0]
    assert "100%" in seen[0]
    assert not seen[1]
    assert (
        subprocess.run(show, capture_output=True, text=True, timeout=60, check=True).stderr
        == "tracecheck: 8 transfers\n"
    )


@pytest.mark.parametrize(
    ("name", "begins"), [("r.html", "<!doctype html>"), ("r.json", "{"), ("r.xml", "<?xml"), ("r.txt", "")]
)
def test_a_report_has_the_format_of_its_name(name: str, begins: str, tmp_path: Path) -> None:
    capture = str(CAPTURES / "synthetic" / "synthetic-clean-one-pin.sr")
    assert main(["analyze", capture, "-o", str(tmp_path / name)]) == 0
    text = (tmp_path / name).read_text()
    assert text.startswith(begins or capture)
    assert main(["analyze", capture, "-o", str(tmp_path / name), "--format", "json", "-q"]) == 0
    assert (tmp_path / name).read_text().startswith("{")


def test_a_name_of_no_format_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    capture = str(CAPTURES / "synthetic" / "synthetic-clean-one-pin.sr")
    assert main(["decode", capture, "-o", str(tmp_path / "x.xlsx")]) == 2
    assert capfd.readouterr().err.endswith(
        "x.xlsx: in which format? Give --format text, csv, jsonl, parquet, arrow or sigrok\n"
    )
    assert list(tmp_path.iterdir()) == []
