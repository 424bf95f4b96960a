"""Elements of a drawing as text. Every text and every attribute is escaped here, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

CHAR = 6.1
"""Width of a character of the drawings' text, in px; monospace at 10 px, so it is known without a browser."""


def element(name: str, *children: str, **attributes: object) -> str:
    """`<name ...>children</name>`. Children are markup. In an attribute's name `_` is `-`; one at the end goes."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{''.join(children)}</{name}>" if children else f"<{name}{written}/>"


def text(said: str, x: float, y: float, **attributes: object) -> str:
    return element("text", escape(printable(said)), x=x, y=y, **attributes)


def titled(said: str) -> str:
    """What a pointer that rests there is told, and what is read aloud."""
    return element("title", escape(printable(said)))


def drawing(width: float, height: float, title: str, parts: Iterable[str], *, kind: str) -> str:
    """A whole drawing of `width` times `height` px."""
    return element(
        "svg",
        titled(title),
        *parts,
        class_=kind,
        role="img",
        aria_label=title,
        width=width,
        height=height,
        viewBox=f"0 0 {_number(width)} {_number(height)}",
    )


def printable(said: str) -> str:
    """What names of channels and files may hold beside text, control characters and half characters, spelled out."""
    if said.isprintable():
        return said
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in said)


def _value(value: object) -> str:
    return _number(value) if isinstance(value, float) else escape(printable(str(value)))


def _number(value: float) -> str:
    """Half pixels are as fine as a line can be seen."""
    return f"{value:.1f}".removesuffix(".0")
