"""Where in a TOML text each key and value stands: line and column, from 1, in characters.

tomllib gives the values, toml-rs the places. That one is young and gives none for table headers, so whatever it does
not answer is looked for line by line.
"""

from __future__ import annotations

import re
from typing import Any, Final

import toml_rs

Path = tuple[str | int, ...]
Place = tuple[int, int]

_HEADER: Final = re.compile(r"\s*(?P<open>\[\[?)\s*(?P<names>[^\[\]#]+?)\s*\]\]?\s*(#.*)?")
_KEY: Final = re.compile(r"""\s*(?P<key>[A-Za-z0-9_-]+|"[^"]*"|'[^']*')\s*=""")


class Positions:
    """The places of one text. Every question is answered; the worst answer is the table, or line 1."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = text.splitlines()
        try:
            self._nodes: Any = toml_rs.load_with_metadata(text, toml_version="1.0.0").meta["nodes"]
        except (ValueError, KeyError, TypeError, RecursionError):
            self._nodes = {}

    def key(self, path: Path) -> Place:
        """Where the last key of `path` is written; a table's header; for an item of a list, the item."""
        node = self._node(path)
        return self._place(node, "key") or self._place(node, "value") or self.searched(path)

    def value(self, path: Path, offset: int = 0) -> Place:
        """Where a value begins, or where its character `offset` is, in a string written as one plain line."""
        node = self._node(path)
        place = self._place(node, "value")
        if place is None:
            return self.searched(path)
        raw = node.get("value_raw")
        if not isinstance(raw, str) or not isinstance(node.get("value"), str):
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
        if not path:
            return 1, 1
        section: list[str | int] = []
        counts: dict[str, int] = {}
        best, depth = (1, 1), 0
        for number, line in enumerate(self._lines, 1):
            if header := _HEADER.fullmatch(line):
                names = [name.strip().strip("\"'") for name in header["names"].split(".")]
                if header["open"] == "[[":
                    counts[header["names"]] = counts.get(header["names"], -1) + 1
                section = []
                for end, name in enumerate(names, 1):
                    section.append(name)
                    if (count := counts.get(".".join(names[:end]))) is not None:
                        section.append(count)
                here = tuple(section)
                column = len(line) - len(line.lstrip()) + 1
            elif key := _KEY.match(line):
                here = (*section, key["key"].strip("\"'"))
                column = key.start("key") + 1
            else:
                continue
            if here == path[: len(here)] and len(here) > depth:
                best, depth = (number, column), len(here)
        return best

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
        return line, len(self._lines[line - 1].encode()[: column - 1].decode(errors="ignore")) + 1


def syntax_error(text: str, error: Exception) -> tuple[Place | None, str]:
    """Place and reason of a text that is no TOML; `error` is what tomllib said, toml-rs often says it better."""
    try:
        toml_rs.loads(text, toml_version="1.0.0")
    except toml_rs.TOMLDecodeError as better:
        reason = better.msg.rstrip().rsplit("\n", 1)[-1]
        line = text.split("\n")[better.lineno - 1] if 1 <= better.lineno <= text.count("\n") + 1 else ""
        column = len(line.encode()[: better.colno - 1].decode(errors="ignore")) + 1
        return (better.lineno, column), f"not TOML: {reason}"
    except RecursionError:
        return None, "not TOML: nested too deeply"
    if isinstance(error, RecursionError):
        return None, "nested too deeply"
    said = re.fullmatch(r"(?P<reason>.*) \(at line (?P<line>\d+), column (?P<column>\d+)\)", str(error), re.DOTALL)
    if said:
        return (int(said["line"]), int(said["column"])), f"not TOML: {said['reason']}"
    return None, f"not TOML: {error}"
