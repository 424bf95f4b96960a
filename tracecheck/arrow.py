"""NumPy columns as Arrow arrays, by their buffers: nothing is copied, and nothing is looked at value by value.

`pyarrow.array` would do, but it asks pandas about every argument and so imports it, which costs a small capture more
time than decoding it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def column(values: NDArray[Any], null: NDArray[np.bool_] | None = None) -> pa.Array:
    """An Arrow array of the same type and length; null where `null` is true. Booleans are packed, the rest shared."""
    n = len(values)
    validity = pa.py_buffer(np.packbits(~null, bitorder="little")) if null is not None and null.any() else None
    if values.dtype == np.bool_:
        kind, data = pa.bool_(), np.packbits(values, bitorder="little")
    else:
        kind, data = pa.from_numpy_dtype(values.dtype), np.ascontiguousarray(values)
    return pa.Array.from_buffers(kind, n, [validity, pa.py_buffer(data)])


def strings(texts: Sequence[str]) -> pa.Array:
    """A string array; for a few distinct words, not for a column."""
    encoded = [text.encode() for text in texts]
    offsets = np.zeros(len(texts) + 1, np.int32)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    return pa.Array.from_buffers(
        pa.string(), len(texts), [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    )


def coded(indices: NDArray[Any], words: Sequence[str], null: NDArray[np.bool_] | None = None) -> pa.DictionaryArray:
    """A dictionary column: signed `indices` into `words`."""
    return pa.DictionaryArray.from_arrays(column(indices, null), strings(words))


def empty(schema: pa.Schema) -> pa.Table:
    """A table without rows; `Schema.empty_table` asks pandas, too."""
    return pa.Table.from_batches([], schema=schema)


def integers(values: pa.ChunkedArray) -> NDArray[np.int64]:
    """A column of 64-bit integers as one NumPy array; -1 for null."""
    return np.concatenate([np.empty(0, np.int64), *(_filled(chunk) for chunk in values.chunks)])


def having(table: pa.Table, name: str, word: str) -> pa.Table:
    """The rows whose dictionary column `name` says `word`."""
    masks = [np.zeros(0, np.bool_)]
    for chunk in table[name].chunks:
        codes = [i for i, text in enumerate(chunk.dictionary.to_pylist()) if text == word]
        masks.append(np.isin(_raw(chunk.indices), codes) & _valid(chunk))
    return table.filter(column(np.concatenate(masks)))


def _raw(values: pa.Array) -> NDArray[Any]:
    whole = np.frombuffer(values.buffers()[1] or b"", f"i{values.type.bit_width // 8}")
    return whole[values.offset : values.offset + len(values)]


def _valid(values: pa.Array) -> NDArray[np.bool_]:
    bits = values.is_valid()
    whole = np.unpackbits(np.frombuffer(bits.buffers()[1] or b"", np.uint8), bitorder="little")
    return whole[bits.offset : bits.offset + len(bits)].astype(np.bool_)


def _filled(values: pa.Array) -> NDArray[np.int64]:
    return np.where(_valid(values), _raw(values), -1) if values.null_count else _raw(values)
