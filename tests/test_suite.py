"""Suite files: what they name, what `analyze` without arguments makes of them, and every mistake in one at once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tracecheck.capture.folder import SUFFIXES
from tracecheck.cli import main
from tracecheck.errors import SuiteError
from tracecheck.suite.file import load_suites

SYNTHETIC = Path(__file__).parent.parent / "captures" / "synthetic"
KINDS = ", ".join(f"*{suffix}" for suffix in SUFFIXES)
SUITE = """version = 1

[[suite]]
name = "clean"
captures = ["rec/*clean*.sr", "rec/more"]
rules = ["rules/two-pin.rules.toml"]

[[suite]]
captures = "rec/synthetic-late-wake.sr"
expect = "irq -> wake < 20us"
verdict = "fail"
"""
MISTAKEN = """version = 2
nme = 1
[[suite]]
name = "board"
captures = ["rec/synthetic-late-wke.sr", "nowhere/x.sr", "nowhere/*.sr", "rules"]
rules = ["rules/two-pin.rles.toml", "embasy-rp", "i2c"]
expect = ["irq => wake", "never missing-stop"]
samplerate = "fast"
[[suite]]
name = "board"
captures = "rec"
verdict = "maybe"
[[suite]]
rules = "i2c"
[[suite]]
captures = []
[[suite]]
captures = ["rec", 3]
fail-on = "note"
[[suite]]
captures = "rec"
rules = "rules/wrong.toml"
"""
MISTAKES = """s.toml:1:11: version 2 is not known; this tracecheck reads version 1
s.toml:2:1: unknown key "nme" (keys: version, suite)
s.toml:5:13: suite "board", captures: there is no "rec/synthetic-late-wke.sr"; did you mean "synthetic-late-wake.sr"?
s.toml:5:42: suite "board", captures: there is no "nowhere/x.sr"; there is no folder "nowhere"
s.toml:5:58: suite "board", captures: nothing matches "nowhere/*.sr"
s.toml:5:74: suite "board", captures: "rules" is a folder with no captures in it (KINDS); name the files, \
or another folder
s.toml:6:10: suite "board", rules: no file or preset "rules/two-pin.rles.toml"; did you mean "two-pin.rules.toml"?
s.toml:6:37: suite "board", rules: no file or preset "embasy-rp"; did you mean "embassy-rp"?
s.toml:7:11: suite "board", expect: "=" instead of "->" or "<-"; forms: "irq.begin -> wake < 20us", \
"irq.begin <- stop within 5us", "every start < 11ms", "never glitch", "order: start data* stop"
s.toml:8:14: suite "board", samplerate: "fast" is not a samplerate; write it like "24 MHz", "500k" or "1000000"
s.toml:10:8: suite "board" is there already, in line 3; give each suite its own name
s.toml:12:11: suite "board", verdict: unknown value "maybe" (known: pass, fail)
s.toml:13:1: suite "suite 3" lacks the key "captures"; add for example captures = ["recordings/*.sr"]
s.toml:16:12: suite "suite 4", captures: an empty list; name captures, folders or patterns such as "recordings/*.sr"
s.toml:18:12: suite "suite 5", captures: expected a list of strings, found a list
s.toml:19:1: unknown key "fail-on" in suite "suite 5"; did you mean "fail_on"?
rules/wrong.toml:1:11: version 3 is not known; this tracecheck reads version 1"""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rec" / "more").mkdir(parents=True)
    (tmp_path / "rules").mkdir()
    (tmp_path / "below" / "it").mkdir(parents=True)
    shutil.copy(SYNTHETIC / "synthetic-clean-two-pin.sr", tmp_path / "rec")
    shutil.copy(SYNTHETIC / "synthetic-clean-two-pin.sr", tmp_path / "rec" / "more" / "b.sr")
    shutil.copy(SYNTHETIC / "synthetic-late-wake.sr", tmp_path / "rec")
    for rules in SYNTHETIC.glob("*.rules.toml"):
        shutil.copy(rules, tmp_path / "rules")
    (tmp_path / "rules" / "wrong.toml").write_text("version = 3\n")
    (tmp_path / "tracecheck.toml").write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_suite_names_captures_and_rules_relative_to_itself(desk: Path) -> None:
    first, second = load_suites(desk / "tracecheck.toml")
    assert first.captures == tuple(str(desk / p) for p in ("rec/synthetic-clean-two-pin.sr", "rec/more/b.sr"))
    assert (first.name, second.name) == ("clean", "suite 2")
    assert first.rules.sources[-1] == str(desk / "rules" / "two-pin.rules.toml")
    (rule,) = second.rules.rules
    assert (rule.source, rule.line) == (str(desk / "tracecheck.toml"), 10)
    assert (second.terms.verdict, second.terms.place) == ("fail", (str(desk / "tracecheck.toml"), 8))


def test_analyze_without_arguments_runs_it(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "--quiet"]) == 0
    out, err = capfd.readouterr()
    assert out == (
        "rec/synthetic-clean-two-pin.sr: PASS: 10 rules passed; 8 transfers\n"
        "rec/more/b.sr: PASS: 10 rules passed; 8 transfers\n"
        "rec/synthetic-late-wake.sr: FAIL: 1 of 1 rule failed (1 finding); 8 transfers; as expected: the suite wants "
        "this capture to fail\n"
    )
    assert not err


def test_from_a_folder_below_the_paths_are_seen_from_there(
    desk: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk / "below" / "it")
    assert main(["analyze", "--format", "json"]) == 0
    found = json.loads(capfd.readouterr().out)["captures"]
    assert [one["capture"]["path"] for one in found] == [
        "../../rec/synthetic-clean-two-pin.sr",
        "../../rec/more/b.sr",
        "../../rec/synthetic-late-wake.sr",
    ]
    assert [(one["suite"], one["expected"], one["verdict"], one["exit_code"]) for one in found] == [
        ("clean", "pass", "pass", 0),
        ("clean", "pass", "pass", 0),
        ("suite 2", "fail", "fail", 0),
    ]


def test_a_wanted_failure_that_does_not_come_is_one(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (desk / "tracecheck.toml").write_text(SUITE.replace("20us", "2ms"))
    assert main(["analyze"]) == 1
    out = capfd.readouterr().out
    assert "PASS: 1 rule passed; 8 transfers\nNOT AS EXPECTED: the suite wants this capture to fail\n" in out
    assert out.endswith("\n3 captures: 2 passed, 1 failed\n")


def test_the_command_line_has_the_last_word_on_severity(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = (
        'version = 1\n[[suite]]\ncaptures = "rec/synthetic-late-wake.sr"\nrules = ["embassy-rp"]\nfail_on = "error"\n'
    )
    (desk / "tracecheck.toml").write_text(text.replace("embassy-rp", "rules/warn.toml"))
    warn = (
        "[[rule]]\nid='w'\nkind='response'\ntrigger='irq.begin'\nresponse='wake'\nwithin='20us'\nseverity='warning'\n"
    )
    (desk / "rules" / "warn.toml").write_text(f"version = 1\n{warn}")
    assert main(["analyze"]) == 0
    assert main(["analyze", "--fail-on", "warning"]) == 1
    capfd.readouterr()


def test_every_mistake_at_once(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (desk / "s.toml").write_text(MISTAKEN)
    before = sorted(desk.rglob("*"))
    assert main(["analyze", "--suite", "s.toml", "--report", "json=out.json"]) == 2
    out, err = capfd.readouterr()
    assert not out
    assert err == f"tracecheck: {MISTAKES}\n".replace("KINDS", KINDS)
    assert sorted(desk.rglob("*")) == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x.toml:1:1: the version is missing; begin with version = 1"),
        ("version = 1", "x.toml: no suites in it; write [[suite]] and captures = [...]"),
        ("version = 1\n[suite]\n", "x.toml:2:1: each suite begins with the line [[suite]]"),
        ("version = \n", "x.toml:1:11: not TOML: "),
        (b"\xff", "x.toml: not UTF-8 text (byte 0xff)"),
        (b" " * (1 << 20) + b"\n", "x.toml: larger than 1 MiB, the most that a suite file may have"),
        ("a" + ".a" * 200 + "=1", "x.toml:1:2: a key of more than 100 parts; no suite file has one"),
        ("version = 1\n[[suite]]\nname = ''\ncaptures = 'rec'", 'x.toml:3:8: suite "suite 1", name: an empty name; '),
    ],
)
def test_what_is_no_suite_file(text: str | bytes, message: str, desk: Path) -> None:
    (desk / "x.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SuiteError) as refused:
        load_suites("x.toml")
    assert any(line.startswith(message) for line in refused.value.mistakes), refused.value.mistakes


def test_a_pyproject_will_do(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (desk / "tracecheck.toml").unlink()
    project = desk / "pyproject.toml"
    project.write_text("[tool.other]\nx = 1\n")
    with pytest.raises(SuiteError, match=r"pyproject.toml: there is no table \[tool.tracecheck\] in it"):
        load_suites("pyproject.toml")
    table = "[tool.tracecheck]\nversion = 1\n[[tool.tracecheck.suite]]\ncaptures = 'rec/gone.sr'\n"
    project.write_text(f"[tool.other]\nx = 1\n{table}")
    assert main(["analyze"]) == 2
    said = 'tracecheck: pyproject.toml:6:12: suite "suite 1", captures: there is no "rec/gone.sr"\n'
    assert capfd.readouterr().err == said
    project.write_text(table.replace("rec/gone.sr", "rec/more"))
    assert main(["analyze", "-q"]) == 0
    assert capfd.readouterr().out.startswith("rec/more/b.sr: PASS")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--rules", "i2c"],
            "--rules: for captures that are named on the command line; tracecheck.toml has its own",
        ),
        (
            ["--marker", "irq=1"],
            (
                "--scl, --sda, --bus, --marker: for captures that are named on the command line; tracecheck.toml has "
                "its own"
            ),
        ),
        (["rec", "--suite", "tracecheck.toml"], "--suite says which captures are judged; name none beside it"),
        (["--suite", "gone.toml"], "gone.toml: there is no such file; check the name and the folder"),
        (
            ["-o", "rules/two-pin.rules.toml"],
            "rules/two-pin.rules.toml: this is an input; give -o another name, or the recording is lost",
        ),
        (
            ["-o", "tracecheck.toml"],
            "tracecheck.toml: this is an input; give -o another name, or the recording is lost",
        ),
    ],
)
def test_arguments_that_do_not_go_with_it(
    arguments: list[str], message: str, desk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", *arguments]) == 2
    out, err = capfd.readouterr()
    assert (out, err) == ("", f"tracecheck: {message}\n")


def test_without_a_suite_file_captures_have_to_be_named(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    assert main(["analyze"]) == 2
    said = "tracecheck: nothing to judge; name captures, or write a tracecheck.toml that does (see docs/ci.md)\n"
    assert capfd.readouterr().err == said
