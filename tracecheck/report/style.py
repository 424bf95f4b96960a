"""How text may look: width, colour, and whether the encoding has more than ASCII."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

_SGR = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}
_RESET = "\x1b[0m"

Align = Literal["<", ">"]


@dataclass(frozen=True, slots=True)
class Style:
    """`width` in columns; `colour`: ANSI escapes; `unicode`: line drawing and arrows, else ASCII."""

    width: int = 80
    colour: bool = False
    unicode: bool = True

    def paint(self, text: str, *names: str) -> str:
        """The text in these colours, or as it is."""
        if not self.colour or not names or not text:
            return text
        return f"\x1b[{';'.join(_SGR[name] for name in names)}m{text}{_RESET}"

    def glyph(self, fine: str, plain: str) -> str:
        return fine if self.unicode else plain


def shortened(text: str, width: int, style: Style) -> str:
    """The text, or as much of its end as `width` columns take: rules of one file begin alike and end differently."""
    if len(text) <= width:
        return text
    mark = style.glyph("…", "..")
    return mark + text[-max(width - len(mark), 1) :]


def aligned(rows: Sequence[Sequence[str]], align: Sequence[Align], gap: int = 2) -> list[str]:
    """Rows of cells as lines, each column as wide as its widest cell. Cells must not be painted yet."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(align))]
    lines = []
    for row in rows:
        cells = [f"{cell:{a}{w}}" for cell, a, w in zip(row, align, widths, strict=True)]
        lines.append((" " * gap).join(cells).rstrip())
    return lines
