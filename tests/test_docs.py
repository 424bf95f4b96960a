"""The pages tell the truth: terminal excerpts are what the program prints, rule files load, Python runs.

    python tests/test_docs.py

writes the terminal excerpts of the README and of docs/quickstart.md, and the list of assumptions, anew. Read the
difference before committing it.
"""

from __future__ import annotations

import os
import re
import runpy
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tracecheck.pico.bench import EVERY_ASSUMPTION
from tracecheck.rules.file import load
from tracecheck.rules.vocabulary import (
    ANOMALIES,
    BUS_EVENTS,
    CODINGS,
    DERIVED_EVENTS,
    DIRECTIONS,
    INTERVALS,
    KINDS,
    OUTCOMES,
    ROLES,
    SCOPES,
    SEVERITIES,
)

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
QUICKSTART = ROOT / "docs" / "quickstart.md"
RULES = ROOT / "docs" / "rules.md"
PICO = ROOT / "docs" / "emulated-pico.md"
ASSUMED = ("<!-- assumptions -->", "<!-- end of assumptions -->")
TRACECHECK = [sys.executable, "-c", "import sys; from tracecheck.cli import main; sys.exit(main())"]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


@contextmanager
def desk(page: Path) -> Iterator[Path]:
    """A folder as the reader of a page has it: the captures, and the rule file that the page tells to write down."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "captures").symlink_to(ROOT / "captures")
        if page == QUICKSTART:
            (folder / "board.toml").write_text(blocks(page, "toml")[0])
        yield folder


def replayed(excerpt: str, folder: Path) -> str:
    """The excerpt with each command's output as it is now, 80 columns wide; `echo $?` is the last exit code."""
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    code, shown = 0, ""
    for command in re.findall(r"^\$ (.*)$", excerpt, re.MULTILINE):
        if command == "echo $?":
            output = f"{code}\n"
        else:
            arguments = [*TRACECHECK, *shlex.split(command)[1:]]
            done = subprocess.run(
                arguments, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False
            )
            code, output = done.returncode, done.stdout.decode()
        shown += f"$ {command}\n{output}"
    return shown


EXCERPTS = [(page, number) for page in (README, QUICKSTART) for number in range(len(blocks(page, "console")))]


@pytest.mark.parametrize(("page", "number"), EXCERPTS, ids=lambda value: getattr(value, "stem", None))
def test_terminal_excerpts_are_what_is_printed(page: Path, number: int) -> None:
    excerpt = blocks(page, "console")[number]
    with desk(page) as folder:
        assert replayed(excerpt, folder) == excerpt


@pytest.mark.parametrize("page", [README, QUICKSTART, RULES], ids=lambda page: page.name)
def test_rule_files_in_the_pages_load(page: Path) -> None:
    files = blocks(page, "toml")
    assert files
    for text in files:
        assert load(f"{page.name} example", text).rules, text


def test_each_kind_has_its_section_and_example() -> None:
    sections = re.findall(r"^### (.*)$", RULES.read_text(), re.MULTILINE)
    first, *examples = (load("example", text).rules for text in blocks(RULES, "toml"))
    assert {"task-runs-after-interrupt", "display-write"} <= {rule.id for rule in first}
    assert tuple(sections) == tuple(rule.kind for (rule,) in examples) == KINDS


def test_every_word_of_the_language_is_explained() -> None:
    page = RULES.read_text()
    words = [*BUS_EVENTS, *DERIVED_EVENTS, *ANOMALIES, *INTERVALS, *ROLES, *SCOPES, *SEVERITIES, *DIRECTIONS, *OUTCOMES]
    quoted = set(re.findall(r'`"?([A-Za-z0-9_.-]+)"?`', page))
    assert [word for word in (*words, *CODINGS) if word not in quoted] == []


def test_the_readme_s_python_runs() -> None:
    (code,) = blocks(README, "python")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "wake-after-interrupt" in done.stdout


def test_the_quickstart_s_python_runs() -> None:
    (code,) = blocks(QUICKSTART, "python")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("23 transfers, ")


def assumptions() -> str:
    """What the emulation takes for granted, as a list."""
    return "\n".join(f"- {sentence[0].upper()}{sentence[1:]}." for sentence in EVERY_ASSUMPTION)


def test_every_assumption_of_the_emulation_is_on_its_page() -> None:
    page = PICO.read_text()
    assert f"{ASSUMED[0]}\n\n{assumptions()}\n\n{ASSUMED[1]}" in page


def test_the_emulation_s_python_runs() -> None:
    (code,) = blocks(PICO, "python")
    checked = "\nassert [s.transfer for s in recording.strikes] == [2]\nassert recording.capture().samples == 120_000\n"
    done = subprocess.run([sys.executable, "-c", code + checked], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_links_between_the_pages_lead_somewhere(page: Path, tmp_path: Path) -> None:
    runpy.run_path(str(ROOT / "docs" / "reference.py"))["write"](tmp_path / "reference")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        folder = tmp_path if target.startswith("reference/") else page.parent
        assert (folder / target).exists(), target


if __name__ == "__main__":
    for page in (README, QUICKSTART):
        text = page.read_text()
        with desk(page) as folder:
            for excerpt in blocks(page, "console"):
                text = text.replace(excerpt, replayed(excerpt, folder))
        page.write_text(text)
    before, _, rest = PICO.read_text().partition(ASSUMED[0])
    PICO.write_text(f"{before}{ASSUMED[0]}\n\n{assumptions()}\n\n{ASSUMED[1]}{rest.partition(ASSUMED[1])[2]}")
