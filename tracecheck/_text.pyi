from typing import Any, final

import numpy as np
from numpy.typing import NDArray

@final
class Cells:
    """Texts of one column: `index` gives for each line which of `texts`, which are UTF-8.

    Raises ValueError where there is none.
    """

    def __init__(self, texts: list[bytes], index: NDArray[np.int64]) -> None: ...

def lines(
    at: NDArray[np.int64],
    timed: bool,
    buses: Cells | None,
    number: NDArray[np.int64],
    cells: list[Cells],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    of: dict[str, NDArray[Any]],
    values: NDArray[np.uint8],
    room: int,
) -> str:
    """A line for each transfer, with its line end, all in one string.

    `at`      its START in nanoseconds, or, where not `timed`, in samples
    `buses`   the cell before its `number`; `cells` those after it, two spaces before each
    `first`, `last`  its messages [first, last) in `of`: the decoder's columns, and `data`, where in `values` the
              first data byte of each is
    `room`    columns that messages may take before bytes are left out; below 0: no limit

    Raises ValueError for columns that do not go together.
    """
