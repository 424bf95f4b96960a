"""Names as they may be shown: file names and channel labels hold any byte, and outputs are read by programs."""

from __future__ import annotations

import re
from typing import Final

_CONTROL: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
"""What XML forbids, terminals act on, or turns the direction of writing; lone surrogates are bytes."""
_BREAKS: Final = re.compile("[\t\n]")
_BYTE: Final = range(0xDC80, 0xDD00)


def visible(text: str, *, line: bool = False) -> str:
    r"""The text with every control character spelled out: `\x1b`. Tabs and line ends stay, unless it is one `line`.

    A byte of a file name that is no UTF-8, which Python keeps as a lone surrogate, becomes `\xff` too.
    """
    text = _CONTROL.sub(_spelled, text)
    return _BREAKS.sub(lambda found: {"\t": "\\t", "\n": "\\n"}[found[0]], text) if line else text


def _spelled(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code in _BYTE:
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
