"""A run of `analyze`: many captures, folders, several formats at once, and outputs that cannot be written."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tracecheck.cli import main

CAPTURES = Path(__file__).parent.parent / "captures"
LATE = ["--expect", "irq -> wake < 20us"]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a capture that passes LATE and, in a folder of its own, one that does not."""
    (tmp_path / "recordings" / "late").mkdir(parents=True)
    (tmp_path / "recordings" / ".hidden").mkdir()
    clean = CAPTURES / "synthetic" / "synthetic-clean-two-pin.sr"
    shutil.copy(clean, tmp_path / "recordings" / "z.sr")
    shutil.copy(CAPTURES / "synthetic" / "synthetic-late-wake.sr", tmp_path / "recordings" / "late" / "a.SR")
    for not_taken in (".hidden/b.sr", ".c.sr", "notes.txt"):
        shutil.copy(clean, tmp_path / "recordings" / not_taken)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_is_every_capture_in_it(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "recordings", *LATE, "--quiet"]) == 1
    out, err = capfd.readouterr()
    assert out == (
        "recordings/late/a.SR: FAIL: 1 of 1 rule failed (1 finding); 8 transfers\n"
        "recordings/z.sr: PASS: 1 rule passed; 8 transfers\n"
    )
    assert not err


def test_a_capture_named_twice_is_judged_once(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "recordings/z.sr", "recordings/late", "recordings", *LATE, "--quiet"]) == 1
    assert [line.split(":")[0] for line in capfd.readouterr().out.splitlines()] == [
        "recordings/z.sr",
        "recordings/late/a.SR",
    ]


def test_the_text_of_many_ends_with_a_count(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "recordings", "nowhere.sr", *LATE]) == 1
    out = capfd.readouterr().out
    assert out.endswith("\n\n3 captures: 1 passed, 1 failed, 1 could not be checked\n")
    assert main(["analyze", "recordings/z.sr", *LATE]) == 0
    assert "1 capture" not in capfd.readouterr().out


def test_json_of_one_named_capture_is_its_object_and_of_a_folder_a_list(
    desk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", "recordings/late/a.SR", *LATE, "--format", "json"]) == 1
    one = json.loads(capfd.readouterr().out)
    assert main(["analyze", "recordings/late", *LATE, "--format", "json"]) == 1
    many = json.loads(capfd.readouterr().out)
    assert many == {"schema": 1, "verdict": "fail", "exit_code": 1, "captures": [one]}


def test_several_formats_in_one_run(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ["analyze", "recordings", *LATE, "--report", "json=verdicts.json", "--report", "text=verdicts.txt"]
    assert main(arguments) == 1
    printed = capfd.readouterr().out
    assert (desk / "verdicts.txt").read_text() == printed
    assert [one["verdict"] for one in json.loads((desk / "verdicts.json").read_text())["captures"]] == ["fail", "pass"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "jsn"], '--format: no format "jsn"; did you mean "json"? (formats: '),
        (["--report", "report.xml"], "--report report.xml: write FORMAT=FILE, for example junit=report.xml\n"),
        (["--report", "json="], "--report json=: write FORMAT=FILE, for example junit=report.xml\n"),
        (["--report", "jsn=x"], '--report jsn=x: no format "jsn"; did you mean "json"? (formats: '),
        (
            ["--report", "json=x", "-o", "x"],
            "x: two formats cannot go to one file; give each its own\n",
        ),
        (["--report", "json=recordings"], "recordings: this is a folder; name a file in it\n"),
        (
            ["--report", "json=recordings/z.sr"],
            "recordings/z.sr: this is an input; give -o another name, or the recording is lost\n",
        ),
        (
            ["--report", "json=no/where.json"],
            'no/where.json: cannot write here: No such file or directory; make the folder "no" first\n',
        ),
        (
            ["--report", "text=a.txt", "--report", "json=/dev/full"],
            "/dev/full: writing failed: No space left on device\n",
        ),
    ],
)
def test_outputs_that_cannot_be_written_leave_nothing_behind(
    arguments: list[str], message: str, desk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = sorted(desk.rglob("*"))
    assert main(["analyze", "recordings", *LATE, *arguments]) == 2
    out, err = capfd.readouterr()
    assert not out
    assert err.startswith(f"tracecheck: {message}")
    assert sorted(desk.rglob("*")) == before


def test_a_reader_of_standard_output_that_goes_early_does_not_cost_the_files(desk: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "tracecheck",
        "analyze",
        "recordings",
        *LATE,
        "-v",
        "--report",
        "json=verdicts.json",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (1, b"")
    assert json.loads((desk / "verdicts.json").read_text())["exit_code"] == 1
