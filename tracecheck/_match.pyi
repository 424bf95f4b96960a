import numpy as np
from numpy.typing import NDArray

def run(
    table: NDArray[np.int32],
    start: int,
    dead: int,
    symbols: NDArray[np.int32],
    offsets: NDArray[np.int64],
    states: NDArray[np.int32],
    died: NDArray[np.int64],
    alive: NDArray[np.int32],
) -> None: ...
def scopes(
    table: NDArray[np.int32],
    accepting: NDArray[np.uint8],
    start: int,
    dead: int,
    column: NDArray[np.int32],
    at: NDArray[np.int64],
    code: NDArray[np.int16],
    owners: NDArray[np.int32],
    first: NDArray[np.int64],
    end: NDArray[np.int64],
    rows: NDArray[np.int64],
    until: int,
    first_free: int,
    states: NDArray[np.int32],
    alive: NDArray[np.int32],
    died: NDArray[np.int64],
    last: NDArray[np.int64],
    nth: NDArray[np.int32],
    tied: NDArray[np.uint8],
) -> None: ...
