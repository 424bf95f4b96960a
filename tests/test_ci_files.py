"""The composite action and the pre-commit hooks: their own steps and entries, run in a checkout of a project."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from junitparser import JUnitXml

ROOT = Path(__file__).parent.parent
SYNTHETIC = ROOT / "captures" / "synthetic"
LATE, CLEAN = "synthetic-late-wake.sr", "synthetic-clean-three-pin-400k.sr"
SUITE = "version = 1\n[[suite]]\nname = 'board'\ncaptures = 'recordings'\nrules = 'rules/three-pin.rules.toml'\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A project with a suite of one capture, which passes."""
    project = tmp_path / "project"
    (project / "recordings").mkdir(parents=True)
    (project / "rules").mkdir()
    shutil.copy(SYNTHETIC / CLEAN, project / "recordings")
    for rules in SYNTHETIC.glob("*.rules.toml"):
        shutil.copy(rules, project / "rules")
    (project / "tracecheck.toml").write_text(SUITE)
    # What the first step installs, `make dist` and .ci/try-installed try: here it is the tree under test.
    (tmp_path / "temp" / "tracecheck" / "bin").mkdir(parents=True)
    program = tmp_path / "temp" / "tracecheck" / "bin" / "tracecheck"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m tracecheck "$@"\n')
    program.chmod(0o755)
    return project


def judge(project: Path, **inputs: str) -> tuple[int, str, dict[str, str]]:
    """Runs the action's step as a runner does; exit code, log, and the step's outputs."""
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    defaults = {name: str(of["default"]) for name, of in action["inputs"].items()}
    (step,) = (step for step in action["runs"]["steps"] if step.get("id") == "judge")

    def filled(text: str) -> str:
        return re.sub(r"\$\{\{ inputs\.([a-z]+) \}\}", lambda found: (defaults | inputs)[found[1]], text)

    temp = project.parent / "temp"
    files = {name: str(temp / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    Path(files["GITHUB_OUTPUT"]).write_text("")
    given = {name: filled(value) for name, value in step["env"].items()}
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RUNNER_TEMP": str(temp), **files, **given}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=project / filled(step["working-directory"]),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr
    outputs = dict(line.split("=", 1) for line in Path(files["GITHUB_OUTPUT"]).read_text().splitlines())
    return done.returncode, done.stdout, outputs


def commands(log: str) -> list[str]:
    """The workflow commands that the runner takes: not those between ::stop-commands:: and its token."""
    found, token = [], None
    for line in log.splitlines():
        if token is not None:
            token = None if line == f"::{token}::" else token
        elif line.startswith("::stop-commands::"):
            token = line.removeprefix("::stop-commands::")
        elif line.startswith("::"):
            found.append(line)
    assert token is None
    return found


def test_the_action_passes_where_the_suite_does(checkout: Path) -> None:
    code, log, outputs = judge(checkout)
    assert (code, outputs["exit-code"], commands(log)) == (0, "0", [])
    assert "PASS: " in log
    assert [suite.failures for suite in JUnitXml.fromfile(outputs["junit"])] == [0]


def test_the_action_annotates_what_failed(checkout: Path) -> None:
    shutil.copy(SYNTHETIC / LATE, checkout / "recordings" / "::error::x.sr")
    code, log, outputs = judge(checkout)
    assert (code, outputs["exit-code"]) == (1, "1")
    (annotation,) = commands(log)
    assert re.fullmatch(
        r"::error file=rules/wake\.rules\.toml,line=\d+,title=tracecheck%3A wake-after-interrupt::"
        r"recordings/::error::x\.sr: 1 of 10 failed: at 1\.914875 ms, .*",
        annotation,
    )
    assert log.endswith("tracecheck: fail; 2 captures: 1 passed, 1 failed\n")
    schema = json.loads((ROOT / "tests" / "schema" / "sarif-2.1.0.json").read_text())
    jsonschema.validate(json.loads(Path(outputs["sarif"]).read_text()), schema)
    assert "| recordings/::error::x.sr | **failed** |" in (checkout.parent / "temp" / "GITHUB_STEP_SUMMARY").read_text()


def test_the_action_hands_its_arguments_on_one_a_line(checkout: Path) -> None:
    arguments = f"recordings/{CLEAN}\n--expect\nirq.begin -> wake < 1us\n"
    code, log, _ = judge(checkout, arguments=arguments)
    assert code == 1
    assert "wake within 1us" in log


def test_the_action_says_when_nothing_could_be_judged(checkout: Path) -> None:
    (checkout / "recordings" / CLEAN).unlink()
    code, log, outputs = judge(checkout)
    assert (code, outputs["exit-code"]) == (2, "2")
    assert commands(log) == ["::error title=tracecheck::nothing could be judged; the log says why"]
    assert 'tracecheck.toml:4:12: suite "board", captures: "recordings" is a folder with no captures in it' in log


def test_the_hooks_entries_run(checkout: Path) -> None:
    hooks: dict[str, Any] = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}

    def code(name: str, *files: str) -> int:
        assert all(re.search(hooks[name]["files"], file) for file in files)
        handed = () if hooks[name].get("pass_filenames") is False else files
        program, *arguments = shlex.split(hooks[name]["entry"])
        assert program == "tracecheck"
        command = [sys.executable, "-m", "tracecheck", *arguments, *handed]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, check=False).returncode

    assert code("tracecheck", f"recordings/{CLEAN}", "tracecheck.toml") == 0
    assert code("tracecheck-rules", "rules/wire.rules.toml", "rules/wake.rules.toml") == 0
    shutil.copy(SYNTHETIC / LATE, checkout / "recordings")
    assert code("tracecheck", f"recordings/{LATE}") == 1
    (checkout / "rules" / "wire.rules.toml").write_text("version = 9\n")
    assert code("tracecheck-rules", "rules/wire.rules.toml") == 2
