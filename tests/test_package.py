"""What an installation holds, and what the package promises about itself."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import tracecheck

ROOT = Path(__file__).parent.parent
HOME = Path(tracecheck.__file__).parent
CORES = sorted(source.stem for source in (ROOT / "_ext").glob("*.pyx"))


def in_a_new_interpreter(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=HOME.parent, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_suite_tests_the_tree_it_stands_in() -> None:
    assert HOME == ROOT / "tracecheck"


def test_the_core_has_the_modules_it_is_known_by() -> None:
    assert CORES == ["bounds", "edges", "i2c", "inflate", "lane", "match", "peer", "tally", "text", "timing"]


@pytest.mark.parametrize("name", CORES)
def test_each_core_module_is_compiled_and_has_its_stub(name: str) -> None:
    core = importlib.import_module(f"tracecheck._{name}")
    assert core.__file__ is not None
    assert core.__file__.endswith(".so")
    assert Path(core.__file__).parent == HOME
    assert (HOME / f"_{name}.pyi").is_file()


def test_types_are_announced() -> None:
    assert (HOME / "py.typed").is_file()


def test_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert tracecheck.__version__ == project["version"] == metadata.version("tracecheck")


def test_the_changelog_knows_the_version() -> None:
    assert f"## {tracecheck.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_every_public_name_is_there() -> None:
    for name in tracecheck.__all__:
        assert getattr(tracecheck, name) is not None, name
    assert dir(tracecheck) == sorted(tracecheck.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError) as caught:
        tracecheck.analyse  # noqa: B018
    assert str(caught.value) == "module 'tracecheck' has no attribute 'analyse'"


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = in_a_new_interpreter("import sys, tracecheck; print(*sys.modules)").split()
    assert "tracecheck" in loaded
    assert not {"numpy", "pyarrow", "pandas", "pydantic", "typer"} & set(loaded)


def test_pandas_stays_unloaded_until_it_is_asked_for() -> None:
    loaded = in_a_new_interpreter("import sys, tracecheck.api, tracecheck.trace; print(*sys.modules)").split()
    assert "tracecheck.trace" in loaded
    assert "pandas" not in loaded


def test_the_installed_command_is_ours() -> None:
    (script,) = [entry for entry in metadata.entry_points(group="console_scripts") if entry.name == "tracecheck"]
    assert script.value == "tracecheck.cli:main"
    assert callable(script.load())


def test_every_dependency_is_imported_somewhere() -> None:
    """A dependency nobody imports is one to drop."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    sources = "\n".join(path.read_text() for path in HOME.rglob("*.py"))
    for requirement in project["dependencies"]:
        module = requirement.split(">")[0].replace("-", "_")
        assert f"import {module}" in sources or f"from {module}" in sources, requirement


@pytest.mark.parametrize("page", [*sorted(path.name for path in ROOT.glob("*.md")), "docs/rules.md"])
def test_links_between_our_pages_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text()
    targets = [part.split(")")[0].split("#")[0] for part in text.split("](")[1:]]
    for target in targets:
        if target and not target.startswith("http"):
            assert ((ROOT / page).parent / target).exists(), f"{page}: {target}"
