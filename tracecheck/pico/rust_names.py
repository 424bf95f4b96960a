"""Names of functions as people write them: `core::fmt::write`, from either of Rust's manglings.

Source of the newer one: Rust RFC 2603. Paths, methods and generic functions are read, their type arguments are not.
"""

from __future__ import annotations

import re
from typing import Final

_IDENTIFIER: Final = re.compile(r"(?:s[0-9A-Za-z]*_)?(u?)([1-9][0-9]*|0)_?")
_DISAMBIGUATOR: Final = re.compile(r"(?:s[0-9A-Za-z]*_)?")
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ESCAPED: Final = re.compile(r"\$u([0-9a-f]{2})\$")
_MOST_STEPS = 200
"""Paths may point back at each other: a hostile name could go on for ever."""


class _UnreadError(ValueError):
    """Something in a name that is not read here."""


def demangled(name: str) -> str:
    """`name` for people; as it is where it is no name of Rust's, or not one that is read here."""
    if name.startswith("_ZN"):
        return _legacy(name)
    if name.startswith("_R"):
        try:
            return _Path(name[2:]).path(0)[0]
        except (ValueError, IndexError):
            return name
    return name


def _legacy(name: str) -> str:
    at, parts = 3, []
    while at < len(name) and name[at].isdigit():
        end = at
        while name[end : end + 1].isdigit():
            end += 1
        length = int(name[at:end])
        part = name[end : end + length]
        parts.append(part[1:] if part.startswith("_$") else part)
        at = end + length
    if parts and len(parts[-1]) == 17 and parts[-1][0] == "h":
        parts.pop()
    plain = "::".join(parts).replace("..", "::").replace("$LT$", "<").replace("$GT$", ">").replace("$C$", ", ")
    return _ESCAPED.sub(lambda escaped: chr(int(escaped[1], 16)), plain) or name


class _Path:
    """The path that a name of the newer mangling holds; positions count from behind its `_R`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._steps = 0

    def path(self, at: int) -> tuple[str, int]:
        """The path at `at`, and where it ends."""
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise _UnreadError
        kind, at = self.text[at], at + 1
        if kind == "C":
            return self._identifier(at)
        if kind == "N":
            outer, at = self.path(at + 1)
            inner, at = self._identifier(at)
            return (f"{outer}::{inner}" if inner else outer), at
        if kind in "MX":  # a method: of the type that follows the path of its impl
            _, at = self.path(self._match(_DISAMBIGUATOR, at).end())
            return self.path(at) if kind == "M" else self._of_a_trait(at)
        if kind == "Y":
            return self._of_a_trait(at)
        if kind == "I":
            # Its arguments would have to be read to go on behind them: only a name that ends with them is.
            return self.path(at)[0], len(self.text)
        if kind == "B":
            end = self.text.index("_", at)
            value = 0
            for digit in self.text[at:end]:
                value = value * 62 + _DIGITS.index(digit)
            return self.path(value + (end > at))[0], end + 1
        raise _UnreadError

    def _of_a_trait(self, at: int) -> tuple[str, int]:
        kind, at = self.path(at)
        trait, at = self.path(at)
        return f"<{kind} as {trait}>", at

    def _identifier(self, at: int) -> tuple[str, int]:
        found = self._match(_IDENTIFIER, at)
        if found[1]:
            raise _UnreadError  # punycode
        end = found.end() + int(found[2])
        if end > len(self.text):
            raise _UnreadError
        return self.text[found.end() : end], end

    def _match(self, pattern: re.Pattern[str], at: int) -> re.Match[str]:
        found = pattern.match(self.text, at)
        if found is None:
            raise _UnreadError
        return found
