"""Arrow tables as files: CSV, JSON lines, Parquet, Arrow IPC. Written batch by batch to an open binary file.

Parquet and Arrow keep the types, the documentation of the columns and the schema's version. In CSV and JSON lines,
words are plain strings, bytes are hex, and a null is an empty cell or `null`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from tracecheck.arrow import empty
from tracecheck.streamed import TableStream

BATCH_ROWS: Final = 1 << 16


def write_csv(table: pa.Table | TableStream, file: Any) -> None:
    """A head line and a line a row; texts are quoted where they must be."""
    from pyarrow import csv  # noqa: PLC0415  (loaded when wanted: Parquet and CSV take longer than a small decode)

    flat = plain(empty(table.schema))
    options = csv.WriteOptions(quoting_style="needed")
    with csv.CSVWriter(file, flat.schema, write_options=options) as writer:
        for batch in table.to_batches(max_chunksize=BATCH_ROWS):
            writer.write_table(plain(pa.Table.from_batches([batch])))


def write_jsonl(table: pa.Table | TableStream, file: Any) -> None:
    """One JSON object a row, keys in the order of the columns."""
    for batch in table.to_batches(max_chunksize=BATCH_ROWS):
        rows = plain(pa.Table.from_batches([batch])).to_pylist()
        file.write("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode())


def write_parquet(table: pa.Table | TableStream, file: Any) -> None:
    """Parquet with the schema's metadata; dictionary columns stay dictionaries."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    with pq.ParquetWriter(file, table.schema) as writer:
        for batch in table.to_batches(max_chunksize=BATCH_ROWS):
            writer.write_batch(batch)


def write_arrow(table: pa.Table | TableStream, file: Any) -> None:
    """An Arrow IPC file, which is also Feather version 2."""
    table = table.unify_dictionaries()
    with pa.ipc.new_file(file, table.schema) as writer:
        for batch in table.to_batches(max_chunksize=BATCH_ROWS):
            writer.write_batch(batch)


WRITERS: Final[dict[str, Callable[[pa.Table | TableStream, Any], None]]] = {
    "csv": write_csv,
    "jsonl": write_jsonl,
    "parquet": write_parquet,
    "arrow": write_arrow,
}


def plain(table: pa.Table) -> pa.Table:
    """The table without dictionaries and binary columns, for formats that have neither."""
    columns = [_plain_column(column) for column in table.columns]
    return pa.Table.from_arrays(columns, names=table.column_names)


def _plain_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        return pc.cast(column, pa.string())
    if pa.types.is_binary(column.type):
        texts = [None if value is None else value.hex() for value in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())])
    return column
