"""The pytest plugin, as pytest finds it: items, outcomes, messages, the fixture; alone, with xdist, with --junitxml."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pytest

from tracecheck import api
from tracecheck.report import cases, drawing
from tracecheck.suite import file

LOADED = (np, pa, api, cases, drawing, file)
"""pytester forgets what a run imports, and NumPy cannot be imported twice: it is here before the first run."""

pytest_plugins = ["pytester"]

SYNTHETIC = Path(__file__).parent.parent / "captures" / "synthetic"
LATE, CLEAN = "synthetic-late-wake.sr", "synthetic-clean-two-pin.sr"
SUITE = f"""version = 1
[[suite]]
name = "board"
captures = ["{LATE}", "{CLEAN}"]
expect = ["irq -> wake < 20us", "never missing-stop"]
"""


@pytest.fixture
def desk(pytester: pytest.Pytester) -> pytest.Pytester:
    for name in (LATE, CLEAN, "synthetic-clean-irq-only.sr"):
        shutil.copy(SYNTHETIC / name, pytester.path)
    (pytester.path / "tracecheck.toml").write_text(SUITE)
    return pytester


def test_one_item_a_rule_and_capture(desk: pytest.Pytester) -> None:
    result = desk.runpytest("tracecheck.toml", "-v", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=5, failed=1)
    result.stdout.fnmatch_lines(
        [
            f"tracecheck.toml::board::{LATE}::expect-1 FAILED*",
            f"tracecheck.toml::board::{LATE}::expect-2 PASSED*",
            f"tracecheck.toml::board::{LATE}::verdict PASSED*",
            f"tracecheck.toml::board::{CLEAN}::expect-1 PASSED*",
            f"*{LATE}: expect-1*",
            f"{LATE}: 1 of 10 failed: at 1.914875 ms, i2c0 transfer 3 (write 0x3C, 3 bytes): wake came 154 us after *",
            "  Rule: after irq.begin, wake within 20us.",
            "Transfer 3 on i2c0: write 0x3C, 3 bytes, at 1.814958 ms, SCL 375 kHz",
            "START * STOP 99.1 us * irq 792 ns*wake *",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_nothing_happens_without_being_asked(desk: pytest.Pytester) -> None:
    (desk.path / "test_other.py").write_text("def test_other(): pass\n")
    desk.runpytest().assert_outcomes(passed=1)
    desk.runpytest("--tracecheck-suite", "tracecheck.toml").assert_outcomes(passed=6, failed=1)


def test_junit_and_xdist(desk: pytest.Pytester) -> None:
    result = desk.runpytest("--tracecheck-suite", "tracecheck.toml", "-n", "2", "--junitxml", "report.xml")
    result.assert_outcomes(passed=5, failed=1)
    cases = list(ElementTree.parse(desk.path / "report.xml").iter("testcase"))
    assert len(cases) == 6
    (failure,) = (case.find("failure") for case in cases if case.find("failure") is not None)
    assert failure is not None
    assert "wake came 154 us after irq.begin" in (failure.text or "")


def test_what_was_not_judged(desk: pytest.Pytester) -> None:
    rules = "version = 1\n"
    for name, more in (("must", ""), ("may", "optional = true\n"), ("warned", "severity = 'warning'\n")):
        rules += f"[[rule]]\nid = '{name}'\nkind = 'response'\ntrigger = 'irq.begin'\nresponse = 'wake'\n{more}"
    rules += "[[rule]]\nid = 'judged'\nkind = 'absence'\nevent = 'missing-stop'\n"
    (desk.path / "rules.toml").write_text(rules)
    suite = "version = 1\n[[suite]]\ncaptures = 'synthetic-clean-irq-only.sr'\nrules = 'rules.toml'\n"
    (desk.path / "tracecheck.toml").write_text(suite)
    result = desk.runpytest("tracecheck.toml", "-v", "-rs")
    result.assert_outcomes(passed=2, failed=1, skipped=2)
    result.stdout.fnmatch_lines(["*::must FAILED*", "*::may SKIPPED*", "*::warned SKIPPED*", "*::judged PASSED*"])
    result.stdout.fnmatch_lines(["SKIPPED*not checked: it needs wake, and there is no marker run*"])


def test_a_wanted_failure(desk: pytest.Pytester) -> None:
    (desk.path / "tracecheck.toml").write_text(f"{SUITE}verdict = 'fail'\n")
    result = desk.runpytest("tracecheck.toml", "-v")
    result.assert_outcomes(passed=5, failed=1)
    result.stdout.fnmatch_lines(
        [
            f"*{LATE}::verdict PASSED*",
            f"*{CLEAN}::verdict FAILED*",
            f"{CLEAN}: every rule passed, but the suite expects this capture to fail",
        ]
    )


def test_presets_are_judged_as_a_whole(desk: pytest.Pytester) -> None:
    (desk.path / "tracecheck.toml").write_text(f"version = 1\n[[suite]]\ncaptures = ['{LATE}', '{CLEAN}']\n")
    result = desk.runpytest("tracecheck.toml")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines([f"{LATE}: * failed: *"])


def test_a_severity_from_the_command_line(desk: pytest.Pytester) -> None:
    rule = "[[rule]]\nid = 'w'\nkind = 'response'\ntrigger = 'irq.begin'\nresponse = 'wake'\nwithin = '20us'\n"
    (desk.path / "rules.toml").write_text(f"version = 1\n{rule}severity = 'warning'\n")
    (desk.path / "tracecheck.toml").write_text(f"version = 1\n[[suite]]\ncaptures = '{LATE}'\nrules = 'rules.toml'\n")
    result = desk.runpytest("tracecheck.toml", "-rP")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*warning*", "1 of 10 failed: *"])
    desk.runpytest("tracecheck.toml", "--tracecheck-fail-on", "warning").assert_outcomes(passed=1, failed=1)


def test_mistakes_are_said_and_stop_the_run(desk: pytest.Pytester) -> None:
    (desk.path / "tracecheck.toml").write_text("version = 1\n[[suite]]\ncaptures = 'gone.sr'\n")
    result = desk.runpytest("tracecheck.toml")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(['tracecheck.toml:3:12: suite "suite 1", captures: there is no "gone.sr"'])
    result.stdout.no_fnmatch_line("*Traceback*")
    result = desk.runpytest("--tracecheck-suite", "gone.toml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --tracecheck-suite: gone.toml: there is no such file"])


def test_a_capture_that_cannot_be_read_passes_nothing(desk: pytest.Pytester) -> None:
    (desk.path / CLEAN).write_bytes(b"not a capture")
    result = desk.runpytest("tracecheck.toml")
    result.assert_outcomes(passed=2, failed=4)
    result.stdout.fnmatch_lines([f"{CLEAN}: could not be read: not a capture that tracecheck can read: *"])


def test_the_fixture_decodes_the_marked_capture(desk: pytest.Pytester) -> None:
    (desk.path / "more").mkdir()
    desk.makepyfile(
        **{
            "more/test_trace": f"""
            import pytest, tracecheck

            @pytest.mark.tracecheck("../{LATE}", scl="SCL", sda="SDA", markers={{"irq": "IRQ", "run": "RUN"}})
            def test_decoded(trace):
                assert trace.transfers.num_rows == 8

            @pytest.mark.tracecheck("../{LATE}", rules="i2c")
            def test_judged(trace):
                assert tracecheck.check(trace, "i2c").verdict == "pass"

            def test_unmarked(trace):
                pass
            """
        }
    )
    result = desk.runpytest("--strict-markers")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(['*the fixture "trace" needs a capture; write @pytest.mark.tracecheck("capture.sr") *'])


def test_starting_pytest_loads_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "test_light.py").write_text(
        "import sys\ndef test_light():\n    assert 'tracecheck.pytest_plugin' in sys.modules\n"
        "    assert not {'numpy', 'pyarrow', 'pydantic', 'tracecheck.api'} & set(sys.modules)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:hypothesispytest", "-p", "no:cacheprovider", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
