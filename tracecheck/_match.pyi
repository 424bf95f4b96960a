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
