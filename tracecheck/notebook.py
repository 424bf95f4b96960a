"""What traces and reports look like in a notebook: plain tables without colours of their own, for any theme."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

ROWS: Final = 20
"""Rows shown of a table; the others are counted."""


def table(head: Sequence[str], rows: Iterable[Sequence[object]], total: int) -> str:
    """An HTML table of the first ROWS rows of `total`; every cell is text. None is an empty cell."""
    lines = [f"<tr>{''.join(f'<th>{_cell(name)}</th>' for name in head)}</tr>"]
    shown = 0
    for row in rows:
        if shown == ROWS:
            break
        lines.append(f"<tr>{''.join(f'<td>{_cell(value)}</td>' for value in row)}</tr>")
        shown += 1
    more = f"<p>and {total - shown} more</p>" if total > shown else ""
    return f"<table>{''.join(lines)}</table>{more}"


def titled(title: str, said: str, *parts: str) -> str:
    """A heading in bold, what is said of it, and what follows."""
    return f"<p><b>{_cell(title)}</b> {_cell(said)}</p>{''.join(parts)}"


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return escape(text.encode("utf-8", "backslashreplace").decode())
