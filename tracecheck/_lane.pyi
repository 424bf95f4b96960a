from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

_Stream: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int16], NDArray[np.int64]]

def interleave(
    streams: list[_Stream], at: NDArray[np.int64], code: NDArray[np.int16], own: NDArray[np.int64]
) -> None: ...
def build(
    bus: _Stream,
    others: _Stream,
    ids: NDArray[np.int64],
    void: NDArray[np.bool_] | NDArray[np.uint8],
    start: NDArray[np.int64],
    close: NDArray[np.int64],
    rows: NDArray[np.int64],
    first_free: int,
    at: NDArray[np.int64],
    code: NDArray[np.int16],
    own: NDArray[np.int64],
    owner: NDArray[np.int64],
    own_row: NDArray[np.int32],
    owner_row: NDArray[np.int32],
) -> None: ...
def group(
    keys: NDArray[np.int16] | NDArray[np.int32] | NDArray[np.uint8],
    group_of: NDArray[np.int64],
    offsets: NDArray[np.int64],
    scratch: NDArray[np.int64],
    order: NDArray[np.int64],
) -> int: ...
def ranges(rows: NDArray[np.int32], first: NDArray[np.int64], end: NDArray[np.int64]) -> None: ...
def latest(
    at: NDArray[np.int64],
    code: NDArray[np.int16],
    places: NDArray[np.int64],
    least: int,
    below: int,
    never: int,
    upto: NDArray[np.int64],
    before: NDArray[np.int64],
) -> None: ...
def first_data(
    code: NDArray[np.int16], rows: NDArray[np.int32], data: int, restart: int, count: NDArray[np.int64]
) -> None: ...
def search(events: NDArray[np.int64], at: NDArray[np.int64], right: bool, found: NDArray[np.int64]) -> None: ...
