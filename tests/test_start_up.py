"""What a command loads before it answers: most of a small capture's time is imports."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

CAPTURES = Path(__file__).parent.parent / "captures"
CLEAN = CAPTURES / "sigrok-dumps" / "i2c-sht21-100khz-read-serial-hold.sr"
CLEAN_MARKERS = CAPTURES / "pico" / "pico-clean-mixed-two-pin.sr"
FAILING = CAPTURES / "synthetic" / "synthetic-late-wake.sr"
LIMIT = 3
"""Times the CPU time of `import pyarrow` that a small analysis may take as a whole process."""

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


def cpu(*arguments: str | Path) -> float:
    """CPU seconds of a Python process, compiled modules being there."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *map(str, arguments)], stdout=subprocess.DEVNULL, env=environment, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.skipif(
    os.environ.get("TRACECHECK_CHECKED", "") not in ("", "0"), reason="the release core's start is what is held"
)
def test_a_small_analysis_is_a_few_imports_of_pyarrow() -> None:
    """Interleaved, and the fastest of each, as others on the machine only add; the first run compiles, uncounted."""
    ours, theirs = ("-m", "tracecheck", "analyze", CLEAN), ("-c", "import pyarrow")
    cpu(*ours)
    pairs = [(cpu(*ours), cpu(*theirs)) for _ in range(4)]
    ratio = min(a for a, _ in pairs) / min(b for _, b in pairs)
    assert ratio < LIMIT, pairs
