"""What a command loads before it answers: most of a small capture's time is imports."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
import typer.testing

from tracecheck.cli.app import app, program_for

CAPTURES = Path(__file__).parent.parent / "captures"
CLEAN = CAPTURES / "sigrok-dumps" / "i2c-sht21-100khz-read-serial-hold.sr"
CLEAN_MARKERS = CAPTURES / "pico" / "pico-clean-mixed-two-pin.sr"
FAILING = CAPTURES / "synthetic" / "synthetic-late-wake.sr"
LIMIT = 3
"""Times the modules of `import pyarrow` that a small analysis may load."""
REQUIRED = {"numpy", "pydantic", "tracecheck", "typer"}
"""Of the packages that tracecheck's own requirements, and the extras, bring, those it loads."""
LATE = {"isal", "jinja2", "junitparser", "matplotlib", "pandas", "perfetto", "pyarrow", "rich", "toml_rs", "vcd"}
INSTALLED = REQUIRED | LATE

MAIN = """\
import json, sys
from tracecheck.cli import main
code = main()
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""


def loaded(*arguments: str | Path) -> tuple[int, set[str]]:
    """The exit code of a command line, and the modules that its process had loaded at the end."""
    command = [sys.executable, "-c", MAIN, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    code, modules = json.loads(done.stderr.splitlines()[-1])
    return code, set(modules)


@pytest.mark.parametrize("capture", [CLEAN, CLEAN_MARKERS])
def test_a_verdict_without_findings_loads_no_tables(capture: Path) -> None:
    code, modules = loaded("analyze", capture)
    assert code == 0
    assert {"tracecheck.trace", "numpy"} <= modules
    assert not {"pyarrow", "pandas", "rich", "numpy.ma"} & modules


def test_findings_load_pyarrow_and_no_more() -> None:
    code, modules = loaded("analyze", FAILING)
    assert code == 1
    assert "pyarrow" in modules  # or the test above could not fail
    assert not {"pandas", "rich", "numpy.ma", "pyarrow.compute", "pyarrow.parquet"} & modules


@pytest.mark.parametrize(("capture", "more"), [(CLEAN, set()), (CLEAN_MARKERS, set()), (FAILING, {"pyarrow"})])
def test_a_small_analysis_is_a_few_imports_of_pyarrow(capture: Path, more: set[str]) -> None:
    """Under three times its CPU time is what `make bench` measures, and `make guard` holds the instructions.

    Here it is what can be counted: modules, and the packages they are of.
    """
    program = "import sys, pyarrow; print(*sys.modules)"
    theirs = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    _, ours = loaded("analyze", capture)
    assert len(ours) < LIMIT * len(theirs)
    packages = {name.partition(".")[0] for name in ours} - sys.stdlib_module_names
    assert {name for name in packages if name in INSTALLED} - more == REQUIRED


HEAVY = {"pyarrow", "pandas", "rich", "numpy.ma", "tracecheck.rules", "tracecheck.trace", "tracecheck.capture.vcd"}


def test_text_needs_neither_tables_nor_rules() -> None:
    code, modules = loaded("decode", CLEAN)
    assert code == 0
    assert not (HEAVY | {"tracecheck.decoding.lane"}) & modules
    packages = {name.partition(".")[0] for name in modules} & INSTALLED
    assert packages == REQUIRED | {"tracecheck"}


def test_interrupts_in_text_need_a_lane_and_no_more() -> None:
    code, modules = loaded("decode", CLEAN_MARKERS)
    assert code == 0
    assert "tracecheck.decoding.lane" in modules
    assert not HEAVY & modules


@pytest.mark.parametrize("arguments", [["--table", "transfers"], ["--marker", "irq=2"]], ids=" ".join)
def test_tables_and_markers_load_what_they_need(arguments: list[str]) -> None:
    code, modules = loaded("decode", CLEAN_MARKERS, *arguments)
    assert code == 0
    assert ("pyarrow" if "--table" in arguments else "tracecheck.rules") in modules  # or those above could not fail


def test_of_the_commands_only_the_one_that_runs_is_put_together() -> None:
    def commands(*arguments: str) -> list[str]:
        return list(typer.main.get_command(program_for(arguments)).commands)  # type: ignore[attr-defined]

    every = commands()
    assert len(every) == 11
    for name in every:
        assert commands(name, "-x", "show") == [name]
    for arguments in (["--help"], ["decod", "a.sr"], ["--version", "decode"], ["-x", "decode"]):
        assert commands(*arguments) == every


def test_a_command_alone_says_what_it_says_among_all() -> None:
    for name in ("decode", "rules"):
        alone, among = (
            typer.testing.CliRunner().invoke(each, [name, "--help"], prog_name="tracecheck").output
            for each in (program_for([name]), app)
        )
        assert alone == among
        assert f"Usage: tracecheck {name}" in alone
