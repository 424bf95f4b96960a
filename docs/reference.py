"""The pages that are written from the program: command line, kinds of rule, presets, tables."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import typer
from typer.testing import CliRunner

from tracecheck import schemas
from tracecheck.cli.app import app
from tracecheck.rules.describe import describe
from tracecheck.rules.file import load
from tracecheck.rules.model import RULE_CLASSES, DurationRule, Rule
from tracecheck.rules.selector import Selector

HERE = Path(__file__).parent
PRESETS = HERE.parent / "tracecheck" / "rules" / "presets"
_WIDTH = 96
_SPELLED: dict[object, str] = {"percentiles": "p50, p99, ... max", (DurationRule, "of"): "marker"}
"""Fields that a file spells otherwise."""
_LOADED = frozenset({"source", "line"})
"""Fields of a rule that no file gives."""


def write(folder: Path) -> None:
    """All pages, into `folder`; those that did not change are left alone, so that they are not built again."""
    folder.mkdir(exist_ok=True)
    pages = {"cli": cli(), "kinds": kinds(), "presets": presets(), "tables": tables(), "python": python()}
    for name, text in pages.items():
        page = folder / f"{name}.md"
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")


def cli() -> str:
    """Each command's `--help`."""
    command = typer.main.get_command(app)
    parts = ["# Command line", "What `--help` says.", *_helps(command, "tracecheck", ())]
    return "\n\n".join(parts) + "\n"


def _helps(command: Any, path: str, words: tuple[str, ...]) -> Iterator[str]:
    run = CliRunner().invoke(
        app, [*words, "--help"], prog_name="tracecheck", terminal_width=_WIDTH, max_content_width=_WIDTH
    )
    assert run.exit_code == 0, run.output
    yield f"## {path}\n\n```text\n{run.output.rstrip()}\n```"
    for name, inner in getattr(command, "commands", {}).items():
        yield from _helps(inner, f"{path} {name}", (*words, name))


def kinds() -> str:
    """Each kind of rule: what its module says, and the keys its class has."""
    parts = [
        "# Kinds of rule",
        (
            "Written from the modules that judge them. [The rule language](../rules.md) tells how they go together; "
            "keys marked so are required."
        ),
    ]
    for kind, cls in RULE_CLASSES.items():
        doc = inspect.getdoc(import_module(f"tracecheck.rules.checks.{kind}")) or ""
        parts += [f"## {kind}", _prose(doc.removeprefix(f"{kind}: ")), _keys(cls)]
    return "\n\n".join(parts) + "\n"


def _prose(doc: str) -> str:
    """A docstring as Markdown: its indented parts are TOML where they look so, else as they stand."""

    def fenced(block: re.Match[str]) -> str:
        text = inspect.cleandoc("\n" + block[0])
        return f"```{'toml' if '[[rule]]' in text else 'text'}\n{text}\n```\n"

    return re.sub(r"(?:^ {4}.*\n?|^\n(?= {4}))+", fenced, doc, flags=re.MULTILINE)


def _keys(cls: type[Rule]) -> str:
    rows = ["| key | default |", "| --- | --- |"]
    for name, field in cls.model_fields.items():
        if name in _LOADED:
            continue
        default = "required" if field.is_required() else _default(field.get_default(call_default_factory=True))
        rows.append(f"| `{_SPELLED.get((cls, name), _SPELLED.get(name, name))}` | {default} |")
    return "\n".join(rows)


def _default(value: object) -> str:
    if value in (None, (), "") or isinstance(value, Selector):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def presets() -> str:
    """Each preset's rules, in words."""
    parts = ["# Presets", "Rule files that ship with tracecheck. `tracecheck rules show NAME --raw` prints one."]
    for file in sorted(PRESETS.glob("*.toml")):
        text = file.read_text(encoding="utf-8")
        remarks = [line.removeprefix("#").strip() for line in text.splitlines()[:40]]
        intro = " ".join(
            remarks[: next((i for i, line in enumerate(text.splitlines()) if not line.startswith("#")), 0)]
        )
        parts += [f"## {file.stem}", intro]
        own = [rule for rule in load(file.stem, text).rules if rule.source == file.stem]
        for rule in own:
            parts.append(f"**{rule.id}** ({rule.kind}, {rule.severity}): {describe(rule)}. {rule.why}".rstrip())
    return "\n\n".join(part for part in parts if part) + "\n"


def tables() -> str:
    """Every table's columns, from the schemas."""
    parts = ["# Tables", _prose(inspect.getdoc(schemas) or ""), f"Schema version {schemas.VERSION}."]
    for name, schema in schemas.TABLES.items():
        parts += [f"## {name}", schema.metadata[b"doc"].decode()]
        rows = ["| column | type | |", "| --- | --- | --- |"]
        rows += [f"| `{f.name}` | {_type(f.type)} | {f.metadata[b'doc'].decode()} |" for f in schema]
        parts.append("\n".join(rows))
    return "\n\n".join(parts) + "\n"


def _type(kind: pa.DataType) -> str:
    return "word" if pa.types.is_dictionary(kind) else str(kind)


def python() -> str:
    """The Python face, from its docstrings."""
    return """# Python

```{eval-rst}
.. automodule:: tracecheck.api
   :members: open, decode, check, analyze

.. autoclass:: tracecheck.capture.model.Capture
   :members:

.. autoclass:: tracecheck.trace.Trace
   :members: transfers, messages, bytes, markers, anomalies, stretches, timeline, table, df

.. autoclass:: tracecheck.rules.verdict.Report
   :members:

.. autoclass:: tracecheck.rules.result.RuleResult
   :members:

.. autoclass:: tracecheck.rules.finding.Finding

.. automodule:: tracecheck.errors
   :members:
```
"""
