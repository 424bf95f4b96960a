"""Members of a file, inflated and scanned in one go (compiled). See `capture/inflate.py` for who drives it.

A round for each member: `begin`, and then, as `state` says:

"input"  `give` the next piece of its compressed bytes
"room"   `edges` (or `read`) again: there is more than went into the arrays
"done"   the member ended. `size`, `crc` and what is `unused` of the input are for the caller to compare
"short"  the member's input ended before the member did
"bad"    it is not a deflate stream
"more"   it inflates to more than it declares

A `Stream` is for one thread at a time; several work side by side, as the GIL is let go.
"""

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

PIECE: int
"""Compressed bytes that `give` takes at most."""
LEAST_ROOM: int
"""Edges that the arrays given to `edges` must hold at least."""

@final
class Stream:
    def __init__(self, unitsize: int, mask: int, *, at: int = 0, stop: int = ...) -> None:
        """Samples of `unitsize` bytes, of which the lines in `mask` count; the first has number `at`.

        Samples from `stop` on are inflated and passed over.
        """

    def begin(self, declared: int, *, stored: bool = False, skip: int = 0) -> None:
        """A member that says it is `declared` bytes, of which the first `skip` are not wanted.

        Bytes of a sample that the member before left go before it.
        """

    def give(self, piece: bytes | memoryview, *, last: bool) -> None:
        """The next piece of the member's input, copied; `last` when nothing follows it."""

    def edges(self, at: NDArray[np.int64], words: NDArray[Any]) -> tuple[int, int, int]:
        """Fills `at` and `words` as `_edges.scan` does, as far as input and room go.

        Returns the edges filled, the samples they cover, and the lines before them.
        """

    def read(self) -> bytes:
        """Inflated bytes as they are, at most a window of them."""

    @property
    def state(self) -> str: ...
    @property
    def at(self) -> int:
        """Number of the next sample."""

    @property
    def size(self) -> int:
        """Bytes inflated of this member."""

    @property
    def crc(self) -> int:
        """CRC-32 of them."""

    @property
    def given(self) -> int:
        """Bytes of input given for this member."""

    @property
    def unused(self) -> int:
        """Bytes of input that were not needed."""
