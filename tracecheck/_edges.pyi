from typing import Any

import numpy as np
from numpy.typing import NDArray

def scan(
    data: bytes | bytearray | memoryview | NDArray[np.uint8],
    unitsize: int,
    mask: int,
    previous: int,
    base: int,
    at: NDArray[np.int64],
    words: NDArray[np.unsignedinteger[Any]],
    *,
    plain: bool = False,
) -> int: ...
def line_edges(
    at: NDArray[np.int64],
    words: NDArray[np.unsignedinteger[Any]],
    bit: int,
    level: int,
    rises: NDArray[np.int64],
    falls: NDArray[np.int64],
) -> tuple[int, int]: ...
