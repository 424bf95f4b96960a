import numpy as np
from numpy.typing import NDArray

def verdicts(verdict: NDArray[np.uint8], value: NDArray[np.int64], cut: int, counts: NDArray[np.int64]) -> int: ...
def histogram(
    values: NDArray[np.int64], dense: NDArray[np.int64], beyond: NDArray[np.int64]
) -> tuple[int, int, int]: ...
