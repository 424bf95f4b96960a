"""The formats that a run of `analyze` is written in: a new one is a module beside these and a line here.

The module has a function `render(run, style, detail)` that yields the text in pieces: a pure function of the run. Only
what people read looks at `style` and `detail`. It is loaded when its format is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol, cast

from tracecheck.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from tracecheck.report.judged import Run
    from tracecheck.report.style import Style

Detail = Literal["quiet", "normal", "verbose"]


class Format(NamedTuple):
    """`module`: where its `render` is. `needs_captures`: it says nothing when none could be read."""

    module: str
    needs_captures: bool = False


FORMATS: Final = {
    "text": Format("tracecheck.report.run_text", needs_captures=True),
    "json": Format("tracecheck.report.run_json"),
    "junit": Format("tracecheck.report.run_junit"),
    "sarif": Format("tracecheck.report.run_sarif"),
    "github": Format("tracecheck.report.run_github"),
    "html": Format("tracecheck.report.html"),
}
SUFFIXES: Final = {".html": "html", ".htm": "html", ".json": "json", ".sarif": "sarif", ".xml": "junit"}
"""The format of a file by its name, where none was asked for; text for all others."""


class Render(Protocol):
    """What a format's module has as `render`."""

    def __call__(self, run: Run, style: Style, detail: Detail) -> Iterator[str]: ...


def format_named(name: str, option: str) -> Format:
    """The format of that name. Raises UsageError, which names the command line's `option`."""
    try:
        return FORMATS[name]
    except KeyError:
        hint = did_you_mean(name, list(FORMATS))
        raise UsageError(f'{option}: no format "{name}"{hint} (formats: {", ".join(FORMATS)})') from None


def renderer(chosen: Format) -> Render:
    """The function that writes this format."""
    return cast("Render", import_module(chosen.module).render)
