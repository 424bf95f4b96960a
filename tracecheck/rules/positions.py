"""Where in a TOML text each key and value stands: line and column, from 1, in characters.

tomllib gives the values, toml-rs the places. That one is young and gives none for table headers, so whatever it does
not answer is looked for line by line. It is asked when something has to be said of a value, which of most files nothing
has: a header's line, which every rule carries, needs no more than the lines.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cached_property
from typing import Any, Final

_DOTTED: Final = re.compile(r"""(?:\.[ \t]*(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')[ \t]*){100}""")
_LONGEST_LINE: Final = 500

_PERCENTILE: Final = re.compile(r"[ \t]*(?P<key>(?P<whole>p[0-9]{1,3})(?P<part>\.[0-9]+)?)[ \t]*=")
"""A percentile's key, of which p99.9 is a dotted one to TOML, and cannot stand beside p99."""

Path = tuple[str | int, ...]
Place = tuple[int, int]

_HEADER: Final = re.compile(r"\s*(?P<open>\[\[?)\s*(?P<names>[^\[\]#]+?)\s*\]\]?\s*(#.*)?")
_KEY: Final = re.compile(r"""\s*(?P<key>[A-Za-z0-9_-]+|"[^"]*"|'[^']*')\s*=""")


class Positions:
    """The places of one text that tomllib has read. Every question is answered, at worst with the table or line 1."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = text.split("\n")
        # Only where a string has several lines can one of them look like a header and be none.
        self._headers_are_plain = '"""' not in text and "'''" not in text

    @cached_property
    def _nodes(self) -> Any:
        import toml_rs  # noqa: PLC0415  (a file without a mistake needs none of it)

        with suppress(ValueError, KeyError, TypeError):
            return toml_rs.load_with_metadata(self._text, toml_version="1.0.0").meta["nodes"]
        return {}

    def key(self, path: Path) -> Place:
        """Where the last key of `path` is written; a table's header; for an item of a list, the item."""
        if self._headers_are_plain and path in self._headers:
            return self._found[path]
        node = self._node(path)
        return self._place(node, "key") or self._place(node, "value") or self.searched(path)

    def value(self, path: Path, offset: int | None = None) -> Place:
        """Where a value begins, or where its character `offset` stands, if it is a string without escapes."""
        node = self._node(path)
        place = self._place(node, "value")
        if place is None:
            return self.searched(path)
        raw = node.get("value_raw")
        if offset is None or not isinstance(raw, str) or not isinstance(node.get("value"), str):
            return place
        quote = 3 if raw[:3] in ('"""', "'''") else 1
        body = raw[quote:-quote]
        if body.startswith("\n"):  # TOML drops the newline right after the opening quotes
            body, quote = body[1:], quote + 1
        if body != node["value"]:
            return place  # escapes: character counts differ
        before = raw[: quote + offset]
        lines = before.count("\n")
        return (place[0] + lines, len(before) - before.rfind("\n")) if lines else (place[0], place[1] + len(before))

    def searched(self, path: Path) -> Place:
        """As `key`, by reading the lines: knows headers, and keys that begin a line in their own section."""
        for end in range(len(path), 0, -1):
            if (place := self._found.get(path[:end])) is not None:
                return place
        return 1, 1

    @property
    def _found(self) -> dict[Path, Place]:
        return self._lookup[0]

    @property
    def _headers(self) -> set[Path]:
        """Those of `_found` that are written as a header of their own."""
        return self._lookup[1]

    @cached_property
    def _lookup(self) -> tuple[dict[Path, Place], set[Path]]:
        found: dict[Path, Place] = {}
        headers: set[Path] = set()
        section: list[str | int] = []
        counts: dict[str, int] = {}
        for number, line in enumerate(self._lines, 1):
            if header := _HEADER.fullmatch(line):
                names = [name.strip().strip("\"'") for name in header["names"].split(".")]
                if header["open"] == "[[":
                    counts[".".join(names)] = counts.get(".".join(names), -1) + 1
                section = []
                for end, name in enumerate(names, 1):
                    section.append(name)
                    if (count := counts.get(".".join(names[:end]))) is not None:
                        section.append(count)
                if found.setdefault(tuple(section), place := (number, len(line) - len(line.lstrip()) + 1)) == place:
                    headers.add(tuple(section))
            elif key := _KEY.match(line):
                found.setdefault((*section, key["key"].strip("\"'")), (number, key.start("key") + 1))
        return found, headers

    def _node(self, path: Path) -> Any:
        node: Any = self._nodes
        try:
            for step in path:
                is_value = "value" in node and isinstance(node.get("key_line", node.get("value_line")), (int, tuple))
                node = (node["value"] if is_value else node)[step]
        except (KeyError, IndexError, TypeError, AttributeError):
            return None
        return node if isinstance(node, dict) else None

    def _place(self, node: Any, part: str) -> Place | None:
        if not isinstance(node, dict):
            return None
        line, column = node.get(f"{part}_line"), node.get(f"{part}_col")
        line = line[0] if isinstance(line, tuple) else line
        column = column[0] if isinstance(column, tuple) else column
        if not isinstance(line, int) or not isinstance(column, int) or not 1 <= line <= len(self._lines):
            return None
        # its columns count bytes
        return line, _character(self._lines[line - 1], column)


def syntax_error(text: str, error: Exception) -> tuple[Place | None, str]:
    """Place and reason of a text that is no TOML; `error` is what tomllib said, toml-rs often says it better."""
    if isinstance(error, RecursionError):
        return None, "not TOML: nested too deeply"
    said = re.fullmatch(r"(?P<reason>.*) \(at line (?P<line>\d+), column (?P<column>\d+)\)", str(error), re.DOTALL)
    if not said:
        return None, f"not TOML: {error}"
    place, reason = (int(said["line"]), int(said["column"])), f"not TOML: {said['reason']}"
    # toml-rs overflows its stack on a few thousand brackets, which no exception catches. What tomllib has read is not
    # nested so deeply; of what it has not read, only the rest of this line is shown, if that is short.
    lines = text.split("\n")[: place[0]]
    if lines and len(lines[-1]) <= _LONGEST_LINE:
        import toml_rs  # noqa: PLC0415  (as above)

        try:
            toml_rs.loads("\n".join([*lines, ""]), toml_version="1.0.0")
        except toml_rs.TOMLDecodeError as better:
            if better.lineno == place[0]:
                better_reason = better.msg.rstrip().rsplit("\n", 1)[-1]
                better_reason += _in_quotes(lines)
                return (place[0], _character(lines[-1], better.colno)), f"not TOML: {better_reason}"
    return place, reason


def _in_quotes(lines: list[str]) -> str:
    """What to do where the last line has p99 and one before it p99.9, or the other way round."""
    if (last := _PERCENTILE.match(lines[-1])) is None:
        return ""
    for line in reversed(lines[:-1]):
        if line.startswith("["):
            break
        other = _PERCENTILE.match(line)
        if other and other["whole"] == last["whole"] and (dotted := last if last["part"] else other)["part"]:
            return f'; write "{dotted["key"]}" in quotes where {last["whole"]} is a key too'
    return ""


def too_deep(text: str) -> Place | None:
    """Where a dotted key has more parts than any rule file needs. Parsers take very long over thousands of them."""
    found = _DOTTED.search(text)
    return (
        (text.count("\n", 0, found.start()) + 1, found.start() - text.rfind("\n", 0, found.start())) if found else None
    )


def _character(line: str, byte_column: int) -> int:
    return len(line.encode()[: byte_column - 1].decode(errors="ignore")) + 1
