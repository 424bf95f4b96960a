import numpy as np
from numpy.typing import NDArray

def judge(
    distance: NDArray[np.int64],
    under: int,
    least: int,
    most: int,
    over: int,
    codes: tuple[int, int, int],
    verdict: NDArray[np.uint8],
) -> None: ...
